"""A detector's memory: how much it needs, and the end of one that takes more than it may."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np

from brakepoint.detector import Detector

LOOK_EVERY_S = 0.5
BYTES_PER_MB = 1_000_000


def resident_mb() -> float:
    """What this process has in memory at present."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / BYTES_PER_MB


def end_beyond(limit_mb: float, stopping: threading.Event) -> None:
    """Ends this process once it has more, as the kernel does with a container: without a word.

    Args:
        limit_mb: The most that it may have.
        stopping: Ends the watch.
    """
    while not stopping.wait(LOOK_EVERY_S):
        if resident_mb() > limit_mb:
            os.kill(os.getpid(), signal.SIGKILL)


def needed_mb(model: Path) -> float:
    """What a detector with this model takes, seen in a process of its own.

    Raises:
        subprocess.CalledProcessError: The model does not load.
    """
    command = [sys.executable, "-m", __name__, str(model)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


if __name__ == "__main__":
    Detector(Path(sys.argv[1])).detect_image(np.zeros((480, 640, 3), np.uint8))
    sys.stdout.write(f"{resident_mb():.1f}")
