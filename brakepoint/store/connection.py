"""The object store to use: the one of a data connection, else one in the same pod, else the kit's own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from brakepoint.errors import UserError
from brakepoint.store.client import make_client
from brakepoint.store.content import is_seeded, seed
from brakepoint.store.embedded import EMBEDDED_BUCKET, serve_s3
from brakepoint.store.errors import friendly_errors
from brakepoint.store.settings import BESIDE_VARIABLE, ENDPOINT_VARIABLE, setting

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

DEFAULT_REGION = "us-east-1"
KEY_VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
AMAZON = ".s3"
"""Suffix after the bucket in host names at Amazon."""


@dataclass(frozen=True)
class Connection:
    """How to reach a bucket.

    Attributes:
        endpoint: URL of the store.
        bucket: Name of the bucket.
        access_key: The access key.
        secret_key: The secret key; never printed.
        region: Region of the bucket, which some stores require.
        session_token: Token of a temporary key.
    """

    endpoint: str
    bucket: str
    access_key: str
    secret_key: str = field(repr=False)
    region: str = DEFAULT_REGION
    session_token: str = field(default="", repr=False)

    @classmethod
    def from_environment(cls) -> "Connection":
        """Reads the variables that an OpenShift AI data connection sets.

        Raises:
            UserError: One of these variables is missing.
        """
        names = (ENDPOINT_VARIABLE, "AWS_S3_BUCKET", *KEY_VARIABLES)
        missing = [name for name in names if not setting(name)]
        if missing:
            raise UserError("store.error.variables", missing=", ".join(missing), endpoint=ENDPOINT_VARIABLE)
        endpoint, bucket, access_key, secret_key = map(setting, names)
        for name in KEY_VARIABLES:
            if not setting(name).isascii():
                raise UserError("store.error.key_letters", variable=name)
        region = setting("AWS_DEFAULT_REGION") or DEFAULT_REGION
        address = _without_bucket(_with_scheme(endpoint, "https"), bucket)
        return cls(address, bucket, access_key, secret_key, region, setting("AWS_SESSION_TOKEN"))

    @cached_property
    def client(self) -> "S3Client":
        """A boto3 client for this store; several threads may share it.

        Raises:
            UserError: A value in the settings is not valid for a store.
        """
        return make_client(self.endpoint, self.region, (self.access_key, self.secret_key, self.session_token))


def _with_scheme(endpoint: str, scheme: str) -> str:
    return endpoint if "://" in endpoint else f"{scheme}://{endpoint}"


def _without_bucket(endpoint: str, bucket: str) -> str:
    """The store's address, derived from a bucket's: `https://store/BUCKET`, `https://BUCKET.s3.…`."""
    try:
        parts = urlsplit(endpoint)
    except ValueError:
        return endpoint
    host, path = parts.netloc, parts.path.rstrip("/")
    if host.startswith(f"{bucket}{AMAZON}"):
        host = host.removeprefix(f"{bucket}.")
    path = "" if path == f"/{bucket}" else path
    return parts._replace(netloc=host, path=path, query="", fragment="").geturl()


@contextmanager
def object_store() -> Iterator[Connection]:
    """Opens the data connection's store, else the pod's, else the kit's own, with the kit's content.

    Example:
        >>> with object_store() as store:
        ...     store.client.list_objects_v2(Bucket=store.bucket)

    Raises:
        UserError: The environment names a store incompletely, the pod's store does not answer, or the kit's
            own does not start.
    """
    if setting(ENDPOINT_VARIABLE):
        yield Connection.from_environment()
        return
    with _store_at_hand() as store:
        with friendly_errors(store.endpoint, store.bucket):
            if not is_seeded(store.client, store.bucket):
                seed(store.client, store.bucket)
        yield store


@contextmanager
def _store_at_hand() -> Iterator[Connection]:
    if beside := setting(BESIDE_VARIABLE):  # This store only serves its own pod, and requires no key.
        yield Connection(_with_scheme(beside, "http"), EMBEDDED_BUCKET, "anybody", "anybody")
        return
    with serve_s3() as (endpoint, access_key, secret_key):
        yield Connection(endpoint, EMBEDDED_BUCKET, access_key, secret_key)
