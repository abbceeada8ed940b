"""Step 1: from a bucket of labelled pictures to a dataset for training a detector.

The pictures and their Label Studio export are in a bucket. We list and download them, and verify that they
arrive complete and undamaged; turn Label Studio's rectangles into YOLO labels; and split the pictures by
scene, so that the detector is evaluated on places that it has never seen.
"""

import math
import random
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from brakepoint.errors import UserError
from brakepoint.labels.label_studio_export import Annotation, Rectangle, Task
from brakepoint.labels.signs import LEAST_SIDE
from brakepoint.messages import SignClass
from brakepoint.store.content import StoredObject, sha256

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Point = tuple[float, float]
Box = tuple[float, float, float, float]


def list_objects(client: "S3Client", bucket: str, prefix: str) -> list[StoredObject]:
    """Lists every object whose key starts with a prefix.

    Args:
        client: From boto3. One answer of `client.list_objects_v2` contains at most 1000 objects.
        bucket: Name of the bucket.
        prefix: For instance `stills/`.

    Returns:
        All objects; an empty list if there are none.
    """
    # lab: listing
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [StoredObject(item["Key"], item["Size"]) for page in pages for item in page.get("Contents", ())]
    # instead: raise NotImplementedError


def is_intact(path: Path, size_bytes: int, digest: str | None) -> bool:
    """Whether a file exists, has the right size and, if known, the right SHA-256 (see `sha256`)."""
    if not path.is_file() or path.stat().st_size != size_bytes:
        return False
    return digest is None or sha256(path) == digest


def download(client: "S3Client", bucket: str, item: StoredObject, digest: str | None, target: Path) -> None:
    """Downloads an object, so that `target` is complete and correct, or does not exist at all.

    Args:
        client: From boto3: `client.download_file(bucket, key, file_name)`.
        bucket: Name of the bucket.
        item: The object: its `key` and its `size_bytes`.
        digest: Its SHA-256, if known.
        target: The file to create; its folder exists.

    Raises:
        UserError: The download is damaged.
    """
    # lab: download
    part = target.with_name(f"{target.name}.part")
    client.download_file(bucket, item.key, str(part))
    if not is_intact(part, item.size_bytes, digest):
        part.unlink()
        raise UserError("store.error.damaged", name=item.key)
    part.replace(target)
    # instead: raise NotImplementedError


def top_left_and_size_px(rectangle: Rectangle) -> Box:
    """A rectangle in pixels, ignoring its rotation: `(x, y, width, height)`.

    Args:
        rectangle: Its `value` contains percentages of `original_width` and `original_height` (pixels).
    """
    # lab: percent
    value = rectangle.value
    across, down = rectangle.original_width / 100, rectangle.original_height / 100
    return value.x * across, value.y * down, value.width * across, value.height * down
    # instead: raise NotImplementedError


def corners(box: Box, rotation_deg: float) -> list[Point]:
    """The four corners, in pixels, of a rectangle rotated clockwise about its top left corner.

    A corner at `(right, down)` from the top left one is, after a rotation by `a`, at `(right * cos a - down *
    sin a, right * sin a + down * cos a)` from that corner.

    Args:
        box: `(x, y, width, height)` in pixels.
        rotation_deg: Degrees; `math.cos` and `math.sin` expect radians.
    """
    x, y, width, height = box
    cos, sin = math.cos(math.radians(rotation_deg)), math.sin(math.radians(rotation_deg))
    offsets = ((0, 0), (width, 0), (width, height), (0, height))
    return [(x + right * cos - down * sin, y + right * sin + down * cos) for right, down in offsets]


def upright_box(points: Iterable[Point], width: int, height: int) -> Box:
    """The smallest upright box around some points: `(left, top, right, bottom)`, clipped at the edges.

    If all points are outside the picture, the box is a line along the edge, without any area.
    """
    xs, ys = zip(*points, strict=True)
    left, right = (min(max(x, 0.0), float(width)) for x in (min(xs), max(xs)))
    top, bottom = (min(max(y, 0.0), float(height)) for y in (min(ys), max(ys)))
    return left, top, right, bottom


def yolo_line(sign_class: SignClass, box: Box, width: int, height: int) -> str:
    """Writes a label in YOLO format: `class x y width height`.

    Args:
        sign_class: Its class id is its position in `SignClass`, from 0.
        box: `(left, top, right, bottom)` in pixels.
        width: Width of the picture in pixels.
        height: Height of the picture in pixels.

    Returns:
        The class id, then the box's **centre** and size as fractions of the picture (0 to 1), with six
        decimals, for instance `0 0.500000 0.250000 0.100000 0.200000`.
    """
    # lab: yolo
    left, top, right, bottom = box
    class_id = list(SignClass).index(sign_class)
    centre = f"{(left + right) / 2 / width:.6f} {(top + bottom) / 2 / height:.6f}"
    return f"{class_id} {centre} {(right - left) / width:.6f} {(bottom - top) / height:.6f}"
    # instead: raise NotImplementedError


def annotation_that_counts(task: Task) -> Annotation | None:
    """The annotation that counts: of those that were not skipped, the one that was updated last.

    Args:
        task: Its `annotations` each have `was_cancelled` and `updated_at`.

    Returns:
        None if no one has answered: then we know nothing about the picture, not even that it is empty.
    """
    answers = [annotation for annotation in task.annotations if not annotation.was_cancelled]
    return max(answers, key=lambda annotation: annotation.updated_at, default=None)


def yolo_labels(task: Task) -> list[str] | None:
    """The YOLO lines of one picture; None if no one has labelled it.

    Raises:
        UserError: A rectangle has no area inside the picture.
    """
    annotation = annotation_that_counts(task)
    if annotation is None:
        return None
    lines = []
    for rectangle in annotation.result:
        points = corners(top_left_and_size_px(rectangle), rectangle.value.rotation)
        width, height = rectangle.original_width, rectangle.original_height
        left, top, right, bottom = box = upright_box(points, width, height)
        if (right - left) / width < LEAST_SIDE or (bottom - top) / height < LEAST_SIDE:
            raise UserError("error.label_outside", file=task.picture)
        lines.append(yolo_line(rectangle.sign_class, box, width, height))
    return lines


def scene_of(picture: str) -> str:
    """The scene that a picture shows: `still-0012` for `still-0012-3.jpg`, its third view.

    A picture without a hyphen in its name is its own scene.
    """
    return picture.rpartition("-")[0] or picture.rpartition(".")[0]


def split(pictures: list[str], validation_share: float, seed: int) -> tuple[list[str], list[str]]:
    """Splits pictures into those for training and those for validation.

    The views of one scene look almost alike. All of them go to the same side: otherwise the validation would
    test what was learnt by heart.

    Args:
        pictures: File names, of at least two scenes, in any order.
        validation_share: Approximate share of the **scenes** that goes to validation, at least one scene and
            not all.
        seed: The same seed gives the same split: `random.Random(seed)`.

    Returns:
        The pictures for training, and those for validation; each picture is in one of them.
    """
    # lab: split
    scenes = sorted({scene_of(picture) for picture in pictures})
    random.Random(seed).shuffle(scenes)
    held_out = set(scenes[: min(max(round(len(scenes) * validation_share), 1), len(scenes) - 1)])
    training = [picture for picture in pictures if scene_of(picture) not in held_out]
    return training, [picture for picture in pictures if scene_of(picture) in held_out]
    # instead: raise NotImplementedError
