"""Edge cases of labels, in YOLO text and in an export of Label Studio."""

import json
from pathlib import Path
from typing import Any

import pytest

from brakepoint.errors import UserError
from brakepoint.labels.label_studio_export import read_export
from brakepoint.labels.signs import LabelledPicture, LabelledSign
from brakepoint.labels.splits import split_of_name
from brakepoint.labels.yolo import agreed_classes, read_signs
from brakepoint.messages import SignClass

CLASSES = tuple(SignClass)
RECTANGLE = {"x": 10, "y": 20, "width": 30, "height": 40, "rectanglelabels": ["DangerAhead"]}


def signs(folder: Path, text: str) -> Any:
    file = folder / "a.txt"
    file.write_text(text)
    return read_signs(file, CLASSES)


def test_a_sign_as_large_as_the_picture_is_read(tmp_path: Path) -> None:
    (sign,) = signs(tmp_path, "0 0.5 0.5 1 1")

    assert (sign.sign_class, sign.box) == (CLASSES[0], (0, 0, 1, 1))


def test_a_box_is_cut_off_at_each_edge(tmp_path: Path) -> None:
    low, high = signs(tmp_path, "1 0 0 0.5 0.25\n\n1 1 1 0.5 0.25\n")

    assert (low.box, high.box) == ((0, 0, 0.25, 0.125), (0.75, 0.875, 1, 1))


@pytest.mark.parametrize(
    "line",
    [
        "0 -0.01 0.5 0.1 0.1",
        "0 0.5 -0.01 0.1 0.1",
        "0 1.01 0.5 0.1 0.1",
        "0 0.5 1.01 0.1 0.1",
        "0 0.5 0.5 0 0.1",
        "0 0.5 0.5 0.1 0",
        "0 0.5 0.5 1.01 0.1",
        "0 0.5 0.5 0.1 1.01",
        "0 0.5 0.5 0.1",
        "0 nan 0.5 0.1 0.1",
    ],
)
def test_a_box_that_is_none_is_reported_with_its_line(tmp_path: Path, line: str) -> None:
    with pytest.raises(UserError) as refused:
        signs(tmp_path, f"0 0.5 0.5 0.1 0.1\n{line}\n")

    assert "2" in str(refused.value) and "a.txt" in str(refused.value)


@pytest.mark.parametrize("class_id", ["-1", "0.5", str(len(CLASSES))])
def test_a_class_id_without_a_class_is_reported(tmp_path: Path, class_id: str) -> None:
    with pytest.raises(UserError) as refused:
        signs(tmp_path, f"{class_id} 0.5 0.5 0.1 0.1")

    assert refused.value.key == "error.label_class"
    assert class_id in str(refused.value)


def test_files_that_name_classes_must_agree_and_without_any_the_kits_order_applies() -> None:
    one, other, third = map(Path, ("classes.txt", "labels/classes.txt", "data.yaml"))
    named = tuple(reversed(CLASSES))

    assert agreed_classes({one: ()}) == CLASSES
    assert agreed_classes({one: named, other: (), third: ("Speed limit", "danger_ahead")}) == named
    with pytest.raises(UserError, match=r"classes\.txt.*labels/classes\.txt"):
        agreed_classes({one: named, other: CLASSES})


def exported(folder: Path, size: tuple[int, int] = (640, 480), **value: Any) -> Any:
    result = {
        "type": "rectanglelabels",
        "original_width": size[0],
        "original_height": size[1],
        "value": RECTANGLE | value,
    }
    said = {"completed_by": 1, "updated_at": "2026-01-01T00:00:00Z", "result": [result]}
    task = {"data": {"image": "/data/upload/1/a.jpg"}, "annotations": [said]}
    (folder / "export.json").write_text(json.dumps([task]))
    return read_export(folder / "export.json")


def test_an_export_is_read_with_what_it_leaves_out(tmp_path: Path) -> None:
    (task,) = exported(tmp_path, size=(1, 1))
    (annotation,) = task.annotations

    assert not annotation.was_cancelled
    assert annotation.result[0].value.rotation == 0
    assert annotation.result[0].sign_class is SignClass.DANGER_AHEAD


@pytest.mark.parametrize(
    "value", [{"x": -100, "y": 200}, {"x": 200, "y": -100}, {"width": 200, "height": 0.5}]
)
def test_a_rectangle_may_reach_beyond_its_picture(tmp_path: Path, value: dict[str, Any]) -> None:
    assert len(exported(tmp_path, **value)) == 1


@pytest.mark.parametrize(
    "value",
    [
        *({name: number} for name in ("x", "y") for number in (-100.5, 200.5)),
        *({name: number} for name in ("width", "height") for number in (0, 200.5)),
    ],
)
def test_but_not_by_any_amount(tmp_path: Path, value: dict[str, Any]) -> None:
    with pytest.raises(UserError) as refused:
        exported(tmp_path, **value)

    assert refused.value.key == "store.error.other_project"
    assert next(iter(value)) in str(refused.value)


@pytest.mark.parametrize("size", [(0, 480), (640, 0)])
def test_a_picture_without_a_size_is_none(tmp_path: Path, size: tuple[int, int]) -> None:
    with pytest.raises(UserError, match="original_"):
        exported(tmp_path, size=size)


def test_an_export_without_a_task_is_reported(tmp_path: Path) -> None:
    (tmp_path / "export.json").write_text("[]")

    with pytest.raises(UserError):
        read_export(tmp_path / "export.json")


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("0 1.0009 0.5 0.1 0.1", None),
        ("0 -0.0009 0.5 0.1 0.1", None),
        ("0 1.0011 0.5 0.1 0.1", "error.label_line"),
        ("0 -0.0011 0.5 0.1 0.1", "error.label_line"),
        ("0 1.99 0.5 0.1 0.1", "error.label_line"),
        ("0 2 0.5 0.1 0.1", "error.label_pixels"),
        ("0 0.5 0.5 0.000002 0.1", None),
        ("0 0.5 0.5 0.0000005 0.1", "error.label_outside"),
        ("0 0.1 0.1 0.2 0.1 0.2 0.2", None),
        ("0 0.1 0.1 0.2 0.1 0.2", "error.label_line"),
        ("0 0.1 0.1 0.1 0.2 0.1 0.3", "error.label_outside"),
    ],
)
def test_numbers_at_the_edge_of_what_a_program_rounds(tmp_path: Path, line: str, key: str | None) -> None:
    if key is None:
        (sign,) = signs(tmp_path, line)
        assert 0 <= sign.box[0] < sign.box[2] <= 1 and 0 <= sign.box[1] < sign.box[3] <= 1
        return
    with pytest.raises(UserError) as refused:
        signs(tmp_path, line)
    assert refused.value.key == key


@pytest.mark.parametrize(
    ("size", "fits"),
    [((200, 100), True), ((400, 200), True), ((203, 100), True), ((205, 100), False), ((195, 100), False)],
)
def test_a_label_is_for_a_picture_of_its_proportions(
    tmp_path: Path, size: tuple[int, int], fits: bool
) -> None:
    sign = LabelledSign(CLASSES[1], (0.1, 0.2, 0.4, 0.6))
    picture = LabelledPicture(tmp_path / "a.jpg", (sign,), size)

    if fits:
        assert picture.truths(200, 100)[0].box == pytest.approx((20, 20, 80, 60))
        return
    with pytest.raises(UserError, match=f"{size[0]} × {size[1]}.*200 × 100"):
        picture.truths(200, 100)


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train", "train"),
        ("Training", "train"),
        ("valid", "val"),
        ("validation", "val"),
        ("val2017", "val"),
        ("instances_test", "test"),
        ("_annotations.train.coco", "train"),
        ("trainval", None),
        ("trains", None),
        ("kc01", None),
        ("contest", None),
    ],
)
def test_a_split_is_recognised_by_its_name(name: str, split: str | None) -> None:
    assert split_of_name(name) == split
