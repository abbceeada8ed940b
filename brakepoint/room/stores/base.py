"""The interface of a room's object stores."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class ObjectInfo:
    """One object.

    Attributes:
        size_bytes: Size of the object.
        modified_at: When the object was last written, by the store's clock.
    """

    size_bytes: int
    modified_at: datetime


class Buckets(Protocol):
    """The source of submissions."""

    def buckets(self) -> set[str]:
        """The room's buckets."""

    def read(self, bucket: str, key: str, size_max_bytes: int) -> bytes:
        """Reads an object: at most one byte more than `size_max_bytes`, whatever size the store reports.

        Raises:
            FileNotFoundError: There is no such object.
        """


class RoomStore(Buckets, Protocol):
    """The interface of every store.

    Creating something that exists, or removing something that is missing, succeeds and changes nothing.
    """

    def make_bucket(self, bucket: str) -> None:
        """Creates a bucket."""

    def remove_bucket(self, bucket: str) -> None:
        """Removes a bucket and everything in it."""

    def objects(self, bucket: str) -> dict[str, ObjectInfo]:
        """Everything in a bucket, by key."""

    def put(self, bucket: str, key: str, data: bytes) -> None:
        """Uploads a whole file."""

    def swap(self, one: str, other: str) -> None:
        """Swaps the contents of two buckets."""

    def keys(self) -> set[str]:
        """The access keys of the room's attendees."""

    def grant(self, access_key: str, secret_key: str) -> None:
        """Lets a key read and write the bucket of the same name, and read the shared one; nothing else."""

    def revoke(self, access_key: str) -> None:
        """Revokes a key."""
