"""What a Jetson is given: no more rights than it needs, a guard with the driver, a check that only checks."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

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
