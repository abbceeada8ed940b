"""Backs up a whole room to one file that only its owner can read, and restores it on another machine.

The backup contains the room's file and folder, the hidden feed, and everything in the buckets that the kit
cannot re-create.
"""

import gzip
import io
import os
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import yaml

from brakepoint.errors import UserError
from brakepoint.files import BYTES_IN_MB, files_below, whole_file
from brakepoint.room.accounts import Accounts
from brakepoint.room.config import Room, load_room, parse_room
from brakepoint.room.files import PRIVATE, make_private_folder, write
from brakepoint.room.locking import ACCOUNTS, RECORDS, SCORING
from brakepoint.room.stores.content import content
from brakepoint.room.stores.server import LOG_NAME
from brakepoint.room.stores.whose_key import BUCKETS

ROOM_NAME, FOLDER_NAME, HIDDEN = "room.yaml", "folder", "hidden"
"""Names in a backup: the room's file, its folder, and the hidden feed with its ground truth."""
NOT_KEPT = {LOG_NAME, RECORDS, ACCOUNTS, SCORING, HIDDEN}


def save(room: Room, file: Path, backup: Path) -> float:
    """Writes a backup; the room may be in use meanwhile.

    Args:
        room: The room.
        file: The room's file.
        backup: Path to write to; an existing file is replaced once the new one is complete.

    Returns:
        The backup's size in megabytes.

    Raises:
        UserError: The room was never applied, or the backup would replace the room's file or be part of
            itself.
    """
    if backup.resolve() == file.resolve():
        raise UserError("room.error.backup_over", path=file, room=room.name)
    if backup.resolve().is_relative_to(room.folder.resolve()):
        raise UserError("room.error.backup_inside", folder=room.folder)
    if not (room.folder / Accounts.FILE_NAME).is_file():
        raise UserError("room.error.not_applied", room=room.name, missing=", ".join(room.everybody[:3]))
    backup.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(backup) as part:
        part.unlink(missing_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
        with os.fdopen(descriptor, "wb") as stream, tarfile.open(fileobj=stream, mode="w:gz") as archive:
            _fill(archive, room, file)
    return backup.stat().st_size / BYTES_IN_MB


def _fill(archive: tarfile.TarFile, room: Room, file: Path) -> None:
    _add(archive, ROOM_NAME, file)
    for path in _worth_keeping(room.folder):
        _add(archive, f"{FOLDER_NAME}/{path.relative_to(room.folder).as_posix()}", path)
    for name, feed in _hidden(room).items():
        for path in (feed, feed.with_suffix(".json")):
            _add(archive, f"{HIDDEN}/{name}/{path.name}", path)


def restore(backup: Path, file: Path) -> Room:
    """Restores a room from a backup: its folder and its file.

    Args:
        backup: The backup.
        file: Where to write the room's file.

    Raises:
        UserError: The file isn't a backup, or there is a room already.
    """
    if file.exists():
        raise UserError("room.error.exists", path=file)
    with ExitStack() as scratch:
        return _unpacked(backup, file, scratch)


def _unpacked(backup: Path, file: Path, scratch: ExitStack) -> Room:
    try:
        with gzip.open(backup) as stream, tarfile.open(fileobj=stream, mode="r:") as archive:
            written = _read(archive, ROOM_NAME)
            room = parse_room(written, backup / ROOM_NAME)
            if room.folder.exists():
                raise UserError("room.error.exists", path=room.folder)
            part = room.folder.with_name(f".{room.name}.part")
            shutil.rmtree(part, ignore_errors=True)
            scratch.callback(shutil.rmtree, part, ignore_errors=True)
            make_private_folder(part)
            archive.extractall(part, filter="data")
            if not (part / FOLDER_NAME).is_dir():
                raise KeyError(FOLDER_NAME)
            stream.read()  # The checksum is at the end, which tarfile does not read.
    except (OSError, tarfile.TarError, zlib.error, EOFError, KeyError, UnicodeDecodeError) as error:
        raise UserError("room.error.no_backup", path=backup, why=" ".join(str(error).split())) from error
    (part / FOLDER_NAME).rename(room.folder)
    try:
        room.folder.chmod(0o700)
        if (part / HIDDEN).is_dir():
            written = _with_hidden(written, room, part / HIDDEN)
        write(file, written)
        return load_room(file)
    except BaseException:
        shutil.rmtree(room.folder)
        raise


def _with_hidden(written: str, room: Room, hidden: Path) -> str:
    """The room's file with the current paths of the hidden feeds."""
    hidden.rename(room.folder / HIDDEN)
    described = yaml.safe_load(written)
    for name, feed in _hidden(room).items():
        if (room.folder / HIDDEN / name / feed.name).is_file():
            described[name] = str((room.folder / HIDDEN / name / feed.name).resolve())
    return yaml.safe_dump(described, sort_keys=False, allow_unicode=True)


def _worth_keeping(folder: Path) -> Iterator[Path]:
    kit = content()
    for path in sorted(path for path, _ in files_below(folder)):
        parts = path.relative_to(folder).parts
        if parts[0] in NOT_KEPT:
            continue
        if parts[0] != BUCKETS or not _is_of_the_kit(path, kit.get("/".join(parts[2:]))):
            yield path


def _is_of_the_kit(path: Path, data: bytes | None) -> bool:
    """Whether applying the room re-creates a file."""
    try:
        return data is not None and path.stat().st_size == len(data) and path.read_bytes() == data
    except FileNotFoundError:  # The file has just been removed; `_add` looks again.
        return False


def _hidden(room: Room) -> dict[str, Path]:
    """The hidden feeds, by their names in the room's file."""
    feeds = {"hidden_feed": room.hidden_feed, "final_feed": room.final_feed}
    return {name: feed for name, feed in feeds.items() if feed is not None}


def _add(archive: tarfile.TarFile, name: str, path: Path) -> None:
    """Adds a file in its current state; a file that has disappeared is skipped."""
    try:
        data, status = path.read_bytes(), path.stat()
    except FileNotFoundError:
        return
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = len(data), status.st_mode & 0o777, int(status.st_mtime)
    archive.addfile(entry, io.BytesIO(data))


def _read(archive: tarfile.TarFile, name: str) -> str:
    member = archive.extractfile(name)
    if member is None:
        raise KeyError(name)
    return member.read().decode()
