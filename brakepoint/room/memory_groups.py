"""Limits how much memory a sandbox may hold, summed over all its processes and all kinds of memory.

The kernel enforces the limit where this process may create control groups: as root, or in a session that
systemd delegates to a user. Otherwise `held_mb` is polled.
"""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

MB = 1024 * 1024
GROUPS = Path("/sys/fs/cgroup")
HELD = ("RssAnon:", "RssShmem:", "VmSwap:")
"""Memory that counts: private to a process, shared, or swapped out; pages of libraries do not count."""
GONE_WITHIN_S = 2.0
_numbers = count(1)


class MemoryGroup:
    """A control group with a limit, for one sandbox.

    Args:
        parent: The group in which this group is created.
        limit_mb: Limit for everything in the group, including page cache and kernel memory.

    Raises:
        OSError: The group may not be created.
    """

    def __init__(self, parent: Path, limit_mb: int) -> None:
        self._folder = parent / f"brakepoint-{os.getpid()}-{next(_numbers)}"
        self._folder.mkdir()
        try:
            self._limit(limit_mb * MB)
        except OSError:
            self._folder.rmdir()
            raise

    def _limit(self, most: int) -> None:
        is_second = (self._folder / "memory.max").exists()
        (self._folder / ("memory.max" if is_second else "memory.limit_in_bytes")).write_text(str(most))
        swap, nothing = ("memory.swap.max", 0) if is_second else ("memory.memsw.limit_in_bytes", most)
        with suppress(FileNotFoundError, PermissionError):  # The kernel does not account for swap.
            (self._folder / swap).write_text(str(nothing))

    def entering(self, command: list[str]) -> list[str]:
        """Wraps a command so that it enters the group before it starts."""
        shell = shutil.which("sh") or "/bin/sh"
        return [shell, "-c", 'echo $$ > "$0" && exec "$@"', str(self._folder / "cgroup.procs"), *command]

    @property
    def has_overflowed(self) -> bool:
        """Whether the kernel has killed a process in the group for exceeding the limit."""
        for name in ("memory.events", "memory.oom_control"):
            with suppress(FileNotFoundError):
                pairs = (line.split() for line in (self._folder / name).read_text().splitlines())
                return any(key == "oom_kill" and int(value) > 0 for key, value in pairs)
        return False

    def close(self) -> None:
        """Removes the group once all processes in it have ended."""
        until = time.monotonic() + GONE_WITHIN_S
        while True:
            try:
                self._folder.rmdir()
                return
            except FileNotFoundError:
                return
            except OSError:
                if time.monotonic() > until:
                    return
                time.sleep(0.01)


def parent_group(own: Path = Path("/proc/self/cgroup"), groups: Path = GROUPS) -> Path | None:
    """The group in which this process may create groups with a limit; None if there is no such group.

    Args:
        own: The kernel's list of the groups of this process.
        groups: Where control groups are mounted.
    """
    try:
        lines = [line.split(":", 2) for line in own.read_text().splitlines()]
    except OSError:
        return None
    for _, controllers, path in lines:
        if "memory" in controllers.split(","):  # Version 1 has a tree for each resource.
            found = groups / "memory" / path.lstrip("/")
        elif not controllers:  # In version 2, a group contains either processes or groups.
            found = (groups / path.lstrip("/")).parent
            try:
                if "memory" not in (found / "cgroup.subtree_control").read_text().split():
                    continue
            except OSError:
                continue
        else:
            continue
        if found.is_relative_to(groups) and found.is_dir() and os.access(found, os.W_OK):
            return found
    return None


def new_group(limit_mb: int) -> MemoryGroup | None:
    """A group with a limit; None where groups cannot be created."""
    parent = parent_group()
    if parent is None:
        return None
    try:
        return MemoryGroup(parent, limit_mb)
    except OSError:
        return None


def held_mb(process: int) -> float:
    """Memory in MB held by a process and all its descendants.

    Args:
        process: Process id; a process that has ended holds nothing.
    """
    waiting, held_kb = [process], 0
    while waiting:
        threads = list(_threads(waiting.pop()))
        waiting += [child for children, _ in threads for child in children]
        # All threads share the same memory, but the first thread reports none once it has ended.
        held_kb += max((kb for _, kb in threads), default=0)
    return held_kb / 1024


def children(process: int) -> list[int]:
    """The children of a running process."""
    return [child for started, _ in _threads(process) for child in started]


def _threads(process: int) -> Iterator[tuple[list[int], int]]:
    """For each thread of a process: its children, and how many kB the process holds.

    Only threads that end meanwhile are skipped: a process that starts and ends many threads must not thereby
    hide the children of its other threads.
    """
    with suppress(OSError):
        for thread in Path("/proc", str(process), "task").iterdir():
            with suppress(OSError):
                started = [int(child) for child in (thread / "children").read_text().split()]
                lines = (thread / "status").read_text(errors="replace").splitlines()
                yield started, sum(int(line.split()[1]) for line in lines if line.startswith(HELD))
