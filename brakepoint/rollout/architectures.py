"""The architectures whose programs this machine can run: its own, others through QEMU and `binfmt_misc`."""

import platform
import subprocess
from pathlib import Path

from brakepoint.errors import UserError, system_says

MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
"""The kernel's name of each architecture, by its name in images."""
PACKAGE = "qemu-user-static"
"""Debian's package of emulators that need nothing from the root file system in which they run a program."""
RULES = Path("/usr/lib/binfmt.d")
"""The package's rules for the kernel."""
KERNEL = Path("/proc/sys/fs/binfmt_misc")
"""The rules that the kernel follows."""
IN_ANY_ROOT = "F"
"""The flag of a rule whose emulator the kernel keeps open, so that a root file system need not contain it."""


def own_architecture() -> str:
    """This machine's architecture, as named in images."""
    here = platform.machine()
    return next((name for name, machine in MACHINES.items() if machine == here), here)


def emulate(architecture: str, rules: Path = RULES, kernel: Path = KERNEL) -> None:
    """Has the kernel run the programs of another architecture, until this machine restarts.

    Args:
        architecture: The architecture, as named in images.
        rules: Folder of the emulator package's rules.
        kernel: Folder through which the kernel accepts rules.

    Raises:
        UserError: The emulator package is missing, or the kernel does not accept the rule.
    """
    name = f"qemu-{MACHINES[architecture]}"
    wanted, taken = rules / f"{name}.conf", kernel / name
    if not wanted.is_file():
        raise _cannot(architecture, PACKAGE)
    try:
        if not (kernel / "register").exists():
            _mount(kernel)
        if not taken.exists():
            (kernel / "register").write_text(wanted.read_text("utf-8"), encoding="utf-8")
        said = taken.read_text("utf-8").split()
    except subprocess.CalledProcessError as error:
        raise _cannot(architecture, error.stderr.strip()) from error
    except OSError as error:
        raise _cannot(architecture, system_says(error)) from error
    if said[0] != "enabled" or IN_ANY_ROOT not in said[said.index("flags:") + 1]:
        raise _cannot(architecture, f"{taken}: {' '.join(said)}")


def _mount(kernel: Path) -> None:
    words = ["mount", "-t", "binfmt_misc", "binfmt_misc", str(kernel)]
    subprocess.run(words, capture_output=True, text=True, check=True)


def _cannot(architecture: str, why: str) -> UserError:
    return UserError("rollout.error.not_emulated", architecture=architecture, why=why)
