"""Pictures as phones and programs write them."""

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from label_layouts import voc
from labelled_pictures import SIZE_PX, write_picture
from PIL import Image

from brakepoint.errors import UserError
from brakepoint.labels.folder import read_labels
from brakepoint.labels.pictures import distinct_names, read_picture


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

    assert read_picture(path).shape == (100, 200, 3)
    assert read_picture(path).dtype == np.uint8


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


def test_every_picture_has_a_name_of_its_own_even_without_its_suffix_and_in_any_case(tmp_path: Path) -> None:
    pictures = [tmp_path / name for name in ("a.jpg", "a.png", "A.PNG", "a.Png", "of/a.jpg", "of/a.png")]

    assert list(distinct_names(pictures, tmp_path).values()) == [
        "a.jpg",
        "a-png.png",
        "A-2.png",
        "a-3.png",
        "of-a.jpg",
        "of-a-png.png",
    ]
