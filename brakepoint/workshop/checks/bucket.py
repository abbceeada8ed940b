"""A bucket in memory that answers as S3 does, few objects at a time, and can be made to break."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from botocore.response import StreamingBody

NAME = "brakepoint"
PAGE_SIZE = 3


class FakeBucket:
    """As much of boto3's S3 client as step 1 may want.

    Args:
        objects: Their content by key.
        cut_to: Downloads break off after so many bytes without saying so, as behind a bad proxy.
    """

    def __init__(self, objects: dict[str, bytes], cut_to: int | None = None) -> None:
        self._objects = objects
        self._cut_to = cut_to
        self.written: list[str] = []

    def list_objects_v2(self, **request: Any) -> dict[str, Any]:
        """Answers with one page, as S3 does; without `Contents` when there is nothing."""
        prefix, after = (
            request.get("Prefix", ""),
            request.get("ContinuationToken", request.get("StartAfter", "")),
        )
        keys = [key for key in sorted(self._objects) if key.startswith(prefix) and key > after]
        page = keys[:PAGE_SIZE]
        answer: dict[str, Any] = {"KeyCount": len(page), "IsTruncated": len(keys) > PAGE_SIZE}
        if page:
            answer["Contents"] = [{"Key": key, "Size": len(self._objects[key])} for key in page]
        if answer["IsTruncated"]:
            answer["NextContinuationToken"] = page[-1]
        return answer

    def get_paginator(self, operation: str) -> "FakeBucket":
        """There is one paginator: for `list_objects_v2`."""
        assert operation == "list_objects_v2"
        return self

    def paginate(self, **request: Any) -> Iterator[dict[str, Any]]:
        """All pages."""
        answer: dict[str, Any] = {"NextContinuationToken": ""}
        while "NextContinuationToken" in answer:
            answer = self.list_objects_v2(**request, ContinuationToken=answer["NextContinuationToken"])
            yield answer

    def get_object(self, **request: Any) -> dict[str, Any]:
        """The content as a stream."""
        content = self._content(request["Key"])
        return {"ContentLength": len(content), "Body": StreamingBody(io.BytesIO(content), len(content))}

    def download_file(
        self, bucket: str | None = None, key: str = "", filename: str = "", **named: str
    ) -> None:
        """The content as a file."""
        target = Path(filename or named["Filename"])
        self.written.append(target.name)
        target.write_bytes(self._content(key or named["Key"]))

    def download_fileobj(self, bucket: str, key: str, file: Any) -> None:
        """The content into an open file."""
        file.write(self._content(key))

    def _content(self, key: str) -> bytes:
        if key not in self._objects:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": key}}, "GetObject")
        return self._objects[key][: self._cut_to]
