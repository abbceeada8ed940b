"""What every object store of a room can do."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class ObjectInfo:
    """One object.

    Attributes:
        size_bytes: Its size.
        modified_at: When it was last written, by the store's clock.
    """

    size_bytes: int
    modified_at: datetime


class Buckets(Protocol):
    """Where hand-ins are read from."""

    def buckets(self) -> set[str]:
        """The room's buckets."""

    def read(self, bucket: str, key: str, size_max_bytes: int) -> bytes:
        """Reads an object, at most one byte more than asked for, whatever size the store states.

        Raises:
            FileNotFoundError: There is none.
        """


class RoomStore(Buckets, Protocol):
    """What every store can do. Whatever is there already is left as it is; what is gone is not missed."""

    def make_bucket(self, bucket: str) -> None:
        """Makes a bucket."""

    def remove_bucket(self, bucket: str) -> None:
        """Removes a bucket and everything in it."""

    def objects(self, bucket: str) -> dict[str, ObjectInfo]:
        """Everything in a bucket, by key."""

    def put(self, bucket: str, key: str, data: bytes) -> None:
        """Uploads a file, whole."""

    def swap(self, one: str, other: str) -> None:
        """Exchanges what two buckets hold."""

    def keys(self) -> set[str]:
        """The access keys of the room's attendees."""

    def grant(self, access_key: str, secret_key: str) -> None:
        """Lets a key read and write the bucket of its own name, and read the shared one; nothing else."""

    def revoke(self, access_key: str) -> None:
        """Takes a key back."""
