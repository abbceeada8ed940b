"""Makes the environment `.venv/` if there is no usable one: `python -I locks/environment.py .venv`.

Without an argument, the exit status says whether the environment of the Python that runs this is usable. This
module uses only the standard library, since nothing else is installed yet.
"""

import contextlib
import fcntl
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from brakepoint.texts import text

ROOT = Path(__file__).resolve().parents[1]
MADE_FOR = re.compile(r"^command = .* -m venv (?:--\S+ )*(.+)$", re.MULTILINE)
"""Where `python -m venv` made an environment, from its `pyvenv.cfg`; other tools do not write it."""
INTERRUPTED = 130


def is_usable() -> bool:
    """Whether this Python is a supported one, in an environment that has pip and has not been moved."""
    if not (3, 11) <= sys.version_info < (3, 14) or find_spec("pip") is None:
        return False
    folder = Path(sys.prefix).resolve()
    settings = folder / "pyvenv.cfg"
    made_for = MADE_FOR.search(settings.read_text("utf-8")) if settings.is_file() else None
    return made_for is None or Path(made_for[1]).resolve() == folder


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Waits until no other set-up runs in this checkout."""
    checkout = os.open(ROOT, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # Some network drives have no locks.
            try:
                fcntl.flock(checkout, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print(text("setup.waiting"), flush=True)  # noqa: T201
                fcntl.flock(checkout, fcntl.LOCK_EX)
        yield
    finally:
        os.close(checkout)


def make(folder: Path) -> str:
    """Makes the environment, unless another set-up has just made it; returns why it could not be made."""
    check = (folder / "bin" / "python", "-I", __file__)
    with contextlib.suppress(OSError):
        if subprocess.run(check, capture_output=True, check=False).returncode == 0:
            return ""
    print(text("setup.making", None, folder=folder, python=sys.executable), flush=True)  # noqa: T201
    try:
        if folder.is_symlink():
            folder.unlink()
        elif folder.exists():
            shutil.rmtree(folder)
    except OSError as error:
        return str(error)
    done = subprocess.run([sys.executable, "-m", "venv", folder], capture_output=True, text=True, check=False)
    return " ".join(f"{done.stdout} {done.stderr}".split()) if done.returncode else ""


def main(words: list[str]) -> int:
    """Checks or makes the environment, and returns the exit status."""
    if not words:
        return 0 if is_usable() else 1
    try:
        with alone():
            why = make(Path(words[0]))
    except KeyboardInterrupt:
        return INTERRUPTED
    if why:
        print(text("setup.no_environment", None, folder=words[0], why=why), file=sys.stderr)  # noqa: T201
    return 1 if why else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
