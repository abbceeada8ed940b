from pathlib import Path

import cv2
import numpy as np
import pytest

from brakepoint.errors import UserError
from brakepoint.evaluation.examine import Examined
from brakepoint.evaluation.mean_average_precision import match_picture
from brakepoint.evaluation.sheet import (
    FALSE_ALARM,
    HIT,
    MISS,
    PICTURES_MAX,
    draw_examined,
    save_sheet,
    worst_first,
)
from brakepoint.messages import Detection, SignClass

DANGER, LIMIT = SignClass.DANGER_AHEAD, SignClass.SPEED_LIMIT


def sign(left: float, confidence: float = 1.0, sign_class: SignClass = DANGER) -> Detection:
    return Detection(sign_class=sign_class, confidence=confidence, box=(left, 100, left + 60, 160))


def examined(path: Path, truths: list[Detection], detections: list[Detection]) -> Examined:
    cv2.imwrite(str(path), np.full((480, 640, 3), 90, np.uint8))
    return Examined(path, tuple(truths), tuple(detections), match_picture(detections, truths))


def shows(picture: np.ndarray, colour: tuple[int, int, int]) -> bool:
    return bool((picture == colour).all(axis=-1).any())


@pytest.mark.parametrize(
    ("truths", "detections", "drawn"),
    [
        ([sign(100)], [sign(102, 0.9)], {HIT}),
        ([sign(100)], [], {MISS}),
        ([], [sign(100, 0.9)], {FALSE_ALARM}),
        ([sign(100)], [sign(100, 0.9, LIMIT)], {MISS, FALSE_ALARM}),
        ([sign(100)], [sign(100, 0.2)], {MISS}),
        ([sign(100)], [sign(100, 0.9), sign(106, 0.8)], {HIT, FALSE_ALARM}),
    ],
)
def test_hits_misses_and_false_alarms_each_have_a_colour(tmp_path, truths, detections, drawn):
    tile = draw_examined(examined(tmp_path / "a.png", truths, detections), confidence=0.5)
    assert tile.shape == (360, 480, 3)
    assert {colour for colour in (HIT, MISS, FALSE_ALARM) if shows(tile, colour)} == drawn


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (([sign(100)], [sign(100, 0.9)]), ([sign(100)], [sign(100, 0.8)])),
        (([], [sign(100, 0.9)]), ([], [sign(100, 0.9, LIMIT)])),
        (([sign(100)], []), ([sign(100, 1.0, LIMIT)], [])),
    ],
    ids=["a hit's confidence", "a false alarm's class", "a miss's class"],
)
def test_beside_its_box_a_sign_s_class_and_confidence_are_written(tmp_path, one, other):
    tiles = [draw_examined(examined(tmp_path / "a.png", *drawn), confidence=0.5) for drawn in (one, other)]

    assert (tiles[0] != tiles[1]).any()


@pytest.mark.parametrize(
    ("top", "detections", "colour", "is_above"),
    [
        (200, [0.9], HIT, True),
        (0, [0.9], HIT, False),
        (200, [], MISS, False),
        (420, [], MISS, True),
    ],
    ids=["above a hit", "below a hit at the top", "below a miss", "above a miss at the bottom"],
)
def test_a_label_is_written_where_there_is_room(tmp_path, top, detections, colour, is_above):
    there = sign(100).model_copy(update={"box": (100, top, 160, top + 60)})
    found = [there.model_copy(update={"confidence": confidence}) for confidence in detections]
    tile = draw_examined(examined(tmp_path / "a.png", [there], found), confidence=0.5)
    wider_than_the_box = (tile == colour).all(axis=-1).sum(axis=1) > 60
    rows = np.flatnonzero(wider_than_the_box)

    assert rows.size and (rows.max() < (top + 30) * tile.shape[0] / 480) == is_above


def test_the_worst_pictures_come_first(tmp_path):
    right = examined(tmp_path / "a.png", [sign(100)], [sign(100, 0.9)])
    blind = examined(tmp_path / "b.png", [sign(100)], [])
    confused = examined(tmp_path / "c.png", [sign(100)], [sign(100, 0.9, LIMIT)])
    assert worst_first([right, blind, confused], 0.5) == [confused, blind, right]


def test_a_sheet_shows_no_more_pictures_than_a_person_looks_at(tmp_path):
    one = examined(tmp_path / "a.png", [sign(100)], [])
    heights = []
    for count in (PICTURES_MAX, PICTURES_MAX + 40):
        save_sheet([one] * count, 0.5, "title", tmp_path / "sheet.png")
        heights.append(np.asarray(cv2.imread(str(tmp_path / "sheet.png"))).shape[0])
    assert heights[0] == heights[1]
    assert not list(tmp_path.glob("*.part"))


def test_a_sheet_that_cannot_be_written_is_reported(tmp_path):
    one = examined(tmp_path / "a.png", [sign(100)], [])
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError) as caught:
        save_sheet([one], 0.5, "title", tmp_path / "file" / "sheet.png")
    assert caught.value.key == "evaluation.unwritable"


def test_a_small_picture_and_a_box_at_its_edge_can_be_drawn(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((40, 30, 3), np.uint8))
    truth = Detection(sign_class=DANGER, confidence=1, box=(0, 0, 30, 40))
    one = Examined(tmp_path / "a.png", (truth,), (), match_picture([], [truth]))
    assert draw_examined(one, 0.5).shape == (360, 480, 3)


@pytest.mark.parametrize("size", [(4, 3000), (3000, 4), (1, 1)])
def test_a_picture_of_extreme_proportions_can_be_drawn(tmp_path, size):
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), np.full((*size, 3), 90, np.uint8))

    assert draw_examined(Examined(path, (), (), match_picture([], [])), confidence=0.5).shape == (360, 480, 3)
