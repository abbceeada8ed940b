"""The synthesis engine: reproducible, resumable, and clear about bad input."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from labelled_pictures import write_picture

import solutions.step2_synthetic as step
from brakepoint.errors import UserError
from brakepoint.synthesis import Materials
from brakepoint.synthesis.backgrounds import _read, background, list_backgrounds
from brakepoint.synthesis.engine import synthesise


def made(out: Path, count: int = 4, seed: int = 3, backgrounds: Path | None = None, workers: int = 1) -> int:
    return synthesise(
        out, count, seed, Materials(backgrounds=list_backgrounds(backgrounds)), workers, step, quiet=True
    )


def contents(out: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(out)): file.read_bytes() for file in sorted(out.rglob("*")) if file.is_file()
    }


def test_the_pictures_do_not_depend_on_the_number_of_workers(tmp_path: Path) -> None:
    assert made(tmp_path / "one") == made(tmp_path / "two", workers=2) == 4
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_the_labels_on_disk_are_those_of_the_pictures(tmp_path: Path) -> None:
    made(tmp_path)
    for number in range(4):
        picture = step.paint_picture(np.random.default_rng([3, number]), Materials())
        lines = (tmp_path / "labels" / f"{number:06d}.txt").read_text().splitlines()
        assert lines == [step.yolo_line(label, 640, 480) for label in picture.labels]


def test_it_resumes_where_it_stopped(tmp_path: Path) -> None:
    made(tmp_path / "whole")
    made(tmp_path / "parts", count=2)
    (tmp_path / "parts" / "images" / "000001.jpg").unlink()
    assert made(tmp_path / "parts") == 3
    assert contents(tmp_path / "parts") == contents(tmp_path / "whole")


def test_a_picture_without_its_label_is_made_again(tmp_path: Path) -> None:
    made(tmp_path, count=2)
    whole = contents(tmp_path)
    (tmp_path / "labels" / "000001.txt").unlink()

    assert made(tmp_path, count=2) == 1
    assert contents(tmp_path) == whole


def test_a_file_of_settings_that_is_damaged_counts_as_other_settings(tmp_path: Path) -> None:
    (tmp_path / "synthesis.json").write_text("[" * 100_000)

    with pytest.raises(UserError) as refused:
        made(tmp_path, count=1)
    assert refused.value.key == "synthesis.other_settings"


def test_another_seed_makes_other_pictures(tmp_path: Path) -> None:
    made(tmp_path / "a", count=1)
    made(tmp_path / "b", count=1, seed=4)
    assert contents(tmp_path / "a")["images/000000.jpg"] != contents(tmp_path / "b")["images/000000.jpg"]


def test_given_backgrounds_are_used(tmp_path: Path) -> None:
    folder = tmp_path / "backgrounds"
    folder.mkdir()
    cv2.imwrite(str(folder / "green.png"), np.full((480, 640, 3), (0, 255, 0), np.uint8))
    made(tmp_path / "out", count=6, backgrounds=folder)
    pictures = [np.asarray(cv2.imread(str(file))) for file in (tmp_path / "out" / "images").iterdir()]
    greens = [
        picture for picture in pictures if (picture[..., 1] > picture[..., 2].astype(int) + 60).mean() > 0.6
    ]
    assert greens


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"count": 0}, "synthesis.settings"),
        ({"workers": 0}, "synthesis.settings"),
        ({"seed": -1}, "synthesis.settings"),
        ({"backgrounds": Path("/nowhere")}, "synthesis.backgrounds_missing"),
    ],
)
def test_impossible_settings_are_refused_before_anything_is_written(
    tmp_path: Path, settings: dict, key: str
) -> None:
    with pytest.raises(UserError) as refused:
        made(tmp_path / "out", **settings)
    assert refused.value.key == key
    assert not (tmp_path / "out").exists()


def test_a_folder_without_pictures_cannot_serve_as_backgrounds(tmp_path: Path) -> None:
    with pytest.raises(UserError) as refused:
        made(tmp_path / "out", backgrounds=tmp_path)
    assert refused.value.key == "synthesis.backgrounds_empty"


@pytest.mark.parametrize("share", [0, 0.5])
def test_a_broken_background_is_named(tmp_path: Path, share: float) -> None:
    whole = cv2.imencode(".jpg", np.random.default_rng(1).integers(0, 255, (48, 64, 3), np.uint8))[
        1
    ].tobytes()
    (tmp_path / "broken.jpg").write_bytes(whole[: round(share * len(whole))] or b"no picture")
    with pytest.raises(UserError, match=r"broken\.jpg"):
        made(tmp_path / "out", count=20, backgrounds=tmp_path)


def test_backgrounds_are_every_picture_that_can_be_read_and_nothing_of_a_file_manager(tmp_path: Path) -> None:
    for name in ("a.webp", "b.JPG", "._b.JPG"):
        (tmp_path / name).touch()

    assert [file.name for file in list_backgrounds(tmp_path)] == ["a.webp", "b.JPG"]
    (tmp_path / "c.heic").touch()
    with pytest.raises(UserError, match=r"c\.heic"):
        list_backgrounds(tmp_path)


@pytest.mark.parametrize("size_px", [(1, 1), (3000, 1), (1, 3000), (4000, 3000)])
def test_a_background_may_have_any_size_and_is_kept_no_larger_than_needed(
    tmp_path: Path, size_px: tuple[int, int]
) -> None:
    file = write_picture(tmp_path / "a.jpg", size_px)

    pictures = [background(np.random.default_rng(seed), (file,), streets=False) for seed in range(9)]

    assert {picture.shape for picture in pictures} == {(480, 640, 3)}
    assert any((abs(picture.astype(int) - 90) < 2).all() for picture in pictures)
    assert _read(file).nbytes < 4_000_000


def test_two_recipes_do_not_share_a_folder(tmp_path: Path) -> None:
    made(tmp_path, count=1)
    with pytest.raises(UserError) as refused:
        made(tmp_path, count=2, seed=9)
    assert refused.value.key == "synthesis.other_settings"
