"""An in-memory bucket that answers like S3, lists a few objects at a time, and can be made to fail."""

import io
from functools import cache
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from botocore.model import OperationModel
from botocore.paginate import Paginator
from botocore.response import StreamingBody
from botocore.session import get_session
from botocore.validate import validate_parameters

from brakepoint.workshop.verdicts import Wrong

NAME = "bucket-of-this-check"
"""Not the name of any real bucket, because an answer might contain that name literally."""
PAGE_SIZE = 3
PAGINATION = {
    "input_token": "ContinuationToken",
    "output_token": "NextContinuationToken",
    "limit_key": "MaxKeys",
    "more_results": "IsTruncated",
    "result_key": ["Contents", "CommonPrefixes"],
}
"""The pagination of `list_objects_v2`, from botocore's data (paginators-1.json of S3)."""


@cache
def _operation(name: str) -> OperationModel:
    return get_session().get_service_model("s3").operation_model(name)


def _must_be_valid(operation: str, request: dict[str, Any]) -> None:
    """Checks that the real client would accept a request, and that the request is for this bucket.

    Raises:
        ParamValidationError: The client would refuse the request.
        Wrong: The request is for another bucket.
    """
    shape = _operation(operation).input_shape
    assert shape is not None
    validate_parameters(request, shape)
    if request["Bucket"] != NAME:
        raise Wrong("step1.other_bucket", found=request["Bucket"][:40])


class FakeBucket:
    """The part of boto3's S3 client that step 1 may need.

    Args:
        objects: Contents of the objects, by key.
        cut_to: Downloads are truncated silently after this many bytes, as by a faulty proxy.
    """

    def __init__(self, objects: dict[str, bytes], cut_to: int | None = None) -> None:
        self._objects = objects
        self._cut_to = cut_to

    def list_objects_v2(self, **request: Any) -> dict[str, Any]:
        """Answers with one page, like S3; an empty page has no `Contents`.

        As in S3, keys below a `Delimiter` are omitted; S3 lists only their folders.
        """
        _must_be_valid("ListObjectsV2", request)
        if request.get("ContinuationToken") == "":
            why = "The continuation token provided is incorrect"
            raise ClientError({"Error": {"Code": "InvalidArgument", "Message": why}}, "ListObjectsV2")
        prefix, delimiter = request.get("Prefix", ""), request.get("Delimiter")
        after = request.get("ContinuationToken", request.get("StartAfter", ""))
        keys = [key for key in sorted(self._objects) if key.startswith(prefix) and key > after]
        if delimiter:
            keys = [key for key in keys if delimiter not in key.removeprefix(prefix)]
        page = keys[: min(PAGE_SIZE, request.get("MaxKeys", PAGE_SIZE))]
        answer: dict[str, Any] = {"KeyCount": len(page), "IsTruncated": len(keys) > len(page)}
        if page:
            answer["Contents"] = [{"Key": key, "Size": len(self._objects[key])} for key in page]
        if answer["IsTruncated"]:
            answer["NextContinuationToken"] = page[-1]
        return answer

    def get_paginator(self, operation_name: str) -> "Paginator[Any]":
        """Botocore's paginator for `list_objects_v2`, the only supported operation."""
        if operation_name != "list_objects_v2":
            raise Wrong("step1.other_operation", found=operation_name)
        return Paginator(self.list_objects_v2, PAGINATION, _operation("ListObjectsV2"))  # type: ignore[arg-type]  # The stubs are wrong.

    def get_object(self, **request: Any) -> dict[str, Any]:
        """Returns the content as a stream."""
        content = self._content(request)
        return {"ContentLength": len(content), "Body": StreamingBody(io.BytesIO(content), len(content))}

    def download_file(self, Bucket: str, Key: str, Filename: str) -> None:  # noqa: N803  Boto3's names.
        """Writes the content to a file."""
        Path(Filename).write_bytes(self._content({"Bucket": Bucket, "Key": Key}))

    def download_fileobj(self, Bucket: str, Key: str, Fileobj: Any) -> None:  # noqa: N803  Boto3's names.
        """Writes the content to an open file."""
        Fileobj.write(self._content({"Bucket": Bucket, "Key": Key}))

    def __getattr__(self, name: str) -> Any:
        """Explains that the bucket lacks an operation, which the real client may have."""
        raise Wrong("step1.other_operation", found=name)

    def _content(self, request: dict[str, Any]) -> bytes:
        _must_be_valid("GetObject", request)
        key = request["Key"]
        if key not in self._objects:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": key}}, "GetObject")
        return self._objects[key][: self._cut_to]
