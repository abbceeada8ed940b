"""The sign of life that a hub's driver leaves for the guard: a file that is touched as long as all is well.

It holds the hub's address, stands where both processes can see it, and is taken away when the driver has let
go of the train in good order. A file that is there and no longer touched means a driver that died or hangs.
"""

import os
import tempfile
from pathlib import Path

from brakepoint.systems import require_posix

VARIABLE = "BRAKEPOINT_HUB_HEARTBEAT"
BEAT_S = 0.2
"""The driver touches the file this often."""
SILENCE_S = 1.0
"""Five beats missed: the guard brakes."""


def heartbeat_path() -> Path:
    """Where the file stands: what `BRAKEPOINT_HUB_HEARTBEAT` says, or else the user's runtime folder.

    Raises:
        UserError: This is Windows, where no guard could run.
    """
    require_posix("ble:")
    said = os.environ.get(VARIABLE)
    if said:
        return Path(said)
    return Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()) / f"brakepoint-{os.getuid()}.hub"


class Heartbeat:
    """The driver's end.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def beat(self, address: str) -> None:
        """Says that the driver of this hub lives."""
        part = self._path.with_suffix(".part")
        part.write_text(address, encoding="ascii")
        part.replace(self._path)

    def end(self) -> None:
        """Says that nobody needs to watch any more."""
        self._path.unlink(missing_ok=True)


class Watch:
    """The guard's end.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: int | None = None
        self._seen_at = 0.0

    def silent_for_s(self, now: float) -> float | None:
        """How long the file has not been touched; None while there is no file, and so nothing to guard.

        Only the clock of the one who watches counts: a changed file is a beat, whatever time stands on it.

        Args:
            now: Seconds on a clock that never goes back.
        """
        try:
            stamp = self._path.stat().st_mtime_ns
        except FileNotFoundError:
            self._seen = None
            return None
        if stamp != self._seen:
            self._seen, self._seen_at = stamp, now
        return now - self._seen_at

    def address(self) -> str:
        """The hub to brake; empty if the file has just gone."""
        try:
            return self._path.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return ""
