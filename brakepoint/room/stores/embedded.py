"""The embedded store of a room: a folder a bucket, and for each attendee a server of one's own.

An attendee's server knows one key and shows two buckets: the attendee's, and the shared one, read-only. What
it does not show cannot be asked for.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from brakepoint.errors import UserError
from brakepoint.files import write_whole
from brakepoint.room.config import EmbeddedSettings, Room
from brakepoint.room.files import PRIVATE, write
from brakepoint.room.stores.base import ObjectInfo
from brakepoint.sockets import is_free
from brakepoint.store.embedded import run_server

KEYS_NAME = "keys.json"


class EmbeddedRoomStore:
    """See `RoomStore`; it works on the folders, whether the servers run or not."""

    def __init__(self, room: Room, settings: EmbeddedSettings) -> None:
        self._room, self._settings = room, settings
        self.folder = room.folder / "store"
        self._keys_path = room.folder / KEYS_NAME

    def endpoint(self, handle: str) -> str:
        """Each attendee has a port."""
        return self._room.endpoint_of(handle)

    def buckets(self) -> set[str]:
        """The folders."""
        return {path.name for path in self.folder.glob("*") if path.is_dir()}

    def make_bucket(self, bucket: str) -> None:
        """Makes the folder."""
        (self.folder / bucket).mkdir(parents=True, exist_ok=True)

    def remove_bucket(self, bucket: str) -> None:
        """Removes the folder."""
        shutil.rmtree(self.folder / bucket, ignore_errors=True)

    def objects(self, bucket: str) -> dict[str, ObjectInfo]:
        """The files."""
        root = self.folder / bucket
        files = (path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
        return {path.relative_to(root).as_posix(): _info(path) for path in files}

    def put(self, bucket: str, key: str, data: bytes) -> None:
        """Writes a file."""
        target = self.folder / bucket / key
        target.parent.mkdir(parents=True, exist_ok=True)
        write_whole(target, data)

    def read(self, bucket: str, key: str, size_max_bytes: int) -> bytes:
        """Reads a file; a folder of that name, which an attendee can make, is none."""
        path = self.folder / bucket / key
        if not path.is_file() or path.is_symlink():
            raise FileNotFoundError(key)
        with path.open("rb") as file:
            return file.read(size_max_bytes + 1)

    def keys(self) -> set[str]:
        """Those that a server is started with."""
        return set(self.secrets())

    def grant(self, access_key: str, secret_key: str) -> None:
        """Counts from the next start of the servers on."""
        self._save({**self.secrets(), access_key: secret_key})

    def revoke(self, access_key: str) -> None:
        """The same."""
        self._save({key: secret for key, secret in self.secrets().items() if key != access_key})

    def secrets(self) -> dict[str, str]:
        """The secret keys by access key."""
        if not self._keys_path.is_file():
            return {}
        return dict(json.loads(self._keys_path.read_text(encoding="utf-8")))

    def _save(self, keys: dict[str, str]) -> None:
        write(self._keys_path, json.dumps(keys, indent=2) + "\n", PRIVATE)


@contextmanager
def serve_room(room: Room, settings: EmbeddedSettings) -> Iterator[None]:
    """Runs a server for each attendee for as long as the context lasts.

    Raises:
        UserError: The room is not applied, or a port is taken.
    """
    store = EmbeddedRoomStore(room, settings)
    secrets = store.secrets()
    missing = [handle for handle in room.everybody if room.place_of(handle) not in secrets]
    if missing:
        raise UserError("room.error.not_applied", room=room.name, missing=", ".join(missing[:3]))
    for number in range(room.attendees):
        if not is_free(settings.host, port := settings.first_port + number):
            raise UserError("room.error.port", host=settings.host, port=port)
    logs = room.folder / "logs"
    logs.mkdir(exist_ok=True)
    with ExitStack() as servers:
        for number, handle in enumerate(room.everybody):
            bucket = room.place_of(handle)
            servers.enter_context(
                run_server(
                    "room:",
                    (settings.host, settings.first_port + number),
                    (bucket, secrets[bucket]),
                    logs / f"{handle}.log",
                    _view(store.folder.resolve(), bucket, room.shared_bucket),
                )
            )
        yield


def _view(folder: Path, bucket: str, shared: str) -> dict[str, str]:
    """What one server shows, as rclone's environment has it: `room:` is two folders, one read-only."""
    # A union wants two upstreams; the same twice is one that cannot be written to.
    read_only = f'"{folder / shared}:ro"'
    return {
        "RCLONE_CONFIG_SHARED_TYPE": "union",
        "RCLONE_CONFIG_SHARED_UPSTREAMS": f"{read_only} {read_only}",
        "RCLONE_CONFIG_ROOM_TYPE": "combine",
        "RCLONE_CONFIG_ROOM_UPSTREAMS": f'"{bucket}={folder / bucket}" {shared}=shared:',
    }


def _info(path: Path) -> ObjectInfo:
    status = path.stat()
    return ObjectInfo(status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))
