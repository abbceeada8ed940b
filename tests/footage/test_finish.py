import numpy as np

from footage.finish import CameraLook


def grey(level: int) -> np.ndarray:
    return np.full((384, 512, 3), level, np.uint8)


def test_a_picture_of_any_size_comes_out_at_the_camera_s() -> None:
    assert CameraLook(1, 640, 480)(grey(100)).shape == (480, 640, 3)


def test_the_corners_are_darker_than_the_middle() -> None:
    picture = CameraLook(1, 640, 480)(grey(100)).astype(int)
    assert picture[0, 0].sum() < picture[240, 320].sum()


def test_a_dark_scene_is_brightened_and_a_bright_one_is_not() -> None:
    look = CameraLook(1, 640, 480)
    assert look(grey(40)).mean() > 1.2 * 40
    assert look(grey(200)).mean() < 200


def test_each_scene_has_a_cast_of_its_own_and_keeps_it() -> None:
    first, again, other = (CameraLook(seed, 640, 480)(grey(100)) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()
