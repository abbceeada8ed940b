"""The second look: unsure detections are examined enlarged, and only ever become surer."""

from itertools import cycle

import cv2
import numpy as np
import pytest

from brakepoint.detector.decode import Candidates
from brakepoint.detector.second_look import (
    EXAMINED_MOST,
    SHEET_PX,
    SIDES_PX,
    TILE_PX,
    UNSURE,
    SecondLook,
)

SIGN = (100.0, 60.0, 120.0, 80.0)
SCALE = 1.25
LARGE_PX = (5 * TILE_PX + 30, 4 * TILE_PX)
ONE_TILE_PX = (TILE_PX, TILE_PX)


class Network:
    """Finds each white blob; the scores and the classes of successive blobs are given, again and again."""

    def __init__(self, *scores: float, classes: tuple[int, ...] = (1,), shifted_px: float = 0.0) -> None:
        self.scores, self.classes, self.shifted_px = cycle(scores), cycle(classes), shifted_px
        self.sizes_px: list[tuple[int, int]] = []

    def __call__(self, picture: np.ndarray) -> Candidates:
        self.sizes_px.append((picture.shape[1], picture.shape[0]))
        _, _, blobs, _ = cv2.connectedComponentsWithStats((picture[:, :, 0] > 127).astype(np.uint8))
        left, top, width, height = blobs[1:, :4].T.astype(float)
        boxes = np.stack([left, top, left + width, top + height], axis=1) + self.shifted_px
        scores, classes = ([next(values) for _ in boxes] for values in (self.scores, self.classes))
        return Candidates(boxes, np.array(scores), np.array(classes, int))


def picture_of(*boxes: tuple[float, ...]) -> np.ndarray:
    image = np.zeros((240, 640, 3), np.uint8)
    for left, top, right, bottom in np.array(boxes, int).tolist():
        image[top:bottom, left:right] = 255
    return image


def first_look(*boxes: tuple[float, ...], score: float = 0.5) -> Candidates:
    return Candidates(np.array(boxes), np.full(len(boxes), score), np.zeros(len(boxes), int))


def examined(network: Network, first: Candidates, size_px: tuple[int, int] = SHEET_PX) -> Candidates:
    return SecondLook(network, size_px).examine(picture_of(*first.boxes), first, SCALE)


def in_a_row(count: int) -> list[tuple[float, ...]]:
    return [(40.0 + 90 * n, 60.0, 60.0 + 90 * n, 80.0) for n in range(count)]


def test_a_sign_that_is_clear_when_enlarged_gets_the_score_and_the_class_of_that_look() -> None:
    seen = examined(Network(0.9), first_look(SIGN))
    assert (seen.scores[0], seen.class_ids[0]) == (0.9, 1)
    assert seen.boxes[0] == pytest.approx(SIGN, abs=0.5)


def test_its_box_is_that_of_the_enlarged_look() -> None:
    rough = first_look((99.0, 59.0, 120.0, 81.0))
    seen = SecondLook(Network(0.9), SHEET_PX).examine(picture_of(SIGN), rough, SCALE)
    assert seen.boxes[0] == pytest.approx(SIGN, abs=0.5)


@pytest.mark.parametrize("scores", [(0.9, 0.6), (0.6, 0.9)])
def test_the_less_sure_of_the_enlargements_counts(scores: tuple[float, float]) -> None:
    assert examined(Network(*scores), first_look(SIGN)).scores.tolist() == [0.6]


@pytest.mark.parametrize("scores", [(0.4, 0.4), (0.9, 0.4), (0.4, 0.9), (0.5, 0.9)])
def test_a_sign_that_is_not_surer_in_both_enlargements_stays_as_it_was(scores: tuple[float, float]) -> None:
    seen = examined(Network(*scores), first_look(SIGN))
    assert (seen.scores[0], seen.class_ids[0], tuple(seen.boxes[0])) == (0.5, 0, SIGN)


def test_a_sign_whose_enlargements_are_of_two_classes_stays_as_it_was() -> None:
    seen = examined(Network(0.9, classes=(0, 1)), first_look(SIGN))
    assert (seen.scores[0], seen.class_ids[0]) == (0.5, 0)


def test_another_sign_nearby_is_not_mistaken_for_it() -> None:
    seen = examined(Network(0.9, shifted_px=25.0), first_look(SIGN))
    assert (seen.scores[0], tuple(seen.boxes[0])) == (0.5, SIGN)


@pytest.mark.parametrize("score", [UNSURE[0] - 0.01, UNSURE[1]])
def test_what_is_clear_or_hopeless_is_not_examined_again(score: float) -> None:
    network = Network(0.9)
    seen = examined(network, first_look(SIGN, score=score))
    assert (network.sizes_px, seen.scores[0]) == ([], score)


@pytest.mark.parametrize("score", [UNSURE[0], UNSURE[1] - 0.01])
def test_what_is_between_is_examined_again(score: float) -> None:
    assert examined(Network(0.9), first_look(SIGN, score=score)).scores.tolist() == [0.9]


def test_neither_tiny_nor_large_signs_are_examined_again() -> None:
    least, most = (side_px / SCALE for side_px in SIDES_PX)
    tiny = (20.0, 60.0, 19.9 + least, 60.0 + least / 2)
    wide, high = (100.0, 60.0, 100.1 + most, 70.0), (200.0, 60.0, 210.0, 60.1 + most)
    assert examined(Network(0.9), first_look(tiny, wide, high)).scores.tolist() == [0.5] * 3


@pytest.mark.parametrize("side_px", [SIDES_PX[0] + 0.1, SIDES_PX[1] - 0.1])
def test_signs_between_are_examined_again(side_px: float) -> None:
    sign = (100.0, 60.0, 100.0 + side_px / SCALE, 60.0 + side_px / SCALE)
    assert examined(Network(0.9), first_look(sign)).scores.tolist() == [0.9]


@pytest.mark.parametrize(("plate", "scores"), [(83, [0.5]), (85, [0.9])])
def test_a_plate_as_black_as_a_signs_back_is_not_examined_again(plate: int, scores: list[float]) -> None:
    left, top, right, bottom = (int(side) for side in SIGN)
    image = np.full((240, 640, 3), 120, np.uint8)
    image[top:bottom, left:right] = 255
    image[top + 5 : bottom, left + 5 : right - 5] = plate
    seen = SecondLook(Network(0.9), SHEET_PX).examine(image, first_look(SIGN), SCALE)
    assert seen.scores.tolist() == scores


def test_a_sign_at_the_edge_of_the_picture_is_examined_with_grey_beside_it() -> None:
    edge = (620.0, 0.0, 640.0, 18.0)
    seen = examined(Network(0.9), first_look(edge))
    assert seen.scores[0] == 0.9
    assert seen.boxes[0] == pytest.approx(edge, abs=0.5)


@pytest.mark.parametrize(("size_px", "pictures"), [(ONE_TILE_PX, 6), (SHEET_PX, 3), (LARGE_PX, 1)])
def test_a_picture_for_the_network_shows_as_many_tiles_as_it_can(
    size_px: tuple[int, int], pictures: int
) -> None:
    network, three = Network(0.9), in_a_row(3)
    seen = examined(network, first_look(*three), size_px)
    assert network.sizes_px == [size_px] * pictures
    assert seen.scores.tolist() == [0.9] * 3
    assert seen.boxes == pytest.approx(np.array(three), abs=0.5)


def test_only_the_surest_are_examined_where_there_are_many() -> None:
    many = first_look(*[(10.0 + 50 * n, 60.0, 24.0 + 50 * n, 74.0) for n in range(EXAMINED_MOST + 2)])
    seen = examined(Network(0.9), many, LARGE_PX)
    assert seen.scores.tolist() == [0.9] * EXAMINED_MOST + [0.5] * 2


def test_a_network_whose_pictures_are_smaller_than_a_tile_has_no_second_look() -> None:
    network = Network(0.9)
    seen = examined(network, first_look(SIGN), (TILE_PX - 1, TILE_PX))
    assert (network.sizes_px, seen.scores[0]) == ([], 0.5)


def test_the_first_look_is_not_changed() -> None:
    first = first_look(SIGN)
    examined(Network(0.9), first)
    assert (first.scores[0], first.class_ids[0], tuple(first.boxes[0])) == (0.5, 0, SIGN)
