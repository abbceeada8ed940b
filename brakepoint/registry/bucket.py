"""The registry in a bucket.

models/track/3/model.onnx      a version: written once, never changed
models/track/3/version.json    written after the model: a version without it does not exist
models/track/production.json   the pointer, written last of all
models/production/1/model.onnx a copy of the production version, for servers that do not support the pointer
models/incoming/…              uploads that are not verified yet

Publish from one place at a time: two simultaneous publications may use the same number. A real S3 could
reject the second one (If-None-Match), but the kit's own server, `rclone serve s3`, ignores that header. A
mixed-up version is never served: a model that does not match its version's hash is rejected.
"""

import hashlib
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from botocore.exceptions import ClientError
from pydantic import BaseModel, ValidationError

from brakepoint.detector import Detector
from brakepoint.errors import UserError
from brakepoint.registry.names import COPY_KEY, PREFIX
from brakepoint.registry.version import Production, Version
from brakepoint.store import Connection, friendly_errors
from brakepoint.store.content import make_bucket, sha256
from brakepoint.store.errors import NO_BUCKET, NO_OBJECT

INCOMING = "models/incoming/"
MODEL_FILE, VERSION_FILE, POINTER_FILE = "model.onnx", "version.json", "production.json"

Content = TypeVar("Content", bound=BaseModel)


class Registry:
    """Versions of a model in a bucket.

    Args:
        store: The bucket's store.
        prefix: The model's folder in the bucket.

    Example:
        >>> with object_store() as store:
        ...     registry = Registry(store)
        ...     registry.promote(registry.publish(Path("track.onnx")).number)
    """

    def __init__(self, store: Connection, prefix: str = PREFIX) -> None:
        self._client, self._bucket = store.client, store.bucket
        self._endpoint, self._prefix = store.endpoint, prefix.strip("/")

    def versions(self) -> list[Version]:
        """Every version, oldest first.

        Raises:
            UserError: The store fails, or a version's description is invalid.
        """
        described = re.compile(f"{re.escape(self._prefix)}/([1-9][0-9]*)/{re.escape(VERSION_FILE)}")
        with self._errors():
            matches = [described.fullmatch(key) for key in self._keys(f"{self._prefix}/")]
            found = [self._described(match[1]) for match in matches if match]
        return sorted((version for version in found if version), key=lambda version: version.number)

    def version(self, number: int) -> Version:
        """One version.

        Raises:
            UserError: There is no version with that number, or the store fails.
        """
        with self._errors():
            found = self._described(number)
        if found is None:
            there = ", ".join(str(version.number) for version in self.versions()) or "–"
            raise UserError("registry.error.no_version", number=number, there=there)
        return found

    def production(self) -> Production:
        """The pointer, whose history is empty before the first promotion.

        Raises:
            UserError: The store fails, or the pointer is invalid.
        """
        with self._errors():
            return self._read(f"{self._prefix}/{POINTER_FILE}", Production) or Production()

    def publish(
        self, model: Path, metrics: dict[str, float] | None = None, data: str = "", code: str = ""
    ) -> Version:
        """Uploads a model as a new version; a failure leaves no partial version.

        Args:
            model: An ONNX model.
            metrics: mAP50 by world.
            data: Fingerprint of the training data.
            code: Fingerprint of the training code.

        Raises:
            UserError: The model is invalid, or the store fails.
        """
        Detector(model)
        with self._errors():
            make_bucket(self._client, self._bucket)
            for leftover in self._keys(INCOMING):
                self._client.delete_object(Bucket=self._bucket, Key=leftover)
        # A number that was in production is never used again, even if its version was removed.
        taken = (version.number for version in self.versions())
        version = Version(
            number=max([0, *taken, *self.production().history]) + 1,
            sha256=sha256(model),
            size_bytes=model.stat().st_size,
            metrics=metrics or {},
            data=data,
            code=code,
            published_at=datetime.now(UTC),
        )
        incoming = f"{INCOMING}{uuid.uuid4().hex}/{MODEL_FILE}"
        with self._errors():
            with model.open("rb") as file:
                self._client.put_object(Bucket=self._bucket, Key=incoming, Body=file)
            self._prove(incoming, version)
            self._copy(incoming, self._key(version.number, MODEL_FILE))
            self._write(self._key(version.number, VERSION_FILE), version)
            self._client.delete_object(Bucket=self._bucket, Key=incoming)
        return version

    def promote(self, number: int) -> None:
        """Puts a version into production. The previous version is kept for a rollback.

        Raises:
            UserError: There is no such version, its model is missing or damaged, or the store fails.
        """
        self._point(self.production().promote(number))

    def rollback(self) -> int:
        """Puts the previous version back into production.

        Returns:
            The number of that version.

        Raises:
            UserError: There is no previous version, or it was removed or damaged; or the store fails.
        """
        *before, _ = self.production().history or (0,)
        if not before:
            raise UserError("registry.error.nothing_before")
        self._point(Production(history=tuple(before)))
        return before[-1]

    def fetch(self, number: int, folder: Path) -> Path:
        """Downloads a version atomically, and verifies it.

        Returns:
            The file, `folder/NUMBER-HASH.onnx`; an existing file is not downloaded again.

        Raises:
            UserError: There is no such version, the model arrived damaged, or the store or the disk failed.
        """
        version = self.version(number)
        target = folder / f"{number}-{version.sha256[:12]}.onnx"
        if target.is_file() and sha256(target) == version.sha256:
            return target
        folder.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f"{target.name}.{uuid.uuid4().hex}.part")
        try:
            with self._model_of(number):
                self._client.download_file(self._bucket, self._key(number, MODEL_FILE), str(part))
            if sha256(part) != version.sha256:
                raise UserError("registry.error.damaged", number=number)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
        return target

    def _point(self, production: Production) -> None:
        assert production.number is not None
        version = self.version(production.number)
        model = self._key(version.number, MODEL_FILE)
        with self._model_of(version.number):
            self._prove(model, version)
            self._copy(model, COPY_KEY)
        with self._errors():
            self._write(f"{self._prefix}/{POINTER_FILE}", production)

    def _prove(self, key: str, version: Version) -> None:
        answer = self._client.get_object(Bucket=self._bucket, Key=key)
        arrived = answer["Body"].read() if answer["ContentLength"] == version.size_bytes else b""
        if hashlib.sha256(arrived).hexdigest() != version.sha256:
            raise UserError("registry.error.damaged", number=version.number)

    def _copy(self, source: str, target: str) -> None:
        self._client.copy_object(
            Bucket=self._bucket, Key=target, CopySource={"Bucket": self._bucket, "Key": source}
        )

    def _write(self, key: str, content: BaseModel) -> None:
        body = content.model_dump_json(indent=2).encode()
        self._client.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType="application/json")

    def _described(self, number: int | str) -> Version | None:
        """The description of a version; None if there is none.

        Raises:
            UserError: The file does not describe a version, or describes one with another number.
        """
        key = self._key(number, VERSION_FILE)
        found = self._read(key, Version)
        if found is not None and str(found.number) != str(number):
            raise UserError("registry.error.broken", name=key, bucket=self._bucket)
        return found

    def _read(self, key: str, kind: type[Content]) -> Content | None:
        """The record under a key; None if there is none."""
        try:
            body = self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
            return kind.model_validate_json(body)
        except ClientError as error:
            if error.response["Error"]["Code"] not in NO_OBJECT | NO_BUCKET:
                raise
            return None
        except ValidationError as error:
            raise UserError("registry.error.broken", name=key, bucket=self._bucket) from error

    def _keys(self, prefix: str) -> list[str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        try:
            return [item["Key"] for page in pages for item in page.get("Contents", ())]
        except ClientError as error:
            if error.response["Error"]["Code"] not in NO_BUCKET:
                raise
            return []

    def _key(self, number: int | str, name: str) -> str:
        return f"{self._prefix}/{number}/{name}"

    @contextmanager
    def _errors(self) -> Iterator[None]:
        with friendly_errors(self._endpoint, self._bucket):
            yield

    @contextmanager
    def _model_of(self, number: int) -> Iterator[None]:
        """Reports that a version lacks its model; the store's own error would be about the kit's content."""
        try:
            with self._errors():
                yield
        except UserError as error:
            if error.key != "store.error.no_object":
                raise
            raise UserError("registry.error.no_model", number=number) from error
