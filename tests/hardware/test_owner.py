"""What an owner does in the first ten minutes, on a train that is faster than the kit takes it to be."""

import pytest
from driving import feed
from emulated_hub import EmulatedHub
from owner import Desk

from brakepoint.cli import run
from brakepoint.mission.fitted import fitted
from brakepoint.mission.records import Ending
from brakepoint.mission.scoring import score_run
from brakepoint.scenery.scenario import SCENARIOS_DIR, load_scenario
from brakepoint.train_file import RECORDED, VARIABLE, chosen_train, load_train
from brakepoint.truth import CameraModel
from hardware.simulation import Lookout, World, true_run
from solutions.step6_autopilot import step

FAST = World(speed=1.4, camera=CameraModel(focal_px=600, height_cm=9.0, pitch_deg=0.0), latency_s=0.1)
FEED = "track-stop-and-slowdown"


def mission(desk: Desk):
    """A mission over the radio, as services would drive it with the setting of this moment."""
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
    capsys.readouterr()

    run_, score = mission(Desk(FAST, before.emulated, tmp_path))
    assert run_.ending is Ending.END_OF_TRACK
    assert score.score >= 95
