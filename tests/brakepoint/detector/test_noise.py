"""A noisy picture is smoothed before the network sees it, and no other picture is touched."""

import cv2
import numpy as np
import pytest

from brakepoint.detector import SHIPPED_MODEL, Detector
from brakepoint.detector.noise import NOISY, noise_level, without_noise
from brakepoint.feeds import COURSE_FEEDS, find_feed
from brakepoint.proving.weather import noise


def edge(width: int = 300, height: int = 200) -> np.ndarray:
    """A dark half beside a bright one."""
    picture = np.full((height, width, 3), 60, np.uint8)
    picture[:, width // 2 :] = 190
    return picture


def noisy(picture: np.ndarray, sigma: float) -> np.ndarray:
    return noise(picture, np.random.default_rng(1), sigma)


def frame_of(feed: str, number: int) -> np.ndarray:
    video = cv2.VideoCapture(str(find_feed(feed)))
    video.set(cv2.CAP_PROP_POS_FRAMES, number)
    return video.read()[1]


@pytest.mark.parametrize("sigma", [0.0, 4.0, 12.0, 20.0])
def test_noise_is_measured_in_grey_levels(sigma: float) -> None:
    assert noise_level(noisy(edge(), sigma)) == pytest.approx(sigma, rel=0.05, abs=0.3)


@pytest.mark.parametrize("feed", COURSE_FEEDS)
def test_what_is_in_a_recorded_picture_is_not_noise(feed: str) -> None:
    assert noise_level(frame_of(feed, 40)) < 1


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (2, 1), (3, 3), (4, 1)])
def test_the_smallest_pictures_have_no_noise(size: tuple[int, int]) -> None:
    assert noise_level(np.full((*size, 3), 90, np.uint8)) == 0


def test_a_picture_with_little_noise_is_not_touched() -> None:
    picture = noisy(edge(), NOISY - 1)
    assert without_noise(picture) is picture


def test_much_noise_is_smoothed_and_edges_stay_sharp() -> None:
    clean, smoothed = edge().astype(float), without_noise(noisy(edge(), NOISY + 1)).astype(float)
    assert np.abs(smoothed - clean)[:, 5:145].std() < 0.5 * NOISY
    middle = smoothed.mean(axis=(0, 2))
    assert middle[149] < 70
    assert middle[150] > 180


def test_the_detector_examines_the_smoothed_picture() -> None:
    detector, picture = Detector(SHIPPED_MODEL, confidence=0.05), noisy(frame_of("track-stop", 100), 12.0)
    found, smoothed = detector.detect_image(picture), without_noise(picture)
    assert noise_level(smoothed) < NOISY
    assert found
    assert found == detector.detect_image(smoothed)
