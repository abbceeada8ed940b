"""What the cluster is told about one attendee, field by field."""

import pytest
import yaml

from brakepoint.room.accounts import Account
from brakepoint.room.config import Quota, Room
from brakepoint.room.manifests import connection_variables, environment, namespace_manifests, secret_manifests

ROOM = Room(name="spring", attendees=2, handles=("anna",), quota=Quota(cpu=6, memory_gib=10, gpus=1, pods=7))
ACCOUNT = Account(password="p", password_hash="h", secret_key="s3cret")
ENDPOINT = "http://minio.svc:9000"


@pytest.fixture
def by_kind() -> dict[str, dict]:
    documents = yaml.safe_load_all(namespace_manifests(ROOM, "anna"))
    return {document["kind"]: document for document in documents}


def test_all_but_the_namespace_itself_lies_in_the_namespace(by_kind) -> None:
    namespace = by_kind.pop("Namespace")["metadata"]

    assert namespace["name"] == "spring-anna" and "namespace" not in namespace
    assert {each["metadata"]["namespace"] for each in by_kind.values()} == {"spring-anna"}
    assert {each["metadata"]["name"] for each in by_kind.values()} == {"attendee"}


def test_everything_says_whose_it_is(by_kind) -> None:
    for each in by_kind.values():
        labels = each["metadata"]["labels"]
        assert (labels["brakepoint.io/room"], labels["brakepoint.io/attendee"]) == ("spring", "anna")


def test_the_platform_finds_the_namespace_and_keeps_its_pods_small(by_kind) -> None:
    namespace = by_kind.pop("Namespace")["metadata"]
    labels = namespace["labels"]

    assert labels["opendatahub.io/dashboard"] == "true"
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert namespace["annotations"]["openshift.io/display-name"] == "Brakepoint anna"
    assert not any("annotations" in each["metadata"] for each in by_kind.values())


def test_argo_cd_deploys_the_attendees_own_repository_into_the_namespace() -> None:
    room = ROOM.model_copy(update={"repository": "https://git.example.org/{handle}/brakepoint.git"})

    assert yaml.safe_load(environment(room, "anna")) == {
        "namespace": "spring-anna",
        "repository": "https://git.example.org/anna/brakepoint.git",
        "branch": "main",
    }


def test_an_attendee_may_use_the_quota_and_ask_for_half_of_it(by_kind) -> None:
    assert by_kind["ResourceQuota"]["spec"]["hard"] == {
        "requests.cpu": "3000m",
        "limits.cpu": "6",
        "requests.memory": "5120Mi",
        "limits.memory": "10Gi",
        "requests.storage": "20Gi",
        "requests.nvidia.com/gpu": "1",
        "pods": "7",
        "services.loadbalancers": "0",
        "services.nodeports": "0",
    }


def test_one_container_may_use_all_of_it(by_kind) -> None:
    (limits,) = by_kind["LimitRange"]["spec"]["limits"]

    assert limits["type"] == "Container"
    assert limits["max"] == {"cpu": "6", "memory": "10Gi"}
    assert limits["defaultRequest"]["cpu"] == "100m"


def test_an_attendee_has_the_clusters_own_role_edit_in_the_namespace_alone(by_kind) -> None:
    binding = by_kind["RoleBinding"]

    assert (binding["roleRef"]["kind"], binding["roleRef"]["name"]) == ("ClusterRole", "edit")
    assert [(subject["kind"], subject["name"]) for subject in binding["subjects"]] == [("User", "anna")]


def test_pods_are_reached_from_their_own_namespace_and_from_none_of_a_room(by_kind) -> None:
    spec = by_kind["NetworkPolicy"]["spec"]
    (rule,) = spec["ingress"]

    assert (spec["podSelector"], spec["policyTypes"]) == ({}, ["Ingress"])
    assert rule["from"] == [
        {"podSelector": {}},
        {
            "namespaceSelector": {
                "matchExpressions": [{"key": "brakepoint.io/room", "operator": "DoesNotExist"}]
            }
        },
    ]


def test_the_data_connection_holds_what_an_environment_needs() -> None:
    variables = connection_variables(ROOM, "anna", ACCOUNT, ENDPOINT)

    assert variables == {
        "AWS_S3_ENDPOINT": ENDPOINT,
        "AWS_S3_BUCKET": "spring-anna",
        "AWS_ACCESS_KEY_ID": "spring-anna",
        "AWS_SECRET_ACCESS_KEY": "s3cret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "BRAKEPOINT_ROOM": "spring",
    }


@pytest.mark.parametrize("image", ["", "registry.example.org/pipeline:1"])
def test_the_secret_is_mounted_as_variables_and_says_what_step_4_needs(image) -> None:
    room = ROOM.model_copy(update={"pipeline_image": image})
    (secret,) = yaml.safe_load_all(secret_manifests(room, "anna", ACCOUNT, ENDPOINT))
    said = secret["stringData"]

    assert (secret["kind"], secret["type"]) == ("Secret", "Opaque")
    assert secret["metadata"]["namespace"] == "spring-anna"
    assert secret["metadata"]["annotations"]["controller.devfile.io/mount-as"] == "env"
    assert secret["metadata"]["labels"]["controller.devfile.io/mount-to-devworkspace"] == "true"
    assert said.items() >= connection_variables(room, "anna", ACCOUNT, ENDPOINT).items()
    assert (said["BRAKEPOINT_GPUS"], said.get("BRAKEPOINT_IMAGE", "")) == ("1", image)
