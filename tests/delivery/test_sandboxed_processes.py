"""Processes in an image's root: none outlives the command that runs them."""

import subprocess
from pathlib import Path

from brakepoint.rollout.confinement import Confinement
from brakepoint.rollout.sandbox import Sandbox

WITHIN_S = 30.0


def small_root(folder: Path) -> Path:
    """A root whose programs are this machine's."""
    for name in ("proc", "dev", "tmp"):
        (folder / name).mkdir(parents=True)
    for name in ("bin", "lib", "lib64"):
        (folder / name).symlink_to(f"usr/{name}")
    return folder


def test_every_process_ends_when_the_command_is_killed(tmp_path: Path) -> None:
    sandbox = Sandbox(
        (small_root(tmp_path / "root"),), tmp_path / "s", Confinement(12345), {"/usr": Path("/usr")}
    )
    words = sandbox.command(["sh", "-c", "sleep 600 & echo started; sleep 600"])
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        process.kill()
        assert process.communicate(timeout=WITHIN_S)[0] == "", "whoever lived would hold the output open"


def test_a_sandbox_returns_the_status_of_its_command(tmp_path: Path) -> None:
    sandbox = Sandbox(
        (small_root(tmp_path / "root"),), tmp_path / "s", Confinement(12345), {"/usr": Path("/usr")}
    )
    assert subprocess.run(sandbox.command(["sh", "-c", "exit 7"]), check=False).returncode == 7
