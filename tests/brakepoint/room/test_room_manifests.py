"""The manifests for one attendee, field by field."""

import pytest
import yaml

from brakepoint.course import ROOT
from brakepoint.delivery.rendering import of_kind, render
from brakepoint.room.accounts import Account
from brakepoint.room.config import MinioSettings, Quota, Room
from brakepoint.room.manifests import (
    LET_IN,
    connection_variables,
    environment,
    namespace_manifests,
    secret_manifests,
)

ROOM = Room(name="spring", attendees=2, handles=("anna",), quota=Quota(cpu=6, memory_gib=10, gpus=1, pods=7))
ACCOUNT = Account(password="p", password_hash="h", secret_key="s3cret")
ENDPOINT = "http://minio.svc:9000"


def manifests(room: Room = ROOM, handle: str = "anna") -> list[dict]:
    return list(yaml.safe_load_all(namespace_manifests(room, handle)))


@pytest.fixture
def by_kind() -> dict[str, dict]:
    """The objects named `attendee`, and the namespace."""
    named = ("attendee", "spring-anna")
    return {one["kind"]: one for one in manifests() if one["metadata"]["name"] in named}


def test_all_but_the_namespace_itself_is_in_the_namespace(by_kind) -> None:
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


def test_pods_are_reached_from_their_own_namespace_and_from_the_platforms_by_name(by_kind) -> None:
    spec = by_kind["NetworkPolicy"]["spec"]
    (rule,) = spec["ingress"]
    named = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": list(LET_IN)}

    assert spec["policyTypes"] == ["Ingress"]
    assert rule["from"] == [{"podSelector": {}}, {"namespaceSelector": {"matchExpressions": [named]}}]
    assert all(name.startswith(("openshift-", "redhat-ods-")) for name in LET_IN), "no user can make these"


def test_what_is_let_in_adds_nothing_to_who_may_speak_to_the_train(by_kind) -> None:
    (only,) = by_kind["NetworkPolicy"]["spec"]["podSelector"]["matchExpressions"]
    train = of_kind(render(ROOT / "deploy" / "overlays" / "stub"), "Deployment")

    assert only["operator"] == "NotIn"
    for deployment in train:
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        assert labels[only["key"]] in only["values"]


def test_a_workspace_may_use_the_pipeline_server_beside_it() -> None:
    roles = {one["kind"]: one for one in manifests() if one["metadata"]["name"] == "workspace"}

    allowed = {(rule["resources"][0], verb) for rule in roles["Role"]["rules"] for verb in rule["verbs"]}
    assert allowed >= {("routes", "get"), ("datasciencepipelinesapplications/api", "create")}
    assert roles["RoleBinding"]["roleRef"]["name"] == "workspace"
    (group,) = roles["RoleBinding"]["subjects"]
    assert (group["kind"], group["name"]) == ("Group", "system:serviceaccounts:spring-anna")
    assert {one["metadata"]["namespace"] for one in roles.values()} == {"spring-anna"}


MINIO = MinioSettings(
    kind="minio", endpoint="https://minio.example.org", inside="http://minio.storage.svc:9000"
)
ON_A_CLUSTER = ROOM.model_copy(
    update={
        "store": MINIO,
        "pipeline_image": "registry.example.org/pipeline:1",
        "serving_image": "registry.example.org/serving:1",
        "openvino_image": "registry.example.org/openvino:1",
        "repository": "https://git.example.org/{handle}/brakepoint.git",
    }
)


def kinds(room: Room) -> set[str]:
    return {one["kind"] for one in manifests(room)}


def test_without_images_and_repositories_nothing_of_the_platform_is_asked_for() -> None:
    assert kinds(ROOM) == {
        "Namespace", "ResourceQuota", "LimitRange", "NetworkPolicy", "RoleBinding", "Role"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("inside", "where"),
    [
        ("http://minio.storage.svc:9000", ("minio.storage.svc", "9000", "http")),
        ("", ("minio.example.org", "443", "https")),
        ("http://minio.storage.svc", ("minio.storage.svc", "80", "http")),
    ],
)
def test_each_attendee_has_a_pipeline_server_on_the_own_bucket_of_the_rooms_store(inside, where) -> None:
    room = ON_A_CLUSTER.model_copy(update={"store": MINIO.model_copy(update={"inside": inside})})
    (server,) = of_kind(manifests(room), "DataSciencePipelinesApplication")
    store = server["spec"]["objectStorage"]["externalStorage"]

    assert (store["host"], store["port"], store["scheme"]) == where
    assert store["bucket"] == "spring-anna"
    assert store["s3CredentialsSecret"]["secretName"] == "aws-connection-brakepoint"
    assert server["metadata"]["namespace"] == "spring-anna"
    assert server["metadata"]["labels"].items() >= {"brakepoint.io/attendee": "anna"}.items()


def test_each_attendee_has_the_models_whose_images_the_room_names() -> None:
    runtimes = {
        one["metadata"]["name"]: one["spec"]["containers"][0]["image"]
        for one in of_kind(manifests(ON_A_CLUSTER), "ServingRuntime")
    }
    models = list(of_kind(manifests(ON_A_CLUSTER), "InferenceService"))

    assert runtimes == {
        "brakepoint-jpeg": "registry.example.org/serving:1",
        "kserve-ovms": "registry.example.org/openvino:1",
    }
    assert {model["spec"]["predictor"]["model"]["runtime"] for model in models} == set(runtimes)
    assert {model["metadata"]["namespace"] for model in models} == {"spring-anna"}
    one = ON_A_CLUSTER.model_copy(update={"openvino_image": ""})
    assert [m["metadata"]["name"] for m in of_kind(manifests(one), "InferenceService")] == ["track-jpeg"]


def said(trigger: dict) -> dict[str, str]:
    return {binding["name"]: binding["value"] for binding in trigger["spec"]["bindings"]}


def test_a_push_of_an_attendee_builds_the_own_code_for_the_own_overlay() -> None:
    (trigger,) = of_kind(manifests(ON_A_CLUSTER), "Trigger")
    told = said(trigger)
    tekton = render(ROOT / "deploy" / "tekton")
    (template,) = of_kind(tekton, "TriggerTemplate")
    (listener,) = of_kind(tekton, "EventListener")

    assert trigger["metadata"]["namespace"] == "brakepoint-images"
    assert trigger["metadata"]["labels"] == listener["spec"]["labelSelector"]["matchLabels"]
    assert trigger["spec"]["template"]["ref"] == template["metadata"]["name"]
    assert told.keys() <= {param["name"] for param in template["spec"]["params"]}
    assert (told["steps"], told["overlay"]) == ("labs", "labs/step7_delivery/overlay")
    assert (ROOT / told["overlay"] / "kustomization.yaml").is_file()
    assert told["url"] == "https://git.example.org/anna/brakepoint.git"
    assert told["image"].endswith("/brakepoint-images/spring-anna")
    (application_set,) = yaml.safe_load_all(
        (ROOT / "deploy/argocd/room/applicationset.yaml").read_text("utf-8")
    )
    assert application_set["spec"]["template"]["spec"]["source"]["path"] == told["overlay"]


def test_a_push_to_another_repository_or_branch_or_of_the_pipeline_itself_builds_nothing() -> None:
    (trigger,) = of_kind(manifests(ON_A_CLUSTER), "Trigger")
    (condition,) = (
        interceptor["params"][0]["value"]
        for interceptor in trigger["spec"]["interceptors"]
        if interceptor["ref"]["name"] == "cel"
    )

    assert "body.repository.clone_url == 'https://git.example.org/anna/brakepoint.git'" in condition
    assert "body.ref == 'refs/heads/main'" in condition and "[skip build]" in condition


def test_each_attendee_signs_pushes_with_a_token_of_ones_own() -> None:
    def secrets(key: str) -> dict[str, str]:
        account = ACCOUNT.model_copy(update={"secret_key": key})
        documents = yaml.safe_load_all(secret_manifests(ON_A_CLUSTER, "anna", account, ENDPOINT))
        return {
            f"{one['metadata']['namespace']}/{one['metadata']['name']}": one["stringData"].get("token", "")
            for one in documents
        }

    (trigger,) = of_kind(manifests(ON_A_CLUSTER), "Trigger")
    wanted = trigger["spec"]["interceptors"][0]["params"][0]["value"]
    made = secrets("a")
    token = made[f"brakepoint-images/{wanted['secretName']}"]
    assert len(token) == 64 and made["spring-anna/brakepoint-webhook"] == token
    assert secrets("a") == made != secrets("b")


def test_a_namespace_may_fetch_the_images_of_the_cluster() -> None:
    inside = "image-registry.openshift-image-registry.svc:5000/brakepoint-images/brakepoint-serving:0.1.0"
    room = ROOM.model_copy(update={"serving_image": inside})
    (binding,) = (one for one in manifests(room) if one["metadata"]["name"] == "pull-spring-anna")

    assert binding["metadata"]["namespace"] == "brakepoint-images"
    assert binding["roleRef"]["name"] == "system:image-puller"
    assert binding["subjects"][0]["name"] == "system:serviceaccounts:spring-anna"


def test_an_attendee_is_a_group_of_ones_own_for_argo_cd() -> None:
    (group,) = of_kind(manifests(ON_A_CLUSTER), "Group")

    assert (group["metadata"]["name"], group["users"]) == ("spring-anna", ["anna"])


def test_the_data_connection_holds_what_an_environment_needs() -> None:
    variables = connection_variables(ROOM, "anna", ACCOUNT, ENDPOINT)

    assert variables == {
        "AWS_S3_ENDPOINT": ENDPOINT,
        "AWS_S3_BUCKET": "spring-anna",
        "AWS_ACCESS_KEY_ID": "spring-anna",
        "AWS_SECRET_ACCESS_KEY": "s3cret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "BRAKEPOINT_ROOM": "spring",
        "BRAKEPOINT_TRACK": "full",
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
