"""The limit on a sandbox's total memory: by the kernel where possible, by polling elsewhere."""

import mmap
import os
import subprocess
import sys
from pathlib import Path

import pytest

from brakepoint.room import memory_groups
from brakepoint.room.memory_groups import MemoryGroup, held_mb, parent_group


def groups(folder: Path, own: str, *made: str, controllers: str = "memory pids") -> Path | None:
    """The group that would be used, where the kernel lists these."""
    (folder / "own").write_text(own)
    for name in made:
        (folder / "cgroup" / name).mkdir(parents=True)
        (folder / "cgroup" / name / "cgroup.subtree_control").write_text(controllers)
    return parent_group(folder / "own", folder / "cgroup")


def test_of_the_second_kind_it_is_the_one_above_since_a_group_holds_processes_or_groups(tmp_path) -> None:
    assert groups(tmp_path, "0::/user/app.slice/me.scope\n", "user/app.slice/me.scope") is None
    for controllers, is_taken in (("cpu memory", True), ("cpu", False)):
        (tmp_path / "cgroup/user/app.slice/cgroup.subtree_control").write_text(controllers)
        found = parent_group(tmp_path / "own", tmp_path / "cgroup")
        assert found == (tmp_path / "cgroup/user/app.slice" if is_taken else None)


@pytest.mark.parametrize("path", ["a/b", "kubepods.slice/pod:cri-containerd:4f2a"])
def test_of_the_first_kind_it_is_the_own_one_of_memory(tmp_path, path) -> None:
    own = f"9:name=systemd:/\n4:cpu,memory:/{path}\n0::/\n"

    assert groups(tmp_path, own, f"memory/{path}") == tmp_path / "cgroup/memory" / path


@pytest.mark.parametrize("own", ["", "0::/\n", "0::/gone/away\n", "4:memory:/gone\n", "3:cpu:/\n"])
def test_where_there_is_none_none_is_taken(tmp_path, own) -> None:
    assert groups(tmp_path, own, "other") is None
    assert parent_group(tmp_path / "missing", tmp_path) is None


def test_a_group_has_its_limit_and_no_swap(tmp_path, monkeypatch) -> None:
    made = Path.mkdir

    def as_the_kernel_does(path: Path, *given: object) -> None:
        made(path)
        for name in ("memory.max", "memory.swap.max", "cgroup.procs"):
            (path / name).write_text("max")
        (path / "memory.events").write_text("low 0\noom 1\noom_kill 0\n")

    monkeypatch.setattr(Path, "mkdir", as_the_kernel_does)
    group = MemoryGroup(tmp_path, 3)
    (folder,) = tmp_path.iterdir()

    assert (folder / "memory.max").read_text() == str(3 * 1024 * 1024)
    assert (folder / "memory.swap.max").read_text() == "0"
    assert not group.has_overflowed
    (folder / "memory.events").write_text("oom_kill 1\n")
    assert group.has_overflowed
    subprocess.run(group.entering(["true"]), check=True)
    assert (folder / "cgroup.procs").read_text().strip().isdigit()


def test_a_group_goes_with_its_last_process_and_may_be_gone_already(tmp_path, monkeypatch) -> None:
    group = MemoryGroup(tmp_path, 3)
    (folder,) = tmp_path.iterdir()
    monkeypatch.setattr(memory_groups, "GONE_WITHIN_S", 0.0)
    group.close()
    assert folder.is_dir(), "a process is still in it, or here a file"

    for file in folder.iterdir():
        file.unlink()
    group.close()
    assert not folder.exists()
    group.close()


def test_where_no_group_may_be_made_nothing_is_left_behind(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError):
        MemoryGroup(tmp_path / "file", 1)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_shared_memory_counts_as_held_and_that_of_children_too() -> None:
    before = held_mb(os.getpid())
    with mmap.mmap(-1, 64 << 20) as shared:
        shared.write(b"x" * (64 << 20))
        assert held_mb(os.getpid()) - before > 60
    program = "held = bytearray(b'x') * (80 << 20); print('held', flush=True); input()"
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None and child.stdout.readline() == b"held\n"
        assert held_mb(child.pid) > 80
        assert held_mb(os.getpid()) > held_mb(child.pid)
        child.communicate(b"\n")


HIDING = {
    "starting threads without end": """
import threading
held = bytearray(b"x") * (80 << 20)
print("held", flush=True)
while True:
    threading.Thread(target=int).start()
""",
    "a first thread that ended": """
import ctypes, threading, time
held = bytearray(b"x") * (80 << 20)
threading.Thread(target=lambda: (print("held", flush=True), time.sleep(60))).start()
ctypes.CDLL(None).pthread_exit(None)
""",
}


@pytest.mark.parametrize("program", HIDING.values(), ids=HIDING)
def test_what_a_process_holds_is_not_hidden_by(program) -> None:
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as hiding:
        try:
            assert hiding.stdout is not None and hiding.stdout.readline() == b"held\n"
            assert min(held_mb(hiding.pid) for _ in range(300)) > 80
        finally:
            hiding.kill()


def test_who_has_ended_holds_nothing() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()

    assert held_mb(ended.pid) == 0
