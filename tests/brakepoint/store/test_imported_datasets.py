"""`brakepoint dataset --from DIR`: the dataset of step 1, from people's own pictures."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from label_layouts import LAYOUTS, LINE, coco
from labelled_pictures import SIZE_PX, write_picture

pytest.importorskip("boto3")

from brakepoint.cli import run
from brakepoint.store.building import distinct_names

Write = Callable[..., Path]


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


def test_pictures_of_one_name_get_names_of_their_own(tmp_path: Path) -> None:
    names = ("a.jpg", "a.PNG", "x/a.jpg", "x-a.jpg", "y/A.jpg", "y/A.png")
    found = distinct_names([tmp_path / name for name in names], tmp_path)

    stems = [Path(name).stem.casefold() for name in found.values()]
    assert len(set(stems)) == len(names)
    assert found[tmp_path / "a.jpg"] == "a.jpg" and found[tmp_path / "a.PNG"] == "a-png.png"


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


@pytest.mark.parametrize(("source", "out"), [(".", "."), ("train", "."), (".", "sub/..")])
def test_a_dataset_never_replaces_the_files_that_it_is_made_of(
    dataset: Write, source: str, out: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = dataset(
        *(f"own/{split}/{split}-{number}.jpg" for split in ("train", "val") for number in range(2)),
        **{f"own/{split}/{split}-0.txt": LINE for split in ("train", "val")},
    )
    before = sorted((folder / "own").rglob("*"))

    assert dataset_from(folder / "own" / source, folder / "own" / out) == 2
    assert "--out" in capsys.readouterr().err
    assert sorted((folder / "own").rglob("*")) == before


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
