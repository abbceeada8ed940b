"""Memory, processor time and leftovers of the services' processes, from /proc on Linux."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

TICK_S = 1 / os.sysconf("SC_CLK_TCK")
PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1024**2


def memory_mb(pid: int) -> float:
    """Memory of a process, including shared pages; 0 if it is gone."""
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * PAGE_MB
    return 0.0


def processor_s(pid: int) -> float:
    """Processor time of a process so far, all threads together; 0 if it is gone."""
    with suppress(OSError):
        user, system = after_name(Path(f"/proc/{pid}/stat"))[11:13]
        return (int(user) + int(system)) * TICK_S
    return 0.0


def zombies() -> int:
    """Number of dead children of this process that were not reaped."""
    return sum(state == "Z" and parent == os.getpid() for _, state, parent in _processes())


def left_behind(link: str) -> int:
    """Number of live service processes whose train is, or was, at the address `link`."""
    mark = f"BRAKEPOINT_LINK={link}".encode()
    return sum(state != "Z" and mark in _environment(pid) for pid, state, _ in _processes())


def _processes() -> Iterator[tuple[int, str, int]]:
    """Id, state and parent of each process."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                words = after_name(folder / "stat")
                yield int(folder.name), words[0], int(words[1])


def after_name(stat: Path) -> list[str]:
    """The fields after the name of the program, which is in brackets and may contain anything."""
    return stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()


def _environment(pid: int) -> list[bytes]:
    with suppress(OSError):
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return []
