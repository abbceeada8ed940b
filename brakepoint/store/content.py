"""The content of the bucket: the files that come with the kit, and their upload."""

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
"""Key of the file with the hash of every object of the kit, in the format of sha256sum."""
SUM_LINE = re.compile(r"(?P<digest>[0-9a-fA-F]{64}) [ *](?P<name>.+)")
"""The asterisk marks files that were read as binary, as on Windows."""
HAVE_BUCKET = {"BucketAlreadyExists", "BucketAlreadyOwnedByYou"}


@dataclass(frozen=True)
class StoredObject:
    """One object of a bucket.

    Attributes:
        key: Name of the object in the bucket, for instance `stills/images/still-0001-0.jpg`.
        size_bytes: Size of the object.
    """

    key: str
    size_bytes: int


def content() -> dict[str, Path]:
    """The files that come with the kit, by their key in the bucket: all of `dataset/`, and the base model.

    Hidden files are left out: they come from other programs, for example from the Finder, which writes one
    into every folder that it shows.

    Raises:
        UserError: The files are missing.
    """
    files = {path.relative_to(CONTENT_DIR).as_posix(): path for path in sorted(CONTENT_DIR.rglob("*"))}
    files = {key: path for key, path in files.items() if not re.search(r"(^|/)\.", key)}
    files |= {f"{BASE_MODEL_PREFIX}{path.name}": path for path in (BASE_CHECKPOINT, BASE_MODEL)}
    there = {key: path for key, path in files.items() if path.is_file()}
    if not there:
        raise UserError("store.error.no_content", folder=CONTENT_DIR)
    return there


def checksums(files: dict[str, Path]) -> str:
    """The contents of `SHA256SUMS` for files that are given by key."""
    return "".join(f"{sha256(path)}  {key}\n" for key, path in files.items())


def is_seeded(client: "S3Client", bucket: str) -> bool:
    """Whether a bucket already contains exactly the content of this kit."""
    try:
        body = client.get_object(Bucket=bucket, Key=CHECKSUMS_NAME)["Body"].read()
    except ClientError:
        return False
    return bool(body == checksums(content()).encode())


def seed(client: "S3Client", bucket: str, on_progress: Callable[[int, int], None] | None = None) -> int:
    """Uploads the kit's content, and creates the bucket if it does not exist.

    Args:
        client: Client from boto3.
        bucket: Name of the bucket.
        on_progress: Called with the number of files done and the total.

    Returns:
        The number of uploaded files.

    Raises:
        UserError: The kit's content is missing.
    """
    files = content()
    make_bucket(client, bucket)
    for done, (key, path) in enumerate(files.items(), 1):
        client.put_object(Bucket=bucket, Key=key, Body=path.read_bytes())
        if on_progress is not None:
            on_progress(done, len(files))
    # The checksums come last: they show that everything else is there.
    client.put_object(Bucket=bucket, Key=CHECKSUMS_NAME, Body=checksums(files).encode())
    return len(files)


def make_bucket(client: "S3Client", bucket: str) -> None:
    """Creates a bucket unless it exists."""
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
        ValueError: A line isn't in the format of sha256sum.
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
