"""A boto3 client that uses only the connection's settings, and reports a server that isn't a store."""

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import (
    ConnectTimeoutError,
    EndpointConnectionError,
    InvalidRegionError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
)
from botocore.session import Session

from brakepoint.errors import UserError
from brakepoint.store.settings import ADDRESSING_VARIABLE, CA_VARIABLES, setting

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 5, 20
ATTEMPTS, ATTEMPTS_TO_REACH = 5, 2
"""Number of attempts at a store that requests a delay (SlowDown), and at one that does not answer at all."""
WORKERS = 8
"""Number of parallel downloads."""
NOT_REACHED = (
    ConnectTimeoutError,
    EndpointConnectionError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
)
GATEWAY = (502, 503, 504)
"""Status codes of a gateway whose store does not answer."""
BUCKET_REGION = "x-amz-bucket-region"
"""Header with which Amazon reports a bucket's region; boto3 then follows automatically."""
WANTS_TLS = b"HTTPS server"
"""Part of the answer of stores and proxies written in Go to HTTP requests on an HTTPS port."""


def make_client(endpoint: str, region: str, key: tuple[str, str, str]) -> "S3Client":
    """Creates a client; several threads may share it.

    Args:
        endpoint: URL of the store.
        region: Region of the bucket, which some stores require.
        key: The access key, the secret key and the session's token, which may be empty.

    Raises:
        UserError: A value in the settings is not valid for a store.
    """
    _check(endpoint)
    access_key, secret_key, session_token = key
    client: S3Client
    try:
        client = _session().client(
            "s3",
            endpoint_url=endpoint,
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
            aws_session_token=session_token or None,
            region_name=region,
            verify=_authorities(endpoint),
            config=Config(
                connect_timeout=CONNECT_TIMEOUT_S,
                read_timeout=READ_TIMEOUT_S,
                retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
                max_pool_connections=WORKERS,
                s3={"addressing_style": _addressing_style(), "us_east_1_regional_endpoint": "regional"},
                # Stores other than Amazon's often do not support the newer checksums.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )
    except InvalidRegionError as error:
        raise UserError("store.error.region", region=region) from error
    except ValueError as error:  # boto3 is stricter about a host's name than urlsplit.
        raise UserError("store.error.address", endpoint=endpoint) from error
    # Registered before boto3's own handler, which follows any redirection endlessly to find a bucket's
    # region.
    client.meta.events.register_first("needs-retry.s3", _Judge(endpoint).look)
    return client


@cache
def _session() -> boto3.Session:
    """A session that reads neither the AWS_* variables nor the files of other tools."""
    session = Session()
    for name, (_, _, default, convert) in list(session.session_var_map.items()):
        session.session_var_map[name] = (None, None, default, convert)
    for name in ("config_file", "credentials_file"):
        session.session_var_map[name] = (None, None, os.devnull, None)
    return boto3.Session(botocore_session=session)


def _check(endpoint: str) -> None:
    try:
        parts = urlsplit(endpoint)
        is_address = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        is_address = is_address and not (parts.query or parts.fragment)
    except ValueError:
        is_address = False
    if not is_address:
        raise UserError("store.error.address", endpoint=endpoint)


def _authorities(endpoint: str) -> str | None:
    """The file with the trusted authorities, if one is named, for an endpoint that uses HTTPS."""
    named = next((name for name in CA_VARIABLES if setting(name)), None)
    if named is None or not endpoint.startswith("https:"):
        return None
    if not Path(setting(named)).exists():
        raise UserError("store.error.no_authorities", variable=named, path=setting(named))
    return setting(named)


def _addressing_style() -> Literal["path", "virtual"]:
    style = setting(ADDRESSING_VARIABLE)
    if style in ("", "path"):
        return "path"
    if style == "virtual":
        return "virtual"
    raise UserError("store.error.addressing", variable=ADDRESSING_VARIABLE, style=style)


class _Judge:
    """Examines each answer before boto3 decides whether to retry.

    Args:
        endpoint: URL of the store.
    """

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint

    def look(self, response: Any, attempts: int, caught_exception: Exception | None, **_: object) -> None:
        """Raises an error if retrying would be useless.

        Args:
            response: The answer, raw and parsed; None if there was none.
            attempts: Number of attempts so far.
            caught_exception: The exception that was raised instead of an answer.

        Raises:
            UserError: The server isn't a store, or redirects elsewhere.
        """
        if isinstance(caught_exception, NOT_REACHED) and attempts >= ATTEMPTS_TO_REACH:
            raise caught_exception
        if response is None:
            return
        raw = response[0]
        if 300 <= raw.status_code < 400 and raw.status_code != 304 and BUCKET_REGION not in raw.headers:
            target = urlsplit(raw.headers.get("Location", ""))
            elsewhere = response[1].get("Error", {}).get("Endpoint", "?")
            where = f"{target.scheme}://{target.netloc}" if target.netloc else elsewhere
            raise UserError("store.error.redirects", endpoint=self._endpoint, target=where)
        if raw.status_code == 400 and WANTS_TLS in raw.content:
            raise UserError("store.error.wants_tls", endpoint=self._endpoint)
        is_page = raw.headers.get("Content-Type", "").startswith("text/html")
        if is_page and raw.status_code not in GATEWAY:
            raise UserError("store.error.web_page", endpoint=self._endpoint)
