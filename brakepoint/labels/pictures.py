"""Pictures on disk: which files are pictures, to which picture a label refers, and how large a picture is."""

import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from itertools import count, takewhile
from pathlib import Path
from urllib.parse import unquote, unquote_plus

import numpy as np

from brakepoint.errors import UserError, system_says

PICTURE_SUFFIXES = {".bmp", ".jfif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}
UNREADABLE_SUFFIXES = {".avif", ".dng", ".gif", ".heic", ".heif", ".jp2", ".jxl"}
"""Picture formats that not every build of OpenCV reads."""
CLUTTER = {"thumbs.db", "desktop.ini", "__macosx", "@eadir"}
"""Files left behind by file managers, besides names that start with a dot."""
UPLOAD_PREFIX = re.compile(r"[0-9a-f]{8}-(?=.)")
"""Prefix that Label Studio adds to the names of uploaded files."""
JPEG_START, JPEG_SCAN, JPEG_END = b"\xff\xd8", b"\xff\xda", b"\xff\xd9"
"""JPEG markers for the start of the file, each scan, and the end."""
JPEG_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}


def files_below(folder: Path) -> list[Path]:
    """Every file below a folder, sorted by path; links are followed, clutter is skipped.

    Raises:
        UserError: The folder does not exist or cannot be read, or a link is broken.
    """
    if folder.is_file():
        raise UserError("error.labels_file", path=folder)
    if not folder.is_dir():
        raise UserError("error.folder_missing", folder=folder)
    files: list[Path] = []
    seen: set[str] = set()
    for place, folders, names in os.walk(folder, onerror=_unreadable, followlinks=True):
        real = os.path.realpath(place)
        folders[:] = sorted(name for name in folders if not _is_clutter(name)) if real not in seen else []
        if real not in seen:
            files += [Path(place, name) for name in names if not _is_clutter(name)]
        seen.add(real)
    for file in files:
        if not file.exists():
            raise UserError("error.link_broken", path=file)
    return sorted(file for file in files if file.is_file())


def _unreadable(error: OSError) -> None:
    raise UserError("error.file_unreadable", path=error.filename, why=system_says(error)) from error


def _is_clutter(name: str) -> bool:
    return name.startswith(".") or name.casefold() in CLUTTER


def pictures_among(files: Iterable[Path]) -> list[Path]:
    """The files that are pictures, judging by their names.

    Raises:
        UserError: A file is a picture in an unsupported format.
    """
    files = list(files)
    for file in files:
        if file.suffix.lower() in UNREADABLE_SUFFIXES:
            raise UserError("error.picture_kind", path=file, kind=file.suffix)
    return [file for file in files if file.suffix.lower() in PICTURE_SUFFIXES]


def pictures_in(folder: Path) -> list[Path]:
    """The pictures directly in a folder, by name; empty if the folder does not exist."""
    return pictures_among(sorted(file for file in folder.glob("*") if not _is_clutter(file.name)))


def readable(name: str) -> str:
    """A readable name: with composed characters, and as Latin-1 if the bytes aren't UTF-8."""
    raw = name.encode("utf-8", "surrogateescape" if _has_bytes(name) else "replace")
    try:
        decoded = raw.decode("utf-8")
    except UnicodeDecodeError:
        decoded = raw.decode("latin-1")
    return unicodedata.normalize("NFC", decoded)


def distinct_names(pictures: Sequence[Path], root: Path) -> dict[Path, str]:
    """A file name for each picture, unique even without its suffix, since each picture has its own label.

    Args:
        pictures: Pictures below `root`, possibly in several folders.
        root: The folders between this one and a picture distinguish pictures with the same name.
    """
    names: dict[Path, str] = {}
    taken: set[str] = set()
    for path in pictures:
        above, stem = path.relative_to(root).parts[:-1], readable(path.stem)
        suffix = path.suffix.lower()
        long = "-".join((*map(readable, above), stem))
        tries = [stem, long, f"{long}-{suffix[1:]}"]
        free = (each for each in tries if each.casefold() not in taken)
        name = next(free, None) or next(
            each for each in (f"{long}-{number}" for number in count(2)) if each.casefold() not in taken
        )
        taken.add(name.casefold())
        names[path] = f"{name}{suffix}"
    return names


def _has_bytes(name: str) -> bool:
    return all(not 0xD800 <= ord(letter) <= 0xDFFF or 0xDC80 <= ord(letter) <= 0xDCFF for letter in name)


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", readable(name).casefold())


def _stem_key(name: str) -> str:
    return _key(Path(name).stem)


def _uploaded_key(name: str) -> str:
    """The name that Label Studio gives an uploaded file: without spaces and most special characters."""
    return re.sub(r"[^-\w.]", "", _key(name).replace(" ", "_"))


class PictureIndex:
    """Finds the picture to which a label refers, however the label writes its location.

    Args:
        pictures: The pictures.
        root: The folder that contains them.
    """

    def __init__(self, pictures: Iterable[Path], root: Path) -> None:
        self._parts = {path: path.relative_to(root).parts for path in pictures}
        self._by: dict[Callable[[str], str], dict[str, list[Path]]] = {}
        for key in (_key, _uploaded_key, _stem_key):
            self._by[key] = defaultdict(list)
            for path in self._parts:
                self._by[key][key(path.name)].append(path)

    def find(self, location: str, file: Path, *, by_stem: bool = False) -> Path:
        """The picture at a location.

        Args:
            location: For instance `s3://bucket/kc01/3.jpg`, `/data/local-files/?d=kc01%5C3.jpg` or `3.jpg`.
            file: The label, for error messages.
            by_stem: Whether the name in the label may have no suffix or a different one.

        Raises:
            UserError: No picture matches, or several do.
        """
        for parts in locations(location):
            for key, name in (
                (_key, parts[-1]),
                (_key, UPLOAD_PREFIX.sub("", parts[-1], count=1)),
                (_uploaded_key, UPLOAD_PREFIX.sub("", parts[-1], count=1)),
                *((_stem_key, stem) for stem in _stems(parts[-1]) if by_stem),
            ):
                if found := self._by[key].get(key(name)):
                    return self._nearest(found, (*parts[:-1], name), location, file)
        raise UserError("error.label_without_picture", file=file, picture=readable(_last(location)))

    def named(self, location: str, file: Path) -> list[Path]:
        """The picture at a location as a list, which is empty if no picture or several match."""
        try:
            return [self.find(location, file)]
        except UserError:
            return []

    def _nearest(self, found: list[Path], parts: tuple[str, ...], location: str, file: Path) -> Path:
        """The picture whose folders agree best with those in the label, else with the label's own."""
        ranks = {
            path: (
                *self._agreement(self._parts[path], parts),
                alike_at_start(path.parts[:-1], file.parts[:-1]),
            )
            for path in found
        }
        best = [path for path in found if ranks[path] == max(ranks.values())]
        if len(best) > 1:
            first, second, *_ = best
            place = readable(location)
            raise UserError("error.label_ambiguous", file=file, picture=place, first=first, second=second)
        return best[0]

    @staticmethod
    def _agreement(own: tuple[str, ...], wanted: tuple[str, ...]) -> tuple[int, bool, bool]:
        alike = alike_at_start(map(_key, own[-2::-1]), map(_key, wanted[-2::-1]))
        return alike, alike == len(own) - 1, readable(own[-1]) == readable(wanted[-1])


def _stems(name: str) -> list[str]:
    """Names whose stems the picture may have: all of `name`, and `name` without a picture's suffix."""
    suffix = Path(name).suffix.lower()
    return [f"{name}.x", *([name] if suffix in PICTURE_SUFFIXES | UNREADABLE_SUFFIXES else [])]


def alike_at_start(one: Iterable[str], other: Iterable[str]) -> int:
    """How many parts at the start of two paths are the same."""
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def locations(location: str) -> list[tuple[str, ...]]:
    r"""The possible readings of a location, each as folders and name, the most literal first.

    A key may contain `?`, `%3A` or `+`, an address may have a query, and Windows separates with `\`.
    """
    text = location.split("?d=", 1)[-1]
    cut = re.split(r"[?#]", text, maxsplit=1)[0]
    ways = dict.fromkeys([text, unquote(text), cut, unquote(cut), unquote_plus(cut)])
    parts = [
        tuple(part for part in re.split(separator, way) if part)
        for way in ways
        for separator in ("/", r"[/\\]")
    ]
    return [each for each in dict.fromkeys(parts) if each]


def _last(location: str) -> str:
    ways = locations(location)
    return ways[-1][-1] if ways else location


def read_picture(path: Path) -> np.ndarray:
    """Reads a picture, turned upright according to its EXIF orientation.

    Returns:
        `(height, width, 3)` uint8, blue-green-red.

    Raises:
        UserError: The picture cannot be decoded completely.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError("error.file_unreadable", path=path, why=system_says(error)) from error
    image = decoded(content)
    if image is None:
        raise UserError("error.picture_unreadable", path=path)
    return image


def decoded(content: bytes) -> np.ndarray | None:
    """The content of a picture file as `read_picture` returns it; None if it cannot be decoded completely."""
    import cv2

    # OpenCV fills the missing part of a truncated JPEG with grey and continues.
    if content and not (content.startswith(JPEG_START) and not _ends(content)):
        with suppress(cv2.error):  # Raised for a picture with more pixels than OpenCV accepts.
            return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    return None


def _ends(jpeg: bytes) -> bool:
    """Whether a JPEG is complete; a phone may have appended a film or a second picture."""
    at, scanned = 2, False
    while (marker := jpeg.find(b"\xff", at)) >= 0 and marker + 1 < len(jpeg):
        kind = jpeg[marker + 1]
        if kind == JPEG_END[1]:
            return scanned
        if kind in (0x00, 0xFF) or kind in JPEG_WITHOUT_LENGTH:
            at = marker + (1 if kind == 0xFF else 2)
            continue
        scanned = scanned or kind == JPEG_SCAN[1]
        at = marker + 2 + int.from_bytes(jpeg[marker + 2 : marker + 4])
    return False


def picture_size(path: Path) -> tuple[int, int]:
    """Width and height of a picture in pixels, in its upright orientation.

    Raises:
        UserError: The picture cannot be decoded.
    """
    height, width = read_picture(path).shape[:2]
    return width, height
