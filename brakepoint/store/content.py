"""What lies in the bucket: the content that comes with the kit, and how it gets there."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from brakepoint.errors import UserError
from brakepoint.models import BASE_CHECKPOINT, BASE_MODEL
from brakepoint.places import KIT

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CONTENT_DIR = KIT / "dataset"
STILLS_PREFIX = "stills/"
BASE_MODEL_PREFIX = "base-model/"
CHECKSUMS_NAME = "SHA256SUMS"
"""Names the hash of every object of the kit, as the command sha256sum writes it."""
SUM_LINE = re.compile(r"(?P<digest>[0-9a-fA-F]{64}) [ *](?P<name>.+)")
"""The star is for files read as binary, as on Windows."""
HAVE_BUCKET = {"BucketAlreadyExists", "BucketAlreadyOwnedByYou"}


@dataclass(frozen=True)
class StoredObject:
    """One object of a bucket.

    Attributes:
        key: Its name in the bucket, for instance `stills/images/still-0001-0.jpg`.
        size_bytes: Its size.
    """

    key: str
    size_bytes: int


def content() -> dict[str, Path]:
    """The files that come with the kit, by their key in the bucket: all of `dataset/`, and the base model.

    Raises:
        UserError: They are not there.
    """
    files = {path.relative_to(CONTENT_DIR).as_posix(): path for path in sorted(CONTENT_DIR.rglob("*"))}
    files |= {f"{BASE_MODEL_PREFIX}{path.name}": path for path in (BASE_CHECKPOINT, BASE_MODEL)}
    there = {key: path for key, path in files.items() if path.is_file()}
    if not there:
        raise UserError("store.error.no_content", folder=CONTENT_DIR)
    return there


def checksums(files: dict[str, Path]) -> str:
    """What `SHA256SUMS` says of files, given by key."""
    return "".join(f"{sha256(path)}  {key}\n" for key, path in files.items())


def is_seeded(client: "S3Client", bucket: str) -> bool:
    """Whether the very content of this kit is in a bucket already."""
    try:
        body = client.get_object(Bucket=bucket, Key=CHECKSUMS_NAME)["Body"].read()
    except ClientError:
        return False
    return bool(body == checksums(content()).encode())


def seed(client: "S3Client", bucket: str, on_progress: Callable[[int, int], None] | None = None) -> int:
    """Uploads the kit's content, and makes the bucket if it is not there.

    Args:
        client: From boto3.
        bucket: Its name.
        on_progress: Told the number of files done and of all.

    Returns:
        How many files were uploaded.

    Raises:
        UserError: The kit's content is not there.
    """
    files = content()
    make_bucket(client, bucket)
    for done, (key, path) in enumerate(files.items(), 1):
        client.put_object(Bucket=bucket, Key=key, Body=path.read_bytes())
        if on_progress is not None:
            on_progress(done, len(files))
    # Last: it says that all the rest is there.
    client.put_object(Bucket=bucket, Key=CHECKSUMS_NAME, Body=checksums(files).encode())
    return len(files)


def make_bucket(client: "S3Client", bucket: str) -> None:
    """Makes a bucket unless it is there."""
    try:
        client.head_bucket(Bucket=bucket)
    except ClientError as missing:
        if missing.response["Error"]["Code"] != "404":
            raise
        try:
            client.create_bucket(Bucket=bucket)
        except ClientError as error:
            if error.response["Error"]["Code"] not in HAVE_BUCKET:
                raise


def parse_checksums(content: str) -> dict[str, str]:
    """The hashes of `SHA256SUMS` by key.

    Raises:
        ValueError: A line is not one of sha256sum's.
    """
    lines = [line.strip() for line in content.removeprefix("\ufeff").splitlines() if line.strip()]
    found = [SUM_LINE.fullmatch(line) for line in lines]
    if not all(found):
        raise ValueError("not the output of sha256sum")
    return {match["name"]: match["digest"].lower() for match in found if match}


def sha256(path: Path) -> str:
    """The hash of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
