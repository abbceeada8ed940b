"""Weather changes pictures and nothing else, and the same seed gives the same weather."""

import numpy as np
import pytest

from brakepoint.messages import Frame, Light, TrainState
from brakepoint.proving.weather import (
    HAZE_GREY,
    MOVING,
    WEATHERS,
    WeatheredCamera,
    haze,
    jpeg,
    light,
    low_resolution,
    motion,
    mounted,
    noise,
    random_for,
    soft,
    together,
)
from brakepoint.texts import catalogue

ANY = np.random.default_rng(0)
STATE = TrainState(at=1.0, position_cm=3.0, speed_cm_s=0.0, power=0, braking=True, light=Light.OFF)


def picture(level: int = 100) -> np.ndarray:
    return np.full((48, 64, 3), level, np.uint8)


def spot(x: int = 32, y: int = 24) -> np.ndarray:
    """One bright pixel on black."""
    image = picture(0)
    image[y, x] = 255
    return image


def brightest(image: np.ndarray) -> tuple[int, int]:
    y, x = np.unravel_index(image[..., 0].argmax(), image.shape[:2])
    return int(x), int(y)


@pytest.mark.parametrize("name", WEATHERS)
def test_every_weather_keeps_size_and_type_leaves_its_picture_alone_and_has_a_name_to_read(name):
    before = np.random.default_rng(1).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    given = before.copy()
    after = WEATHERS[name](given, np.random.default_rng(2))

    assert after.shape == before.shape
    assert after.dtype == np.uint8
    assert (given == before).all()
    assert (after == before).all() == (name == "clear")
    assert f"weather.{name}" in catalogue()


@pytest.mark.parametrize("name", WEATHERS)
def test_the_same_chance_makes_the_same_weather(name):
    one, same = (WEATHERS[name](picture(), np.random.default_rng(3)) for _ in range(2))

    assert (one == same).all()


def test_light_is_brighter_or_warmer_and_white_stays_white():
    assert (light(picture(), ANY, gain=0.5) == 50).all()
    assert (light(picture(), ANY, gain=2.0) == 200).all()
    assert (light(picture(200), ANY, gain=2.0) == 255).all()
    assert light(picture(), ANY, warmth=0.25)[0, 0].tolist() == [75, 100, 125]


def test_haze_lies_over_everything_by_its_strength():
    assert (haze(picture(), ANY, strength=0.0) == 100).all()
    assert (haze(picture(), ANY, strength=0.5) == (100 + HAZE_GREY) / 2).all()
    assert (haze(picture(), ANY, strength=1.0) == HAZE_GREY).all()


def test_softness_spreads_light_to_every_side_and_motion_sideways():
    blurred, shaken = soft(spot(), ANY, sigma_px=1.5), motion(spot(), ANY, length_px=5)

    assert blurred[24, 34, 0] == blurred[26, 32, 0] > 0
    assert shaken[24, :, 0].tolist().count(51) == 5
    assert shaken[23].max() == shaken[25].max() == 0


def test_noise_has_its_strength_and_is_another_in_each_picture():
    random = np.random.default_rng(4)
    one, other = (noise(picture(), random, sigma=20.0).astype(float) for _ in range(2))

    assert one.std() == pytest.approx(20, rel=0.05)
    assert one.mean() == pytest.approx(100, abs=1)
    assert (one != other).mean() > 0.9


def test_a_narrow_link_and_few_pixels_lose_what_is_small():
    assert jpeg(spot(), ANY, quality=10).max() < 255
    assert low_resolution(spot(), ANY, scale=0.5).max() < 255
    assert (low_resolution(picture(), ANY, scale=0.5) == 100).all()


def test_another_mounting_moves_what_is_seen_and_repeats_the_edge():
    assert brightest(mounted(spot(), ANY, right_px=-5, down_px=3)) == (27, 27)
    assert brightest(mounted(spot(42, 24), ANY, zoom=1.5)) == (47, 24)
    turned_x, turned_y = brightest(mounted(spot(42, 24), ANY, tilt_deg=90))
    assert (turned_x, turned_y) == (32, 14)
    assert (mounted(picture(), ANY, right_px=20) == 100).all()


def test_weathers_come_one_after_the_other():
    dim_haze = together(WEATHERS["dim"], WEATHERS["haze"])

    assert (dim_haze(picture(), ANY) == WEATHERS["haze"](WEATHERS["dim"](picture(), ANY), ANY)).all()


class FakeCamera:
    """Shows grey, then nothing."""

    def __init__(self) -> None:
        self.frames = [Frame(7, 1.0, 3.0, picture(), 20), None]
        self.is_closed = False

    def read(self, train_state: TrainState) -> Frame | None:
        return self.frames.pop(0)

    def close(self) -> None:
        self.is_closed = True


def test_a_camera_in_the_weather_shows_other_pictures_of_the_same_frames():
    camera = FakeCamera()
    weathered = WeatheredCamera(camera, "dim")
    frame = weathered.read(STATE)

    assert frame is not None and (frame.image == 50).all()
    assert (frame.frame_id, frame.captured_at, frame.position_cm, frame.signs_from_px) == (7, 1.0, 3.0, 20)
    assert weathered.read(STATE) is None
    weathered.close()
    assert camera.is_closed


def test_the_seed_decides_the_noise():
    shown = [WeatheredCamera(FakeCamera(), "noise", seed).read(STATE) for seed in (1, 1, 2)]
    one, same, other = (frame.image for frame in shown if frame is not None)

    assert (one == same).all() and (one != other).any()


SQUARE_AT = np.array([140, 20])


def centre_of(weather: str) -> np.ndarray:
    """Where that weather shows the middle of a bright square at `SQUARE_AT`, in a picture 160 wide."""
    image = np.full((48, 160, 3), 20, np.uint8)
    image[14:27, 134:147] = 120
    shown = WEATHERS[weather](image, random_for(weather))[..., 1].astype(float)
    half = (np.median(shown) + shown[18:23, 138:143].max()) / 2
    rows, columns = np.nonzero(shown > half)
    return np.array([np.median(columns), np.median(rows)])


@pytest.mark.parametrize("weather", WEATHERS)
def test_a_sign_stays_where_its_label_is_except_in_the_weathers_that_move(weather: str) -> None:
    distance_px = abs(centre_of(weather) - SQUARE_AT).max()

    assert distance_px > 1.5 if weather in MOVING else distance_px <= 1
