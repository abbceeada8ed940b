"""The object store of a room, as its owner sees it: buckets, what is in them, and who has a key to which."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Protocol

from brakepoint.room.config import EmbeddedSettings, Room
from brakepoint.store.content import CHECKSUMS_NAME, checksums
from brakepoint.store.content import content as kit_content


@dataclass(frozen=True)
class ObjectInfo:
    """One object.

    Attributes:
        size_bytes: Its size.
        modified_at: When it was last written, by the store's clock.
    """

    size_bytes: int
    modified_at: datetime


class RoomStore(Protocol):
    """What every store can do. Whatever is there already is left as it is; what is gone is not missed."""

    def endpoint(self, handle: str) -> str:
        """URL at which an attendee reaches the store."""

    def buckets(self) -> set[str]:
        """The room's buckets."""

    def make_bucket(self, bucket: str) -> None:
        """Makes a bucket."""

    def remove_bucket(self, bucket: str) -> None:
        """Removes a bucket and everything in it."""

    def objects(self, bucket: str) -> dict[str, ObjectInfo]:
        """Everything in a bucket, by key."""

    def put(self, bucket: str, key: str, data: bytes) -> None:
        """Uploads a file, whole."""

    def read(self, bucket: str, key: str, size_max_bytes: int) -> bytes:
        """Reads an object, at most one byte more than asked for, whatever size the store states.

        Raises:
            FileNotFoundError: There is none.
        """

    def keys(self) -> set[str]:
        """The access keys of the room's attendees."""

    def grant(self, access_key: str, secret_key: str) -> None:
        """Lets a key read and write the bucket of its own name, and read the shared one; nothing else."""

    def revoke(self, access_key: str) -> None:
        """Takes a key back."""


def open_store(room: Room) -> RoomStore:
    """The store that a room names.

    Raises:
        UserError: It cannot be reached, or the administrator's key is missing.
    """
    if isinstance(room.store, EmbeddedSettings):
        from brakepoint.room.stores.embedded import EmbeddedRoomStore

        return EmbeddedRoomStore(room, room.store)
    from brakepoint.room.stores.minio import MinioRoomStore

    return MinioRoomStore.from_environment(room, room.store)


@contextmanager
def serving(room: Room) -> Iterator[None]:
    """Runs the embedded servers for as long as the context lasts; any other store serves by itself."""
    if isinstance(room.store, EmbeddedSettings):
        from brakepoint.room.stores.embedded import serve_room

        with serve_room(room, room.store):
            yield
    else:
        yield


@cache
def content() -> dict[str, bytes]:
    """What each bucket begins with, by key; last the checksums, which say that all the rest is there."""
    files = kit_content()
    kit = {key: path.read_bytes() for key, path in files.items()}
    return kit | {CHECKSUMS_NAME: checksums(files).encode()}


def missing_content(store: RoomStore, bucket: str) -> dict[str, bytes]:
    """What is still to be uploaded to a bucket: absent, or of another size."""
    there = store.objects(bucket)
    return {
        key: data for key, data in content().items() if key not in there or there[key].size_bytes != len(data)
    }
