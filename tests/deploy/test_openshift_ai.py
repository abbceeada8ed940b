"""The cluster files of OpenShift AI: complete, bounded, and without a secret in them."""

from pathlib import Path

import pytest
import yaml

from brakepoint.registry.names import COPY_KEY
from solutions.step4_pipeline import S3_KEYS, S3_SECRET

FOLDER = Path(__file__).parents[2] / "deploy" / "openshift-ai"
FILES = sorted(path for path in FOLDER.glob("*.yaml") if path.name != "kustomization.yaml")
DOCUMENTS = {path.name: yaml.safe_load(path.read_text("utf-8")) for path in FILES}
RUNTIMES = [name for name, content in DOCUMENTS.items() if content["kind"] == "ServingRuntime"]
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


@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_deployed_raw_on_a_runtime_that_is_there(name: str) -> None:
    content = DOCUMENTS[name]
    model = content["spec"]["predictor"]["model"]

    assert content["metadata"]["annotations"]["serving.kserve.io/deploymentMode"] == "RawDeployment"
    runtimes = {DOCUMENTS[runtime]["metadata"]["name"]: DOCUMENTS[runtime] for runtime in RUNTIMES}
    formats = [one["name"] for one in runtimes[model["runtime"]]["spec"]["supportedModelFormats"]]
    assert model["modelFormat"]["name"] in formats
    assert {"cpu", "memory"} == set(model["resources"]["limits"])


def test_openvino_serves_the_folder_that_a_promotion_copies_to() -> None:
    storage = DOCUMENTS["model-track.yaml"]["spec"]["predictor"]["model"]["storage"]

    assert storage == {"key": S3_SECRET, "path": COPY_KEY.removesuffix("/1/model.onnx")}


def test_our_predictor_gets_the_bucket_s_keys_by_reference() -> None:
    (container,) = DOCUMENTS["runtime-jpeg.yaml"]["spec"]["containers"]

    references = {entry["name"]: entry["valueFrom"]["secretKeyRef"] for entry in container["env"]}
    assert references == {key: {"name": S3_SECRET, "key": key} for key in S3_KEYS}
