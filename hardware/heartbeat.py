"""The heartbeat of a hub's driver for the guard: a file that is touched as long as all is well.

The file contains the hub's address, and is in a place that both processes can see. A driver that has released
the train properly writes a farewell into the file. A file that is not touched for a while, or is missing,
means that the driver died, hangs, or cannot be watched.
"""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from brakepoint.errors import UserError
from brakepoint.files import write_whole
from brakepoint.systems import require_posix

VARIABLE = "BRAKEPOINT_HUB_HEARTBEAT"
BEAT_S = 0.2
"""Interval at which the driver touches the file."""
SILENCE_S = 1.0
"""The guard brakes after this time, that is, after five missed beats."""
FAREWELL = "farewell"
"""Content of the file instead of an address when there is nothing to guard."""


def heartbeat_path() -> Path:
    """Path of the file: from `BRAKEPOINT_HUB_HEARTBEAT`, or else in a temporary folder of the user.

    `XDG_RUNTIME_DIR` is unsuitable: that folder is removed when the user's session ends, while the train may
    still be driving.

    Everyone may write to the folder for temporary files. Another user who owned the heartbeat's folder
    in it could therefore say farewell in the driver's place, or have the driver overwrite any of the driver's
    own files through a symbolic link.

    Raises:
        UserError: This is Windows, where the guard cannot run, or the folder belongs to another user.
    """
    require_posix("ble:")
    said = os.environ.get(VARIABLE)
    if said:
        return Path(said)
    folder = Path(tempfile.gettempdir()) / f"brakepoint-{os.getuid()}"
    with suppress(OSError):  # An error will show when the file is written.
        folder.mkdir(mode=0o700, exist_ok=True)
    if os.path.lexists(folder) and (folder.is_symlink() or folder.stat().st_uid != os.getuid()):
        raise UserError("hub.error.other_owner", folder=folder, setting=VARIABLE)
    return folder / "hub"


class Heartbeat:
    """The driver's end of the heartbeat.

    Args:
        path: The file.

    Attributes:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def beat(self, address: str) -> None:
        """Signals that the driver of this hub is alive; re-creates the folder if it is missing.

        Raises:
            OSError: The file cannot be written.
        """
        self._write(address)

    def end(self) -> None:
        """Signals that there is nothing left to guard.

        Raises:
            OSError: The file cannot be written.
        """
        self._write(FAREWELL)

    def _write(self, said: str) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(self.path, said.encode("ascii"))


class Watch:
    """The guard's end of the heartbeat.

    Args:
        path: The file.

    Attributes:
        address: The hub to brake: the one in the last beat, whatever happened to the file; empty before the
            first beat.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.address = ""
        self._seen: tuple[int, int] | None = None
        self._seen_at = 0.0
        self._is_driven = False

    def silent_for_s(self, now: float) -> float | None:
        """Time since the last beat; None as long as there is nothing to guard.

        There is nothing to guard before the first beat and after a farewell; a missing file isn't a farewell.
        Only the watcher's clock counts: any change to the file is a beat, whatever the file's date.

        Args:
            now: Seconds by a monotonic clock.
        """
        try:
            stat = self._path.stat()
            stamp = stat.st_mtime_ns, stat.st_ino
            if stamp != self._seen:
                said = self._path.read_text(encoding="ascii").strip()
                self._seen, self._seen_at = stamp, now
                self._is_driven = said != FAREWELL
                self.address = said if self._is_driven else self.address
        except (OSError, ValueError):  # The file is missing or not the kit's, which isn't a farewell.
            self._seen = None
        return now - self._seen_at if self._is_driven else None
