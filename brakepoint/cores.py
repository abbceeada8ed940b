"""How many processor cores this process can really use."""

import math
import os
from pathlib import Path

CPU_MAX_FILE = Path("/sys/fs/cgroup/cpu.max")
"""Quota and period of a container in microseconds, or `max` for no limit (Linux, cgroup v2)."""


def available_cores(cpu_max_file: Path = CPU_MAX_FILE) -> int:
    """How many cores to plan for: a container on a node of 64 cores may be allowed two of them.

    Returns:
        At least 1; a part of a core counts as a whole one.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = cpu_max_file.read_text(encoding="ascii").split()
    except OSError:
        return cores
    return cores if quota == "max" else max(1, min(cores, math.ceil(int(quota) / int(period))))
