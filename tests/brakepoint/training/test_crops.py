"""Crops for training: at the scale of the network's input, with labels that follow."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from labelled_pictures import write_picture

from brakepoint.errors import UserError
from brakepoint.training.crops import CROP_PX, CUT_PX, ZOOM, cut_crops


def dataset(root: Path, label: str = "1 0.5 0.5 0.05 0.0666667\n") -> Path:
    """One picture, black but for a white box of 32 by 32 pixels in its middle."""
    for folder in ("images", "labels"):
        (root / folder).mkdir(parents=True)
    image = np.zeros((480, 640, 3), np.uint8)
    image[224:256, 304:336] = 255
    cv2.imwrite(str(root / "images" / "a.jpg"), image, [cv2.IMWRITE_JPEG_QUALITY, 100])
    (root / "labels" / "a.txt").write_text(label)
    return root


@pytest.mark.parametrize("seed", range(8))
def test_labels_follow_the_crop(tmp_path: Path, seed: int) -> None:
    assert cut_crops(dataset(tmp_path / "data"), tmp_path / "crops", 1, seed) == 1
    crop = cv2.imread(str(next((tmp_path / "crops" / "images").iterdir())), cv2.IMREAD_GRAYSCALE)
    assert crop is not None and crop.shape == (CROP_PX, CROP_PX)
    text = next((tmp_path / "crops" / "labels").iterdir()).read_text()
    white = np.argwhere(crop > 128)
    if not text:
        assert len(white) <= (0.08 * 32 * 32 + 32) * ZOOM**2
        return
    _, x, y, width, height = (float(word) * CROP_PX for word in text.split())
    assert (x - width / 2, y - height / 2) == pytest.approx(white.min(0)[::-1], abs=1.1 * ZOOM)
    assert (x + width / 2, y + height / 2) == pytest.approx(white.max(0)[::-1] + 1, abs=1.1 * ZOOM)


def test_what_is_cut_is_not_cut_again(tmp_path: Path) -> None:
    data = dataset(tmp_path / "data")
    cut_crops(data, tmp_path / "crops", 3, 0)
    (data / "images" / "a.jpg").write_bytes(b"")
    assert cut_crops(data, tmp_path / "crops", 3, 0) == 3


@pytest.mark.parametrize("label", ["2 0.5 0.5 0.1 0.1", "0 0.5 0.5 0.1", "0 0.5 1.5 0.1 0.1", "sign 0 0 1 1"])
def test_broken_labels_are_named(tmp_path: Path, label: str) -> None:
    with pytest.raises(UserError, match=r"a\.txt"):
        cut_crops(dataset(tmp_path / "data", label), tmp_path / "crops", 3, 0)


def test_a_broken_picture_is_named(tmp_path: Path) -> None:
    data = dataset(tmp_path / "data")
    (data / "images" / "a.jpg").write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"a\.jpg"):
        cut_crops(data, tmp_path / "crops", 3, 0)


@pytest.mark.parametrize(("picture", "label"), [("a.JPEG", "a.txt"), ("a.webp", "a.TXT"), ("A.bmp", "a.txt")])
def test_every_kind_of_picture_is_cut_with_its_label(tmp_path: Path, picture: str, label: str) -> None:
    data = dataset(tmp_path / "data")
    (data / "images" / "a.jpg").rename(data / "images" / picture)
    (data / "labels" / "a.txt").rename(data / "labels" / label)

    assert cut_crops(data, tmp_path / "crops", 8, 0) == 8
    assert any(path.read_text() for path in (tmp_path / "crops" / "labels").iterdir())


@pytest.mark.parametrize("size_px", [(2560, 1920), (1280, 720), (480, 640), (160, 120), (3000, 600)])
def test_a_picture_of_any_size_is_cut_at_the_scale_at_which_the_detector_sees_it(
    tmp_path: Path, size_px: tuple[int, int]
) -> None:
    data = dataset(tmp_path / "data")
    write_picture(data / "images" / "a.jpg", size_px)
    scale = min(640 / size_px[0], 480 / size_px[1])
    sides = [0.0666667 * side * scale / CUT_PX for side in size_px]
    (data / "labels" / "a.txt").write_text("1 0.5 0.5 0.0666667 0.0666667\n")

    assert cut_crops(data, tmp_path / "crops", 9, 0) == 9
    lines = [path.read_text().split() for path in (tmp_path / "crops" / "labels").iterdir()]
    assert any(lines)
    for _, _, _, *width_and_height in filter(None, lines):
        assert max(map(float, width_and_height)) <= max(sides) + 1e-5
    assert any(list(map(float, line[3:])) == pytest.approx(sides, abs=1e-5) for line in lines)


def test_pictures_without_signs_teach_too(tmp_path: Path) -> None:
    assert cut_crops(dataset(tmp_path / "data", ""), tmp_path / "crops", 2, 0) == 2


def test_pictures_of_the_same_name_in_two_folders_are_both_cut(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for folder, grey in (("a", 50), ("b", 200)):
        for kind in ("images", "labels"):
            (data / kind / folder).mkdir(parents=True)
        cv2.imwrite(str(data / "images" / folder / "1.jpg"), np.full((480, 640, 3), grey, np.uint8))
        (data / "labels" / folder / "1.txt").touch()

    assert cut_crops(data, tmp_path / "crops", 2, 0) == 4
    crops = sorted((tmp_path / "crops" / "images").iterdir())
    assert [round(float(np.asarray(cv2.imread(str(file))).mean())) for file in crops] == [50, 50, 200, 200]


def test_a_name_in_another_encoding_is_cut(tmp_path: Path) -> None:
    data = dataset(tmp_path / "data")
    for folder, suffix in (("images", "jpg"), ("labels", "txt")):
        before = data / folder / f"a.{suffix}"
        before.rename(Path(os.fsdecode(os.fsencode(data / folder) + b"/pr\xe9." + suffix.encode())))

    assert cut_crops(data, tmp_path / "crops", 1, 0) == 1
    assert (tmp_path / "crops" / "images" / "data-pré-0.jpg").is_file()
