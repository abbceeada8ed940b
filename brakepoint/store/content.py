"""What lies in the bucket: the content that comes with the kit, and how it gets there."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from brakepoint.errors import UserError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CONTENT_DIR = Path(__file__).resolve().parents[2] / "dataset"
STILLS_PREFIX = "stills/"
CHECKSUMS_NAME = "SHA256SUMS"
"""Names the hash of every object under a prefix, as the command sha256sum writes it."""
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


def is_seeded(client: "S3Client", bucket: str) -> bool:
    """Whether the very content of this kit is in a bucket already."""
    try:
        body = client.get_object(Bucket=bucket, Key=STILLS_PREFIX + CHECKSUMS_NAME)["Body"].read()
    except ClientError:
        return False
    return bool(body == (CONTENT_DIR / STILLS_PREFIX / CHECKSUMS_NAME).read_bytes())


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
    files = sorted(path for path in (CONTENT_DIR / STILLS_PREFIX).rglob("*") if path.is_file())
    if not files:
        raise UserError("store.error.no_content", folder=CONTENT_DIR)
    files.sort(key=lambda path: path.name == CHECKSUMS_NAME)  # Last: it says that all the rest is there.
    _make_bucket(client, bucket)
    for done, path in enumerate(files, 1):
        key = path.relative_to(CONTENT_DIR).as_posix()
        client.put_object(Bucket=bucket, Key=key, Body=path.read_bytes())
        if on_progress is not None:
            on_progress(done, len(files))
    return len(files)


def _make_bucket(client: "S3Client", bucket: str) -> None:
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


def write_checksums(folder: Path) -> None:
    """Writes `SHA256SUMS` for everything in a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != CHECKSUMS_NAME)
    lines = [f"{sha256(path)}  {path.relative_to(folder).as_posix()}\n" for path in files]
    (folder / CHECKSUMS_NAME).write_text("".join(lines), encoding="utf-8")


def parse_checksums(content: str) -> dict[str, str]:
    """The hashes of `SHA256SUMS` by file name."""
    pairs = (line.split(maxsplit=1) for line in content.splitlines() if line.strip())
    return {name.strip(): digest for digest, name in pairs}


def sha256(path: Path) -> str:
    """The hash of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
