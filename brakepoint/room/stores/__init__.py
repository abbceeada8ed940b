"""The object store of a room, from its owner's side: buckets, their objects, and the keys to them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from brakepoint.room.config import EmbeddedSettings, Room
from brakepoint.room.stores.base import RoomStore


def open_store(room: Room) -> RoomStore:
    """Opens the store that a room names.

    Raises:
        UserError: The store cannot be reached, or the administrator's key is missing.
    """
    if isinstance(room.store, EmbeddedSettings):
        from brakepoint.room.stores.embedded import EmbeddedRoomStore

        return EmbeddedRoomStore(room, room.store)
    from brakepoint.room.stores.minio import MinioRoomStore

    return MinioRoomStore.from_environment(room, room.store)


@contextmanager
def serving(room: Room, on_full: Callable[[str], None] = lambda name: None) -> Iterator[None]:
    """Runs the embedded server for as long as the context lasts; does nothing for other stores.

    Args:
        room: The room.
        on_full: Called with the name of each bucket that has reached its limit.
    """
    if isinstance(room.store, EmbeddedSettings):
        from brakepoint.room.stores.server import serve_room

        with serve_room(room, room.store, on_full):
            yield
    else:
        yield
