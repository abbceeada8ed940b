"""The preparation of a cluster: complete, as rooms and workspaces need it, and fully documented."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from brakepoint.cluster.amounts import quantity
from brakepoint.cluster.kit import default_room
from brakepoint.course import ROOT, course
from brakepoint.delivery.rendering import container_of, named, of_kind, render
from brakepoint.room.config import Room
from brakepoint.room.manifests import login_secret, namespace_manifests
from brakepoint.room.stores.minio import ADMIN_KEY, ADMIN_SECRET
from brakepoint.texts import languages

FOLDER = ROOT / "deploy" / "cluster"
CLUSTER, LOGIN, GPU = render(FOLDER), render(FOLDER / "login"), render(FOLDER / "gpu")
DEVFILE = yaml.safe_load((ROOT / "devfile.yaml").read_text("utf-8"))
PLATFORMS_OWN = {"openshift-operators", "openshift-monitoring", "openshift-gitops"}
"""Namespaces that are there, or that an operator makes."""
COMMANDS = re.compile(r"## (?:Five commands|Cinq commandes)\n.*?```bash\n(.*?)\n```", re.DOTALL)


def one(manifests: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    (found,) = of_kind(manifests, kind)
    return found


def test_every_namespace_that_something_goes_to_is_made() -> None:
    for manifests in (CLUSTER, GPU):
        made = {manifest["metadata"]["name"] for manifest in of_kind(manifests, "Namespace")}
        used = {manifest["metadata"].get("namespace") for manifest in manifests} - {None}
        assert used <= made | PLATFORMS_OWN


def test_every_operator_whose_kinds_are_used_is_subscribed_to() -> None:
    subscribed = {manifest["spec"]["name"] for manifest in of_kind(CLUSTER, "Subscription")}

    assert subscribed == {
        "openshift-pipelines-operator-rh", "openshift-gitops-operator", "devspaces", "rhods-operator"
    }  # fmt: skip
    for subscription in of_kind([*CLUSTER, *GPU], "Subscription"):
        assert subscription["spec"]["sourceNamespace"] == "openshift-marketplace"
        space = subscription["metadata"]["namespace"]
        groups = {g["metadata"]["namespace"] for g in of_kind([*CLUSTER, *GPU], "OperatorGroup")}
        assert space in groups | {"openshift-operators"}


def test_images_are_built_where_root_is_allowed_and_nothing_else_is() -> None:
    levels = {
        manifest["metadata"]["name"]: manifest["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
        for manifest in of_kind(CLUSTER, "Namespace")
        if manifest["metadata"]["name"].startswith("brakepoint-")
    }

    assert levels.pop("brakepoint-images") == "baseline"
    assert set(levels.values()) == {"restricted"}


def test_a_workspace_is_admitted_and_lives_as_long_as_the_workshop() -> None:
    settings = one(CLUSTER, "CheCluster")["spec"]["devEnvironments"]
    room = Room(name="spring", attendees=1, handles=("anna",))
    namespace = one(list(yaml.safe_load_all(namespace_manifests(room, "anna"))), "Namespace")["metadata"]

    assert namespace["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert settings["disableContainerBuildCapabilities"] is True
    assert settings["defaultNamespace"] == {"autoProvision": False}, "a template would hold for every room"
    assert namespace["annotations"]["che.eclipse.org/username"] == "anna"
    minutes = sum(step.minutes for step in course())
    assert settings["secondsOfInactivityBeforeIdling"] >= 60 * minutes
    assert settings["startTimeoutSeconds"] >= 900


def test_the_images_of_a_workspace_are_on_each_node_before_the_day() -> None:
    puller = one(CLUSTER, "CheCluster")["spec"]["components"]["imagePuller"]
    pulled = dict(entry.strip().split("=") for entry in puller["spec"]["images"].split(";"))

    assert puller["enable"] is True
    assert pulled["broker"] == DEVFILE["variables"]["brokerImage"]
    assert pulled["store"] == DEVFILE["variables"]["storeImage"]
    built = {
        f"{said['image']}:{said['version']}"
        for run in of_kind(CLUSTER, "PipelineRun")
        for said in [{p["name"]: p["value"] for p in run["spec"]["params"]}]
    }
    assert pulled["workbench"] in built


def test_builds_on_two_nodes_may_share_their_sources() -> None:
    assert one(CLUSTER, "TektonConfig")["spec"]["pipeline"]["coschedule"] == "disabled"


def test_a_room_that_pushes_again_before_old_runs_are_pruned_has_volumes_left() -> None:
    """Tekton before 1.3 fails a run whose volume exceeds the quota."""
    (template,) = of_kind(CLUSTER, "TriggerTemplate")
    (run,) = template["spec"]["resourcetemplates"]
    (claim,) = (w["volumeClaimTemplate"] for w in run["spec"]["workspaces"] if "volumeClaimTemplate" in w)
    size = quantity(claim["spec"]["resources"]["requests"]["storage"])
    pruner = one(CLUSTER, "TektonConfig")["spec"]["pruner"]
    hard = quantity(one(CLUSTER, "ResourceQuota")["spec"]["hard"]["requests.storage"])

    assert hard >= size * (2 * default_room().attendees + pruner["keep"])
    assert pruner["schedule"].startswith("*/5 ")


def test_what_is_for_amd64_alone_is_not_put_on_nodes_of_another_kind() -> None:
    room = Room(name="spring", attendees=1, handles=("anna",))
    own = one(list(yaml.safe_load_all(namespace_manifests(room, "anna"))), "Namespace")
    test = named(CLUSTER, "Namespace", "brakepoint-test")
    assert test is not None
    puller = one(CLUSTER, "CheCluster")["spec"]["components"]["imagePuller"]["spec"]

    for namespace in (own, test):
        assert (
            namespace["metadata"]["annotations"]["openshift.io/node-selector"] == "kubernetes.io/arch=amd64"
        )
    assert json.loads(puller["nodeSelector"]) == {"kubernetes.io/arch": "amd64"}


def test_models_are_served_without_a_service_mesh_and_pipelines_are_on() -> None:
    components = one(CLUSTER, "DataScienceCluster")["spec"]["components"]

    assert components["kserve"]["defaultDeploymentMode"] == "RawDeployment"
    assert {
        components[name]["managementState"] for name in ("kserve", "datasciencepipelines", "dashboard")
    } == {"Managed"}


def test_the_store_s_administrator_is_the_one_that_makes_the_room() -> None:
    minio = named(CLUSTER, "Deployment", "minio")
    assert minio is not None
    references = [
        variable["valueFrom"]["secretKeyRef"]
        for variable in container_of(minio)["env"]
        if "valueFrom" in variable
    ]

    assert [(r["name"], r["key"]) for r in references] == [
        ("brakepoint-minio", ADMIN_KEY), ("brakepoint-minio", ADMIN_SECRET)
    ]  # fmt: skip


def test_prometheus_looks_into_the_namespaces_of_users() -> None:
    config = named(CLUSTER, "ConfigMap", "cluster-monitoring-config")
    assert config is not None
    assert yaml.safe_load(config["data"]["config.yaml"]) == {"enableUserWorkload": True}
    assert one(CLUSTER, "PodMonitor")["metadata"]["namespace"] == "brakepoint-test"


def test_the_cluster_asks_the_room_s_accounts_for_their_passwords() -> None:
    (provider,) = one(LOGIN, "OAuth")["spec"]["identityProviders"]
    secret = yaml.safe_load(login_secret("anna:hash\n"))

    assert provider["htpasswd"]["fileData"]["name"] == secret["metadata"]["name"]
    assert secret["metadata"]["namespace"] == "openshift-config"
    assert secret["stringData"] == {"htpasswd": "anna:hash\n"}
    assert one(LOGIN, "ClusterRoleBinding")["subjects"] == [], "nobody makes namespaces of the own"


def test_a_gpu_is_shared_by_the_slices_that_the_policy_names() -> None:
    policy, slices = one(GPU, "ClusterPolicy")["spec"]["devicePlugin"], one(GPU, "ConfigMap")
    shared = yaml.safe_load(slices["data"][policy["config"]["default"]])["sharing"]["timeSlicing"]

    assert policy["config"]["name"] == slices["metadata"]["name"]
    assert shared["resources"] == [{"name": "nvidia.com/gpu", "replicas": 4}]
    assert shared["failRequestsGreaterThanOne"] is True
    tolerated = one(GPU, "ClusterPolicy")["spec"]["daemonsets"]["tolerations"]
    assert [(t["key"], t["operator"]) for t in tolerated] == [("nvidia.com/gpu", "Exists")]


@pytest.mark.parametrize("lang", languages())
def test_a_room_is_at_most_five_commands_away(lang: str) -> None:
    page = (ROOT / "docs" / lang / "cluster.md").read_text("utf-8")
    found = COMMANDS.search(page)
    assert found is not None
    lines = found[1].splitlines()

    assert len(lines) <= 5
    folders = re.findall(r"--kustomize ([\w/-]+)", found[1])
    assert folders == ["deploy/cluster", "deploy/cluster/login"]
    assert all((ROOT / folder / "kustomization.yaml").is_file() for folder in folders)
    assert "--from-env-file=minio.env" in found[1]


@pytest.mark.parametrize("lang", languages())
def test_the_page_says_who_needs_cluster_admin_for_each_part_and_kind(lang: str) -> None:
    page = (ROOT / "docs" / lang / "cluster.md").read_text("utf-8")
    folders = [path for path in FOLDER.iterdir() if path.is_dir()]
    wide = {m["kind"] for m in (*CLUSTER, *LOGIN, *GPU) if "namespace" not in m["metadata"]}

    assert all(f"`deploy/cluster/{folder.name}`" in page for folder in folders)
    assert all(kind in page for kind in wide)


def test_each_file_is_taken_by_its_kustomization() -> None:
    for folder in [FOLDER, *(path for path in FOLDER.rglob("*") if path.is_dir())]:
        listed = yaml.safe_load((folder / "kustomization.yaml").read_text("utf-8"))["resources"]
        own = {path.name for path in folder.glob("*.yaml")} - {"kustomization.yaml"}
        assert own == {name for name in listed if Path(name).suffix == ".yaml"}
