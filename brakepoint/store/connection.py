"""Which object store to use: that of a data connection, or else one beside us, or else one of our own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from brakepoint.errors import UserError
from brakepoint.store.content import is_seeded, seed
from brakepoint.store.embedded import EMBEDDED_BUCKET, serve_s3
from brakepoint.store.errors import friendly_errors

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ENDPOINT_VARIABLE = "AWS_S3_ENDPOINT"
BESIDE_VARIABLE = "BRAKEPOINT_STORE"
"""URL of a store in the same pod, as a workspace has one; a data connection outweighs it."""
DEFAULT_REGION = "us-east-1"
CONNECT_TIMEOUT_S, READ_TIMEOUT_S, ATTEMPTS = 5, 20, 2
WORKERS = 8
"""Downloads at a time."""


@dataclass(frozen=True)
class Connection:
    """How to reach a bucket.

    Attributes:
        endpoint: URL of the store.
        bucket: Name of the bucket.
        access_key: Who we are.
        secret_key: How we prove it; never printed.
        region: Some stores want one.
    """

    endpoint: str
    bucket: str
    access_key: str
    secret_key: str = field(repr=False)
    region: str = DEFAULT_REGION

    @classmethod
    def from_environment(cls) -> "Connection":
        """Reads the variables that an OpenShift AI data connection sets.

        Raises:
            UserError: One of them is missing.
        """
        names = (ENDPOINT_VARIABLE, "AWS_S3_BUCKET", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
        missing = [name for name in names if not os.environ.get(name)]
        if missing:
            raise UserError("store.error.variables", missing=", ".join(missing), endpoint=ENDPOINT_VARIABLE)
        endpoint, bucket, access_key, secret_key = (os.environ[name] for name in names)
        if "://" not in endpoint:
            endpoint = f"https://{endpoint}"
        return cls(
            endpoint, bucket, access_key, secret_key, os.environ.get("AWS_DEFAULT_REGION") or DEFAULT_REGION
        )

    @cached_property
    def client(self) -> "S3Client":
        """A boto3 client for this store; several threads may share it.

        Raises:
            UserError: The endpoint is no URL.
        """
        try:
            return boto3.client(
                "s3",
                endpoint_url=self.endpoint,
                aws_access_key_id=self.access_key,
                aws_secret_access_key=self.secret_key,
                region_name=self.region,
                config=Config(
                    connect_timeout=CONNECT_TIMEOUT_S,
                    read_timeout=READ_TIMEOUT_S,
                    retries={"total_max_attempts": ATTEMPTS},
                    max_pool_connections=WORKERS,
                    s3={"addressing_style": "path"},
                    # Stores that are not Amazon's often do not know the newer checksums.
                    request_checksum_calculation="when_required",
                    response_checksum_validation="when_required",
                ),
            )
        except ValueError as error:
            raise UserError("store.error.endpoint", endpoint=self.endpoint) from error


@contextmanager
def object_store() -> Iterator[Connection]:
    """Opens the store of the data connection, or else one beside us or of our own, with the kit's content.

    Example:
        >>> with object_store() as store:
        ...     store.client.list_objects_v2(Bucket=store.bucket)

    Raises:
        UserError: The environment names a store only by half, or the one beside us does not answer, or ours
            does not start.
    """
    if os.environ.get(ENDPOINT_VARIABLE):
        yield Connection.from_environment()
        return
    with _store_at_hand() as store:
        with friendly_errors(store.endpoint, store.bucket):
            if not is_seeded(store.client, store.bucket):
                seed(store.client, store.bucket)
        yield store


@contextmanager
def _store_at_hand() -> Iterator[Connection]:
    beside = os.environ.get(BESIDE_VARIABLE)
    if beside:  # It listens to its own pod alone, and asks nobody for a key.
        yield Connection(beside, EMBEDDED_BUCKET, "anybody", "anybody")
        return
    with serve_s3() as (endpoint, access_key, secret_key):
        yield Connection(endpoint, EMBEDDED_BUCKET, access_key, secret_key)
