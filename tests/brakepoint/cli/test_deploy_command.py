"""`brakepoint deploy` reports the mission of a deployed train; here a train has driven it already."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("paho")

from brakepoint.adapters import SIMULATED_HUB, open_hub
from brakepoint.cli import deploy, run
from brakepoint.delivery import running
from brakepoint.mission.loop import oracle_run
from brakepoint.mission.records import Ending
from brakepoint.steps import load_step
from brakepoint.truth import load_truth

Drive = Callable[[Ending], None]


@pytest.fixture
def drive(short_feed: Path, monkeypatch: pytest.MonkeyPatch) -> Drive:
    """Makes the deployed train one that has driven already, to the given end."""
    step, truth = load_step("step6_autopilot", "solutions").step, load_truth(short_feed.with_suffix(".json"))
    driven = oracle_run(truth, step, open_hub(SIMULATED_HUB, out=None))

    def to(ending: Ending) -> None:
        monkeypatch.setattr(running, "drive", lambda *_: driven.model_copy(update={"ending": ending}))
        monkeypatch.setattr(deploy, "find_feed", lambda _: short_feed)

    monkeypatch.setenv("BRAKEPOINT_LANG", "en")
    return to


@pytest.mark.parametrize(("ending", "status"), [(Ending.END_OF_TRACK, 0), (Ending.DERAILED, 1)])
def test_the_exit_status_is_1_if_the_deployed_train_failed_its_mission(
    ending: Ending, status: int, drive: Drive, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    drive(ending)

    assert run(["deploy", "--json", "--steps", "solutions", "--out", str(tmp_path / "run")]) == status

    printed = capfd.readouterr().out
    assert json.loads(printed)["missions"][0]["accomplished"] is (status == 0)
    assert printed == (tmp_path / "run" / "report.json").read_text(encoding="utf-8")
    assert (tmp_path / "run" / "index.html").is_file()


def test_without_json_the_score_is_a_table_above_the_path_of_the_page(
    drive: Drive, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    drive(Ending.END_OF_TRACK)

    assert run(["deploy", "--steps", "solutions", "--out", str(tmp_path / "run")]) == 0

    printed = capfd.readouterr().out.splitlines()
    assert [" ".join(line.split()) for line in printed if line.strip()] == [
        "Autopilot: solutions · Detector: track.onnx",
        "false lost by lost by",
        "feed mission score signs stops perception control",
        "short ✓ accomplished 100 1/1 0 0 0",
        f"The page: {tmp_path / 'run' / 'index.html'}",
    ]


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ("kind: ConfigMap, data: {PORT: 8000}", "data.PORT"),
        ("kind: Deployment, spec: {template: {spec: {containers: []}}}", "spec.template.spec.containers"),
        ("kind: Deployment, spec: {template: {}}", "spec.template.spec"),
        ("kind: Service, spec: {ports: [{name: mqtt}]}", "spec.ports #1.port"),
    ],
)
def test_an_object_that_a_cluster_could_not_read_is_named_with_its_field(
    said: str, field: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")
    (tmp_path / "kustomization.yaml").write_text("resources: [odd.yaml]", encoding="utf-8")
    (tmp_path / "odd.yaml").write_text(f"{{apiVersion: v1, metadata: {{name: odd}}, {said}}}", "utf-8")

    assert run(["deploy", "--overlay", str(tmp_path), "--out", str(tmp_path / "run")]) != 0

    assert f"{said.split(',')[0].removeprefix('kind: ')} odd: the field {field}" in " ".join(
        capfd.readouterr().err.split()
    )


@pytest.mark.parametrize("option", ["--overlay", "--detector"])
def test_a_push_does_not_leave_out_an_option_in_silence(
    option: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("brakepoint.cli.from_push.from_push", lambda *_: pytest.fail("it began"))

    assert run(["deploy", "--from-push", option, str(tmp_path)]) not in (0, 1)

    assert option in capfd.readouterr().err
