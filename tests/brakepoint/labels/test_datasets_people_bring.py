"""COCO, Pascal VOC and YOLO, in the layouts of labelling programs and public collections."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from label_layouts import LAYOUTS, LINE, NAMES, coco, voc

from brakepoint.errors import UserError
from brakepoint.labels.folder import held_out, read_labels
from brakepoint.labels.signs import Note, PassedOver, told
from brakepoint.messages import SignClass
from brakepoint.texts import text

Write = Callable[..., Path]
DANGER, LIMIT = SignClass.DANGER_AHEAD, SignClass.SPEED_LIMIT
BOX = (0.1, 0.2, 0.4, 0.6)


def signs(folder: Path) -> dict[str, list[tuple[SignClass, Any]]]:
    return {
        str(picture.path.relative_to(folder)): [(s.sign_class, pytest.approx(s.box)) for s in picture.signs]
        for picture in read_labels(folder).pictures
    }


def notes(folder: Path) -> list[tuple[PassedOver, str]]:
    return [(note.why, note.name) for note in read_labels(folder).notes]


def refusal(folder: Path) -> str:
    with pytest.raises(UserError) as refused:
        read_labels(folder)
    return refused.value.key


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_says_the_same(dataset: Write, layout: str) -> None:
    picture, texts = LAYOUTS[layout]
    folder = dataset(picture, **texts)

    assert signs(folder) == {picture: [(LIMIT, BOX)]}


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ({"categories": []}, "error.label_class"),
        ({"categories": [{"id": 2, "name": "cat"}]}, "error.label_class"),
        (
            {"categories": [{"id": 2, "name": "DangerAhead"}, {"id": "2", "name": "SpeedLimit"}]},
            "error.label_invalid",
        ),
        ({"images": []}, "error.label_without_picture"),
        ({"images": [{"id": 1, "file_name": "b.jpg"}]}, "error.label_without_picture"),
        ({"images": [{"id": 1, "file_name": ""}]}, "error.label_invalid"),
        ({"images": [{"id": 1, "file_name": "a.jpg"}, {"id": 2, "file_name": "a.jpg"}]}, "error.label_twice"),
        ({"annotations": 3}, "error.label_invalid"),
        *(
            ({"annotations": [{"image_id": 1, "category_id": 2, "bbox": box}]}, key)
            for box, key in (
                ([300, 20, 10, 10], "error.label_outside"),
                ([-20, 20, 20, 10], "error.label_outside"),
                ([20, 20, 0, 10], "error.label_outside"),
                ([20, 20, -5, 10], "error.label_outside"),
                ([0.1, 0.2, 0.3, 0.4], "error.label_fractions"),
                ([20, 20, 10], "error.label_invalid"),
                (None, "error.label_invalid"),
            )
        ),
    ],
)
def test_a_coco_file_that_is_wrong_is_refused(dataset: Write, more: dict[str, Any], key: str) -> None:
    assert refusal(dataset("a.jpg", **{"x.json": coco("a.jpg", **more)})) == key


def test_a_crowd_of_coco_and_a_picture_that_it_does_not_list_are_named(dataset: Write) -> None:
    boxes = [
        {"image_id": 1, "category_id": 1, "bbox": [20, 20, 60, 40], "iscrowd": crowd} for crowd in (0, 1)
    ]
    folder = dataset("a.jpg", "b.jpg", "c.jpg", **{"x.json": coco("a.jpg", "b.jpg", annotations=boxes)})

    assert signs(folder) == {"a.jpg": [(DANGER, BOX)], "b.jpg": []}
    assert notes(folder) == [(PassedOver.CROWD, "a.jpg"), (PassedOver.UNLABELLED, "c.jpg")]


@pytest.mark.parametrize("size", ["<size/>", "<size><width>0</width><height>0</height></size>"])
def test_xml_without_a_size_takes_the_pictures(dataset: Write, size: str) -> None:
    assert signs(dataset("a.jpg", **{"a.xml": voc(size=size)})) == {"a.jpg": [(LIMIT, BOX)]}


@pytest.mark.parametrize("size", [{}, {"width": 0, "height": 0}, {"width": None}])
def test_coco_without_a_size_takes_the_pictures(dataset: Write, size: dict[str, Any]) -> None:
    images = [{"id": 1, "file_name": "a.jpg"} | size]

    assert signs(dataset("a.jpg", **{"x.json": coco("a.jpg", images=images)})) == {"a.jpg": [(LIMIT, BOX)]}


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("", "error.label_invalid"),
        ("<annotation>", "error.label_invalid"),
        ("<annotations/>", "error.label_invalid"),
        (voc(name="cat"), "error.label_class"),
        (
            voc(box="<bndbox><xmin>.1</xmin><ymin>.2</ymin><xmax>.4</xmax><ymax>.6</ymax></bndbox>"),
            "error.label_fractions",
        ),
        (
            voc(box="<bndbox><xmin>80</xmin><ymin>20</ymin><xmax>20</xmax><ymax>60</ymax></bndbox>"),
            "error.label_outside",
        ),
        (
            voc(box="<bndbox><xmin>20,5</xmin><ymin>20</ymin><xmax>80</xmax><ymax>60</ymax></bndbox>"),
            "error.label_invalid",
        ),
        (voc(box="<robndbox><cx>3</cx></robndbox>"), "error.label_region"),
        (voc(box=""" """), "error.label_invalid"),
    ],
)
def test_an_xml_file_that_is_wrong_is_refused(dataset: Write, text: str, key: str) -> None:
    assert refusal(dataset("a.jpg", **{"a.xml": text})) == key


def test_a_region_that_is_not_a_rectangle_is_refused_with_the_name_of_its_picture(dataset: Write) -> None:
    folder = dataset("a.jpg", **{"a.xml": voc(box="<polygon><x1>3</x1></polygon>")})

    with pytest.raises(UserError) as refused:
        read_labels(folder)

    said = text("error.label_region", file=f"{folder / 'a.xml'}, <object> 1", picture="a.jpg", kind="polygon")
    assert str(refused.value) == said


@pytest.mark.parametrize("named", ["b.jpg", "b.png", r"C:\pictures\b.jpg"])
def test_an_xml_file_with_a_name_of_its_own_belongs_to_the_picture_that_it_names(
    dataset: Write, named: str
) -> None:
    folder = dataset("a.jpg", "b.jpg", **{"0001.xml": voc(named), "a.xml": voc()})

    assert signs(folder) == {"a.jpg": [(LIMIT, BOX)], "b.jpg": [(LIMIT, BOX)]}


def test_a_picture_without_its_xml_file_is_left_out_and_named(dataset: Write) -> None:
    folder = dataset("a.jpg", "b.jpg", **{"a.xml": voc()})

    assert list(signs(folder)) == ["a.jpg"]
    assert notes(folder) == [(PassedOver.UNLABELLED, "b.jpg")]


def test_the_lists_of_pascal_voc_split_it(dataset: Write) -> None:
    texts = {f"Annotations/{name}.xml": voc(f"{name}.jpg") for name in "ab"}
    lists = {
        "ImageSets/Main/train.txt": "a\n",
        "ImageSets/Main/val.txt": "b 1\n",
        "ImageSets/Main/trainval.txt": "a\nb\n",
    }
    folder = dataset("JPEGImages/a.jpg", "JPEGImages/b.jpg", **texts, **lists)

    assert {one.path.stem: one.split for one in read_labels(folder).pictures} == {"a": "train", "b": "val"}


@pytest.mark.parametrize(
    ("content", "key"),
    [
        ("names: [DangerAhead, SpeedLimit", "error.yolo_data"),
        ("names: {0: DangerAhead, 0: SpeedLimit}", "error.yolo_data"),
        ("names: {1: DangerAhead, 2: SpeedLimit}", "error.yolo_data"),
        ("names: []", "error.yolo_data"),
        ("names: DangerAhead", "error.yolo_data"),
        ("names: [[DangerAhead], [SpeedLimit]]", "error.yolo_data"),
        (f"nc: 3\n{NAMES}", "error.yolo_data"),
        (f"nc: two\n{NAMES}", "error.yolo_data"),
        (f"train: [1]\n{NAMES}", "error.yolo_data"),
        (f"train: images\ntrain: images\n{NAMES}", "error.yolo_data"),
        (f"train: nowhere\n{NAMES}", "error.yolo_split"),
        (f"val: {'x' * 5000}\n{NAMES}", "error.yolo_split"),
        (f"kpt_shape: [17, 3]\n{NAMES}", "error.yolo_keypoints"),
        (f"date: 2026-13-45\n{NAMES}", "error.yolo_data"),
        (f"x: {'[' * 600}\n{NAMES}", "error.yolo_data"),
    ],
)
def test_a_data_yaml_that_is_wrong_is_refused(dataset: Write, content: str, key: str) -> None:
    assert refusal(dataset("images/a.jpg", **{"labels/a.txt": LINE, "data.yaml": content})) == key


def test_data_yaml_names_the_classes_of_a_split_that_is_read_alone(dataset: Write) -> None:
    texts = {"valid/labels/a.txt": LINE, "data.yaml": "names: [SpeedLimit, DangerAhead]"}

    assert signs(dataset("valid/images/a.jpg", **texts) / "valid") == {"images/a.jpg": [(DANGER, BOX)]}


def test_a_yaml_file_about_something_else_does_not_matter(dataset: Write) -> None:
    texts = {"labels/a.txt": LINE, "manifests.yaml": "a: 1\n---\nb: [", "room.yml": "name: room"}
    folder = dataset("set/images/a.jpg", **{f"set/{name}": text for name, text in texts.items()})

    assert signs(
        dataset(**{"other.yaml": f"names: [SpeedLimit]\n{NAMES}", "b.yaml": "names: [x]"}) / "set"
    ) == {"images/a.jpg": [(LIMIT, BOX)]}
    assert [note for note in notes(folder / "set") if note[0] is not PassedOver.OTHER_FILE] == []


def test_files_that_are_passed_over_are_named_and_lists_of_yolo_are_not(dataset: Write) -> None:
    lists = {"data.yaml": NAMES, "labels.cache": "", "obj.data": "", "notes.json": '{"categories": []}'}
    texts = {"labels/a.txt": LINE, **lists, "readme.md": "…", "readme.txt": "…", "about.json": "{}"}

    assert sorted(notes(dataset("images/a.jpg", "cover.jpg", **texts))) == [
        (PassedOver.OTHER_FILE, name) for name in ("about.json", "cover.jpg", "readme.md", "readme.txt")
    ]


def test_two_lists_of_classes_must_agree(dataset: Write) -> None:
    folder = dataset(
        "images/a.jpg",
        **{"labels/a.txt": LINE, "data.yaml": NAMES, "classes.txt": "danger_ahead\nspeed limit"},
    )

    assert signs(folder) == {"images/a.jpg": [(LIMIT, BOX)]}
    (folder / "classes.txt").write_text("SpeedLimit\nDangerAhead\n")
    assert refusal(folder) == "error.yolo_classes"


@pytest.mark.parametrize(
    "place",
    [
        "train/labels/classes.txt",
        "train/Classes.TXT",
        "labels.txt",
        "train/_darknet.labels",
        "signs.names",
        "export/data.yaml",
        "../classes.txt",
        "../dataset.yml",
    ],
)
def test_classes_are_read_wherever_they_are_named(dataset: Write, place: str) -> None:
    yaml = "names: [SpeedLimit, DangerAhead]\n"
    text = yaml if place.endswith("ml") else "SpeedLimit\nDangerAhead\n"
    folder = dataset("train/train/images/a.jpg", **{"train/train/labels/a.txt": LINE, f"train/{place}": text})

    assert signs(folder / "train") == {"train/images/a.jpg": [(DANGER, BOX)]}


def test_two_files_that_name_classes_are_refused(dataset: Write) -> None:
    assert (
        refusal(dataset("images/a.jpg", **{"labels/a.txt": LINE, "a.yaml": NAMES, "b.yml": NAMES}))
        == "error.yolo_data"
    )


def test_a_list_of_pictures_may_be_a_split(dataset: Write) -> None:
    texts = {f"labels/{name}.txt": LINE for name in "ab"} | {"val.txt": "./images\\b.jpg\n"}
    folder = dataset("images/a.jpg", "images/b.jpg", **texts, **{"data.yaml": f"val: val.txt\n{NAMES}"})

    assert [one.path.stem for one in held_out(folder).pictures] == ["b"]


def test_a_picture_is_in_the_split_whose_list_or_folder_is_the_closest(dataset: Write) -> None:
    places = "x/a", "y/a", "z/a", "z/z/a"
    texts = {f"labels/{place}.txt": LINE for place in places}
    lists = {"train.txt": "data/images/x/a.jpg\n", "val.txt": "C:\\data\\images\\y\\a.jpg\n"}
    data = f"train: [train.txt, images/z]\nval: [val.txt, images/z/z]\n{NAMES}"
    folder = dataset(*(f"images/{place}.jpg" for place in places), **texts, **lists, **{"data.yaml": data})

    splits = {str(one.path.parent.relative_to(folder)): one.split for one in read_labels(folder).pictures}

    assert splits == {"images/x": "train", "images/y": "val", "images/z": "train", "images/z/z": "val"}


@pytest.mark.parametrize(
    ("above", "label"),
    [("", "a.xml"), ("", "_annotations.coco.json"), ("images/", "annotations/a.xml"), ("images/", "x.json")],
)
def test_a_label_is_about_the_picture_of_its_own_folder(dataset: Write, above: str, label: str) -> None:
    splits = "train", "valid"
    pictures = [f"{split}/{above}a.jpg" for split in splits]
    texts = {f"{split}/{label}": voc() if label.endswith("xml") else coco("a.jpg") for split in splits}

    assert signs(dataset(*pictures, **texts)) == {picture: [(LIMIT, BOX)] for picture in pictures}


def test_a_label_is_not_about_a_picture_whose_name_is_shorter(dataset: Write) -> None:
    assert refusal(dataset("images/a.jpg", **{"labels/a.2.txt": LINE})) == "error.label_without_picture"


def test_a_text_beside_a_picture_in_capitals_is_its_label(dataset: Write) -> None:
    folder = dataset("A.JPG", "b.jpg", **{"A.txt": "SpeedLimit 0.5 0.5 0.1 0.1", "b.txt": LINE})

    assert refusal(folder) == "error.label_line"


def test_the_part_that_is_not_examined_on_is_named(dataset: Write) -> None:
    texts = {f"{split}/labels/a.txt": LINE for split in ("train", "valid", "test")}
    folder = dataset(*(f"{split}/images/a.jpg" for split in ("train", "valid", "test")), **texts)

    labels = held_out(folder)

    assert [one.path.parts[-3] for one in labels.pictures] == ["valid"]
    assert [note.why for note in labels.notes] == [PassedOver.OTHER_SPLIT] * 2


@pytest.mark.parametrize(
    ("labels", "lost"),
    [
        ({"labels/a.TXT": LINE, "labels/b.txt": LINE}, []),
        ({"labels/a.txt": LINE}, [(PassedOver.NO_LABEL_FILE, "b.jpg")]),
    ],
)
def test_a_picture_without_a_text_is_named(dataset: Write, labels: dict[str, str], lost: list[Any]) -> None:
    assert notes(dataset("images/a.jpg", "images/b.jpg", **labels)) == lost


@pytest.mark.parametrize(
    ("pictures", "texts", "key"),
    [
        (("images/a.jpg", "images/a.png"), {"labels/a.txt": LINE}, "error.label_ambiguous"),
        (("images/a.jpg",), {"labels/a.txt": LINE, "labels/A.TXT": LINE}, "error.label_twice"),
        (("images/x/a.jpg", "images/y/a.jpg"), {"labels/a.txt": LINE}, "error.label_ambiguous"),
        (("images/x/a.jpg",), {"labels/y/a.txt": LINE}, "error.label_without_picture"),
        (("images/a.jpg",), {"labels/a.txt": LINE, "x.json": coco("a.jpg")}, "error.labels_mixed"),
        (("images/a.jpg", "images/b.heic"), {"labels/a.txt": LINE}, "error.picture_kind"),
        (("images/a.jpg",), {"export.zip": "PK"}, "error.labels_archive"),
        ((), {"export.zip": "PK"}, "error.labels_archive"),
        (("images/a.jpg",), {"labels/a.json": '{"shapes": [], "imagePath": "a.jpg"}'}, "error.label_invalid"),
    ],
)
def test_what_would_lose_labels_is_refused(
    dataset: Write, pictures: tuple[str, ...], texts: dict[str, str], key: str
) -> None:
    assert refusal(dataset(*pictures, **texts)) == key


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\ufeff" + LINE, 1),
        (LINE.replace("\n", "\r\n") * 1 + "0 0.5 0.5 0.1 0.1\r\n", 2),
        (LINE.replace(" ", "\t"), 1),
        (LINE.replace("1 ", "1.0 ", 1), 1),
        (LINE.strip(), 1),
        (LINE + " \n\n", 1),
        ("1 0.1 0.2 0.4 0.2 0.4 0.6 0.1 0.6\n", 1),
        ("1 0.25 0.4 0.3 1.0000001\n", 1),
        (LINE + LINE, 1),
        (LINE.replace("\n", "\r") + "0 0.5 0.5 0.1 0.1\r0 0.7 0.7 0.1 0.1\r", 3),
    ],
)
def test_yolo_text_is_read_as_programs_write_it(dataset: Write, text: str, expected: int) -> None:
    folder = dataset("images/a.jpg", **{"labels/a.txt": text})

    assert [sign_class for sign_class, _ in signs(folder)["images/a.jpg"]][:1] == [LIMIT]
    assert len(signs(folder)["images/a.jpg"]) == expected


def test_an_outline_is_read_as_the_box_around_it_and_named(dataset: Write) -> None:
    folder = dataset("images/a.jpg", **{"labels/a.txt": "1 0.1 0.2 0.4 0.3 0.2 0.6\n" + 2 * LINE})

    assert signs(folder) == {"images/a.jpg": [(LIMIT, BOX)]}
    assert notes(folder) == [(PassedOver.OUTLINE, "a.txt"), *[(PassedOver.DOUBLED, "a.txt")] * 2]


def test_what_file_managers_leave_behind_is_neither_label_nor_picture(dataset: Write) -> None:
    clutter = {"images/._a.jpg": "", "labels/._a.txt": "x", "labels/.DS_Store": "x", "images/Thumbs.db": "x"}
    folder = dataset("images/a.jpg", **{"labels/a.txt": LINE, "__MACOSX/images/a.txt": "0 0"}, **clutter)

    assert signs(folder) == {"images/a.jpg": [(LIMIT, BOX)]}
    assert notes(folder) == []


@pytest.mark.parametrize("label", ["Annotations/a.xml", "x.json", "labels/a.txt"])
def test_masks_are_not_photographs(dataset: Write, label: str) -> None:
    texts = {".xml": voc(), ".json": coco("a.jpg"), ".txt": LINE}
    masks = [f"{folder}/a.png" for folder in ("SegmentationClass", "masks")]
    folder = dataset("JPEGImages/a.jpg", *masks, "@eaDir/a.jpg", **{label: texts[Path(label).suffix]})

    assert signs(folder) == {"JPEGImages/a.jpg": [(LIMIT, BOX)]}
    assert notes(folder) == [(PassedOver.OTHER_FILE, "a.png")] * 2


def test_photographs_in_a_folder_called_masks_are_read_if_there_are_no_others(dataset: Write) -> None:
    assert signs(dataset("masks/a.jpg", **{"masks/a.txt": LINE})) == {"masks/a.jpg": [(LIMIT, BOX)]}


def test_links_are_followed_and_a_broken_one_is_refused(dataset: Write) -> None:
    folder = dataset("elsewhere/a.jpg", **{"set/labels/a.txt": LINE})
    (folder / "set/images").symlink_to(folder / "elsewhere")
    (folder / "elsewhere/round").symlink_to(folder / "elsewhere")

    assert signs(folder / "set") == {"images/a.jpg": [(LIMIT, BOX)]}
    (folder / "elsewhere/b.jpg").symlink_to(folder / "nowhere.jpg")
    assert refusal(folder / "set") == "error.link_broken"


def test_a_file_in_the_place_of_the_folder_is_refused(dataset: Write) -> None:
    assert refusal(dataset("images/a.jpg", **{"export.zip": "PK"}) / "export.zip") == "error.labels_file"


@pytest.mark.parametrize("lang", ["en", "fr"])
@pytest.mark.parametrize("why", PassedOver)
def test_what_was_passed_over_is_counted_and_named(
    monkeypatch: pytest.MonkeyPatch, lang: str, why: PassedOver
) -> None:
    monkeypatch.setenv("BRAKEPOINT_LANG", lang)
    (line,) = told([Note(why, f"{number}.jpg") for number in range(6)])

    assert line.endswith(": 6 (0.jpg, 1.jpg, 2.jpg, 3.jpg, 4.jpg …)")
    assert told([]) == []
