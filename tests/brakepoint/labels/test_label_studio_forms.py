"""What Label Studio really writes, in every format, with the contents of real projects."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from brakepoint.errors import UserError
from brakepoint.labels.folder import Labels, read_labels
from brakepoint.labels.label_studio_export import read_export
from brakepoint.labels.signs import PassedOver
from brakepoint.messages import SignClass
from brakepoint.store.building import build_dataset
from solutions import step1_dataset

Json = dict[str, Any]
BOX = (0.1, 0.2, 0.4, 0.6)
FORMS = ("export", "minimal", "target storage", "target storage without suffix", "one task a file")


def region(name: str | None = "DangerAhead", x: float = 10, width: float = 30, **more: Any) -> Json:
    value: Json = {"x": x, "y": 20, "width": width, "height": 40, "rotation": 0}
    value["rectanglelabels"] = [name] if name else []
    return {
        "type": "rectanglelabels",
        "id": "r1",
        "original_width": 200,
        "original_height": 100,
        "value": value,
        **more,
    }


def annotation(*regions: Json, **more: Any) -> Json:
    said = {"id": 5, "completed_by": 1, "was_cancelled": False, "updated_at": "2026-03-02T09:30:00Z"}
    return said | {"result": list(regions)} | more


def task(image: str, *annotations: Json) -> Json:
    return {"id": 7, "data": {"image": image}, "annotations": list(annotations), "predictions": []}


def write(folder: Path, content: Any, name: str = "project-1.json") -> Path:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps(content))
    return folder


def write_form(folder: Path, form: str, image: str, *regions: Json) -> None:
    said = annotation(*regions)
    if form == "minimal":
        boxes = [
            {"original_width": 200, "original_height": 100} | each["value"]
            for each in regions
            if each["type"] == "rectanglelabels"
        ]
        row = {"image": image, "id": 7, "annotator": 1, "annotation_id": 5, "label": boxes, "lead_time": 2.5}
        write(folder, [row | {"created_at": "2026-03-02T09:30:00Z", "updated_at": "2026-03-02T09:30:00Z"}])
    elif form.startswith("target storage"):
        name = "labels/5" + (".json" if form == "target storage" else "")
        write(folder, said | {"task": {"id": 7, "data": {"image": image}}}, name)
    elif form == "one task a file":
        write(folder, task(image, said), "labels/7.json")
    else:
        write(folder, [task(image, said)])


def passed_over(labels: Labels) -> list[tuple[PassedOver, str]]:
    return [(note.why, note.name) for note in labels.notes]


def refusal(folder: Path) -> UserError:
    with pytest.raises(UserError) as refused:
        read_labels(folder)
    return refused.value


@pytest.mark.parametrize("form", FORMS)
def test_every_form_says_the_same(dataset: Callable[..., Path], form: str) -> None:
    folder = dataset("images/a.jpg")
    write_form(folder, form, "s3://bucket/a.jpg", region())

    (picture,) = read_labels(folder).pictures

    assert picture.path.name == "a.jpg"
    assert [sign.sign_class for sign in picture.signs] == [SignClass.DANGER_AHEAD]
    assert picture.signs[0].box == pytest.approx(BOX)


@pytest.mark.parametrize("form", FORMS)
def test_a_box_without_a_class_is_left_out_and_named(dataset: Callable[..., Path], form: str) -> None:
    folder = dataset("images/a.jpg")
    write_form(folder, form, "a.jpg", region(), region(None))

    labels = read_labels(folder)

    assert len(labels.pictures[0].signs) == 1
    assert passed_over(labels) == [(PassedOver.NO_CLASS, "a.jpg")]


@pytest.mark.parametrize("form", [form for form in FORMS if form != "minimal"])
@pytest.mark.parametrize(
    "kind", ["polygonlabels", "brushlabels", "ellipselabels", "keypointlabels", "videorectangle"]
)
def test_a_region_of_another_kind_is_refused_by_name(
    dataset: Callable[..., Path], form: str, kind: str
) -> None:
    folder = dataset("images/a.jpg")
    write_form(folder, form, "a.jpg", region(), {"type": kind, "value": {"points": [[1, 2]]}})

    assert refusal(folder).key == "error.label_region"
    assert kind in str(refusal(folder)) and "a.jpg" in str(refusal(folder))


def test_a_region_of_another_kind_is_refused_in_json_min_too(dataset: Callable[..., Path]) -> None:
    folder = dataset("images/a.jpg")
    label = [{"points": [[1, 2]], "polygonlabels": ["DangerAhead"]}]
    write(folder, [{"image": "a.jpg", "annotation_id": 1, "label": label}])

    assert "polygonlabels" in str(refusal(folder))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("x", "width"), [(-20, 10), (-20, 20), (100, 10)])
def test_a_box_outside_its_picture_is_refused(
    dataset: Callable[..., Path], form: str, x: float, width: float
) -> None:
    folder = dataset("images/a.jpg")
    write_form(folder, form, "a.jpg", region(x=x, width=width))

    assert refusal(folder).key == "error.label_outside"


@pytest.mark.parametrize(("x", "width"), [(-20, 10), (-20, 20), (100, 10), (50, 1e-5)])
def test_step_1_writes_no_box_without_area(dataset: Callable[..., Path], x: float, width: float) -> None:
    folder = write(dataset("images/a-1.jpg"), [task("a-1.jpg", annotation(region(x=x, width=width)))])

    with pytest.raises(UserError) as refused:
        step1_dataset.yolo_labels(read_export(folder / "project-1.json")[0])

    assert refused.value.key == "error.label_outside"


@pytest.mark.parametrize("form", FORMS)
def test_sizes_that_are_missing_are_looked_up_in_the_picture(dataset: Callable[..., Path], form: str) -> None:
    folder = dataset("images/a.jpg")
    write_form(folder, form, "a.jpg", region() | {"value": region()["value"] | {"rotation": 90}})
    for file in (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".jpg"):
        content = file.read_text().replace('"original_width": 200', '"original_width": null')
        file.write_text(content.replace('"original_height": 100, ', ""))

    (sign,) = read_labels(folder).pictures[0].signs

    # Turned by a right angle, 60 × 40 pixels at (20, 20) lie at (-20, 20) to (20, 80).
    assert sign.box == pytest.approx((0, 0.2, 0.1, 0.8))


@pytest.mark.parametrize(
    "who", [{"id": 3, "email": "a@b.example"}, {"email": "a@b.example"}, "a@b.example", None, 3]
)
def test_an_annotator_is_a_number_an_object_or_nobody(dataset: Callable[..., Path], who: Any) -> None:
    folder = write(dataset("images/a.jpg"), [task("a.jpg", annotation(region(), completed_by=who))])

    assert len(read_labels(folder).pictures[0].signs) == 1


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("2026-03-02T09:30:00Z", "2026-03-02T09:30:00.000001Z"),
        ("2026-03-02 09:30:00", "2026-03-02T09:30:01Z"),
        ("2026-03-02T12:30:00+04:00", "2026-03-02T09:30:00Z"),
        (None, "2026-03-02"),
        (1772443800, "2026-03-02T09:30:01Z"),
    ],
)
def test_the_newest_answer_counts_whatever_form_its_date_has(
    dataset: Callable[..., Path], older: Any, newer: Any
) -> None:
    old = annotation(region("SpeedLimit"), updated_at=older)
    new = annotation(region(), updated_at=newer)
    folder = write(dataset("images/a.jpg"), [task("a.jpg", new, old)])

    labels = read_labels(folder)

    assert [sign.sign_class for sign in labels.pictures[0].signs] == [SignClass.DANGER_AHEAD]
    assert passed_over(labels) == [(PassedOver.REPLACED, "a.jpg")]
    lines = step1_dataset.yolo_labels(read_export(folder / "project-1.json")[0])
    assert lines is not None and lines[0].startswith("0 ")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_the_file_may_have_any_usual_encoding(dataset: Callable[..., Path], encoding: str) -> None:
    folder = dataset("images/été.jpg")
    content = json.dumps([task("s3://b/été.jpg", annotation(region()))], ensure_ascii=False)
    (folder / "project-1.json").write_bytes(content.encode(encoding))

    assert len(read_labels(folder).pictures[0].signs) == 1


@pytest.mark.parametrize(
    ("name", "location"),
    [
        ("été.jpg", "s3://b/e\u0301te\u0301.jpg"),
        ("e\u0301te\u0301.jpg", "s3://b/été.jpg"),
        ("été.jpg", "https://host/%C3%A9t%C3%A9.jpg?X-Amz-Credential=k%2F2026%2Fs3"),
        ("12:30.jpg", "s3://b/12%3A30.jpg"),
        ("12%3A30.jpg", "s3://b/12%3A30.jpg"),
        ("what?.jpg", "s3://b/what?.jpg"),
        ("what?.jpg", "/data/local-files/?d=kc01/what%3F.jpg"),
        ("a+b.jpg", "s3://b/a+b.jpg"),
        ("a+b.jpg", "https://host/a%2Bb.jpg"),
        ("a b.jpg", "https://host/a+b.jpg"),
        ("a#1.jpg", "s3://b/a#1.jpg"),
        ("frame.jpg", "/data/local-files/?d=kc01%5Cframe.jpg"),
        ("frame.jpg", "C:\\kc01\\frame.jpg"),
        ("frame.jpg", "/data/upload/3/1a2b3c4d-frame.jpg"),
        ("IMG 1 (2).jpg", "/data/upload/3/1a2b3c4d-IMG_1_2.jpg"),
        ("1a2b3c4d-frame.jpg", "/data/upload/3/1a2b3c4d-frame.jpg"),
        ("FRAME.JPG", "s3://b/frame.jpg"),
    ],
)
def test_a_picture_is_found_however_its_place_is_written(
    dataset: Callable[..., Path], name: str, location: str
) -> None:
    folder = write(dataset(f"images/{name}"), [task(location, annotation(region()))])

    assert read_labels(folder).pictures[0].path == folder / "images" / name


def test_a_name_that_is_not_utf8_is_found_and_can_be_printed(dataset: Callable[..., Path]) -> None:
    folder = dataset("images/a.jpg")
    (folder / "images/a.jpg").rename(folder / "images" / b"\xe9t\xe9.jpg".decode("utf-8", "surrogateescape"))
    write(folder, [task("s3://b/été.jpg", annotation(region()))])

    assert len(read_labels(folder).pictures[0].signs) == 1
    write(folder, [task("s3://b/\udce9.jpg", annotation(region()))])
    str(refusal(folder)).encode()


def test_pictures_of_one_name_are_distinguished_by_their_folders(dataset: Callable[..., Path]) -> None:
    folder = dataset("images/kc01/frame.jpg", "images/kc02/frame.jpg")
    tasks = [
        task(f"s3://b/kc0{number}/frame.jpg", annotation(*[region()][: 2 - number])) for number in (1, 2)
    ]
    write(folder, tasks)

    labels = read_labels(folder)

    assert {picture.path.parent.name: len(picture.signs) for picture in labels.pictures} == {
        "kc01": 1,
        "kc02": 0,
    }
    write(folder, [task("frame.jpg", annotation(region()))])
    assert refusal(folder).key == "error.label_ambiguous"


def test_step_1_keeps_pictures_of_one_name_apart(dataset: Callable[..., Path], tmp_path: Path) -> None:
    names = ("kc01/frame-1.jpg", "kc02/frame-1.jpg", "b-1.jpg", "b-1.png", "c-1.jpg")
    folder = dataset(*(f"in/images/{name}" for name in names)) / "in"
    labelled = [task(f"s3://b/{name}", annotation(region())) for name in names[::2]]
    empty = [task(f"s3://b/{name}", annotation()) for name in names[1::2]]
    write(folder, labelled + empty, "annotations.json")

    built = build_dataset(folder, step1_dataset, tmp_path / "out")

    lines = {path.stem: path.read_text().count("\n") for path in (tmp_path / "out").rglob("*.txt")}
    assert built.training + built.validation == len(names) == len(lines)
    assert sum(lines.values()) == len(labelled)
    assert {path.stem for path in (tmp_path / "out").rglob("images/*")} == lines.keys()


def test_a_picture_imported_twice_keeps_its_labels(dataset: Callable[..., Path], tmp_path: Path) -> None:
    folder = dataset("images/a-1.jpg", "images/b-1.jpg")
    tasks = [task("a-1.jpg", annotation(region())), task("b-1.jpg", annotation(region())), task("a-1.jpg")]
    write(folder, tasks, "annotations.json")

    labels = read_labels(folder)
    built = build_dataset(folder, step1_dataset, tmp_path / "out")

    assert [len(picture.signs) for picture in labels.pictures] == [1, 1]
    assert passed_over(labels) == [(PassedOver.UNLABELLED, "a-1.jpg")]
    assert (built.training, built.validation) == (1, 1)
    assert all(path.read_text() for path in (tmp_path / "out").rglob("*.txt"))


def test_a_picture_labelled_in_two_tasks_is_refused(dataset: Callable[..., Path], tmp_path: Path) -> None:
    tasks = [task("a-1.jpg", annotation(region())), task("s3://b/a-1.jpg", annotation())]
    folder = write(dataset("images/a-1.jpg"), tasks, "annotations.json")

    assert refusal(folder).key == "error.label_twice"
    with pytest.raises(UserError, match=r"a-1\.jpg"):
        build_dataset(folder, step1_dataset, tmp_path / "out")


def test_a_picture_may_be_under_any_key(dataset: Callable[..., Path]) -> None:
    one = {"data": {"img": "s3://b/a.jpg", "note": "at dusk"}, "annotations": [annotation(region())]}
    folder = write(dataset("images/a.jpg"), [one])

    assert len(read_labels(folder).pictures) == 1


def test_labels_and_rectangles_from_two_tags_are_one_box(dataset: Callable[..., Path]) -> None:
    drawn = region()
    del drawn["value"]["rectanglelabels"]
    named = drawn | {"type": "labels", "value": drawn["value"] | {"labels": ["SpeedLimit"]}}
    folder = write(dataset("images/a.jpg"), [task("a.jpg", annotation(drawn | {"type": "rectangle"}, named))])

    labels = read_labels(folder)

    assert [sign.sign_class for sign in labels.pictures[0].signs] == [SignClass.SPEED_LIMIT]
    assert labels.notes == ()


def test_what_was_skipped_or_is_not_a_box_is_named(dataset: Callable[..., Path]) -> None:
    folder = dataset(*(f"images/{name}.jpg" for name in "abcd"))
    choice = {"type": "choices", "value": {"choices": ["blurred"]}}
    tasks = [
        task("a.jpg", annotation(region(), choice)),
        task("b.jpg"),
        task("c.jpg", annotation(was_cancelled=True)),
    ]
    write(folder, tasks)

    labels = read_labels(folder)

    assert len(labels.pictures) == 1
    assert passed_over(labels) == [
        (PassedOver.OTHER_ANSWER, "a.jpg"),
        (PassedOver.UNLABELLED, "b.jpg"),
        (PassedOver.SKIPPED, "c.jpg"),
        (PassedOver.UNLABELLED, "d.jpg"),
    ]


def test_the_same_box_twice_counts_once_and_is_named(dataset: Callable[..., Path]) -> None:
    folder = write(dataset("images/a.jpg"), [task("a.jpg", annotation(region(), region(), region(x=11)))])

    labels = read_labels(folder)

    assert len(labels.pictures[0].signs) == 2
    assert passed_over(labels) == [(PassedOver.DOUBLED, "a.jpg")]


@pytest.mark.parametrize("name", ["danger_ahead", "Danger Ahead", "DANGER-AHEAD", " dangerahead"])
def test_a_class_may_be_written_another_way(dataset: Callable[..., Path], name: str) -> None:
    folder = write(dataset("images/a.jpg"), [task("a.jpg", annotation(region(name)))])

    assert read_labels(folder).pictures[0].signs[0].sign_class is SignClass.DANGER_AHEAD


def test_labels_of_a_picture_on_its_side_are_refused(dataset: Callable[..., Path]) -> None:
    turned = region(original_width=100, original_height=200)
    folder = write(dataset("images/a.jpg"), [task("a.jpg", annotation(turned))])
    (picture,) = read_labels(folder).pictures

    with pytest.raises(UserError, match="100 × 200"):
        picture.truths(200, 100)
    assert len(picture.truths(50, 100)) == 1


@pytest.mark.parametrize(
    "content", ["[" * 100_000, "[1]", '[{"data": 3}]', '{"task": {"data": 1}, "result": 3}', "nan"]
)
def test_what_is_not_label_studio_is_refused(dataset: Callable[..., Path], content: str) -> None:
    folder = dataset("images/a.jpg", **{"labels/1.json": content})

    assert refusal(folder).key == "error.label_invalid"
