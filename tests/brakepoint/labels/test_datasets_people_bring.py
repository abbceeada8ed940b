"""COCO, Pascal VOC and YOLO, as labelling programs and public collections lay them out."""

import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from labelled_pictures import SIZE_PX, write_picture
from PIL import Image

from brakepoint.cli import run
from brakepoint.errors import UserError
from brakepoint.labels.folder import held_out, read_labels
from brakepoint.labels.pictures import read_picture
from brakepoint.labels.signs import Note, PassedOver, told
from brakepoint.messages import SignClass
from brakepoint.store.building import distinct_names

Write = Callable[..., Path]
DANGER, LIMIT = SignClass.DANGER_AHEAD, SignClass.SPEED_LIMIT
BOX = (0.1, 0.2, 0.4, 0.6)
LINE = "1 0.25 0.4 0.3 0.4\n"
NAMES = "names: [DangerAhead, SpeedLimit]\n"


def coco(*files: str, **more: Any) -> str:
    images = [
        {"id": number, "file_name": name, "width": 200, "height": 100} for number, name in enumerate(files, 1)
    ]
    boxes = [
        {"id": number, "image_id": number, "category_id": 2, "bbox": [20, 20, 60, 40], "iscrowd": 0}
        for number in range(1, len(files) + 1)
    ]
    categories = [
        {"id": 0, "name": "signs"},
        {"id": 1, "name": "DangerAhead"},
        {"id": 2, "name": "SpeedLimit"},
    ]
    return json.dumps({"images": images, "annotations": boxes, "categories": categories} | more)


def voc(file: str = "a.jpg", name: str = "SpeedLimit", size: str = "", box: str = "") -> str:
    size = size or "<size><width>200</width><height>100</height><depth>3</depth></size>"
    box = box or "<bndbox><xmin>20</xmin><ymin>20</ymin><xmax>80</xmax><ymax>60</ymax></bndbox>"
    return (
        f"<annotation><folder>x</folder><filename>{file}</filename>{size}"
        f"<object><name>{name}</name>{box}</object></annotation>"
    )


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


LAYOUTS: dict[str, tuple[str, dict[str, str]]] = {
    "Roboflow's COCO": ("train/a.jpg", {"train/_annotations.coco.json": coco("a.jpg")}),
    "COCO's own": ("train2017/a.jpg", {"annotations/instances_train2017.json": coco("a.jpg")}),
    "Label Studio's COCO": ("images/a.jpg", {"result.json": coco("images\\1a2b3c4d-a.jpg")}),
    "CVAT's COCO": ("images/default/a.jpg", {"annotations/instances_default.json": coco("default/a.jpg")}),
    "VOC's own": ("JPEGImages/a.jpg", {"Annotations/a.xml": voc()}),
    "LabelImg": ("a.jpg", {"a.xml": voc(r"C:\pictures\a.jpg")}),
    "VOC without suffix": ("images/a.jpg", {"annotations/a.xml": voc("a")}),
    "VOC of a renamed picture": ("images/a.jpg", {"annotations/a.xml": voc("IMG_0001.JPG")}),
    "Ultralytics": (
        "images/train/a.jpg",
        {"labels/train/a.txt": LINE, "data.yaml": f"train: images/train\n{NAMES}"},
    ),
    "a YAML file in capitals": (
        "images/a.jpg",
        {
            "labels/a.txt": LINE.replace("1", "0", 1),
            "Data.YAML": "nc: '2'\nnames: {1: danger_ahead, 0: Speed-Limit}",
        },
    ),
    "Roboflow's YOLO": (
        "train/images/a.jpg",
        {
            "train/labels/a.txt": LINE,
            "data.yaml": f"train: ../train/images\nnc: 2\n{NAMES}",
            "README.roboflow.txt": "x",
        },
    ),
    "written on another machine": (
        "train/images/a.jpg",
        {"train/labels/a.txt": LINE, "data.yaml": f"path: /content/x\ntrain: C:\\x\\train\\images\n{NAMES}"},
    ),
    "Darknet": (
        "obj_train_data/a.jpg",
        {"obj_train_data/a.txt": LINE, "obj.names": "DangerAhead\nSpeedLimit\n"},
    ),
    "text beside the picture": ("a.jpg", {"a.txt": LINE, "classes.txt": "danger ahead\nspeed limit\n"}),
    "Label Studio's YOLO": (
        "images/a.jpg",
        {
            "labels/a.txt": LINE,
            "classes.txt": "DangerAhead\nSpeedLimit\n",
            "notes.json": '{"categories": []}',
        },
    ),
    "capitals": ("images/A.JPG", {"labels/a.TXT": LINE}),
    "the picture's whole name": ("images/a.jpg", {"labels/a.jpg.txt": LINE}),
    "a name in percent": ("images/a b.jpg", {"labels/a%20b.txt": LINE}),
    "two forms of one letter": ("images/\u00e9.jpg", {"labels/e\u0301.txt": LINE}),
}


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


def test_two_files_that_name_classes_are_refused(dataset: Write) -> None:
    assert (
        refusal(dataset("images/a.jpg", **{"labels/a.txt": LINE, "a.yaml": NAMES, "b.yml": NAMES}))
        == "error.yolo_data"
    )


def test_a_list_of_pictures_may_be_a_split(dataset: Write) -> None:
    texts = {f"labels/{name}.txt": LINE for name in "ab"} | {"val.txt": "./images\\b.jpg\n"}
    folder = dataset("images/a.jpg", "images/b.jpg", **texts, **{"data.yaml": f"val: val.txt\n{NAMES}"})

    assert [one.path.stem for one in held_out(folder).pictures] == ["b"]


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


def test_what_file_managers_leave_behind_is_no_label_and_no_picture(dataset: Write) -> None:
    clutter = {"images/._a.jpg": "", "labels/._a.txt": "x", "labels/.DS_Store": "x", "images/Thumbs.db": "x"}
    folder = dataset("images/a.jpg", **{"labels/a.txt": LINE, "__MACOSX/images/a.txt": "0 0"}, **clutter)

    assert signs(folder) == {"images/a.jpg": [(LIMIT, BOX)]}
    assert notes(folder) == []


def test_links_are_followed_and_a_broken_one_is_refused(dataset: Write) -> None:
    folder = dataset("elsewhere/a.jpg", **{"set/labels/a.txt": LINE})
    (folder / "set/images").symlink_to(folder / "elsewhere")
    (folder / "elsewhere/round").symlink_to(folder / "elsewhere")

    assert signs(folder / "set") == {"images/a.jpg": [(LIMIT, BOX)]}
    (folder / "elsewhere/b.jpg").symlink_to(folder / "nowhere.jpg")
    assert refusal(folder / "set") == "error.link_broken"


def test_a_file_in_the_place_of_the_folder_is_refused(dataset: Write) -> None:
    assert refusal(dataset("images/a.jpg", **{"export.zip": "PK"}) / "export.zip") == "error.labels_file"


def test_a_picture_with_a_film_behind_it_is_whole(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "a.jpg")
    whole = path.read_bytes()
    path.write_bytes(whole + b"\x00\x00\x00\x18ftypmp42" + b"\xff\xd8\xff\xda" + bytes(1000))

    assert read_picture(path).shape == (100, 200, 3)
    path.write_bytes(whole[: len(whole) // 2] + b"\x00\x00\x00\x18ftypmp42" + bytes(1000))
    with pytest.raises(UserError):
        read_picture(path)


def test_a_picture_of_more_pixels_than_can_be_read_is_refused(tmp_path: Path) -> None:
    huge = struct.pack(">II", 2_000_000, 2_000_000) + bytes([8, 2, 0, 0, 0])
    chunks = [(b"IHDR", huge), (b"IDAT", zlib.compress(bytes(100))), (b"IEND", b"")]
    written = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(written))

    with pytest.raises(UserError, match="decode"):
        read_picture(tmp_path / "a.png")


@pytest.mark.parametrize("kind", ["grey", "16 bits", "alpha", "CMYK"])
def test_pictures_of_every_depth_are_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / ("a.jpg" if kind == "CMYK" else "a.png")
    if kind == "CMYK":
        Image.new("CMYK", SIZE_PX, (10, 20, 30, 40)).save(path)
    else:
        shape = {"grey": (100, 200), "16 bits": (100, 200, 3), "alpha": (100, 200, 4)}[kind]
        cv2.imwrite(
            str(path),
            np.full(shape, 900 if kind == "16 bits" else 90, np.uint16 if kind == "16 bits" else np.uint8),
        )

    assert (read_picture(path).shape, read_picture(path).dtype) == ((100, 200, 3), np.uint8)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_picture_is_read_upright_and_labels_for_it_on_its_side_are_refused(
    tmp_path: Path, orientation: int
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", SIZE_PX).save(tmp_path / "a.jpg", exif=exif)
    (tmp_path / "a.xml").write_text(voc())
    (picture,) = read_labels(tmp_path).pictures
    height, width = read_picture(picture.path).shape[:2]

    if orientation in (6, 8):
        with pytest.raises(UserError, match="EXIF"):
            picture.truths(width, height)
    else:
        assert picture.truths(width, height)[0].box == pytest.approx((20, 20, 80, 60))


def test_pictures_of_one_name_get_names_of_their_own(tmp_path: Path) -> None:
    names = ("a.jpg", "a.PNG", "x/a.jpg", "x-a.jpg", "y/A.jpg", "y/A.png")
    found = distinct_names([tmp_path / name for name in names], tmp_path)

    stems = [Path(name).stem.casefold() for name in found.values()]
    assert len(set(stems)) == len(names)
    assert found[tmp_path / "a.jpg"] == "a.jpg" and found[tmp_path / "a.PNG"] == "a-png.png"


@pytest.mark.parametrize("lang", ["en", "fr"])
@pytest.mark.parametrize("why", PassedOver)
def test_what_was_passed_over_is_counted_and_named(
    monkeypatch: pytest.MonkeyPatch, lang: str, why: PassedOver
) -> None:
    monkeypatch.setenv("BRAKEPOINT_LANG", lang)
    (line,) = told([Note(why, f"{number}.jpg") for number in range(6)])

    assert line.endswith(": 6 (0.jpg, 1.jpg, 2.jpg, 3.jpg, 4.jpg …)")
    assert told([]) == []


def dataset_from(folder: Path, out: Path) -> int:
    return run(["dataset", "--from", str(folder), "--out", str(out), "--steps", "solutions"])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_step_1_makes_a_dataset_of_every_layout(dataset: Write, tmp_path: Path, layout: str) -> None:
    picture, texts = LAYOUTS[layout]
    second = str(Path(picture).with_name(f"b{Path(picture).suffix}"))
    folder = dataset(*(f"in/{name}" for name in (picture, second))) / "in"
    for name, content in texts.items():
        both = content.replace("\\", "/") if name.endswith(".json") else content
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        if "images" in json.loads(both) if name.endswith(".json") else False:
            both = coco(json.loads(both)["images"][0]["file_name"], Path(second).name)
        (folder / name).write_text(both)
        if name.endswith((".xml", ".txt", ".TXT")) and Path(name).stem.lower() not in (
            "classes",
            "readme.roboflow",
        ):
            (folder / name).with_name(f"b{Path(name).suffix}").write_text(content)

    assert dataset_from(folder, tmp_path / "out") == 0

    labels = list((tmp_path / "out").rglob("*.txt"))
    assert len(labels) == 2
    assert {path.read_text().split()[0] for path in labels} == {"1"}
    assert (tmp_path / "out/samples.jpg").is_file()


def test_a_split_that_is_there_is_kept(
    dataset: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = dataset(
        *(f"in/{split}/images/{split}-1.jpg" for split in ("train", "valid", "test")),
        **{f"in/{split}/labels/{split}-1.txt": LINE for split in ("train", "valid", "test")},
    )

    assert dataset_from(folder / "in", tmp_path / "out") == 0

    built = sorted(
        path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*-1.jpg")
    )
    assert built == ["train/images/train-1.jpg", "val/images/valid-1.jpg"]
    assert "test-1.jpg" in capsys.readouterr().err


def test_pictures_that_are_all_of_one_scene_are_refused_before_anything_is_written(
    dataset: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = {f"in/labels/frame-{number}.txt": LINE for number in range(3)}
    folder = dataset(*(f"in/images/frame-{number}.jpg" for number in range(3)), **texts)
    write_picture(tmp_path / "out/train/images/old.jpg")

    assert dataset_from(folder / "in", tmp_path / "out") == 2
    assert "still-0012" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "out/train/images").iterdir()] == ["old.jpg"]


def test_pictures_of_any_size_are_drawn_as_samples(dataset: Write, tmp_path: Path) -> None:
    folder = dataset(**{f"in/labels/{name}.txt": LINE for name in "abc"}) / "in"
    for name, size in zip("abc", ((1200, 300), (30, 1000), SIZE_PX), strict=True):
        write_picture(folder / f"images/{name}.jpg", size)

    assert dataset_from(folder, tmp_path / "out") == 0


def test_a_damaged_picture_is_refused_and_what_was_there_stays(dataset: Write, tmp_path: Path) -> None:
    folder = dataset("in/images/a.jpg", **{f"in/labels/{name}.txt": LINE for name in "ab"}) / "in"
    (folder / "images/b.jpg").write_bytes(b"")
    write_picture(tmp_path / "out/train/images/old.jpg")

    assert dataset_from(folder, tmp_path / "out") == 2
    assert [path.name for path in (tmp_path / "out/train/images").iterdir()] == ["old.jpg"]
