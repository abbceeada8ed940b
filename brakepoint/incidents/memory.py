"""A detector's memory: how much it needs, and how a detector that exceeds its limit is stopped."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np

from brakepoint.detector import Detector
from brakepoint.files import BYTES_IN_MB
from brakepoint.systems import LINUX

LOOK_EVERY_S = 0.5


def resident_mb() -> float:
    """The memory that this process uses now; on macOS, which has no /proc, the most that it has used."""
    if not LINUX:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / BYTES_IN_MB
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / BYTES_IN_MB


def end_beyond(limit_mb: float, stopping: threading.Event) -> None:
    """Kills this process once it exceeds a limit, as the kernel kills a container: without a message.

    Args:
        limit_mb: The most memory that this process may use.
        stopping: Ends the watch.
    """
    while not stopping.wait(LOOK_EVERY_S):
        if resident_mb() > limit_mb:
            os.kill(os.getpid(), signal.SIGKILL)


def needed_mb(model: Path) -> float:
    """The memory that a detector with this model uses, measured in its own process.

    Raises:
        subprocess.CalledProcessError: The model does not load.
    """
    command = [sys.executable, "-m", __name__, str(model)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


if __name__ == "__main__":
    Detector(Path(sys.argv[1])).detect_image(np.zeros((480, 640, 3), np.uint8))
    sys.stdout.write(f"{resident_mb():.1f}")
