"""The embedded store of a room, from its owner's side: a folder per bucket, and a file of keys."""

import json
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

from brakepoint.errors import UserError
from brakepoint.files import files_below, write_whole
from brakepoint.room.config import EmbeddedSettings, Room
from brakepoint.room.files import PRIVATE, write
from brakepoint.room.stores.base import ObjectInfo
from brakepoint.room.stores.whose_key import BUCKETS, KEYS_NAME

ASIDE, BETWEEN = "aside", "+"
"""While two buckets are swapped, the first is in the folder `aside`, named after both with `+` between."""


class Folders:
    """Buckets as subfolders of one folder.

    Args:
        folder: The folder that contains the buckets.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def buckets(self) -> set[str]:
        """The subfolders."""
        return {path.name for path in self.folder.glob("*") if path.is_dir()}

    def make_bucket(self, bucket: str) -> None:
        """Creates the folder."""
        (self.folder / bucket).mkdir(parents=True, exist_ok=True)

    def remove_bucket(self, bucket: str) -> None:
        """Removes the folder."""
        shutil.rmtree(self.folder / bucket, ignore_errors=True)

    def objects(self, bucket: str) -> dict[str, ObjectInfo]:
        """The files."""
        root = self.folder / bucket
        return {path.relative_to(root).as_posix(): _info(status) for path, status in files_below(root)}

    def put(self, bucket: str, key: str, data: bytes) -> None:
        """Writes a file."""
        target = self.folder / bucket / key
        target.parent.mkdir(parents=True, exist_ok=True)
        write_whole(target, data)

    def read(self, bucket: str, key: str, size_max_bytes: int) -> bytes:
        """Reads a file; a folder of that name, which an attendee can create, is not an object."""
        path = self.folder / bucket / key
        if not path.is_file() or path.is_symlink():
            raise FileNotFoundError(key)
        with path.open("rb") as file:
            return file.read(size_max_bytes + 1)


class EmbeddedRoomStore(Folders):
    """See `RoomStore`; works on the buckets' folders, whether the server is running or not."""

    def __init__(self, room: Room, settings: EmbeddedSettings) -> None:
        super().__init__(room.folder / BUCKETS)
        self.room, self.settings = room, settings
        self._keys_path = room.folder / KEYS_NAME

    def make_bucket(self, bucket: str) -> None:
        """Completes an interrupted swap, then creates the folder unless it exists."""
        self._complete_swaps()
        super().make_bucket(bucket)

    def swap(self, one: str, other: str) -> None:
        """Swaps the names of two folders."""
        aside = self.room.folder / ASIDE
        aside.mkdir(exist_ok=True)
        (self.folder / one).rename(aside / f"{one}{BETWEEN}{other}")
        self._complete_swaps()

    def _complete_swaps(self) -> None:
        for aside in (self.room.folder / ASIDE).glob(f"*{BETWEEN}*"):
            one, _, other = (self.folder / name for name in aside.name.partition(BETWEEN))
            if other.exists() and not one.exists():
                other.rename(one)
            if not other.exists():
                aside.rename(other)

    def sizes(self) -> dict[str, int]:
        """Bytes in each attendee's bucket, including unfinished uploads."""
        buckets = self.buckets() - {self.room.shared_bucket}
        return {
            name: sum(status.st_size for _, status in files_below(self.folder / name)) for name in buckets
        }

    def keys(self) -> set[str]:
        """The keys that give access."""
        return set(self.secrets())

    def grant(self, access_key: str, secret_key: str) -> None:
        """Grants a key access, which takes effect immediately."""
        self._save({**self.secrets(), access_key: secret_key})

    def revoke(self, access_key: str) -> None:
        """Revokes a key; the server notices within a second or two."""
        self._save({key: secret for key, secret in self.secrets().items() if key != access_key})

    def secrets(self) -> dict[str, str]:
        """The secret keys by access key.

        Raises:
            UserError: The file is damaged.
        """
        if not self._keys_path.is_file():
            return {}
        try:
            return dict(json.loads(self._keys_path.read_text(encoding="utf-8")))
        except (ValueError, TypeError) as error:
            raise UserError("room.error.keys", path=self._keys_path) from error

    def _save(self, keys: dict[str, str]) -> None:
        write(self._keys_path, json.dumps(keys, indent=2) + "\n", PRIVATE)


def _info(status: os.stat_result) -> ObjectInfo:
    return ObjectInfo(status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))
