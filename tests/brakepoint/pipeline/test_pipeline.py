"""The pipeline: its gate, its compiled form, the reports of a local run, and submission to a cluster."""

import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import Mock

import matplotlib.pyplot as plt
import pytest
import small_pipeline
import yaml
from hypothesis import given
from hypothesis import strategies as st

from brakepoint.cli import run as cli
from brakepoint.errors import UserError
from brakepoint.pipeline import PIPELINE_NAME, cluster, fingerprints, local
from brakepoint.pipeline.comparison import ProductionComparison
from brakepoint.pipeline.drawing import show_pipeline
from brakepoint.pipeline.local import LOG_NAME, run
from brakepoint.steps import SOURCE_VARIABLE
from brakepoint.texts import languages
from solutions import step4_pipeline
from solutions.step4_pipeline import S3_KEYS, S3_SECRET, gate, training_pipeline

ROOT = Path(__file__).parents[3]
TASKS = {"dataset", "synthetic", "training", "comparison", "quality-gate", "publish"}
scores = st.floats(0, 1)


@pytest.fixture(autouse=True)
def english(monkeypatch) -> None:
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")
    monkeypatch.delenv("AWS_S3_ENDPOINT", raising=False)


def test_the_gate_lets_a_better_model_through() -> None:
    assert gate({"track": 0.9, "road": 0.9}, {"track": 0.8, "road": 0.9}, 0.5, 0.0) == []
    assert gate({"track": 0.5, "road": 0.1}, None, 0.5, 0.0) == []


def test_the_gate_says_why() -> None:
    reasons = gate({"track": 0.4, "road": 0.3}, {"track": 0.8, "road": 0.9}, 0.5, 0.1)

    assert len(reasons) == 3
    assert "0.400" in reasons[0] and "0.500" in reasons[0]
    assert "road" in reasons[2] and "0.300" in reasons[2] and "0.900" in reasons[2]


@given(track=scores, road=scores, before=scores, tolerance=scores)
def test_the_gate_never_lets_a_world_get_worse(track, road, before, tolerance) -> None:
    passed = not gate({"track": track, "road": road}, {"track": before, "road": before}, 0.0, tolerance)

    assert passed == (min(track, road) >= before - tolerance)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory) -> tuple[str, dict, dict]:
    """The text, the pipeline, and the part that only Kubernetes reads."""
    path = tmp_path_factory.mktemp("compiled") / "pipeline.yaml"
    assert cli(["pipeline", "compile", "--out", str(path)]) == 0
    words = path.read_text("utf-8")
    pipeline, platform = yaml.safe_load_all(words)
    return words, pipeline, platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]


def executors(pipeline: dict) -> dict[str, dict]:
    specs = pipeline["deploymentSpec"]["executors"]
    return {name.removeprefix("exec-"): spec["container"] for name, spec in specs.items()}


def test_only_the_training_asks_for_a_gpu_and_may_run_where_gpus_are(compiled) -> None:
    _, pipeline, platform = compiled

    accelerators = {name: spec["resources"].get("accelerator") for name, spec in executors(pipeline).items()}
    assert set(accelerators) == TASKS
    assert {name for name, value in accelerators.items() if value} == {"training"}
    assert accelerators["training"]["resourceType"] == "nvidia.com/gpu"
    assert accelerators["training"]["resourceCount"] == "1"
    tolerations = {name: spec["tolerations"] for name, spec in platform.items() if "tolerations" in spec}
    toleration = {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
    assert tolerations == {"exec-training": [toleration]}


def test_the_graph_shows_each_task_behind_those_it_waits_for_and_what_travels(monkeypatch) -> None:
    monkeypatch.setattr(plt, "show", lambda: None)

    show_pipeline(training_pipeline())

    places = {words.get_text(): words.get_position() for words in plt.gca().texts}
    plt.close()
    assert TASKS | {"stills", "track", "road", "model", "result"} <= set(places)
    in_order = ("dataset", "training", "comparison", "quality-gate", "publish")
    columns = [places[task][0] for task in in_order]
    assert columns == sorted(set(columns))


def test_every_task_is_bounded(compiled) -> None:
    limits = {
        name: (spec["resources"]["resourceCpuLimit"], spec["resources"]["resourceMemoryLimit"])
        for name, spec in executors(compiled[1]).items()
    }

    assert limits == dict.fromkeys(TASKS - {"training"}, ("2", "4Gi")) | {"training": ("4", "12Gi")}


def test_the_training_gets_shared_memory(compiled) -> None:
    mounts = {name: spec["emptyDirMounts"] for name, spec in compiled[2].items() if "emptyDirMounts" in spec}

    assert list(mounts) == ["exec-training"]
    mount = mounts["exec-training"][0]
    assert (mount["mountPath"], mount["medium"], mount["sizeLimit"]) == ("/dev/shm", "Memory", "2Gi")


def test_the_bucket_s_keys_come_from_the_secret_and_only_where_they_are_needed(compiled) -> None:
    words, _, platform = compiled

    secrets = {name: spec["secretAsEnv"] for name, spec in platform.items() if "secretAsEnv" in spec}
    assert set(secrets) == {"exec-dataset", "exec-comparison", "exec-publish"}
    for (secret,) in secrets.values():
        assert secret["secretName"] == S3_SECRET
        assert [pair["envVar"] for pair in secret["keyToEnv"]] == list(S3_KEYS)
    assert "env:" not in words  # Nothing has a value.


def test_no_secret_s_value_gets_into_the_yaml(tmp_path, monkeypatch) -> None:
    for key in S3_KEYS:
        monkeypatch.setenv(key, f"value-of-{key}")
    path = tmp_path / "pipeline.yaml"

    assert cli(["pipeline", "compile", "--out", str(path)]) == 0

    assert "value-of" not in path.read_text("utf-8")


def test_what_depends_on_production_is_never_taken_from_the_cache(compiled) -> None:
    tasks = compiled[1]["root"]["dag"]["tasks"]

    cached = {name for name, task in tasks.items() if task["cachingOptions"].get("enableCache")}
    assert cached == {"dataset", "synthetic", "training"}


def test_the_code_is_an_input_of_whatever_is_cached(compiled) -> None:
    tasks = compiled[1]["root"]["dag"]["tasks"]

    for stage in fingerprints.CODE:
        value = tasks[stage]["inputs"]["parameters"]["code"]["runtimeValue"]["constant"]
        assert value == fingerprints.code_fingerprint(stage)


def test_a_fingerprint_changes_with_the_code_and_with_nothing_else(tmp_path, monkeypatch) -> None:
    code = tmp_path / "code"
    code.mkdir()
    (code / "a.py").write_text("x = 1", "utf-8")
    monkeypatch.setitem(fingerprints.CODE, "dataset", (str(code),))
    before = fingerprints.code_fingerprint("dataset")

    (code / "notes.txt").write_text("nothing", "utf-8")
    assert fingerprints.code_fingerprint("dataset") == before
    (code / "a.py").write_text("x = 2", "utf-8")
    assert fingerprints.code_fingerprint("dataset") != before


@pytest.mark.parametrize("stage", ["dataset", "training"])
def test_a_change_to_a_reader_of_labels_changes_the_stages_that_read_labels(stage, monkeypatch) -> None:
    reader, read_bytes = ROOT / "brakepoint" / "labels" / "yolo.py", Path.read_bytes
    before = fingerprints.code_fingerprint(stage)

    monkeypatch.setattr(Path, "read_bytes", lambda path: b"" if path == reader else read_bytes(path))

    assert fingerprints.code_fingerprint(stage) != before


def test_a_pipeline_is_written_as_yaml_only(tmp_path, capsys) -> None:
    assert cli(["pipeline", "compile", "--out", str(tmp_path / "pipeline.json")]) == 2
    assert ".yaml" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def small_run(folder: Path, step: ModuleType = small_pipeline, **parameters: float):
    told: list[tuple[str, str]] = []
    settings = {"seed": 1, "new": 0.9, "least": 0.5, "tolerance": 0.0, **parameters}
    outcome = run(step, lambda what, task: told.append((what, task)), folder, **settings)
    return outcome, told


def test_a_run_is_reported_and_the_next_reuses_what_did_not_change(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)

    outcome, told = small_run(tmp_path / "runs")
    assert outcome.refused == () and outcome.compared is not None
    assert told[:2] == [("started", "dataset"), ("done", "dataset")]
    assert told[-1] == ("done", "quality-gate")

    outcome, told = small_run(tmp_path / "runs", new=0.7)
    assert told[0] == ("reused", "dataset")
    assert told[-1] == ("failed", "quality-gate")
    assert outcome.compared.new["track"] == 0.7
    assert len(outcome.refused) == 1 and "0.800" in outcome.refused[0]


def test_a_run_can_be_followed_in_its_log(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    in_time: list[bool] = []

    def tell(what: str, task: str) -> None:
        in_time.append(task in (tmp_path / "runs" / LOG_NAME).read_text("utf-8"))

    run(small_pipeline, tell, tmp_path / "runs", seed=1, new=0.9, least=0.5, tolerance=0.0)
    assert in_time and all(in_time)


def test_a_component_that_breaks_down_is_reported_with_its_last_words(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(UserError) as caught:
        small_run(tmp_path / "runs", new=-1.0)

    assert "comparison" in str(caught.value)
    assert "upside down" in str(caught.value)
    assert "Traceback" in (tmp_path / "runs" / LOG_NAME).read_text("utf-8")


def test_a_step_with_a_gap_is_reported_with_what_to_do(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(UserError) as caught:
        small_run(tmp_path / "runs", seed=-1)

    assert caught.value.key == "pipeline.error.not_written"
    assert "brakepoint check 1" in str(caught.value)


def test_a_library_that_asks_during_a_run_learns_that_nobody_watches(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    answers: list[bool] = []
    own: Any = ModuleType("labs.step4_pipeline")
    own.training_pipeline = lambda: lambda **parameters: answers.append(sys.stdout.isatty())
    small_run(tmp_path / "runs", own)

    assert answers == [False]


@pytest.mark.parametrize("error", [NotImplementedError, KeyError("track")])
def test_a_gate_that_fails_gives_no_reason_against_the_model(error) -> None:
    step: Any = SimpleNamespace(gate=Mock(side_effect=error))
    found = ProductionComparison(new={"track": 0.9})

    assert local._reasons(step, found, {"least": 0.5, "tolerance": 0.0}) == []


def test_a_gate_with_a_gap_is_reported_with_its_step(tmp_path) -> None:
    listener: Any = SimpleNamespace(failed=local.GATE, last_line="NotImplementedError")

    said = local._failure(listener, tmp_path)

    assert said.key == "pipeline.error.not_written"
    assert "brakepoint check 4" in str(said)


def test_the_components_run_the_steps_of_whose_pipeline_it_is(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(SOURCE_VARIABLE, raising=False)
    own: Any = ModuleType("labs.step4_pipeline")
    own.training_pipeline, own.gate = small_pipeline.training_pipeline, small_pipeline.gate

    with pytest.raises(UserError):
        small_run(tmp_path / "runs", own, new=-1.0)

    (stills,) = (tmp_path / "runs").glob("*/dataset/stills")
    assert stills.read_text("utf-8") == "labs"
    assert SOURCE_VARIABLE not in os.environ


class PipelineServer(BaseHTTPRequestHandler):
    """The part of the Kubeflow Pipelines API that a submission uses."""

    token = "secret-token"
    runs: list[dict] = []  # noqa: RUF012

    def _answer(self, content: dict, status: int = 200) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _is_known(self) -> bool:
        if self.headers.get("Authorization") == f"Bearer {self.token}":
            return True
        self._answer({"error": "no"}, 401)
        return False

    def do_GET(self) -> None:
        if self._is_known():
            experiment = {"experiment_id": "e1", "display_name": PIPELINE_NAME}
            self._answer({"experiments": [experiment]} if "experiments" in self.path else {})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self._is_known():
            self.runs.append(body)
            self._answer({"run_id": "r1", **body})

    def log_message(self, *arguments: object) -> None:
        """Logs nothing."""


@pytest.fixture
def pipeline_server(monkeypatch):
    server = ThreadingHTTPServer(("127.0.0.1", 0), PipelineServer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(PipelineServer, "runs", [])
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def submitting(pipeline_server, tmp_path, monkeypatch) -> str:
    """A pipeline server, and a step 4 whose components run in an image of a registry."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KFP_TOKEN", PipelineServer.token)
    for name in ("dataset", "synthetic", "training", "comparison", "quality_gate", "publish"):
        container = getattr(step4_pipeline, name).component_spec.implementation.container
        monkeypatch.setattr(container, "image", "registry.example.com/room/brakepoint-pipeline-cpu:0.1.0")
    return pipeline_server


@pytest.fixture
def in_a_pod(tmp_path, monkeypatch) -> Path:
    """The files of its service account that a pod contains."""
    folder = tmp_path / "serviceaccount"
    folder.mkdir()
    for name, content in (("namespace", "spring-anna\n"), ("service-ca.crt", "SERVICES"), ("token", "own\n")):
        (folder / name).write_text(content)
    monkeypatch.setattr(cluster, "SERVICE_ACCOUNT_DIR", folder)
    return folder


def test_a_run_is_handed_to_a_cluster(submitting, capsys) -> None:
    assert cli(["pipeline", "submit", "--host", submitting, "--epochs", "2"]) == 0

    assert "r1" in capsys.readouterr().out
    (started,) = PipelineServer.runs
    assert started["runtime_config"]["parameters"]["epochs"] == 2
    assert started["experiment_id"] == "e1"
    assert PipelineServer.token not in json.dumps(started)


def test_a_refused_token_and_an_absent_server_are_reported(submitting, monkeypatch, capsys) -> None:
    monkeypatch.setenv("KFP_TOKEN", "stale")

    assert cli(["pipeline", "submit", "--host", submitting]) == 2
    assert "oc whoami" in capsys.readouterr().err
    assert cli(["pipeline", "submit", "--host", "http://127.0.0.1:9"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_pipeline_without_an_image_of_a_registry_is_not_submitted(
    pipeline_server, tmp_path, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KFP_TOKEN", PipelineServer.token)

    assert cli(["pipeline", "submit", "--host", pipeline_server]) == 2

    assert "BRAKEPOINT_IMAGE" in capsys.readouterr().err
    assert PipelineServer.runs == []


def test_outside_of_a_pod_the_server_must_be_named(submitting, monkeypatch, capsys, tmp_path) -> None:
    monkeypatch.setattr(cluster, "SERVICE_ACCOUNT_DIR", tmp_path / "none")

    assert cli(["pipeline", "submit"]) == 2
    assert "--host" in capsys.readouterr().err


def test_in_a_pod_the_server_is_the_one_of_its_namespace(in_a_pod, submitting, monkeypatch) -> None:
    assert cluster.server_of_the_namespace() == "https://ds-pipeline-dspa.spring-anna.svc:8443"
    monkeypatch.setattr(cluster, "SERVER", submitting)

    assert cli(["pipeline", "submit"]) == 0
    assert len(PipelineServer.runs) == 1


def test_in_a_pod_the_usual_authorities_are_trusted_beside_the_clusters_own(in_a_pod, tmp_path) -> None:
    written = cluster._certificates(tmp_path)

    assert written is not None
    words = Path(written).read_text("utf-8")
    assert words.endswith("SERVICES") and words.count("BEGIN CERTIFICATE") > 10


def test_outside_of_a_pod_whatever_the_system_trusts_is_trusted(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(cluster, "SERVICE_ACCOUNT_DIR", tmp_path)

    assert cluster._certificates(tmp_path) is None


BEFORE_2_11 = {
    "secretAsVolume", "secretAsEnv", "pvcMount", "nodeSelector", "podMetadata", "imagePullSecret",
    "imagePullPolicy", "configMapAsVolume", "configMapAsEnv", "activeDeadlineSeconds", "fieldPathAsEnv",
    "tolerations", "genericEphemeralVolume", "nodeAffinity", "podAffinity",
}  # fmt: skip
"""What pipeline servers before 2.11 know of a task: KubernetesExecutorConfig of kfp-kubernetes 1.2.0."""
SECRET_BEFORE_2_11 = {"secretName", "keyToEnv"}
"""And of a secret as variables: SecretAsEnv of the same."""


def test_what_an_older_server_refuses_is_what_the_page_says(compiled) -> None:
    tasks = compiled[2].values()

    unknown = {field for task in tasks for field in task} - BEFORE_2_11
    in_secrets = {field for task in tasks for secret in task.get("secretAsEnv", ()) for field in secret}
    assert unknown == {"emptyDirMounts"}
    assert in_secrets - SECRET_BEFORE_2_11 == {"optional", "secretNameParameter"}
    for lang in languages():
        page = (ROOT / "docs" / lang / "pipeline-and-serving.md").read_text("utf-8")
        assert "OpenShift AI 2.19" in page
        assert all(f"`{field}`" in page for field in ("emptyDirMounts", "optional", "secretNameParameter"))
