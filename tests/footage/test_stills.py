from hypothesis import given
from hypothesis import strategies as st

from brakepoint.messages import SignClass
from brakepoint.truth import CameraModel, VisibleSign
from footage.stills import random_scenario, yolo_lines

CAMERA = CameraModel()


def seen(
    box: tuple[float, float, float, float], sign_class: SignClass | None, visible: float = 1.0
) -> VisibleSign:
    return VisibleSign(id=0, sign_class=sign_class, kind="any", box=box, distance_cm=30, visible=visible)


@given(st.integers(min_value=0, max_value=100_000))
def test_every_seed_gives_a_scene_that_can_be_built_and_always_the_same(seed: int) -> None:
    scenario = random_scenario(seed)
    assert scenario == random_scenario(seed)
    assert bool(scenario.signs) == bool(seed % 4)


def test_a_label_is_class_centre_and_size_relative_to_the_picture() -> None:
    assert yolo_lines((seen((160, 120, 480, 360), SignClass.SPEED_LIMIT),), CAMERA) == (
        "1 0.500000 0.500000 0.500000 0.500000\n"
    )


def test_distractors_hidden_signs_and_specks_are_not_labelled() -> None:
    signs = (
        seen((0, 0, 50, 50), None),
        seen((0, 0, 50, 50), SignClass.DANGER_AHEAD, visible=0.1),
        seen((0, 0, 5, 5), SignClass.DANGER_AHEAD),
    )
    assert yolo_lines(signs, CAMERA) == ""
