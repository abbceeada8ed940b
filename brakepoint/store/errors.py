"""What can go wrong with an object store, said so that a person knows what to do."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from boto3.exceptions import RetriesExceededError
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    PartialCredentialsError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from brakepoint.errors import UserError

CUT_SHORT = (IncompleteReadError, ReadTimeoutError, ResponseStreamingError, RetriesExceededError)
NO_BUCKET = {"NoSuchBucket"}
NO_OBJECT = {"NoSuchKey", "404"}
REFUSED = {
    "403",
    "AccessDenied",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "InvalidToken",
    "ExpiredToken",
}


@contextmanager
def friendly_errors(endpoint: str, bucket: str) -> Iterator[None]:
    """Turns what boto3 and the disk raise into one line that says what to do.

    Args:
        endpoint: Of the store that is talked to, for the messages.
        bucket: The same.

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
    except (ConnectionError, HTTPClientError) as error:
        raise UserError("store.error.endpoint", endpoint=endpoint) from error
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
    if code in NO_OBJECT:
        return UserError("store.error.no_object", bucket=bucket)
    if code in REFUSED:
        return UserError("store.error.refused", endpoint=endpoint)
    return UserError("store.error.other", endpoint=endpoint, why=error)
