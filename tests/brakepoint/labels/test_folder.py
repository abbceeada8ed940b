import json

import cv2
import numpy as np
import pytest

from brakepoint.errors import UserError
from brakepoint.evaluation import load_labels
from brakepoint.messages import SignClass

DANGER, LIMIT = SignClass.DANGER_AHEAD, SignClass.SPEED_LIMIT


@pytest.fixture
def folder(tmp_path):
    for name in ("images", "labels"):
        (tmp_path / name).mkdir()
    for name in ("a.jpg", "b.jpg"):
        cv2.imwrite(str(tmp_path / "images" / name), np.zeros((100, 200, 3), np.uint8))
    return tmp_path


def rectangle(label="DangerAhead", x=10.0, y=20.0, width=30.0, height=40.0, **more):
    value = {"x": x, "y": y, "width": width, "height": height, "rectanglelabels": [label], **more}
    value |= {"original_width": 200, "original_height": 100}
    return {"type": "rectanglelabels", "from_name": "label", "value": value}


def annotate(folder, file, image, *results, **more):
    annotation = {"id": 7, "task": {"id": 7, "data": {"image": image}}, "result": list(results), **more}
    (folder / "labels" / file).write_text(json.dumps(annotation))


def problem(folder):
    with pytest.raises(UserError) as caught:
        load_labels(folder)
    return caught.value.key


def test_label_studio_names_its_picture_and_counts_in_percent(folder):
    annotate(folder, "7.json", "s3://data/photos/b.jpg", rectangle(), rectangle("SpeedLimit", x=50))
    (picture,) = load_labels(folder)
    assert picture.path.name == "b.jpg"
    assert [sign.sign_class for sign in picture.signs] == [DANGER, LIMIT]
    assert picture.truths(200, 100)[0].box == pytest.approx((20, 20, 80, 60))


@pytest.mark.parametrize(
    "image", ["/data/local-files/?d=photos/a.jpg", "https://host/photos/a.jpg?X-Amz-Date=1", "a.jpg"]
)
def test_label_studio_pictures_may_lie_anywhere(folder, image):
    annotate(folder, "7.json", image, rectangle())
    assert load_labels(folder)[0].path.name == "a.jpg"


@pytest.mark.parametrize(
    ("rotation", "box"),
    [(0, (100, 40, 140, 50)), (90, (90, 40, 100, 80)), (180, (60, 30, 100, 40)), (-90, (100, 0, 110, 40))],
)
def test_a_rotated_rectangle_turns_in_pixels_about_its_top_left_corner(folder, rotation, box):
    annotate(folder, "7.json", "a.jpg", rectangle(x=50, y=40, width=20, height=10, rotation=rotation))
    assert load_labels(folder)[0].truths(200, 100)[0].box == pytest.approx(box)


def test_a_rectangle_is_cut_off_at_the_edge(folder):
    annotate(folder, "7.json", "a.jpg", rectangle(x=-10, y=90, width=20, height=40))
    assert load_labels(folder)[0].signs[0].box == pytest.approx((0, 0.9, 0.1, 1))


def test_skipped_and_unlabelled_pictures_are_left_out(folder):
    annotate(folder, "1.json", "a.jpg", rectangle())
    annotate(folder, "2.json", "b.jpg", was_cancelled=True)
    assert [picture.path.name for picture in load_labels(folder)] == ["a.jpg"]
    (folder / "labels" / "2.json").unlink()
    assert [picture.path.name for picture in load_labels(folder)] == ["a.jpg"]


def test_a_picture_looked_at_and_found_without_signs_counts(folder):
    annotate(folder, "1.json", "a.jpg", rectangle())
    annotate(folder, "2.json", "b.jpg")
    assert [len(picture.signs) for picture in load_labels(folder)] == [1, 0]


def test_answers_that_are_not_regions_are_ignored(folder):
    annotate(folder, "1.json", "a.jpg", rectangle(), {"type": "choices", "value": {"choices": ["blurred"]}})
    assert len(load_labels(folder)[0].signs) == 1


@pytest.mark.parametrize(
    ("result", "key"),
    [
        (rectangle("StopSign"), "error.label_class"),
        (rectangle(width=0), "error.label_invalid"),
        (rectangle(x="left"), "error.label_invalid"),
        (rectangle(x=120), "error.label_outside"),
        (rectangle(rectanglelabels=[]), "error.labels_no_sign"),
        (rectangle(rectanglelabels=["DangerAhead", "SpeedLimit"]), "error.label_two_classes"),
        (rectangle() | {"image_rotation": 90}, "error.label_turned"),
        ({"type": "polygonlabels", "value": {}}, "error.label_region"),
    ],
)
def test_a_wrong_rectangle(folder, result, key):
    annotate(folder, "1.json", "a.jpg", result)
    assert problem(folder) == key


@pytest.mark.parametrize("content", ["", "{", "[]", '{"annotations": []}', '{"task": 7, "result": []}', "\0"])
def test_json_of_another_project(folder, content):
    (folder / "labels" / "1.json").write_text(content)
    assert problem(folder) == "error.label_invalid"


def test_two_annotations_of_one_picture(folder):
    annotate(folder, "1.json", "a.jpg", rectangle())
    annotate(folder, "2.json", "a.jpg", rectangle())
    assert problem(folder) == "error.label_twice"
    annotate(folder, "1.json", "a.jpg", rectangle(), was_cancelled=True)
    assert len(load_labels(folder)) == 1


def test_yolo_text(folder):
    (folder / "labels" / "a.txt").write_text("1 0.5 0.5 0.2 0.4\n\n0 0.05 0.9 0.2 0.4\n")
    with_signs, without_label = load_labels(folder)
    assert [sign.sign_class for sign in with_signs.signs] == [LIMIT, DANGER]
    assert with_signs.truths(200, 100)[0].box == pytest.approx((80, 30, 120, 70))
    assert with_signs.truths(200, 100)[1].box == pytest.approx((0, 70, 30, 100))
    assert without_label.signs == ()


@pytest.mark.parametrize("place", [".", "labels"])
def test_classes_txt_says_what_yolo_ids_mean(folder, place):
    (folder / place / "classes.txt").write_text("SpeedLimit\nDangerAhead\n")
    (folder / "labels" / "a.txt").write_text("0 0.5 0.5 0.2 0.4\n")
    assert load_labels(folder)[0].signs[0].sign_class is LIMIT


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("2 0.5 0.5 0.2 0.4", "error.label_class"),
        ("-1 0.5 0.5 0.2 0.4", "error.label_class"),
        ("0.5 0.5 0.5 0.2 0.4", "error.label_class"),
        ("0 0.5 0.5 0.2", "error.label_line"),
        ("0 0.1 0.1 0.2 0.1 0.2", "error.label_line"),
        ("0 320 240 40 40", "error.label_pixels"),
        ("0 0,5 0,5 0,2 0,4", "error.label_comma"),
        ("0 0.5 0.5 0 0.4", "error.label_line"),
        ("0 nan 0.5 0.2 0.4", "error.label_line"),
        ("DangerAhead 0.5 0.5 0.2 0.4", "error.label_line"),
    ],
)
def test_a_wrong_yolo_line(folder, line, key):
    (folder / "labels" / "a.txt").write_text(line)
    assert problem(folder) == key


def test_a_folder_with_something_missing(folder):
    assert problem(folder) == "error.labels_none"
    (folder / "labels" / "c.txt").write_text("0 0.5 0.5 0.2 0.4")
    assert problem(folder) == "error.label_without_picture"
    (folder / "labels" / "c.txt").rename(folder / "labels" / "a.txt")
    annotate(folder, "1.json", "a.jpg", rectangle())
    assert problem(folder) == "error.labels_mixed"
    (folder / "labels" / "1.json").unlink()
    (folder / "labels" / "a.txt").write_text("")
    assert problem(folder) == "error.labels_no_sign"
    for picture in (folder / "images").iterdir():
        picture.unlink()
    assert problem(folder) == "error.pictures_none"
    (folder / "images").rmdir()
    assert problem(folder) == "error.folder_missing"


def test_label_studio_annotation_of_a_picture_that_is_not_there(folder):
    annotate(folder, "1.json", "s3://data/c.jpg", rectangle())
    assert problem(folder) == "error.label_without_picture"
