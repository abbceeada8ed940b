"""Errors of an object store, with messages that tell a person what to do."""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from boto3.exceptions import RetriesExceededError
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProxyConnectionError,
    ReadTimeoutError,
    ResponseStreamingError,
    SSLError,
)

from brakepoint.errors import UserError
from brakepoint.proxies import proxies_set
from brakepoint.store.settings import ADDRESSING_VARIABLE, BESIDE_VARIABLE, ENDPOINT_VARIABLE, setting

CUT_SHORT = (IncompleteReadError, ReadTimeoutError, ResponseStreamingError, RetriesExceededError)
NO_BUCKET = {"NoSuchBucket"}
NO_OBJECT = {"NoSuchKey", "404"}
WRITING = {"PutObject", "CreateBucket"}
"""Operations that need no object: a server that answers them with "not found" is not a store."""
REFUSED = {
    "401",
    "403",
    "AccessDenied",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "InvalidToken",
    "ExpiredToken",
    "ExpiredTokenException",
    "TokenRefreshRequired",
    "UnauthorizedAccess",
}
BUSY = {"SlowDown", "ServiceUnavailable", "TooManyRequests", "RequestLimitExceeded", "429", "503"}
CLOCK = {"RequestTimeTooSkewed", "RequestExpired"}
VIRTUAL_ONLY = {"SecondLevelDomainForbidden", "PathStyleDomainForbidden"}
"""Error codes of stores that require the bucket in the host name."""
OUT_OF_TIME = ("not yet valid", "has expired")
"""OpenSSL's errors for a certificate that isn't valid at this machine's time."""
NOT_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNEXPECTED_EOF")
"""OpenSSL's errors for a peer that does not use TLS."""


@contextmanager
def friendly_errors(endpoint: str, bucket: str) -> Iterator[None]:
    """Turns errors of boto3 and the disk into one line that says what to do.

    Args:
        endpoint: URL of the store, for messages.
        bucket: Name of the bucket, for messages.

    Raises:
        UserError: The store or the disk failed.
    """
    try:
        yield
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise UserError("store.error.no_key") from error
    except CUT_SHORT as error:
        raise UserError("store.error.cut_short") from error
    except ClientError as error:
        raise _refusal(error, endpoint, bucket) from error
    except SSLError as error:
        raise _without_trust(error, endpoint) from error
    except ProxyConnectionError as error:
        raise UserError("store.error.proxy", endpoint=endpoint, proxies=", ".join(proxies_set())) from error
    except (ConnectionError, HTTPClientError) as error:
        raise _nobody(endpoint) from error
    except ParamValidationError as error:
        raise UserError("store.error.bucket_name", bucket=bucket) from error
    except BotoCoreError as error:
        raise UserError("store.error.other", endpoint=endpoint, why=error) from error
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise UserError("store.error.disk_full") from error


def _refusal(error: ClientError, endpoint: str, bucket: str) -> UserError:
    code = error.response.get("Error", {}).get("Code", "")
    if code in NO_BUCKET:
        return UserError("store.error.no_bucket", bucket=bucket, endpoint=endpoint)
    if code in NO_OBJECT and error.operation_name not in WRITING:
        return UserError("store.error.no_object", bucket=bucket)
    if code in REFUSED:
        return UserError("store.error.refused", endpoint=endpoint)
    if code in BUSY:
        return UserError("store.error.busy", endpoint=endpoint)
    if code in CLOCK:
        return UserError("store.error.clock", endpoint=endpoint)
    if region := error.response.get("Error", {}).get("Region"):
        return UserError("store.error.other_region", endpoint=endpoint, region=region)
    if code in VIRTUAL_ONLY:
        return UserError("store.error.virtual_only", endpoint=endpoint, variable=ADDRESSING_VARIABLE)
    return UserError("store.error.other", endpoint=endpoint, why=error)


def _without_trust(error: SSLError, endpoint: str) -> UserError:
    why = str(error.kwargs.get("error", error))
    if any(reason in why.upper().replace(" ", "_") for reason in NOT_TLS):
        return UserError("store.error.no_tls", endpoint=endpoint)
    told = re.search(r"certificate verify failed: (.*?)(?: \(_ssl|$)", why)
    why = told[1] if told else why
    if any(reason in why for reason in OUT_OF_TIME):
        now = f"{datetime.now():%Y-%m-%d %H:%M}"
        return UserError("store.error.certificate_time", endpoint=endpoint, why=why, now=now)
    return UserError("store.error.certificate", endpoint=endpoint, why=why)


def _nobody(endpoint: str) -> UserError:
    """The error if no store answers. It names the address's variable, except for the kit's own store."""
    named = next((name for name in (ENDPOINT_VARIABLE, BESIDE_VARIABLE) if setting(name)), None)
    if named is None:
        return UserError("store.error.ours_silent", endpoint=endpoint)
    return UserError("store.error.endpoint", endpoint=endpoint, variable=named)
