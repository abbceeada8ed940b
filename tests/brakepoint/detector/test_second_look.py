"""The second look: unsure detections are examined enlarged, and only ever become surer."""

import cv2
import numpy as np
import pytest

from brakepoint.detector.decode import Candidates
from brakepoint.detector.second_look import ENLARGED, LOOKS_MOST, TILE_PX, UNSURE, SecondLook

SIGN = (100.0, 60.0, 120.0, 80.0)
ONE_TILE, SIX_TILES = (TILE_PX, TILE_PX), (3 * TILE_PX + 30, 2 * TILE_PX)


class Network:
    """Finds each white blob, with the same score."""

    def __init__(self, score: float, class_id: int = 1, shifted_px: float = 0.0) -> None:
        self.score, self.class_id, self.shifted_px = score, class_id, shifted_px
        self.sizes_px: list[tuple[int, int]] = []

    def __call__(self, picture: np.ndarray) -> Candidates:
        self.sizes_px.append((picture.shape[1], picture.shape[0]))
        count, _, blobs, _ = cv2.connectedComponentsWithStats((picture[:, :, 0] > 127).astype(np.uint8))
        left, top, width, height = blobs[1:, :4].T.astype(float)
        boxes = np.stack([left, top, left + width, top + height], axis=1) + self.shifted_px
        return Candidates(boxes, np.full(count - 1, self.score), np.full(count - 1, self.class_id))


def picture_of(*boxes: tuple[float, ...]) -> np.ndarray:
    image = np.zeros((240, 320, 3), np.uint8)
    for left, top, right, bottom in np.array(boxes, int).tolist():
        image[top:bottom, left:right] = 255
    return image


def first_look(*boxes: tuple[float, ...], score: float = 0.5) -> Candidates:
    return Candidates(np.array(boxes), np.full(len(boxes), score), np.zeros(len(boxes), int))


def examined(network: Network, first: Candidates, size_px: tuple[int, int] = ONE_TILE) -> Candidates:
    return SecondLook(network, size_px).examine(picture_of(*first.boxes), first, scale=1.25)


def test_a_sign_that_is_clear_when_enlarged_gets_the_score_and_the_class_of_that_look() -> None:
    seen = examined(Network(0.9), first_look(SIGN))
    assert (seen.scores[0], seen.class_ids[0]) == (0.9, 1)
    assert seen.boxes[0] == pytest.approx(SIGN, abs=0.5)


def test_its_box_is_that_of_the_enlarged_look() -> None:
    rough = first_look((98.0, 58.0, 120.0, 82.0))
    seen = SecondLook(Network(0.9), ONE_TILE).examine(picture_of(SIGN), rough, scale=1.25)
    assert seen.boxes[0] == pytest.approx(SIGN, abs=0.5)


def test_a_sign_that_is_less_clear_when_enlarged_stays_as_it_was() -> None:
    seen = examined(Network(0.4), first_look(SIGN))
    assert (seen.scores[0], seen.class_ids[0], tuple(seen.boxes[0])) == (0.5, 0, SIGN)


def test_another_sign_nearby_is_not_mistaken_for_it() -> None:
    seen = examined(Network(0.9, shifted_px=25.0), first_look(SIGN))
    assert (seen.scores[0], tuple(seen.boxes[0])) == (0.5, SIGN)


@pytest.mark.parametrize("score", [UNSURE[0] - 0.01, UNSURE[1]])
def test_what_is_clear_or_hopeless_is_not_examined_again(score: float) -> None:
    network = Network(0.9)
    seen = examined(network, first_look(SIGN, score=score))
    assert (network.sizes_px, seen.scores[0]) == ([], score)


def test_a_large_sign_is_not_examined_again() -> None:
    network, side = Network(0.9), 0.75 * TILE_PX / ENLARGED / 1.25
    examined(network, first_look((100.0, 60.0, 100.0 + side + 0.1, 80.0), (100.0, 60.0, 120.0, 61.0 + side)))
    assert network.sizes_px == []
    examined(network, first_look((100.0, 60.0, 100.0 + side, 80.0)))
    assert network.sizes_px == [ONE_TILE]


def test_a_sign_at_the_edge_of_the_picture_is_examined_with_grey_beside_it() -> None:
    edge = (300.0, 0.0, 320.0, 18.0)
    seen = examined(Network(0.9), first_look(edge))
    assert seen.scores[0] == 0.9
    assert seen.boxes[0] == pytest.approx(edge, abs=0.5)


def test_several_signs_are_examined_one_by_one_or_together_where_the_input_is_large() -> None:
    three = [(20.0 + 90 * n, 60.0, 40.0 + 90 * n, 80.0) for n in range(3)]
    for size_px, looks in ((ONE_TILE, 3), (SIX_TILES, 1)):
        network = Network(0.9)
        seen = examined(network, first_look(*three), size_px)
        assert network.sizes_px == [size_px] * looks
        assert seen.scores.tolist() == [0.9] * 3
        assert seen.boxes == pytest.approx(np.array(three), abs=0.5)


def test_only_the_surest_are_examined_where_there_are_many() -> None:
    many = [(10.0 + 30 * n, 60.0, 20.0 + 30 * n, 70.0) for n in range(LOOKS_MOST + 2)]
    seen = examined(Network(0.9), first_look(*many), SIX_TILES)
    assert seen.scores.tolist() == [0.9] * LOOKS_MOST + [0.5] * 2


def test_a_network_whose_pictures_are_smaller_than_a_tile_has_no_second_look() -> None:
    network = Network(0.9)
    seen = examined(network, first_look(SIGN), (TILE_PX - 1, TILE_PX))
    assert (network.sizes_px, seen.scores[0]) == ([], 0.5)


def test_the_first_look_is_not_changed() -> None:
    first = first_look(SIGN)
    examined(Network(0.9), first)
    assert (first.scores[0], first.class_ids[0], tuple(first.boxes[0])) == (0.5, 0, SIGN)
