"""A bucket in memory that answers like S3, with a few objects at a time, and can be made to fail."""

import io
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from botocore.paginate import Paginator
from botocore.response import StreamingBody
from botocore.session import get_session

from brakepoint.workshop.verdicts import Wrong

NAME = "brakepoint"
PAGE_SIZE = 3
PAGINATION = {
    "input_token": "ContinuationToken",
    "output_token": "NextContinuationToken",
    "limit_key": "MaxKeys",
    "more_results": "IsTruncated",
    "result_key": ["Contents", "CommonPrefixes"],
}
"""The pagination of `list_objects_v2`, from botocore's data (paginators-1.json of S3)."""


def _must_be_ours(bucket: object) -> None:
    if bucket != NAME:
        raise Wrong("step1.other_bucket", found=str(bucket)[:40])


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
        _must_be_ours(request.get("Bucket"))
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

    def get_paginator(self, operation: str) -> "Paginator[Any]":
        """Botocore's paginator for `list_objects_v2`, the only supported operation."""
        if operation != "list_objects_v2":
            raise Wrong("step1.other_operation", found=operation)
        model = get_session().get_service_model("s3").operation_model("ListObjectsV2")
        return Paginator(self.list_objects_v2, PAGINATION, model)  # type: ignore[arg-type]  # The stubs are wrong.

    def get_object(self, **request: Any) -> dict[str, Any]:
        """Returns the content as a stream."""
        _must_be_ours(request.get("Bucket"))
        content = self._content(request["Key"])
        return {"ContentLength": len(content), "Body": StreamingBody(io.BytesIO(content), len(content))}

    def download_file(
        self, bucket: str | None = None, key: str = "", filename: str = "", **named: str
    ) -> None:
        """Writes the content to a file."""
        _must_be_ours(bucket or named.get("Bucket"))
        Path(filename or named["Filename"]).write_bytes(self._content(key or named["Key"]))

    def download_fileobj(
        self, bucket: str | None = None, key: str = "", file: Any = None, **named: Any
    ) -> None:
        """Writes the content to an open file."""
        _must_be_ours(bucket or named.get("Bucket"))
        (file or named["Fileobj"]).write(self._content(key or named["Key"]))

    def __getattr__(self, name: str) -> Any:
        """Explains that the bucket lacks an operation, which the real client may have."""
        raise Wrong("step1.other_operation", found=name)

    def _content(self, key: str) -> bytes:
        if key not in self._objects:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": key}}, "GetObject")
        return self._objects[key][: self._cut_to]
