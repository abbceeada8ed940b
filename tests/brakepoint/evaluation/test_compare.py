from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx_models import raw_output

from brakepoint.detector import Detector
from brakepoint.evaluation.compare import compare, compare_examined
from brakepoint.evaluation.confusion import confusion_matrix
from brakepoint.evaluation.examine import Examined
from brakepoint.evaluation.mean_average_precision import match_picture
from brakepoint.messages import Detection, SignClass
from brakepoint.worlds import World

DANGER, LIMIT = SignClass.DANGER_AHEAD, SignClass.SPEED_LIMIT


def sign(left: float, confidence: float = 1.0, sign_class: SignClass = DANGER) -> Detection:
    return Detection(sign_class=sign_class, confidence=confidence, box=(left, 0, left + 10, 10))


def examined(truths: list[Detection], detections: list[Detection], path: Path = Path("a.png")) -> Examined:
    ordered = sorted(detections, key=lambda item: -item.confidence)
    return Examined(path, tuple(truths), tuple(ordered), match_picture(detections, truths))


def confusion(truths: list[Detection], detections: list[Detection]) -> list[list[int]]:
    return confusion_matrix([examined(truths, detections)], confidence=0.5).tolist()


@pytest.mark.parametrize(
    ("truths", "detections", "expected"),
    [
        ([sign(0)], [sign(1, 0.9)], [[1, 0, 0], [0, 0, 0], [0, 0, 0]]),
        ([sign(0)], [sign(0, 0.9, LIMIT)], [[0, 1, 0], [0, 0, 0], [0, 0, 0]]),
        ([sign(0)], [], [[0, 0, 1], [0, 0, 0], [0, 0, 0]]),
        ([], [sign(0, 0.9, LIMIT)], [[0, 0, 0], [0, 0, 0], [0, 1, 0]]),
        ([sign(0)], [sign(0, 0.4)], [[0, 0, 1], [0, 0, 0], [0, 0, 0]]),
        ([sign(0)], [sign(0, 0.9), sign(1, 0.8)], [[1, 0, 0], [0, 0, 0], [1, 0, 0]]),
        ([sign(0)], [sign(8, 0.9)], [[0, 0, 1], [0, 0, 0], [1, 0, 0]]),
        ([sign(0), sign(40, 1, LIMIT)], [sign(40, 0.7, LIMIT)], [[0, 0, 1], [0, 1, 0], [0, 0, 0]]),
    ],
)
def test_each_sign_is_counted_under_what_it_was_taken_for(truths, detections, expected):
    assert confusion(truths, detections) == expected


SIGNS = st.lists(
    st.builds(sign, st.integers(0, 60), st.floats(0.5, 1), st.sampled_from(SignClass)), max_size=5
)


@given(SIGNS, SIGNS)
def test_every_sign_is_in_one_row_and_every_detection_in_one_column(truths, detections):
    matrix = np.array(confusion(truths, detections))
    assert matrix[:2].sum() == len(truths)
    assert matrix[:, :2].sum() == len(detections)
    assert matrix[2, 2] == 0


def test_two_models_are_compared_in_numbers_and_in_pictures(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.full((48, 64, 3), 90, np.uint8))
    truths = [sign(0), sign(30, 1, LIMIT)]
    base = [examined(truths, [sign(30, 0.9, LIMIT)], tmp_path / "a.png")]
    new = [examined(truths, [sign(0, 0.9), sign(30, 0.9, LIMIT)], tmp_path / "a.png")]

    world = compare_examined(World.TRACK, base, new, tmp_path / "out", confidence=0.5)

    assert world.base.per_class[DANGER].ap50 == 0
    assert world.new.map50 == pytest.approx(0.995)
    assert world.base_confusion.tolist() == [[0, 0, 1], [0, 1, 0], [0, 0, 0]]
    assert world.new_confusion.tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 0]]
    assert [path.name for path in world.pictures] == [
        "track-precision-recall.png",
        "track-confusion.png",
        "track-worst.png",
    ]
    for path in world.pictures:
        assert np.asarray(cv2.imread(str(path))).std() > 1


def test_every_world_is_compared_even_one_without_signs_of_a_class(tmp_path, make_model):
    for world in World:
        for name in ("images", "labels"):
            (tmp_path / world / name).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / world / "images" / "a.png"), np.zeros((128, 192, 3), np.uint8))
        (tmp_path / world / "labels" / "a.txt").write_text("0 0.5 0.5 0.25 0.5\n")
    detector = Detector(make_model(raw_output((36, 16, 60, 48, 0.9, 0.0))))
    folders = {world: tmp_path / world for world in World}

    comparison = compare(detector, detector, folders, tmp_path / "out", confidence=0.6)

    assert set(comparison.worlds) == set(World)
    assert comparison.worlds[World.ROAD].new.per_class[LIMIT].ap50 is None
    assert comparison.confidence == comparison.worlds[World.TRACK].base.confidence == 0.6
    assert {path.name for path in comparison.pictures} == {path.name for path in (tmp_path / "out").iterdir()}
