"""Sizes in labels that no picture has."""

import json
from pathlib import Path

import pytest
from labelled_pictures import SIZE_PX, write_picture

from brakepoint.errors import UserError
from brakepoint.labels.folder import read_labels
from brakepoint.labels.signs import SIDE_MOST_PX

HUGE = 10**400


def label_studio(width: int) -> str:
    value = {"x": 10, "y": 20, "width": 30, "height": 40, "rectanglelabels": ["DangerAhead"]}
    answer = {"type": "rectanglelabels", "original_width": width, "original_height": width, "value": value}
    return json.dumps([{"data": {"image": "a.jpg"}, "annotations": [{"result": [answer]}]}])


def coco(width: int) -> str:
    image = {"id": 1, "file_name": "a.jpg", "width": width, "height": width}
    annotation = {"image_id": 1, "category_id": 1, "bbox": [10, 10, 20, 20]}
    categories = [{"id": 1, "name": "DangerAhead"}]
    return json.dumps({"images": [image], "annotations": [annotation], "categories": categories})


@pytest.mark.parametrize("written", [label_studio, coco])
def test_a_side_of_more_pixels_than_any_picture_has_is_refused(tmp_path: Path, written) -> None:
    write_picture(tmp_path / "images" / "a.jpg")
    file = tmp_path / "labels.json"
    file.write_text(written(SIDE_MOST_PX), encoding="utf-8")
    assert read_labels(tmp_path).pictures[0].size_px == (SIDE_MOST_PX, SIDE_MOST_PX)

    for side in (SIDE_MOST_PX + 1, HUGE):
        file.write_text(written(side), encoding="utf-8")
        with pytest.raises(UserError, match=r"labels\.json"):
            read_labels(tmp_path)


def test_a_pascal_voc_label_with_a_size_of_thousands_of_digits_is_read_with_the_picture_s_own(
    tmp_path: Path,
) -> None:
    write_picture(tmp_path / "images" / "a.jpg")
    box = "<xmin>20</xmin><ymin>10</ymin><xmax>40</xmax><ymax>30</ymax>"
    size = f"<size><width>{'9' * 5000}</width><height>100</height></size>"
    sign = f"<object><name>DangerAhead</name><bndbox>{box}</bndbox></object>"
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations" / "a.xml").write_text(f"<annotation>{size}{sign}</annotation>")

    (picture,) = read_labels(tmp_path).pictures

    assert picture.size_px is None
    width, height = SIZE_PX
    assert picture.signs[0].box == (20 / width, 10 / height, 40 / width, 30 / height)
