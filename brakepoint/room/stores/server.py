"""The embedded store's server: one rclone for the whole room, on one port.

Each key gives access to two buckets: its own, and the shared one, read-only. Nothing else is visible to a
key. Keys are looked up as requests come in, so a late arrival needs no restart. When a key is revoked or a
bucket is full, a new rclone takes over the same socket without the cached permissions. No one else is
disconnected.
"""

import json
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import count
from pathlib import Path

from brakepoint.errors import UserError
from brakepoint.files import BYTES_IN_MB
from brakepoint.room.config import EmbeddedSettings, Room
from brakepoint.room.files import write
from brakepoint.room.stores import whose_key
from brakepoint.room.stores.embedded import EmbeddedRoomStore
from brakepoint.store.embedded import FRESH, rclone, running, wait_until_ready

LOG_NAME = "store.log"
LOOK_EVERY_S = 1.0
MEASURE_EVERY = 5
"""One check in this many also measures the buckets."""
LAUNCH = """import os, resource, sys
listener, limit, *command = sys.argv[1:]
os.dup2(int(listener), 3)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
os.environ |= {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())}
os.execv(command[0], command)
"""
"""Starts a command with a socket, as systemd does, and limits file sizes to what an attendee may store."""

OnFull = Callable[[str], None]


class RoomServer:
    """Runs rclone, and replaces it when necessary.

    Args:
        store: The store whose keys and buckets are served.
        listener: The socket of the room.
        on_full: Called with the name of each bucket that has reached its limit.
    """

    def __init__(self, store: EmbeddedRoomStore, listener: socket.socket, on_full: OnFull) -> None:
        self._store, self._listener, self._on_full = store, listener, on_full
        self._log_path = store.room.folder / LOG_NAME
        self._limit_bytes = store.settings.limit_mb * BYTES_IN_MB
        self._full: set[str] = set()
        self._keys = store.secrets()
        self._looks = count()
        self._write_full(self._full)
        self._begin()

    def _begin(self) -> None:
        self._log_begins_at = self._log_path.stat().st_size if self._log_path.exists() else 0
        running_one = ExitStack()
        self._process = running_one.enter_context(
            running(
                [
                    sys.executable,
                    "-c",
                    LAUNCH,
                    str(self._listener.fileno()),
                    str(self._limit_bytes),
                    *_command(),
                ],
                _environment(self._store.room),
                self._log_path,
                Path(whose_key.__file__).parent,
                (self._listener.fileno(),),
            )
        )
        self._running = running_one

    def wait_until_ready(self) -> None:
        """Waits until the server is listening.

        Raises:
            UserError: The server does not start, for example because rclone is too old.
        """
        address = self._listener.getsockname()[:2]
        wait_until_ready(self._process, address, self._log_path, self._log_begins_at)

    def look(self) -> None:
        """Replaces rclone if it has ended, or if it still allows access that is now forbidden."""
        if not self._store.folder.is_dir():  # The room was removed.
            return
        keys = self._store.secrets()
        taken_back = any(keys.get(name) != secret for name, secret in self._keys.items())
        if taken_back or self._process.poll() is not None:
            self._replace()
        # Only now: after an error, for example because of a full disk, the next look replaces rclone.
        self._keys = keys
        full = self._too_large() if next(self._looks) % MEASURE_EVERY == 0 else self._full
        if full != self._full:
            self._write_full(full)
            newly_full = full - self._full
            if newly_full:
                self._replace()
            self._full = full
            for name in sorted(newly_full):
                self._on_full(name)

    def _replace(self) -> None:
        before = self._running
        self._begin()
        before.close()

    def _write_full(self, full: set[str]) -> None:
        write(self._store.room.folder / whose_key.FULL_NAME, json.dumps(sorted(full)))

    def _too_large(self) -> set[str]:
        return {name for name, size in self._store.sizes().items() if size > self._limit_bytes}

    def close(self) -> None:
        """Stops the server."""
        self._running.close()


@contextmanager
def serve_room(room: Room, settings: EmbeddedSettings, on_full: OnFull) -> Iterator[None]:
    """Serves a room for as long as the context lasts.

    Args:
        room: The room.
        settings: Settings of the room's store.
        on_full: Called with the name of each bucket that has reached its limit.

    Raises:
        UserError: The room has not been applied, its port is in use, or rclone is not installed.
    """
    store = EmbeddedRoomStore(room, settings)
    keys = store.secrets()
    missing = [handle for handle in room.everybody if room.place_of(handle) not in keys]
    if missing:
        raise UserError("room.error.not_applied", room=room.name, missing=", ".join(missing[:3]))
    (room.folder / whose_key.NOTHING).mkdir(exist_ok=True)
    try:
        listener = socket.create_server((settings.host, settings.port))
    except OSError as error:
        raise UserError("room.error.port", host=settings.host, port=settings.port) from error
    with listener:
        server, stopping = RoomServer(store, listener, on_full), threading.Event()
        looking = threading.Thread(target=_look, args=(server, stopping))
        try:
            server.wait_until_ready()
            looking.start()
            yield
        finally:
            stopping.set()
            if looking.ident:
                looking.join()
            server.close()


def _look(server: RoomServer, stopping: threading.Event) -> None:
    while not stopping.wait(LOOK_EVERY_S):
        # Because of a full disk or a file changed by hand; the next check may succeed.
        with suppress(OSError, UserError):
            server.look()


def _command() -> list[str]:
    # rclone splits this command line at spaces, so it must not contain a path: PATH and the working folder
    # are used instead.
    asks = f"{Path(sys.executable).name} -I -S {Path(whose_key.__file__).name}"
    return [rclone(), "serve", "s3", "--auth-proxy", asks, *FRESH]


def _environment(room: Room) -> dict[str, str]:
    return {
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath))),
        whose_key.FOLDER_VARIABLE: str(room.folder.resolve()),
        whose_key.SHARED_VARIABLE: room.shared_bucket,
    }
