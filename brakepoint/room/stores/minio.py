"""MinIO as the store of a room: a user for each attendee, with a policy for two buckets."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError
from minio.credentials.providers import StaticProvider
from minio.error import MinioAdminException
from minio.minioadmin import MinioAdmin
from urllib3.exceptions import HTTPError

from brakepoint.errors import UserError
from brakepoint.files import BYTES_IN_MB
from brakepoint.room.config import MinioSettings, Room
from brakepoint.room.stores.base import ObjectInfo
from brakepoint.store.connection import Connection
from brakepoint.store.errors import NO_OBJECT, friendly_errors

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import ObjectTypeDef

ADMIN_KEY, ADMIN_SECRET = "BRAKEPOINT_ADMIN_KEY", "BRAKEPOINT_ADMIN_SECRET"
BATCH = 1000
"""Maximum number of objects that one request can delete."""
ASIDE = "aside/"
"""While two objects are swapped, the first is also in the other's bucket, under this prefix."""


class MinioRoomStore:
    """See `RoomStore`.

    Args:
        room: The room.
        settings: Address of the server.
        connection: The administrator's connection.
        admin: The administrator's client for users and policies.
    """

    def __init__(
        self, room: Room, settings: MinioSettings, connection: Connection, admin: MinioAdmin
    ) -> None:
        self._room = room
        self._limit_bytes = settings.limit_mb * BYTES_IN_MB
        self._connection, self._client, self._admin = connection, connection.client, admin

    @classmethod
    def from_environment(cls, room: Room, settings: MinioSettings) -> "MinioRoomStore":
        """Reads the administrator's key from the environment.

        Raises:
            UserError: The key is missing.
        """
        key, secret = os.environ.get(ADMIN_KEY, ""), os.environ.get(ADMIN_SECRET, "")
        if not key or not secret:
            raise UserError("room.error.no_admin", name=ADMIN_KEY, secret=ADMIN_SECRET)
        url = urlsplit(settings.endpoint)
        admin = MinioAdmin(
            endpoint=url.netloc, credentials=StaticProvider(key, secret), secure=url.scheme == "https"
        )
        return cls(room, settings, Connection(settings.endpoint, room.shared_bucket, key, secret), admin)

    def buckets(self) -> set[str]:
        """The buckets whose name starts with the room's name."""
        with self._friendly():
            names = {bucket["Name"] for bucket in self._client.list_buckets()["Buckets"]}
        return {name for name in names if name.startswith(f"{self._room.name}-")}

    def make_bucket(self, bucket: str) -> None:
        """Creates the bucket unless it exists."""
        if bucket not in self.buckets():
            with self._friendly():
                self._client.create_bucket(Bucket=bucket)

    def remove_bucket(self, bucket: str) -> None:
        """Empties and removes the bucket."""
        keys = list(self.objects(bucket))
        with self._friendly():
            for first in range(0, len(keys), BATCH):
                batch: Any = [{"Key": key} for key in keys[first : first + BATCH]]
                self._client.delete_objects(Bucket=bucket, Delete={"Objects": batch})
            self._client.delete_bucket(Bucket=bucket)

    def swap(self, one: str, other: str) -> None:
        """Swaps object by object, since buckets cannot be renamed; the store itself copies the objects.

        An object is overwritten or deleted only while the store has another copy of it, so whatever
        interrupts the swap, nothing is lost.
        """
        here, there = self._tags(one), self._tags(other)
        with self._friendly():
            for key in {**here, **there}:
                if key not in there:
                    self._move(one, key, other, key)
                elif key not in here:
                    self._move(other, key, one, key)
                elif here[key] != there[key]:
                    self._copy(one, key, other, ASIDE + key)
                    self._copy(other, key, one, key)
                    self._move(other, ASIDE + key, other, key)

    def _tags(self, bucket: str) -> dict[str, str]:
        """For each object, a tag that only objects with the same content share."""
        return {entry["Key"]: entry["ETag"] for entry in self._entries(bucket)}

    def _move(self, bucket: str, key: str, target: str, new_key: str) -> None:
        self._copy(bucket, key, target, new_key)
        self._client.delete_object(Bucket=bucket, Key=key)

    def _copy(self, bucket: str, key: str, target: str, new_key: str) -> None:
        self._client.copy_object(Bucket=target, Key=new_key, CopySource={"Bucket": bucket, "Key": key})

    def objects(self, bucket: str) -> dict[str, ObjectInfo]:
        """Lists the objects page by page."""
        entries = self._entries(bucket)
        return {entry["Key"]: ObjectInfo(entry["Size"], entry["LastModified"]) for entry in entries}

    def _entries(self, bucket: str) -> list["ObjectTypeDef"]:
        with self._friendly():
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
            return [entry for page in pages for entry in page.get("Contents", [])]

    def put(self, bucket: str, key: str, data: bytes) -> None:
        """Uploads the file in one request: the kit's files are small."""
        with self._friendly():
            self._client.put_object(Bucket=bucket, Key=key, Body=data)

    def read(self, bucket: str, key: str, size_max_bytes: int) -> bytes:
        """Stops reading an object that is too long."""
        with self._friendly():
            try:
                return self._client.get_object(Bucket=bucket, Key=key)["Body"].read(size_max_bytes + 1)
            except ClientError as error:
                if error.response.get("Error", {}).get("Code", "") in NO_OBJECT:
                    raise FileNotFoundError(key) from error
                raise

    def keys(self) -> set[str]:
        """The names of those users of the room to whom their policy is attached."""
        with self._friendly():
            users = json.loads(self._admin.user_list())
        return {
            name
            for name, user in users.items()
            if name.startswith(f"{self._room.name}-") and user.get("policyName") == name
        }

    def grant(self, access_key: str, secret_key: str) -> None:
        """Creates or replaces the user and the policy, and sets the bucket's quota."""
        with self._friendly():
            self._admin.user_add(access_key, secret_key)
            self._admin.policy_add(access_key, policy=policy(access_key, self._room.shared_bucket))
            self._admin.policy_set(access_key, user=access_key)
            self._admin.bucket_quota_set(access_key, self._limit_bytes)

    def revoke(self, access_key: str) -> None:
        """Removes the user, and then the user's policy."""
        with self._friendly():
            for remove in (self._admin.user_remove, self._admin.policy_remove):
                with suppress_absent():
                    remove(access_key)

    @contextmanager
    def _friendly(self) -> Iterator[None]:
        try:
            with friendly_errors(self._connection.endpoint, self._connection.bucket):
                yield
        except HTTPError as error:
            raise UserError("store.error.endpoint", endpoint=self._connection.endpoint) from error
        except MinioAdminException as error:
            raise UserError(
                "store.error.other", endpoint=self._connection.endpoint, why=" ".join(str(error).split())
            ) from error


@contextmanager
def suppress_absent() -> Iterator[None]:
    """Ignores errors about objects that no longer exist."""
    try:
        yield
    except MinioAdminException as error:
        if error._code != "404":
            raise


def policy(bucket: str, shared: str) -> dict[str, Any]:
    """The rights of a key: full access to the objects of one bucket, and read access to the shared one."""

    def allow(actions: list[str], resource: str) -> dict[str, Any]:
        return {"Effect": "Allow", "Action": actions, "Resource": [f"arn:aws:s3:::{resource}"]}

    look = ["s3:ListBucket", "s3:GetBucketLocation"]
    change = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
    return {
        "Version": "2012-10-17",
        "Statement": [
            allow([*look, "s3:ListBucketMultipartUploads"], bucket),
            allow(change, f"{bucket}/*"),
            allow(look, shared),
            allow(["s3:GetObject"], f"{shared}/*"),
        ],
    }
