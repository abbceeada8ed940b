"""The sign of life that a hub's driver leaves for the guard: a file that is touched as long as all is well.

It holds the hub's address, and lies where both processes can see it. A driver that has let go of the train
in good order writes its farewell there. A file that is not touched for a while, or that is gone, means a
driver that died, hangs, or cannot be watched.
"""

import os
import tempfile
from pathlib import Path

from brakepoint.files import write_whole
from brakepoint.systems import require_posix

VARIABLE = "BRAKEPOINT_HUB_HEARTBEAT"
BEAT_S = 0.2
"""The driver touches the file this often."""
SILENCE_S = 1.0
"""Five beats missed: the guard brakes."""
FAREWELL = "farewell"
"""What the file holds in place of an address when there is nothing to guard."""


def heartbeat_path() -> Path:
    """Where the file is: what `BRAKEPOINT_HUB_HEARTBEAT` says, or else in a temporary folder of the user's.

    `XDG_RUNTIME_DIR` would not do: it is removed when the user's session ends, and the train may drive on.

    Raises:
        UserError: This is Windows, where no guard could run.
    """
    require_posix("ble:")
    said = os.environ.get(VARIABLE)
    if said:
        return Path(said)
    return Path(tempfile.gettempdir()) / f"brakepoint-{os.getuid()}" / "hub"


class Heartbeat:
    """The driver's end.

    Args:
        path: The file.

    Attributes:
        path: The same.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def beat(self, address: str) -> None:
        """Says that the driver of this hub lives; makes the folder again if it is gone.

        Raises:
            OSError: The file cannot be written.
        """
        self._write(address)

    def end(self) -> None:
        """Says that nobody needs to watch any more.

        Raises:
            OSError: The file cannot be written.
        """
        self._write(FAREWELL)

    def _write(self, said: str) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(self.path, said.encode("ascii"))


class Watch:
    """The guard's end.

    Args:
        path: The file.

    Attributes:
        address: The hub to brake: the one of the last beat, whatever has become of the file; empty before the
            first.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.address = ""
        self._seen: tuple[int, int] | None = None
        self._seen_at = 0.0
        self._is_driven = False

    def silent_for_s(self, now: float) -> float | None:
        """How long there has been no beat; None as long as there is nothing to guard.

        Nothing is to be guarded before the first beat and behind a farewell; a file that has vanished is no
        farewell. Only the clock of the one who watches counts: a changed file is a beat, whatever its date.

        Args:
            now: Seconds on a clock that never goes back.
        """
        try:
            stat = self._path.stat()
            stamp = stat.st_mtime_ns, stat.st_ino
            if stamp != self._seen:
                said = self._path.read_text(encoding="ascii").strip()
                self._seen, self._seen_at = stamp, now
                self._is_driven = said != FAREWELL
                self.address = said if self._is_driven else self.address
        except (OSError, ValueError):  # It is gone, or is no file of ours: nobody has said farewell.
            self._seen = None
        return now - self._seen_at if self._is_driven else None
