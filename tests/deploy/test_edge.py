"""The set-up of a Jetson: no more rights than it needs, a guard with the driver, a harmless check."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from brakepoint import __version__
from brakepoint.delivery.rendering import container_of, named, of_kind, render
from brakepoint.services import SERVICES
from hardware.heartbeat import VARIABLE

EDGE = Path(__file__).parent.parent.parent / "deploy/edge"
TRAIN = next(yaml.safe_load_all((EDGE / "microshift/train.yaml").read_text("utf-8")))
POD = TRAIN["spec"]["template"]["spec"]
CONTAINERS = {container["name"]: container for container in POD["containers"]}


@pytest.mark.parametrize("path", sorted(EDGE.rglob("*.yaml")), ids=lambda path: path.name)
def test_every_manifest_is_yaml(path):
    assert all(document for document in yaml.safe_load_all(path.read_text("utf-8")))


@pytest.mark.parametrize("name", CONTAINERS)
def test_no_container_is_privileged(name):
    rights = CONTAINERS[name]["securityContext"]

    assert "privileged" not in rights
    assert rights["allowPrivilegeEscalation"] is False
    assert rights["capabilities"] == {"drop": ["ALL"]}
    assert POD["securityContext"]["runAsNonRoot"] is True
    assert not POD.get("hostNetwork")


def environment(name: str) -> dict[str, str]:
    return {entry["name"]: entry["value"] for entry in CONTAINERS[name]["env"]}


def test_driver_and_guard_share_one_sign_of_life_in_one_volume():
    mounts = {
        name: {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
        for name, container in CONTAINERS.items()
    }

    assert environment("service")[VARIABLE] == environment("guard")[VARIABLE] == "/run/brakepoint/hub"
    assert mounts["service"]["/run/brakepoint"] == mounts["guard"]["/run/brakepoint"]


def test_they_run_commands_that_there_are():
    assert CONTAINERS["service"]["args"][0] in SERVICES
    assert CONTAINERS["guard"]["command"][2:] == ["brakepoint", "hub", "guard"]


@pytest.mark.parametrize("unit", ["brakepoint-train.service", "brakepoint-hub-guard.service"])
def test_the_units_of_systemd_share_the_sign_of_life_too(unit):
    written = (EDGE / "host" / unit).read_text("utf-8")

    assert f"{VARIABLE}=/run/brakepoint/hub" in written
    assert "RuntimeDirectory=brakepoint" in written
    assert "Restart=always" in written


def test_the_grace_is_longer_than_braking_and_disconnecting_may_take():
    from hardware.ble_hub import CLOSE_S

    assert POD["terminationGracePeriodSeconds"] > CLOSE_S


def test_greenboots_check_only_checks():
    script = (EDGE / "host/50-brakepoint.sh").read_text("utf-8")
    commands = "\n".join(line for line in script.splitlines() if not line.startswith("#"))

    subprocess.run(["bash", "-n", "-c", script], check=True)
    assert not re.search(r"\b(start|stop|restart|apply|create|delete|scale|rollout|enable)\b", commands)


def test_what_the_image_copies_is_there():
    written = (EDGE / "Containerfile").read_text("utf-8")
    copied = re.findall(r"^COPY (?:--\S+ )?(\S+)", written, flags=re.MULTILINE)

    assert copied
    assert all((EDGE.parent.parent / path).exists() for path in copied)
    assert "ARG BASE\nFROM ${BASE}" in written


JETSON = render(EDGE.parent / "overlays" / "jetson")
HOST = EDGE / "host"


def test_what_mounts_something_of_the_host_is_admitted_with_its_seccomp_profile() -> None:
    (scc,) = of_kind(JETSON, "SecurityContextConstraints")
    (role,) = of_kind(JETSON, "Role")
    (binding,) = of_kind(JETSON, "RoleBinding")
    wanted = POD["securityContext"]

    assert scc["seccompProfiles"] == ["runtime/default"]
    assert scc["allowHostDirVolumePlugin"] is True and "hostPath" in scc["volumes"]
    assert (scc["runAsUser"]["type"], scc["runAsUser"]["uid"]) == ("MustRunAs", wanted["runAsUser"])
    (ids,) = scc["fsGroup"]["ranges"]
    assert ids["min"] == ids["max"] == wanted["fsGroup"]
    assert scc["requiredDropCapabilities"] == ["ALL"] and not scc["allowedCapabilities"]
    assert not [name for name, value in scc.items() if name.startswith("allow") and value is True][1:]
    assert role["rules"][0]["resourceNames"] == [scc["metadata"]["name"]]
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    assert binding["subjects"] == [
        {"kind": "ServiceAccount", "name": "brakepoint-hardware", "namespace": "brakepoint-train"}
    ]
    kinds = {kind for d in of_kind(JETSON, "Deployment") for kind in hardware_volumes(d)}
    assert kinds <= set(scc["volumes"])


def hardware_volumes(deployment: dict) -> set[str]:
    pod = deployment["spec"]["template"]["spec"]
    mine = pod.get("serviceAccountName") == "brakepoint-hardware"
    return {kind for volume in pod["volumes"] for kind in volume if mine and kind != "name"}


def test_every_runtime_class_that_a_pod_asks_for_is_there_and_the_host_knows_its_handler() -> None:
    asked = {
        deployment["spec"]["template"]["spec"].get("runtimeClassName")
        for deployment in of_kind(JETSON, "Deployment")
    }
    handlers = {one["metadata"]["name"]: one["handler"] for one in of_kind(JETSON, "RuntimeClass")}

    assert asked - {None} == set(handlers)
    for handler in handlers.values():
        assert f"[crio.runtime.runtimes.{handler}]" in (HOST / "nvidia.conf").read_text("utf-8")


def test_the_detector_runs_on_the_chip_and_keeps_its_engine() -> None:
    detector = named(JETSON, "Deployment", "detector")
    assert detector is not None
    container = container_of(detector)
    said = {variable["name"]: variable.get("value") for variable in container["env"]}

    assert said["BRAKEPOINT_RUNTIME"] == "tensorrt"
    assert said["BRAKEPOINT_ENGINE_CACHE"] in {mount["mountPath"] for mount in container["volumeMounts"]}


def test_every_image_comes_from_a_registry_that_the_edge_reaches() -> None:
    prefix = re.findall(r'^prefix = "(.+)"$', (HOST / "registry.conf").read_text("utf-8"), re.MULTILINE)
    images = {
        container["image"]
        for deployment in of_kind(JETSON, "Deployment")
        for container in deployment["spec"]["template"]["spec"]["containers"]
    }

    assert {image for image in images if "mosquitto" not in image} == {
        f"{prefix[0]}/brakepoint-jetson:{__version__}"
    }


def test_the_image_of_a_jetson_has_a_camera_pipeline_and_the_runtime_of_its_chip() -> None:
    stages = (EDGE.parent / "images/Containerfile").read_text("utf-8").split("\nFROM ")
    (jetson,) = (stage for stage in stages if stage.startswith("kit AS jetson"))

    assert "gstreamer1.0-tools" in jetson and "onnxruntime-gpu" in jetson
    assert "BRAKEPOINT_RUNTIME=tensorrt" in jetson


def test_the_operating_system_deploys_the_overlay() -> None:
    written = (EDGE / "Containerfile").read_text("utf-8")

    assert "/usr/lib/brakepoint/deploy/overlays/jetson /usr/lib/microshift/manifests.d/" in written


def test_the_bus_lets_in_a_user_that_the_host_knows_by_the_uid_of_the_pods() -> None:
    (user,) = re.findall(r'<policy user="(\w+)">', (HOST / "hub-access.conf").read_text("utf-8"))
    known = re.findall(r"^u (\w+) (\d+)", (HOST / "sysusers.conf").read_text("utf-8"), re.MULTILINE)

    assert known == [(user, str(POD["securityContext"]["runAsUser"]))]


def test_there_is_a_volume_group_for_what_is_kept() -> None:
    (group,) = yaml.safe_load((HOST / "lvmd.yaml").read_text("utf-8"))["device-classes"]

    assert list(of_kind(JETSON, "PersistentVolumeClaim"))
    assert f"vgs {group['volume-group']}" in (HOST / "50-brakepoint.sh").read_text("utf-8")
