"""Backs of signs: black plates before whatever is brighter."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from brakepoint.detector.backs import BLACK, is_darker
from brakepoint.feeds import feed_names, find_feed, harder_feeds
from brakepoint.truth import TruthFrame, load_truth

BACK = np.array([100.0, 100.0, 140.0, 140.0])


def back_in_front_of(brightness: int) -> np.ndarray:
    image = np.full((240, 320, 3), brightness, np.uint8)
    image[100:140, 100:140] = 40
    return image


@pytest.mark.parametrize(("brightness", "expected"), [(40, False), (160, False), (161, True), (200, True)])
def test_a_back_is_told_by_what_surrounds_it(brightness: int, expected: bool) -> None:
    assert is_darker(back_in_front_of(brightness), BACK) is expected


@pytest.mark.parametrize(("columns", "expected"), [(1, True), (2, False)])
def test_a_plate_is_not_black_if_more_than_a_tenth_of_its_middle_is_bright(
    columns: int, expected: bool
) -> None:
    image = back_in_front_of(200)
    image[116:136, 112 : 112 + columns, 2] = 180
    assert is_darker(image, BACK) is expected


def test_what_is_bright_around_the_middle_of_a_plate_does_not_count() -> None:
    image = back_in_front_of(200)
    image[100:116, 100:140] = 255
    assert is_darker(image, BACK)


@pytest.mark.parametrize("moved", [(-110, -110), (190, -110), (190, 110), (-110, 110)])
def test_a_back_that_the_picture_cuts_is_black_too(moved: tuple[int, int]) -> None:
    image = np.full((240, 320, 3), 200, np.uint8)
    box = BACK + np.tile(moved, 2)
    left, top, right, bottom = box.clip(0).astype(int)
    image[top:bottom, left:right] = 40
    assert is_darker(image, box)


@pytest.mark.parametrize(("brightness", "expected"), [(57, False), (58, True)])
def test_what_counts_as_darker_can_be_chosen(brightness: int, expected: bool) -> None:
    assert is_darker(back_in_front_of(brightness), BACK, share=0.7) is expected


@pytest.mark.parametrize("level", [0, 255])
def test_a_uniform_picture_has_no_back(level: int) -> None:
    assert not is_darker(np.full((240, 320, 3), level, np.uint8), BACK)


FEEDS = [*(find_feed(name) for name in feed_names()), *harder_feeds()]
WITHOUT_FRONTS = "track-empty", "no-orders"


def frames_of(feed: Path) -> Iterator[tuple[TruthFrame, np.ndarray]]:
    """Every fourth frame of a feed, with what is visible there."""
    video = cv2.VideoCapture(str(feed))
    for number, frame in enumerate(load_truth(feed.with_suffix(".json")).frames):
        video.grab()
        if number % 4 == 0:
            yield frame, video.retrieve()[1]


@pytest.mark.parametrize("feed", FEEDS, ids=lambda feed: feed.stem)
def test_no_front_in_the_feeds_is_nearly_as_dark_as_a_back(feed: Path) -> None:
    fronts = [
        is_darker(picture, np.array(sign.box), share=1.6 * BLACK)
        for frame, picture in frames_of(feed)
        for sign in frame.signs
        if sign.sign_class and sign.is_clear
    ]
    assert not any(fronts)
    assert fronts or feed.stem in WITHOUT_FRONTS


@pytest.mark.parametrize(
    "feed", [feed for feed in FEEDS if feed.stem in WITHOUT_FRONTS], ids=lambda feed: feed.stem
)
def test_most_backs_before_a_light_wall_are_black(feed: Path) -> None:
    backs = [
        is_darker(picture, np.array(sign.box), share=1.4 * BLACK)
        for frame, picture in frames_of(feed)
        for sign in frame.signs
        if sign.kind.startswith("limit") and sign.visible > 0.8 and sign.box[3] - sign.box[1] >= 12
    ]
    assert sum(backs) > 0.4 * len(backs) > 1
