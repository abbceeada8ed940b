"""Whatever a label file contains, it is read completely or rejected: count in = count out + count named."""

import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from damage import damaged, texts, values
from hypothesis import given
from hypothesis import strategies as st
from labelled_pictures import write_picture
from soak_share import SHARE

from brakepoint.errors import UserError
from brakepoint.labels.folder import Labels, read_labels
from brakepoint.labels.label_studio_export import read_export
from brakepoint.labels.signs import PassedOver

pytestmark = pytest.mark.readers
PICTURES = ("a.jpg", "b.jpg", "sub/a.jpg", "c d.png")
ALBUM = Path(tempfile.gettempdir(), f"brakepoint-album-{os.getpid()}")
CLASSES = ("DangerAhead", "SpeedLimit")
YOLO_LINES = ("0 0.5 0.5 0.2 0.2", "1 0.5 0.5 0.2 0.2", "1 0.1 0.1 0.3 0.1 0.3 0.3", "  ", "1 1 1 0.2 0.2")


@pytest.fixture(scope="module", autouse=True)
def _album() -> Iterator[None]:
    """The pictures, which no test changes."""
    for picture in PICTURES:
        write_picture(ALBUM / picture, (20, 10))
    yield
    shutil.rmtree(ALBUM)


@contextmanager
def folder_of(files: dict[str, bytes]) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        Path(name, "images").symlink_to(ALBUM)
        for file, content in files.items():
            place = Path(name, file)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        yield Path(name)


def read(files: dict[str, bytes]) -> Labels | None:
    """The result; None if it was refused, in one line."""
    with folder_of(files) as folder:
        try:
            labels = read_labels(folder)
            for picture in labels.pictures:
                picture.truths(20, 10)
        except UserError as error:
            assert "\n" not in str(error) and str(error).endswith((".", ")"))
            str(error).encode()
            return None
    for sign in (sign for picture in labels.pictures for sign in picture.signs):
        left, top, right, bottom = sign.box
        assert 0 <= left < right <= 1 and 0 <= top < bottom <= 1
    return labels


def counted(labels: Labels) -> Counter[PassedOver]:
    return Counter(note.why for note in labels.notes)


def signs_in(labels: Labels) -> int:
    return sum(len(picture.signs) for picture in labels.pictures)


percents = st.sampled_from([-30, 0, 10, 10, 50, 95, 101])
sides = st.sampled_from([0, 5, 20, 20, 150])


@st.composite
def regions(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(["rectanglelabels"] * 12 + ["choices", "polygonlabels", "rectangle"]))
    named = draw(st.sampled_from([["DangerAhead"], ["SpeedLimit"], ["SpeedLimit"], []]))
    value = {"x": draw(percents), "y": 10, "width": draw(sides), "height": 20, "rectanglelabels": named}
    value["rotation"] = draw(st.sampled_from([0, 0, 0, 30]))
    sizes = draw(st.sampled_from([{"original_width": 20, "original_height": 10}, {}]))
    return {"type": kind, "value": value, **sizes}


@st.composite
def projects(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Tasks as Label Studio exports them, mostly right."""
    tasks: list[dict[str, Any]] = []
    for image in draw(
        st.lists(st.sampled_from(("a.jpg", "sub/a.jpg", "s3://b/b.jpg", "c%20d.png")), max_size=4)
    ):
        answers = draw(st.lists(st.lists(regions(), max_size=3), max_size=2))
        tasks.append(
            {
                "id": len(tasks),
                "data": {"image": image},
                "annotations": [
                    {
                        "completed_by": draw(st.sampled_from([1, {"id": 1}, None])),
                        "was_cancelled": draw(st.sampled_from([False, False, False, True])),
                        "updated_at": draw(
                            st.sampled_from(["2026-03-02T09:30:00Z", "2026-03-03 09:30", None])
                        ),
                        "result": results,
                    }
                    for results in answers
                ],
            }
        )
    return tasks


def in_form(form: str, tasks: list[dict[str, Any]]) -> dict[str, bytes]:
    """The files in which a form of Label Studio has these tasks."""
    if form == "target storage":
        rows = [said | {"task": task} for task in tasks for said in task["annotations"]]
        return {f"labels/{number}": json.dumps(row).encode() for number, row in enumerate(rows)}
    if form == "one task a file":
        return {f"labels/{number}.json": json.dumps(task).encode() for number, task in enumerate(tasks)}
    return {"project.json": json.dumps(tasks).encode()}


@SHARE
@given(projects(), st.sampled_from(["export", "target storage", "one task a file"]))
def test_label_studio_loses_no_region_and_no_picture(tasks: list[dict[str, Any]], form: str) -> None:
    labels = read(in_form(form, tasks))

    if labels is None:
        return
    whys = counted(labels)
    answers = [said for task in tasks for said in task["annotations"] if not said["was_cancelled"]]
    assert len(labels.pictures) + whys[PassedOver.REPLACED] == len(answers)
    given_up = whys[PassedOver.NO_CLASS] + whys[PassedOver.OTHER_ANSWER] + whys[PassedOver.DOUBLED]
    said = sum(len(answer["result"]) for answer in answers)
    if not whys[PassedOver.REPLACED]:
        assert signs_in(labels) + given_up == said
    assert len(labels.pictures) + whys[PassedOver.UNLABELLED] + whys[PassedOver.SKIPPED] >= len(PICTURES)


@SHARE
@given(st.data())
def test_label_studio_damaged_is_refused_or_read(data: st.DataObject) -> None:
    tasks = data.draw(damaged(data.draw(projects())))
    form = data.draw(st.sampled_from(["export", "minimal", "target storage"]))
    try:
        files = in_form(form, tasks)
    except (TypeError, KeyError, AttributeError):  # So damaged that it has no such form.
        files = in_form("export", tasks)
    read(files)
    with folder_of(files) as folder:
        try:
            read_export(folder / "project.json")
        except UserError as error:
            assert error.key in ("store.error.no_export", "store.error.other_project") or "label" in error.key


@SHARE
@given(st.data())
def test_json_min_loses_no_region(data: st.DataObject) -> None:
    kept = ("x", "y", "width", "height", "rotation", "rectanglelabels")
    rows = [
        {
            "image": task["data"]["image"],
            "id": task["id"],
            "annotation_id": number,
            "label": [
                {name: region["value"][name] for name in kept} | {"original_width": 20, "original_height": 10}
                for region in said["result"]
            ],
        }
        for task in data.draw(projects())
        for number, said in enumerate(task["annotations"][:1])
    ]
    labels = read({"project.json": json.dumps(rows).encode()})

    if labels is not None:
        whys = counted(labels)
        assert len(labels.pictures) == len(rows)
        assert signs_in(labels) + whys[PassedOver.NO_CLASS] + whys[PassedOver.DOUBLED] == sum(
            len(row["label"]) for row in rows
        )


@SHARE
@given(
    st.lists(st.lists(st.sampled_from(YOLO_LINES), max_size=4), min_size=1, max_size=4),
    st.sampled_from(["\n", "\r\n"]),
)
def test_yolo_text_loses_no_line(texts_of: list[list[str]], end: str) -> None:
    names = ("a", "b", "sub/a", "c%20d")
    files = {
        f"labels/{name}.txt": end.join(lines).encode() for name, lines in zip(names, texts_of, strict=False)
    }
    labels = read(files)

    if labels is not None:
        whys = counted(labels)
        assert len(labels.pictures) == len(PICTURES)
        assert whys[PassedOver.NO_LABEL_FILE] == len(PICTURES) - len(files)
        said = sum(bool(line.strip()) for lines in texts_of for line in lines)
        assert signs_in(labels) + whys[PassedOver.DOUBLED] == said


@SHARE
@given(
    texts
    | st.lists(
        st.sampled_from((*YOLO_LINES, "0 0,5 0.5 0.1 0.1", "5 1 1 1 1", "0 nan 1 1 1", "0 9 9 9 9")),
        max_size=3,
    ).map("\n".join)
)
def test_any_text_is_refused_or_each_line_is_a_sign(content: str) -> None:
    labels = read({"labels/a.txt": content.encode("utf-8", "replace"), "labels/b.txt": b"0 0.5 0.5 0.2 0.2"})

    if labels is not None:
        lines = [line for line in content.split("\n") if line.removeprefix("\ufeff").strip()]
        assert signs_in(labels) + counted(labels)[PassedOver.DOUBLED] == 1 + len(lines)


DATA = {
    "path": ".",
    "train": "images",
    "val": ["images/sub"],
    "nc": 2,
    "names": ["DangerAhead", "SpeedLimit"],
}


@SHARE
@given(damaged(DATA).map(lambda data: yaml.safe_dump(data)) | values.map(yaml.safe_dump) | texts)
def test_any_data_yaml_is_refused_or_read(content: str) -> None:
    labels = read({"labels/a.txt": b"1 0.5 0.5 0.2 0.2", "data.yaml": content.encode("utf-8", "replace")})

    assert labels is None or len(labels.pictures) == len(PICTURES)


@st.composite
def coco_files(draw: st.DrawFn) -> dict[str, Any]:
    names = draw(
        st.lists(st.sampled_from(("a.jpg", "sub/a.jpg", "b.jpg", "c d.png")), unique=True, max_size=4)
    )
    sizes = draw(st.sampled_from([{"width": 20, "height": 10}, {}, {"width": 0, "height": 0}]))
    boxes = st.sampled_from(
        [[2, 2, 6, 4], [2, 2, 6, 4], [-2, 2, 6, 4], [4.5, 1, 100, 100], [30, 2, 6, 4], [2, 2, 0, 4]]
    )
    annotations = draw(
        st.lists(
            st.fixed_dictionaries(
                {
                    "image_id": st.sampled_from(range(1, len(names) + 1)) if names else st.just(1),
                    "category_id": st.sampled_from([1, 2]),
                    "bbox": boxes,
                    "iscrowd": st.sampled_from([0, 0, 0, 1]),
                }
            ),
            max_size=5,
        )
    )
    return {
        "images": [{"id": number, "file_name": name, **sizes} for number, name in enumerate(names, 1)],
        "annotations": annotations,
        "categories": [{"id": number, "name": name} for number, name in enumerate(CLASSES, 1)],
    }


@SHARE
@given(coco_files())
def test_coco_loses_no_box_and_no_picture(content: dict[str, Any]) -> None:
    labels = read({"annotations/instances.json": json.dumps(content).encode()})

    if labels is not None:
        whys = counted(labels)
        assert len(labels.pictures) == len(content["images"])
        assert len(labels.pictures) + whys[PassedOver.UNLABELLED] == len(PICTURES)
        left_out = whys[PassedOver.CROWD] + whys[PassedOver.DOUBLED]
        assert signs_in(labels) + left_out == len(content["annotations"])


@SHARE
@given(st.data())
def test_coco_damaged_is_refused_or_read(data: st.DataObject) -> None:
    read({"x.json": json.dumps(data.draw(damaged(data.draw(coco_files())))).encode()})


@SHARE
@given(values | texts)
def test_any_json_is_refused_or_read(content: Any) -> None:
    written = content if isinstance(content, str) else json.dumps(content)
    read({"labels/a.json": written.encode("utf-8", "replace")})
    read({"a.json": written.encode("utf-8", "replace"), "labels/b.txt": b"0 0.5 0.5 0.2 0.2"})


numbers = st.sampled_from(["1", "5", "5.5", "8", "0", "-3", "40", "5,5", "", "nan", "inf", " 7 "])


@SHARE
@given(
    st.lists(
        st.tuples(st.sampled_from([*CLASSES, "cat", ""]), st.lists(numbers, min_size=4, max_size=4)),
        max_size=3,
    ),
    st.sampled_from(["20", "0", "", "x", "-5"]),
    st.sampled_from(["a.jpg", "b", "nowhere.png", ""]),
)
def test_pascal_voc_loses_no_object(objects: list[tuple[str, list[str]]], width: str, named: str) -> None:
    root = ElementTree.Element("annotation")
    ElementTree.SubElement(root, "filename").text = named
    size = ElementTree.SubElement(root, "size")
    ElementTree.SubElement(size, "width").text, ElementTree.SubElement(size, "height").text = width, "10"
    for name, corners in objects:
        each = ElementTree.SubElement(root, "object")
        ElementTree.SubElement(each, "name").text = name
        box = ElementTree.SubElement(each, "bndbox")
        for side, number in zip(("xmin", "ymin", "xmax", "ymax"), corners, strict=True):
            ElementTree.SubElement(box, side).text = number
    labels = read({"Annotations/b.xml": ElementTree.tostring(root)})

    if labels is not None:
        assert signs_in(labels) + counted(labels)[PassedOver.DOUBLED] == len(objects)


@SHARE
@given(texts)
def test_any_xml_is_refused_or_read(content: str) -> None:
    read({"a.xml": content.encode("utf-8", "replace")})
    read({"a.xml": f"<annotation>{content}</annotation>".encode("utf-8", "replace")})
