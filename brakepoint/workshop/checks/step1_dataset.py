"""The checks of step 1."""

import hashlib
import tempfile
from pathlib import Path
from typing import Any

from brakepoint.errors import UserError
from brakepoint.labels.label_studio_export import Rectangle, RectangleValue
from brakepoint.messages import SignClass
from brakepoint.store.content import StoredObject
from brakepoint.workshop.checks.answers import kind, numbers
from brakepoint.workshop.checks.bucket import NAME, PAGE_SIZE, FakeBucket
from brakepoint.workshop.verdicts import Wrong

Lab = Any
"""The attendee's module."""

WIDTH_PX, HEIGHT_PX = 640, 480
CLOSE_PX = 0.5
SIDES = ("x", "y", "width", "height")


def check_listing(lab: Lab) -> None:
    """Everything under the prefix is listed, over several pages, and nothing else."""
    keys = [f"stills/images/{number}.jpg" for number in range(2 * PAGE_SIZE + 1)]
    bucket = FakeBucket({key: b"x" * number for number, key in enumerate(keys)} | {"other/1": b"", "z": b""})
    listed = lab.list_objects(bucket, NAME, "stills/")
    if not isinstance(listed, list) or not all(isinstance(item, StoredObject) for item in listed):
        raise Wrong("step1.listing.type", found=kind(listed))
    found = [item.key for item in listed]
    if foreign := [key for key in found if not key.startswith("stills/")]:
        raise Wrong("step1.listing.prefix", name=foreign[0])
    if len(found) == PAGE_SIZE:
        raise Wrong("step1.listing.first_page", found=len(found), expected=len(keys))
    if sorted(found) != keys:
        raise Wrong("step1.listing.count", found=len(found), expected=len(keys))
    if [item.size_bytes for item in listed] != list(range(len(keys))):
        raise Wrong("step1.listing.size")
    try:
        nothing = lab.list_objects(bucket, NAME, "nothing/")
    except KeyError:
        raise Wrong("step1.listing.no_contents") from None
    if nothing:
        raise Wrong("step1.listing.empty")


def check_download(lab: Lab) -> None:
    """What arrives is whole and right, under its name only when it is proven."""
    content = b"a picture" * 1000
    item, digest = StoredObject("a.jpg", len(content)), hashlib.sha256(content).hexdigest()
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "a.jpg"
        bucket = FakeBucket({"a.jpg": content})
        lab.download(bucket, NAME, item, digest, target)
        if not target.is_file():
            raise Wrong("step1.download.missing", found=_names(folder))
        if target.read_bytes() != content:
            raise Wrong("step1.download.content")
        if target.name in bucket.written:
            raise Wrong("step1.download.not_atomic")
        if _names(folder) != target.name:
            raise Wrong("step1.download.litter", found=_names(folder))
    _check_damaged(lab, FakeBucket({"a.jpg": content}, cut_to=100), item, digest, "truncated")
    _check_damaged(lab, FakeBucket({"a.jpg": b"A" + content[1:]}), item, digest, "other_content")


def _check_damaged(lab: Lab, bucket: FakeBucket, item: StoredObject, digest: str, how: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / item.key
        try:
            lab.download(bucket, NAME, item, digest, target)
        except UserError:
            if _names(folder):
                raise Wrong("step1.download.leftover", found=_names(folder)) from None
            return
        except KeyError:
            raise Wrong("step1.download.unknown_text") from None
        raise Wrong(f"step1.download.{how}")


def check_percent(lab: Lab) -> None:
    """Percentages become pixels, each of its own side of the picture."""
    for number, (x, y, width, height) in enumerate(((50, 25, 10, 20), (12.5, 80, 2, 4)), 1):
        found = _numbers(lab.top_left_and_size_px(_rectangle(x, y, width, height)), 4, "percent")
        expected = (x / 100 * WIDTH_PX, y / 100 * HEIGHT_PX, width / 100 * WIDTH_PX, height / 100 * HEIGHT_PX)
        if _close(found, expected):
            continue
        mistakes = {
            "as_pixels": (x, y, width, height),
            "as_fractions": (x / 100, y / 100, width / 100, height / 100),
            "hundredfold": tuple(100 * number for number in expected),
            "sides_swapped": (
                x / 100 * HEIGHT_PX,
                y / 100 * WIDTH_PX,
                width / 100 * HEIGHT_PX,
                height / 100 * WIDTH_PX,
            ),
            "square": tuple(part / 100 * WIDTH_PX for part in (x, y, width, height)),
            "axes_swapped": (expected[1], expected[0], expected[3], expected[2]),
            "corners": (expected[0], expected[1], expected[0] + expected[2], expected[1] + expected[3]),
        }
        _name_mistake("percent", found, expected, mistakes, number)


def check_yolo(lab: Lab) -> None:
    """A YOLO line is class id, centre and size, as fractions."""
    left, top, right, bottom = box = (96.0, 120.0, 160.0, 216.0)
    line = lab.yolo_line(SignClass.SPEED_LIMIT, box, WIDTH_PX, HEIGHT_PX)
    if not isinstance(line, str) or len(line.split()) != 5:
        raise Wrong("step1.yolo.form", found=str(line)[:80])
    try:
        class_id, *found = (float(part) for part in line.split())
    except ValueError:
        raise Wrong("step1.yolo.form", found=line[:80]) from None
    if (
        class_id != 1
        or float(lab.yolo_line(SignClass.DANGER_AHEAD, box, WIDTH_PX, HEIGHT_PX).split()[0]) != 0
    ):
        raise Wrong("step1.yolo.class_id", found=round(class_id))
    width, height = (right - left) / WIDTH_PX, (bottom - top) / HEIGHT_PX
    x, y = (left + right) / 2 / WIDTH_PX, (top + bottom) / 2 / HEIGHT_PX
    if _close(tuple(found), (x, y, width, height), 1e-4):
        return
    mistakes = {
        "corner": (left / WIDTH_PX, top / HEIGHT_PX, width, height),
        "pixels": ((left + right) / 2, (top + bottom) / 2, right - left, bottom - top),
        "two_corners": (left / WIDTH_PX, top / HEIGHT_PX, right / WIDTH_PX, bottom / HEIGHT_PX),
        "axes_swapped": (y, x, height, width),
    }
    for name, wrong in mistakes.items():
        if _close(tuple(found), wrong, 1e-4):
            raise Wrong(f"step1.yolo.{name}")
    raise Wrong("step1.yolo.other", found=line, expected=f"1 {x:.6f} {y:.6f} {width:.6f} {height:.6f}")


def check_split(lab: Lab) -> None:
    """Scenes are split, not pictures, and nothing is lost or doubled."""
    pictures = [f"still-{scene:04d}-{view}.jpg" for scene in range(1, 21) for view in range(6)]
    answer = lab.split(list(pictures), 0.2, 1)
    if not (isinstance(answer, tuple) and len(answer) == 2):
        raise Wrong("step1.split.type", found=kind(answer))
    training, validation = answer
    scenes = [{picture.rpartition("-")[0] for picture in side} for side in answer]
    if both := sorted(scenes[0] & scenes[1]):
        raise Wrong("step1.split.leak", scene=both[0], count=len(both))
    if sorted([*training, *validation]) != pictures:
        raise Wrong("step1.split.lost", found=len(training) + len(validation), expected=len(pictures))
    if not 2 <= len(scenes[1]) <= 6:
        raise Wrong("step1.split.share", found=len(scenes[1]), count=20)
    if lab.split(list(pictures), 0.2, 1) != answer:
        raise Wrong("step1.split.not_repeatable")
    if lab.split(list(pictures), 0.2, 2)[1] == validation == lab.split(list(pictures), 0.2, 3)[1]:
        raise Wrong("step1.split.seed_ignored")
    if not all(lab.split(pictures[:12], 0.1, 1)):
        raise Wrong("step1.split.empty")


def _rectangle(x: float, y: float, width: float, height: float) -> Rectangle:
    value = RectangleValue(x=x, y=y, width=width, height=height, rectanglelabels=(SignClass.SPEED_LIMIT,))
    return Rectangle(type="rectanglelabels", original_width=WIDTH_PX, original_height=HEIGHT_PX, value=value)


def _numbers(answer: object, count: int, exercise: str) -> tuple[float, ...]:
    found = numbers(answer, count)
    if found is None:
        raise Wrong(f"step1.{exercise}.type", found=kind(answer))
    return found


def _close(found: tuple[float, ...], expected: tuple[float, ...], by: float = CLOSE_PX) -> bool:
    return all(abs(one - other) <= by for one, other in zip(found, expected, strict=True))


def _name_mistake(
    exercise: str,
    found: tuple[float, ...],
    expected: tuple[float, ...],
    mistakes: dict[str, tuple[float, ...]],
    number: int,
) -> None:
    """Says which mistake it was, and by how much the first wrong number is off."""
    index = next(i for i in range(len(expected)) if abs(found[i] - expected[i]) > CLOSE_PX)
    name = next((name for name, wrong in mistakes.items() if _close(found, wrong)), "other")
    off_px = found[index] - expected[index]
    raise Wrong(
        f"step1.{exercise}.{name}",
        number=number,
        side=SIDES[index],
        found=round(found[index], 2),
        expected=round(expected[index], 2),
        off=round(abs(off_px)),
    )


def _names(folder: str) -> str:
    return ", ".join(sorted(path.name for path in Path(folder).iterdir()))
