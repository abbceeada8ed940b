"""The checks of step 1."""

import hashlib
import json
import math
import os
import re
import subprocess
import sys
import tempfile
import traceback
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from brakepoint.course import ROOT
from brakepoint.errors import UserError
from brakepoint.labels.label_studio_export import Rectangle, RectangleValue
from brakepoint.messages import SignClass
from brakepoint.store.content import StoredObject
from brakepoint.workshop.checks.answers import kind, numbers, touched_files
from brakepoint.workshop.checks.bucket import NAME, PAGE_SIZE, FakeBucket
from brakepoint.workshop.verdicts import Wrong

Lab = Any
"""The attendee's module."""

SIZES_PX = ((640, 480), (1920, 1080))
"""The sizes of the pictures in the examples: that of the course's stills, and a different one."""
CLOSE_PX = 0.01
"""Tolerance that is smaller than any error from rounding to whole pixels."""
CLOSE_FRACTION = 1e-4
"""The same tolerance for fractions of a picture: less than half a pixel of the larger size."""
ROUNDED_FRACTION = 0.005
"""The difference that rounding to two decimals makes."""
SIDES = ("x", "y", "width", "height")
KEY = "stills/images/a.jpg"
SEEDS = 60
"""This many draws of 4 out of 20 scenes miss a given scene once in 30,000 times."""


def check_listing(lab: Lab) -> None:
    """Everything under the prefix is listed, over several pages, and nothing else."""
    images = [f"stills/images/{number}.jpg" for number in range(2 * PAGE_SIZE - 1)]
    keys = [*images, "stills/labels.json", "stills/night/0.jpg"]
    others = {"other/1": b"", "z": b"", "more/stills/1.jpg": b"", "stills": b""}
    objects = {key: b"x" * number for number, key in enumerate(keys)} | others
    bucket = FakeBucket(objects)
    listed = lab.list_objects(bucket, NAME, "stills/")
    if not isinstance(listed, list) or not all(isinstance(item, StoredObject) for item in listed):
        raise Wrong("step1.listing.type", found=kind(listed))
    found = [item.key for item in listed]
    if unknown := [key for key in found if key not in objects]:
        raise Wrong("step1.listing.key", name=unknown[0])
    if foreign := [key for key in found if not key.startswith("stills/")]:
        raise Wrong("step1.listing.prefix", name=foreign[0], prefix="stills/")
    if len(found) == PAGE_SIZE:
        raise Wrong("step1.listing.first_page", found=len(found), expected=len(keys))
    if sorted(found) != keys:
        raise Wrong("step1.listing.count", found=len(found), expected=len(keys))
    if {item.key: item.size_bytes for item in listed} != {key: n for n, key in enumerate(keys)}:
        raise Wrong("step1.listing.size")
    try:
        nothing = lab.list_objects(bucket, NAME, "nothing/")
    except KeyError:
        raise Wrong("step1.listing.no_contents") from None
    if nothing and not nothing[0].key.startswith("nothing/"):
        raise Wrong("step1.listing.prefix", name=nothing[0].key, prefix="nothing/")
    if nothing != []:
        raise Wrong("step1.listing.empty", found=nothing[0].key if nothing else kind(nothing))


def check_download(lab: Lab) -> None:
    """A download is complete and correct, and gets its final name only after verification."""
    content = b"a picture" * 100  # So few bytes may be missing until a file is closed.
    item, digest = StoredObject(KEY, len(content)), hashlib.sha256(content).hexdigest()
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "a.jpg"
        with touched_files() as touched:
            try:
                lab.download(FakeBucket({KEY: content}), NAME, item, digest, target)
            except UserError:
                raise Wrong("step1.download.refused") from None
        if not target.is_file():
            raise Wrong("step1.download.missing", found=_names(folder) or "–")
        if target.read_bytes() != content:
            raise Wrong("step1.download.content")
        if _names(folder) != target.name:
            raise Wrong("step1.download.litter", found=_names(folder))
        if target in touched.written:
            raise Wrong("step1.download.not_atomic")
        source = next((source for source, to in touched.renamed if to == target), target)
        if not source.is_relative_to(folder):
            raise Wrong("step1.download.elsewhere", found=str(source.parent))
    _check_replaced(lab, FakeBucket({KEY: content}), item, digest, content)
    cut = FakeBucket({KEY: content}, cut_to=100)
    _check_damaged(lab, cut, item, digest, "truncated")
    _check_damaged(lab, FakeBucket({KEY: b"A" + content[1:]}), item, digest, "other_content")
    _check_without_digest(lab, FakeBucket({KEY: content}), item)
    _check_damaged(lab, cut, item, None, "truncated")


def _check_replaced(lab: Lab, bucket: FakeBucket, item: StoredObject, digest: str, content: bytes) -> None:
    """A damaged file from an earlier download is replaced; the function is not called for an intact one."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "a.jpg"
        target.write_bytes(content[:100])
        lab.download(bucket, NAME, item, digest, target)
        if target.read_bytes() != content:
            raise Wrong("step1.download.stays")


def _check_without_digest(lab: Lab, bucket: FakeBucket, item: StoredObject) -> None:
    """A complete download is accepted even if its SHA-256 is unknown."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            lab.download(bucket, NAME, item, None, Path(folder) / "a.jpg")
        except UserError:
            raise Wrong("step1.download.no_digest") from None


def _check_damaged(lab: Lab, bucket: FakeBucket, item: StoredObject, digest: str | None, how: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "a.jpg"
        try:
            with touched_files() as touched:
                lab.download(bucket, NAME, item, digest, target)
        except UserError as error:
            if _names(folder):
                raise Wrong("step1.download.leftover", found=_names(folder)) from None
            if any(to == target for _, to in touched.renamed):
                raise Wrong("step1.download.renamed_first") from None
            if target.name not in str(error):
                raise Wrong("step1.download.unnamed", found=str(error), name=item.key) from None
            return
        except KeyError:
            raise Wrong("step1.download.unknown_text") from None
        except Exception as error:
            if _is_raised_by(lab, error):
                raise Wrong("step1.download.other_error", found=kind(error)) from None
            raise
        raise Wrong(f"step1.download.{how}")


def _is_raised_by(lab: Lab, error: Exception) -> bool:
    """Whether the attendee's code raises an exception on purpose, rather than by a mistake."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return frame.filename == lab.__file__ and (frame.line or "").startswith(("raise ", "assert "))


def check_percent(lab: Lab) -> None:
    """Percentages become pixels, each relative to its own side of the picture."""
    boxes = ((50, 25, 10, 20), (12.36, 56.79, 2.3, 4.1))
    for number, (percent, (across, down)) in enumerate(zip(boxes, SIZES_PX, strict=True), 1):
        x, y, width, height = percent
        found = _numbers(lab.top_left_and_size_px(_rectangle(percent, across, down)), 4, "percent")
        expected = (x / 100 * across, y / 100 * down, width / 100 * across, height / 100 * down)
        if _close(found, expected):
            continue
        mistakes = {
            "rounded": tuple(round(part) for part in expected),
            "as_pixels": percent,
            "as_fractions": (x / 100, y / 100, width / 100, height / 100),
            "hundredfold": tuple(100 * number for number in expected),
            "square": tuple(part / 100 * across for part in percent),
            "sides_swapped": (x / 100 * down, y / 100 * across, width / 100 * down, height / 100 * across),
            "fixed_size": tuple(part * side for part, side in zip(percent, (6.4, 4.8) * 2, strict=True)),
            "axes_swapped": (expected[1], expected[0], expected[3], expected[2]),
            "corners": (expected[0], expected[1], expected[0] + expected[2], expected[1] + expected[3]),
            "centre": (expected[0] + expected[2] / 2, expected[1] + expected[3] / 2, *expected[2:]),
        }
        _name_mistake("percent", found, expected, mistakes, number)


def check_yolo(lab: Lab) -> None:
    """A YOLO line has the class id, then the centre and the size as fractions of the picture."""
    for across, down in SIZES_PX:
        _check_line(lab, across, down)
        for box in ((0.0, 0.0, across / 2, down / 2), (10.0, 10.0, 10.02, 10.02)):
            _must_have_its_form(lab.yolo_line(SignClass.SPEED_LIMIT, box, across, down))


def _check_line(lab: Lab, across: int, down: int) -> None:
    """The line of a sign in a picture of this size, in pixels."""
    left, top, right, bottom = box = (97.0, 121.0, 160.0, 216.0)
    line = lab.yolo_line(SignClass.SPEED_LIMIT, box, across, down)
    if not isinstance(line, str) or len(line.split()) != 5:
        raise Wrong("step1.yolo.form", found=str(line)[:80])
    try:
        class_id, *found = (float(part) for part in line.split())
    except ValueError:
        raise Wrong("step1.yolo.form", found=line[:80]) from None
    if not math.isfinite(class_id):
        raise Wrong("step1.yolo.form", found=line[:80])
    if class_id != 1 or float(lab.yolo_line(SignClass.DANGER_AHEAD, box, across, down).split()[0]) != 0:
        raise Wrong("step1.yolo.class_id", found=round(class_id))
    width, height = (right - left) / across, (bottom - top) / down
    x, y = (left + right) / 2 / across, (top + bottom) / 2 / down
    if _close(tuple(found), (x, y, width, height), CLOSE_FRACTION):
        _must_have_its_form(line)
        return
    mistakes = {
        "corner": (left / across, top / down, width, height),
        "pixels": ((left + right) / 2, (top + bottom) / 2, right - left, bottom - top),
        "two_corners": (left / across, top / down, right / across, bottom / down),
        "axes_swapped": (y, x, height, width),
        "percent": (100 * x, 100 * y, 100 * width, 100 * height),
        "sides_swapped": (
            x * across / down,
            y * down / across,
            width * across / down,
            height * down / across,
        ),
        "corner_and_size": (x + left / 2 / across, y + top / 2 / down, right / across, bottom / down),
        "fixed_size": (x * across / 640, y * down / 480, width * across / 640, height * down / 480),
    }
    name = _mistake(tuple(found), (x, y, width, height), mistakes, CLOSE_FRACTION)
    if name in ("other", "corner_and_size"):
        name = _wrong_part(tuple(found), (x, y, width, height), name)
    if name == "rounded":
        _must_have_its_form(line)
    raise Wrong(f"step1.yolo.{name}", found=line, expected=f"1 {x:.6f} {y:.6f} {width:.6f} {height:.6f}")


def _wrong_part(found: tuple[float, ...], expected: tuple[float, ...], otherwise: str) -> str:
    """Which half of a line is wrong, if only one is."""
    if _close(found, expected, ROUNDED_FRACTION):
        return "rounded"
    if _close(found[2:], expected[2:], CLOSE_FRACTION):
        return "centre"
    return "size" if _close(found[:2], expected[:2], CLOSE_FRACTION) else otherwise


def _must_have_its_form(line: str) -> None:
    """The class id is an integer; the other numbers have six decimals, even where Python uses exponents."""
    class_id, *numbers = line.split()
    if not all(re.fullmatch(r"[01]\.\d{6}", number) for number in numbers):
        raise Wrong("step1.yolo.decimals", found=line)
    if class_id != "1":
        raise Wrong("step1.yolo.no_integer", found=class_id)
    if line != " ".join([class_id, *numbers]):
        raise Wrong("step1.yolo.spaces", found=repr(line))


def check_split(lab: Lab) -> None:
    """Scenes are split, not pictures, and nothing is lost or duplicated."""
    pictures = [
        "still-0000-0.jpg",
        *(f"still-{scene:04d}-{view}.jpg" for scene in range(1, 17) for view in range(6)),
        *("yard-1-0.jpg", "yard-1-1.jpg", "yard-12-0.jpg", "alone.jpg"),
    ]
    given = list(pictures)
    answer = lab.split(given, 0.2, 1)
    if not (isinstance(answer, tuple) and len(answer) == 2):
        raise Wrong("step1.split.type", found=kind(answer))
    if not all(isinstance(side, list | tuple) for side in answer):
        raise Wrong("step1.split.type", found=f"({', '.join(map(kind, answer))})")
    if given != pictures:
        raise Wrong("step1.split.shuffled")
    held_out: dict[frozenset[str], int] = defaultdict(int)
    for seed in range(SEEDS):
        held_out[_held_out(lab.split(list(pictures), 0.2, seed), pictures)] += 1
    counts = {len(scenes) for scenes in held_out}
    if len(counts) > 1:
        raise Wrong("step1.split.share_varies", fewest=min(counts), most=max(counts))
    (found,) = counts
    if not 3 <= found <= 5:
        name = "swapped" if 3 <= 20 - found <= 5 else "share"
        raise Wrong(f"step1.split.{name}", found=found, count=20)
    half = len(_held_out(lab.split(list(pictures), 0.5, 1), pictures))
    if not 9 <= half <= 11:
        raise Wrong("step1.split.share_ignored", found=half, count=20)
    if lab.split(list(pictures), 0.2, 1) != answer:
        raise Wrong("step1.split.not_repeatable")
    if len(held_out) < SEEDS / 2:
        raise Wrong("step1.split.seed_ignored", found=len(held_out), seeds=SEEDS)
    if never := {_scene(picture) for picture in pictures} - frozenset().union(*held_out):
        raise Wrong("step1.split.never_held_out", scene=min(never), seeds=SEEDS)
    if _held_out(lab.split(pictures[::-1], 0.2, 1), pictures) != _held_out(answer, pictures):
        raise Wrong("step1.split.order")
    for percent in (10, 90):
        if not all(lab.split(pictures[:7], percent / 100, 1)):
            raise Wrong("step1.split.empty", percent=percent)
    _check_split_elsewhere(lab, pictures)


def _held_out(answer: tuple[list[str], list[str]], pictures: list[str]) -> frozenset[str]:
    """The validation scenes; each picture must be on one side of the split, together with its scene."""
    training, validation = answer
    sides = [{_scene(picture) for picture in side if picture in pictures} for side in answer]
    if both := sorted(sides[0] & sides[1]):
        raise Wrong("step1.split.leak", scene=both[0], count=len(both))
    if set(training) | set(validation) <= set(map(_scene, pictures)):
        raise Wrong("step1.split.scenes", found=min([*training, *validation], default="–"))
    if sorted([*training, *validation]) != sorted(pictures):
        raise Wrong("step1.split.lost", found=len(training) + len(validation), expected=len(pictures))
    return frozenset(sides[1])


def _check_split_elsewhere(lab: Lab, pictures: list[str]) -> None:
    """The same seed gives the same split in every process, although the order of a set differs."""
    ask = (
        "import json, sys; from pathlib import Path\n"
        "from brakepoint.workshop.examination import load_module\n"
        "lab = load_module(Path(sys.argv[1])); print(json.dumps(lab.split(json.loads(sys.argv[2]), 0.2, 1)))"
    )
    command = [sys.executable, "-c", ask, lab.__file__, json.dumps(pictures)]
    runs = [
        subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed}, stdout=subprocess.PIPE, text=True
        )
        for seed in ("1", "2")
    ]
    one, other = (run.communicate()[0].splitlines()[-1] for run in runs)
    if one != other:
        raise Wrong("step1.split.unsorted")


def _scene(picture: str) -> str:
    return picture.rpartition("-")[0] or picture.rpartition(".")[0]


def _rectangle(percent: tuple[float, float, float, float], across: int, down: int) -> Rectangle:
    x, y, width, height = percent
    value = RectangleValue(x=x, y=y, width=width, height=height, rectanglelabels=(SignClass.SPEED_LIMIT,))
    return Rectangle(type="rectanglelabels", original_width=across, original_height=down, value=value)


def _numbers(answer: object, count: int, exercise: str) -> tuple[float, ...]:
    found = numbers(answer, count)
    if found is None:
        raise Wrong(f"step1.{exercise}.type", found=kind(answer))
    return found


def _close(found: tuple[float, ...], expected: tuple[float, ...], by: float = CLOSE_PX) -> bool:
    return all(abs(one - other) <= by for one, other in zip(found, expected, strict=True))


def _mistake(
    found: tuple[float, ...],
    expected: tuple[float, ...],
    mistakes: Mapping[str, tuple[float, ...]],
    close: float,
) -> str:
    """The name of the mistake that explains every number, or else of one that explains every wrong number."""
    for name, wrong in mistakes.items():
        if _close(found, wrong, close):
            return name
    for name, wrong in mistakes.items():
        parts = zip(found, wrong, expected, strict=True)
        if all(min(abs(one - as_wrong), abs(one - right)) <= close for one, as_wrong, right in parts):
            return name
    return "other"


def _name_mistake(
    exercise: str,
    found: tuple[float, ...],
    expected: tuple[float, ...],
    mistakes: dict[str, tuple[float, ...]],
    number: int,
) -> None:
    """Reports the mistake, and by how much the first wrong number is off."""
    index = next(i for i in range(len(expected)) if abs(found[i] - expected[i]) > CLOSE_PX)
    name = _mistake(found, expected, mistakes, CLOSE_PX)
    if name == "other" and _close(found, expected, 0.99):
        name = "rounded"
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
