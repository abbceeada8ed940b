import pytest
from hypothesis import given
from hypothesis import strategies as st

from brakepoint.errors import UserError
from brakepoint.locomotive import BRAKING_CM_S2, LAG_S, ORDER_POWER, speed_for_power
from brakepoint.messages import OrderKind
from brakepoint.rules import FULL_SPEED_CM_S, LOW_SPEED_CM_S
from brakepoint.train_file import VARIABLE, Drive, Eye, TrainFile, choosing, chosen_train, load_train
from brakepoint.truth import CameraModel

FAST = TrainFile(
    drive=Drive(full_power=70, low_power=40, start_power=18.5, lag_s=0.5, braking_cm_s2=45, volts=8.4),
    camera=Eye(width_px=1280, height_px=720, focal_px=1357, height_cm=9, pitch_deg=-3, latency_s=0.12),
)


@given(st.integers(0, 100))
def test_the_default_drive_is_the_train_of_the_kit(power):
    assert Drive().speed_cm_s(power) == pytest.approx(speed_for_power(power))
    assert (Drive().lag_s, Drive().braking_cm_s2, Drive().volts) == (LAG_S, BRAKING_CM_S2, None)
    assert {kind: Drive().power(kind) for kind in OrderKind} == ORDER_POWER


def test_the_default_eye_is_the_recorded_camera():
    model = CameraModel()
    eye = Eye()
    assert (eye.width_px, eye.height_px, eye.focal_px) == (model.width_px, model.height_px, model.focal_px)
    assert (eye.height_cm, eye.pitch_deg, eye.latency_s) == (model.height_cm, model.pitch_deg, 0)


def test_each_of_the_three_powers_has_its_speed_and_between_them_it_rises_evenly():
    drive = Drive(full_power=90, low_power=50, start_power=30)

    assert [drive.speed_cm_s(power) for power in (10, 30, 40, 50, 70, 90)] == pytest.approx(
        [0, 0, LOW_SPEED_CM_S / 2, LOW_SPEED_CM_S, (LOW_SPEED_CM_S + FULL_SPEED_CM_S) / 2, FULL_SPEED_CM_S]
    )


def test_a_train_file_is_read_as_it_was_written(tmp_path):
    path = tmp_path / "train.toml"
    FAST.write(path, "What was measured.\nOn two lines.")

    assert load_train(path) == FAST
    assert path.read_text("utf-8").startswith("# What was measured.\n# On two lines.\n")
    assert [each.name for each in tmp_path.iterdir()] == ["train.toml"]


def test_a_file_of_one_section_leaves_the_other_at_its_default(tmp_path):
    (tmp_path / "train.toml").write_text("[drive]\nfull_power = 80\nlow_power = 45\n", "utf-8")

    assert load_train(tmp_path / "train.toml") == TrainFile(drive=Drive(full_power=80, low_power=45))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("[drive]\nfull_power = 180", "drive.full_power"),
        ("[drive]\nfull_power = 40\nlow_power = 50", "start_power < low_power < full_power"),
        ("[camera]\nfocal = 500", "camera.focal"),
        ("[camera]\nfocal_px = nan", "camera.focal_px"),
        ("[camera", "train.toml"),
    ],
)
def test_a_file_that_is_none_is_refused_with_the_place_of_the_mistake(tmp_path, written, said):
    (tmp_path / "train.toml").write_text(written, "utf-8")

    with pytest.raises(UserError, match=said):
        load_train(tmp_path / "train.toml")


def test_a_uri_outranks_the_setting_and_without_either_the_train_is_the_kits_own(tmp_path, monkeypatch):
    mine, other = tmp_path / "mine.toml", tmp_path / "other.toml"
    FAST.write(mine, "mine")
    TrainFile(drive=Drive(full_power=77)).write(other, "other")

    monkeypatch.delenv(VARIABLE, raising=False)
    assert chosen_train("ble:") == TrainFile()
    assert chosen_train(f"ble:90:84:2B:00:00:01?train={mine}") == FAST
    monkeypatch.setenv(VARIABLE, str(other))
    assert chosen_train("ble:").drive.full_power == 77
    assert chosen_train(f"usb:?exposure=5&train={mine}") == FAST
    monkeypatch.setenv(VARIABLE, str(tmp_path / "nowhere.toml"))
    with pytest.raises(UserError, match=r"nowhere\.toml"):
        chosen_train("ble:")


def test_a_choice_ends_with_what_it_was_made_for(monkeypatch, tmp_path):
    FAST.write(tmp_path / "train.toml", "")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "nowhere.toml"))
    with choosing(tmp_path / "train.toml"):
        assert chosen_train() == FAST
    with choosing(None):
        assert chosen_train() == TrainFile()
    with pytest.raises(UserError):
        chosen_train()


@pytest.mark.parametrize(
    ("eye", "box", "is_cut_off"),
    [
        (Eye(), (100, 100, 120, 120), False),
        (Eye(), (1, 100, 20, 120), True),
        (Eye(), (620, 100, 639, 120), True),
        (Eye(), (100, 460, 120, 479), True),
        # Enlarged to twice its focal length, the picture fills half of the frame: 160…480 by 120…360.
        (Eye(focal_px=920), (161, 200, 180, 220), True),
        (Eye(focal_px=920), (165, 200, 180, 220), False),
        (Eye(focal_px=920), (200, 340, 220, 359), True),
        (Eye(focal_px=230), (10, 100, 20, 120), False),
    ],
)
def test_a_box_at_the_edge_of_the_cameras_own_picture_is_cut_off(eye, box, is_cut_off):
    assert eye.cuts_off(box) is is_cut_off


def test_a_camera_sees_from_where_a_plate_is_above_its_lower_edge_to_where_it_is_high_enough():
    assert Eye().sees_from_cm == pytest.approx((7.5 - 4.6 + 1.95) / (240 / 460 - 0.03492), rel=0.001)
    assert Eye().sight_cm == pytest.approx(460 * 1.9 / 12)
    assert Eye(width_px=1280, height_px=960, focal_px=460).sight_cm == pytest.approx(230 * 1.9 / 12)
    assert Eye(focal_px=920).sight_cm == Eye().sight_cm
