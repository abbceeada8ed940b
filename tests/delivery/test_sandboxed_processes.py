"""Processes in an image's root: none outlives the command that runs them."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from brakepoint.rollout.confinement import Confinement
from brakepoint.rollout.sandbox import Sandbox

WITHIN_S = 30.0


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    """For an ordinary user, in a root whose programs are this machine's."""
    root = tmp_path / "root"
    for name in ("proc", "dev", "tmp"):
        (root / name).mkdir(parents=True)
    for name in ("bin", "lib", "lib64"):
        (root / name).symlink_to(f"usr/{name}")
    return Sandbox((root,), tmp_path / "scratch", Confinement(12345), {"/usr": Path("/usr")})


def test_every_process_ends_when_the_command_is_killed(sandbox: Sandbox) -> None:
    words = sandbox.command(["sh", "-c", "sleep 600 & echo started; sleep 600"])
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        process.kill()
        assert process.communicate(timeout=WITHIN_S)[0] == "", "whoever lived would hold the output open"


@pytest.mark.parametrize(("read_only", "status"), [(frozenset(), 0), (frozenset({"/mine"}), 1)])
def test_a_mount_that_is_read_only_cannot_be_written(
    sandbox: Sandbox, tmp_path: Path, read_only: frozenset[str], status: int
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine").chmod(0o777)
    mounts = {**sandbox.mounts, "/mine": tmp_path / "mine"}
    own = replace(sandbox, mounts=mounts, read_only=read_only)
    done = subprocess.run(own.command(["sh", "-c", "echo x > /mine/file || exit 1"]), check=False)

    assert done.returncode == status and (tmp_path / "mine" / "file").exists() is (status == 0)


def test_a_sandbox_returns_the_status_of_its_command(sandbox: Sandbox) -> None:
    assert subprocess.run(sandbox.command(["sh", "-c", "exit 7"]), check=False).returncode == 7
