"""Pictures that a person has labelled: nothing is lost, and step 1 reads them as they were drawn."""

import json
import os
from pathlib import Path

import pytest
from pydantic import ValidationError
from shown_pictures import DANGER, jpeg

from brakepoint.cli import run
from brakepoint.errors import UserError
from brakepoint.labels.folder import load_labels
from brakepoint.messages import SignClass
from brakepoint.serving.pictures import PIXELS_MOST, PIXELS_VARIABLE
from brakepoint.show.album import EXPORT_NAME, Album, ShownSign

LIMIT = ShownSign(sign_class=SignClass.SPEED_LIMIT, box=(0, 0, 1, 1))


@pytest.fixture
def album(tmp_path) -> Album:
    return Album(tmp_path / "my signs")


def test_a_labelled_picture_is_read_as_it_was_drawn(album):
    album.add(jpeg(), [DANGER, LIMIT])
    album.add(jpeg(120), [])

    first, second = load_labels(album.folder)

    assert [(sign.sign_class, sign.box) for sign in first.signs] == [
        (DANGER.sign_class, DANGER.box),
        (LIMIT.sign_class, LIMIT.box),
    ]
    assert (first.size_px, second.signs) == ((64, 48), ())
    assert first.path.read_bytes() == jpeg()


def test_an_album_is_taken_up_again_where_it_was_left(album):
    names = [album.add(jpeg(grey), [DANGER]) for grey in (10, 20, 30)]
    album.remove(names[1])
    again = Album(album.folder)

    assert again.names == [names[0], names[2]]
    assert again.add(jpeg(), []) == "shown_0004.jpg"


def test_two_pages_fill_one_album_and_lose_nothing(album):
    other = Album(album.folder)
    names = [album.add(jpeg(10), [DANGER]), other.add(jpeg(20), [LIMIT]), album.add(jpeg(30), [])]
    other.remove(names[0])

    assert album.names == other.names == names[1:]
    assert [album.picture(name) for name in names[1:]] == [jpeg(20), jpeg(30)]


def test_a_removed_picture_is_gone_with_its_label(album):
    kept, gone = album.add(jpeg(10), [DANGER]), album.add(jpeg(20), [LIMIT])
    album.remove(gone)

    assert [path.name for path in (album.folder / "pictures").iterdir()] == [kept]
    assert len(json.loads((album.folder / EXPORT_NAME).read_text())) == 1
    with pytest.raises(KeyError):
        album.picture(gone)
    with pytest.raises(KeyError):
        album.remove(gone)


def test_only_pictures_of_the_album_are_given_out(album):
    name = album.add(jpeg(), [])

    assert album.picture(name) == jpeg()
    for other in (f"../{EXPORT_NAME}", EXPORT_NAME, "shown_0002.jpg"):
        with pytest.raises(KeyError):
            album.picture(other)


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"\xff\xd8 and no more", jpeg()[:40]])
def test_what_is_not_a_jpeg_is_not_kept(album, content):
    with pytest.raises(UserError) as refused:
        album.add(content, [])

    assert refused.value.key == "show.error.no_jpeg"
    assert not album.names
    assert not album.folder.exists()


@pytest.mark.parametrize(
    "written",
    [
        "[]]",
        "{}",
        "[3]",
        '[{"id": 1, "data": {"image": "s3://stills/1.jpg"}, "annotations": []}]',
        '[{"id": 1}]',
    ],
)
def test_an_export_of_another_program_is_left_alone(tmp_path: Path, written):
    (tmp_path / EXPORT_NAME).write_text(written)

    with pytest.raises(UserError) as refused:
        Album(tmp_path)
    assert refused.value.key in ("show.error.other_export", "error.label_invalid")
    assert (tmp_path / EXPORT_NAME).read_text() == written


def test_a_full_disk_leaves_the_album_as_it_was(album, monkeypatch):
    album.add(jpeg(), [DANGER])
    before = (album.folder / EXPORT_NAME).read_bytes()

    def no_space(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("brakepoint.show.album.write_whole", no_space)
    with pytest.raises(OSError, match="No space"):
        album.add(jpeg(), [LIMIT])

    assert album.names == Album(album.folder).names == ["shown_0001.jpg"]
    assert (album.folder / EXPORT_NAME).read_bytes() == before


@pytest.mark.parametrize(
    "box",
    [
        (0.5, 0, 0.5, 1),
        (0, 0.5, 1, 0.501),
        (0.6, 0, 0.5, 1),
        (-0.1, 0, 1, 1),
        (0, 0, 1, 1.1),
        (0, 0, 1, float("nan")),
    ],
)
def test_a_box_is_in_the_picture_and_is_more_than_a_slip(box):
    with pytest.raises(ValidationError):
        ShownSign(sign_class=SignClass.DANGER_AHEAD, box=box)


def test_the_smallest_box_is_two_thousandths_of_the_picture():
    assert ShownSign(sign_class=SignClass.DANGER_AHEAD, box=(0, 0, 0.002, 0.002)).box == (0, 0, 0.002, 0.002)


@pytest.mark.parametrize("kept", [2, -1, -2])
def test_a_truncated_picture_is_refused_since_step_1_would_refuse_the_whole_album(album, kept):
    with pytest.raises(UserError) as refused:
        album.add(jpeg()[:kept], [DANGER])

    assert refused.value.key == "show.error.no_jpeg"
    assert not album.folder.exists()


def test_a_small_file_that_claims_a_gigantic_picture_is_not_decoded(monkeypatch):
    monkeypatch.setenv(PIXELS_VARIABLE, "x")
    monkeypatch.delenv(PIXELS_VARIABLE)

    assert run(["show", "--page", "nowhere"]) == 2

    assert os.environ[PIXELS_VARIABLE] == str(PIXELS_MOST)  # OpenCV reads it when it is imported.
