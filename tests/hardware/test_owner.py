"""What an owner does in the first ten minutes, on a train that is faster than the kit assumes."""

import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import pytest
from driving import feed
from emulated_hub import EmulatedHub
from owner import Desk
from pseudo_language import keys_said

from brakepoint.cli import run
from brakepoint.cli.hub import BAR_WIDTH
from brakepoint.mission.fitted import fitted
from brakepoint.mission.records import Ending
from brakepoint.mission.scoring import score_run
from brakepoint.scenery.scenario import SCENARIOS_DIR, load_scenario
from brakepoint.services import supervisor
from brakepoint.texts import ORIGINAL
from brakepoint.train_file import RECORDED, VARIABLE, chosen_train, load_train
from brakepoint.truth import CameraModel
from hardware.simulation import Lookout, World, true_run
from solutions.step6_autopilot import step

FAST = World(speed=1.4, camera=CameraModel(focal_px=600, height_cm=9.0, pitch_deg=0.0), latency_s=0.1)
FEED = "track-stop-and-slowdown"
EYE = ("focal_px", "height_cm", "pitch_deg", "side_cm", "yaw_deg")


def mission(desk: Desk):
    """A mission over the radio, as services would drive it with the current setting."""
    train = chosen_train("ble:")
    truth, scenario = feed(FEED), load_scenario(SCENARIOS_DIR / f"{FEED}.yaml")
    eye = train.camera
    lookout = Lookout(scenario, desk.world, eye.focal_px if eye else RECORDED.focal_px)
    hub = desk.open_hub("ble:")
    try:
        driven = true_run(truth, desk.train, hub, lookout.look, fitted(step, eye) if eye else step)
    finally:
        hub.close()
    return driven, score_run(driven, truth, train.drive.full_speed_cm_s)


@pytest.fixture
def desk(bluez, tmp_path):
    def sit(world: World = FAST) -> Desk:
        emulated = EmulatedHub(volts=world.volts)
        bluez.add(emulated)
        return Desk(world, emulated, tmp_path)

    return sit


def test_a_fast_train_derails_until_its_camera_and_its_hub_are_calibrated(
    desk, monkeypatch, tmp_path, capsys
):
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")
    before = desk()
    derailed, _ = mission(before)
    assert derailed.ending is Ending.DERAILED

    path = tmp_path / "train.toml"
    monkeypatch.setenv(VARIABLE, str(path))
    table = Desk(FAST, before.emulated, tmp_path)
    table.sit_down(monkeypatch, ["30", "55", "", *[""] * 4])
    assert run(["camera", "calibrate", "--camera", "usb:"]) == 0
    eye = load_train(path).camera
    assert eye is not None
    assert eye.focal_px == pytest.approx(600, rel=0.05)
    assert eye.height_cm == pytest.approx(9.0, abs=0.4)
    assert eye.pitch_deg == pytest.approx(0.0, abs=0.5)

    assert run(["hub", "calibrate", "--camera", "usb:"]) == 0
    train = load_train(path)
    assert train.drive.volts == pytest.approx(FAST.volts, abs=0.01)
    assert train.drive.low_power == pytest.approx(20 + 32 / FAST.speed, abs=1)
    assert train.camera is not None
    assert train.camera.latency_s == pytest.approx(FAST.latency_s, abs=0.1)
    assert "put a DangerAhead plate about" in capsys.readouterr().out

    run_, score = mission(Desk(FAST, before.emulated, tmp_path))
    assert run_.ending is Ending.END_OF_TRACK
    assert score.score >= 95


DOCS = Path(__file__).parent.parent.parent / "docs"


def page_commands() -> list[str]:
    page = (DOCS / ORIGINAL / "first-minutes.md").read_text("utf-8")
    (block,) = re.findall(r"```bash\n(.*?)```", page, re.DOTALL)
    return block.strip().splitlines()


class NoServices:
    """Replaces the supervisor: records what it should start, and stops at once."""

    asked: ClassVar[list] = []

    def __init__(self, settings, names, tell, is_stopping) -> None:
        NoServices.asked.append((settings, dict(os.environ)))

    def __enter__(self):
        os.kill(os.getpid(), signal.SIGTERM)

    def __exit__(self, *_) -> None: ...


def guard_on_duty(command: list[str], path: Path) -> None:
    """Runs the guard as in a second terminal, and waits until it is on duty."""
    environment = os.environ | {"BRAKEPOINT_HUB_HEARTBEAT": str(path), "PYTHONUNBUFFERED": "1"}
    program = [sys.executable, "-m", *command]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True, env=environment) as guard:
        assert guard.stdout is not None
        assert str(path) in guard.stdout.readline()
        guard.send_signal(signal.SIGTERM)
        assert guard.wait(30) == 0


@pytest.mark.live
def test_each_command_of_the_first_ten_minutes_runs(desk, monkeypatch, tmp_path, capsys):
    """The blocks of all languages are the same: tests/docs/test_pages.py sees to that."""
    monkeypatch.setenv("BRAKEPOINT_LANG", ORIGINAL)
    monkeypatch.setenv(VARIABLE, "")
    monkeypatch.setattr(supervisor, "Supervisor", NoServices)
    table = desk()
    table.sit_down(monkeypatch, ["30", "55", "", *[""] * 4])
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    commands = page_commands()
    assert len(commands) >= 7
    for line in commands:
        words = shlex.split(line)
        if words[0] == "export":
            name, _, value = words[1].partition("=")
            monkeypatch.setenv(name, str(tmp_path / value))
        elif words[1:] == ["hub", "guard"]:
            guard_on_duty(words, tmp_path / "beat")
        else:
            assert run(words[1:]) == 0, line
    for number, handler in kept.items():
        signal.signal(number, handler)

    assert f"ble:{table.emulated.address}" in capsys.readouterr().out
    train = load_train(tmp_path / "train.toml")
    assert train.drive.volts is not None and train.camera is not None
    settings, environment = NoServices.asked[-1]
    assert (settings.hub, settings.camera) == ("ble:", "usb:/dev/video0")
    assert environment[VARIABLE] == str(tmp_path / "train.toml")


def test_without_a_camera_the_owner_stops_the_time_and_measures_the_rest(desk, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "train.toml"))
    table = desk()
    table.sit_down(monkeypatch, [])
    table.hold_a_stopwatch(monkeypatch)

    assert run(["hub", "calibrate"]) == 0
    drive = load_train(tmp_path / "train.toml").drive
    assert drive.low_power == pytest.approx(20 + 32 / FAST.speed, abs=4)
    said = capsys.readouterr().out
    for words in (
        "make a mark about",
        "Put the train at the start",
        "nose come to rest?",
        "%: about",
        "cm/s",
        "Written to",
    ):
        assert words in said


def test_the_owner_sees_each_figure_that_was_measured_and_how_exact_it_is(
    desk, monkeypatch, tmp_path, capsys
):
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "train.toml"))
    table = desk()
    table.sit_down(monkeypatch, ["30", "55", ""])
    assert run(["camera", "calibrate", "--camera", "usb:"]) == 0
    table.hold_a_stopwatch(monkeypatch)
    assert run(["hub", "calibrate"]) == 0

    said, train = " ".join(capsys.readouterr().out.split()), load_train(tmp_path / "train.toml")
    assert train.camera is not None
    assert f"focal length {train.camera.focal_px:.0f} ± " in said
    assert f"braking {train.drive.braking_cm_s2:.0f} ± " in said
    assert f"full speed {train.drive.full_speed_cm_s:.0f} cm/s" in said
    bars = [(float(speed), len(bar)) for bar, speed in re.findall(r"% (█+) ([\d.]+) cm/s", said)]
    assert len(bars) >= 2
    assert [length for _, length in bars] == [round(BAR_WIDTH * speed / max(bars)[0]) for speed, _ in bars]


def test_the_owner_is_told_what_to_do_what_was_seen_and_what_was_not_understood(
    desk, monkeypatch, tmp_path, capsys, pseudo_language
):
    monkeypatch.setenv("BRAKEPOINT_LANG", pseudo_language)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "train.toml"))
    desk().sit_down(monkeypatch, ["far", "200", "30", "55", ""])
    assert run(["camera", "calibrate", "--camera", "usb:"]) == 0

    assert keys_said(capsys.readouterr().out) == {
        "calibrate.plate.how",
        "calibrate.plate.where",
        "calibrate.not_a_number",
        "calibrate.no_plate",
        "calibrate.plate.seen",
        *(f"calibrate.{kind}.{name}" for kind in ("name", "figure") for name in EYE),
        "calibrate.written",
    }


def test_a_camera_that_was_not_calibrated_is_not_a_yardstick(desk, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "train.toml"))
    desk().sit_down(monkeypatch, [])

    assert run(["hub", "calibrate", "--camera", "usb:"]) == 2
    assert "camera calibrate" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "answers", "said"),
    [
        (["--camera", "usb:?focal=600"], [], "leave out the focal length"),
        (["--camera", "usb:"], ["30", ""], "was seen: 1"),
        (["--camera", "usb:"], ["30", "near", "33", ""], "30 cm and 33 cm"),
        (["--camera", "usb:"], ["30", "inf", "nan", "33", ""], "30 cm and 33 cm"),
        (["--camera", "usb:", "--chessboard", "nine"], [], "not the size of a chessboard"),
        (["--camera", "usb:", "--chessboard", "9x2"], [], "3 to 50 each"),
        (["--camera", "usb:", "--chessboard", "-9x6"], [], "not the size of a chessboard"),
    ],
)
def test_what_does_not_measure_a_camera_is_refused(
    desk, monkeypatch, tmp_path, capsys, options, answers, said
):
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "train.toml"))
    desk().sit_down(monkeypatch, answers)

    assert run(["camera", "calibrate", *options]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "train.toml").exists()


def test_a_file_in_a_folder_that_is_not_there_yet_is_written(desk, monkeypatch, tmp_path):
    path = tmp_path / "measured" / "today" / "train.toml"
    desk().sit_down(monkeypatch, ["30", "55", ""])

    assert run(["camera", "calibrate", "--camera", "usb:", "--out", str(path)]) == 0
    assert load_train(path).camera is not None


@pytest.mark.parametrize("command", [["camera", "calibrate", "--camera", "usb:"], ["hub", "calibrate"]])
def test_an_invalid_file_is_refused_before_anything_is_measured(desk, monkeypatch, tmp_path, capsys, command):
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")
    path = tmp_path / "train.toml"
    path.write_text("[drive]\nfull_power = 200\n")
    table = desk()
    table.sit_down(monkeypatch, [])

    assert run([*command, "--out", str(path)]) == 2
    said = capsys.readouterr()
    assert "full_power" in said.err
    assert (table.cameras, said.out) == ([], "")
