"""The cluster files of OpenShift AI: complete, bounded, and without a secret in them."""

from pathlib import Path

import pytest
import yaml

from brakepoint import __version__
from brakepoint.delivery.rendering import of_kind, render
from brakepoint.registry.names import COPY_KEY
from brakepoint.room.config import Room
from brakepoint.room.manifests import namespace_manifests
from brakepoint.texts import languages
from solutions.step4_pipeline import S3_KEYS, S3_SECRET

FOLDER = Path(__file__).parents[2] / "deploy" / "openshift-ai"
FILES = sorted(path for path in FOLDER.glob("*.yaml") if path.name != "kustomization.yaml")
DOCUMENTS = {path.name: yaml.safe_load(path.read_text("utf-8")) for path in FILES}
RUNTIMES = [name for name, content in DOCUMENTS.items() if content["kind"] == "ServingRuntime"]
PLATFORM_RUNTIME = "kserve-ovms"
"""OpenShift AI brings it as a template, with an image that its version chooses."""
RENDERED = render(FOLDER)
MODELS = [name for name, content in DOCUMENTS.items() if content["kind"] == "InferenceService"]


def test_kustomize_takes_every_file() -> None:
    listed = yaml.safe_load((FOLDER / "kustomization.yaml").read_text("utf-8"))["resources"]

    assert sorted(listed) == sorted(DOCUMENTS)


def test_no_file_holds_a_secret() -> None:
    assert "Secret" not in {content["kind"] for content in DOCUMENTS.values()}
    example = (FOLDER / "data-connection.example.env").read_text("utf-8").splitlines()
    pairs = dict(line.split("=", 1) for line in example if not line.startswith("#"))
    assert set(S3_KEYS) <= set(pairs)
    assert set(pairs.values()) == {""}


@pytest.mark.parametrize("name", RUNTIMES)
def test_a_runtime_is_bounded_and_has_no_privilege(name: str) -> None:
    (container,) = DOCUMENTS[name]["spec"]["containers"]

    assert (
        {"cpu", "memory"} == set(container["resources"]["limits"]) == set(container["resources"]["requests"])
    )
    security = container["securityContext"]
    assert security["runAsNonRoot"] is True and security["allowPrivilegeEscalation"] is False
    assert security["capabilities"]["drop"] == ["ALL"]
    assert security["seccompProfile"]["type"] == "RuntimeDefault"
    assert "runAsUser" not in security
    assert all(port["containerPort"] > 1024 for port in container["ports"])


@pytest.mark.parametrize("name", RUNTIMES)
def test_a_runtime_may_take_minutes_to_fetch_a_model_and_seconds_to_say_that_it_lives(name: str) -> None:
    (container,) = DOCUMENTS[name]["spec"]["containers"]

    start = container["startupProbe"]
    assert start["periodSeconds"] * start["failureThreshold"] >= 300
    assert container["livenessProbe"]["timeoutSeconds"] >= 5


@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_deployed_raw_on_a_runtime_that_is_there(name: str) -> None:
    content = DOCUMENTS[name]
    model = content["spec"]["predictor"]["model"]

    assert content["metadata"]["annotations"]["serving.kserve.io/deploymentMode"] == "RawDeployment"
    runtimes = {DOCUMENTS[runtime]["metadata"]["name"]: DOCUMENTS[runtime] for runtime in RUNTIMES}
    formats = {
        name: [one["name"] for one in runtime["spec"]["supportedModelFormats"]]
        for name, runtime in runtimes.items()
    } | {PLATFORM_RUNTIME: ["openvino_ir", "onnx"]}
    assert model["modelFormat"]["name"] in formats[model["runtime"]]
    assert {"cpu", "memory"} == set(model["resources"]["limits"])


def test_openvino_serves_the_folder_that_a_promotion_copies_to() -> None:
    storage = DOCUMENTS["model-track.yaml"]["spec"]["predictor"]["model"]["storage"]

    assert storage == {"key": S3_SECRET, "path": COPY_KEY.removesuffix("/1/model.onnx")}


def test_our_predictor_gets_the_bucket_s_keys_by_reference() -> None:
    (container,) = DOCUMENTS["runtime-jpeg.yaml"]["spec"]["containers"]

    references = {entry["name"]: entry["valueFrom"]["secretKeyRef"] for entry in container["env"]}
    assert references == {key: {"name": S3_SECRET, "key": key} for key in S3_KEYS}


def test_no_image_is_one_that_nobody_publishes() -> None:
    images = [
        container["image"]
        for runtime in of_kind(RENDERED, "ServingRuntime")
        for container in runtime["spec"]["containers"]
    ]

    assert images == [
        f"image-registry.openshift-image-registry.svc:5000/brakepoint-images/brakepoint-serving:{__version__}"
    ]


def test_the_train_s_policies_do_not_reach_a_model() -> None:
    for model in of_kind(RENDERED, "InferenceService"):
        assert "app.kubernetes.io/part-of" not in model["metadata"]["labels"]


def test_a_project_lets_in_whom_a_room_lets_in() -> None:
    (policy,) = of_kind(RENDERED, "NetworkPolicy")
    room = Room(name="spring", attendees=1, handles=("anna",))
    (of_room,) = of_kind(list(yaml.safe_load_all(namespace_manifests(room, "anna"))), "NetworkPolicy")

    assert policy["spec"] == of_room["spec"]


def test_the_dashboard_shows_what_is_deployed() -> None:
    for kind in ("InferenceService", "ServingRuntime", "DataSciencePipelinesApplication"):
        for document in of_kind(RENDERED, kind):
            assert document["metadata"]["labels"]["opendatahub.io/dashboard"] == "true"


@pytest.mark.parametrize("name", MODELS)
def test_a_model_has_a_route_that_asks_for_a_token(name: str) -> None:
    metadata = DOCUMENTS[name]["metadata"]

    assert metadata["labels"]["networking.kserve.io/visibility"] == "exposed"
    assert metadata["annotations"]["security.opendatahub.io/enable-auth"] == "true"


@pytest.mark.parametrize("lang", languages())
@pytest.mark.parametrize(("model", "port"), [("track", 8888), ("track-jpeg", 8080)])
def test_the_address_of_a_model_is_written_down(model: str, port: int, lang: str) -> None:
    page = (FOLDER.parents[1] / "docs" / lang / "pipeline-and-serving.md").read_text("utf-8")

    assert f"http://{model}-predictor.PROJECT.svc.cluster.local:{port}" in page
