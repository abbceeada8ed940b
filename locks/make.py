"""Generates every lock of the project. `make locks` runs this program, and nothing else writes a lock.

    python locks/make.py             locked versions stay as they are, as long as they fit
    python locks/make.py --upgrade   the newest version of every package

An environment is installed with constraints.txt, which has one version of each package of any extra, for
every Python and system. KServe is installed with serving.txt, which lists all its packages, since pip would
reject KServe's requirement for psutil. Blender's environment is installed with footage.txt. The exact
contents of images, with hashes, are in deploy/images/locks.

PyTorch's build without CUDA, for the images, is taken from the folder that PIP_FIND_LINKS names; without such
a folder, from the index that BRAKEPOINT_TORCH_INDEX names.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LOCKS_DIR = Path("locks")
CONSTRAINTS = LOCKS_DIR / "constraints.txt"
IMAGES_DIR = Path("deploy/images")
IMAGE_LOCKS_DIR = IMAGES_DIR / "locks"
PYTHON = "3.11"
"""The oldest Python that an environment may have, and the Python in images."""
ALONE = "footage"
"""The extra with its own environment, since no other is compatible with its numpy."""
HEADER = "# Made by `make locks`\n"
UV = Path(sys.executable).with_name("uv")
COMPILE = (
    UV,
    "pip",
    "compile",
    "--quiet",
    "--no-header",
    "--no-annotate",
    "--universal",
    "--python-version",
    PYTHON,
)
AGREEING = ("--constraint", CONSTRAINTS)


def project() -> dict[str, Any]:
    """The project's metadata from pyproject.toml."""
    return tomllib.loads(Path("pyproject.toml").read_text("utf-8"))


def images() -> dict[str, dict[str, Any]]:
    """The images by name, from images.toml."""
    return tomllib.loads((IMAGES_DIR / "images.toml").read_text("utf-8"))


def make_environment_locks(upgrade: bool) -> None:
    """Writes the locks of environments: without hashes, which pip rejects together with `--editable`."""
    shared = [extra for extra in project()["project"]["optional-dependencies"] if extra != ALONE]
    build_tools = "\n".join([*project()["build-system"]["requires"], "editables"])
    lock(CONSTRAINTS, HEADER, upgrade, *chosen(shared), "-", given=build_tools)
    lock(LOCKS_DIR / "serving.txt", HEADER, upgrade, *AGREEING, *chosen(["serving"]))
    lock(LOCKS_DIR / f"{ALONE}.txt", HEADER, upgrade, *chosen([ALONE]), "-", given=build_tools)


def make_image_locks(upgrade: bool) -> None:
    """Writes a lock for each image, with the hash of every file that may be installed."""
    for name, image in images().items():
        with tempfile.TemporaryDirectory() as folder:
            overrides = Path(folder, "overrides.txt")
            overrides.write_text("\n".join(image.get("override", ())), encoding="utf-8")
            words = (*torch_found_at(image), "--override", overrides, *chosen(image["extras"]))
            target = IMAGE_LOCKS_DIR / f"{name}.txt"
            lock(target, lock_header(name), upgrade, "--generate-hashes", *AGREEING, *words)


def lock(target: Path, header: str, upgrade: bool, *words: object, given: str = "") -> None:
    """Resolves requirements with uv, and writes the result on success."""
    kept = ["--upgrade"] if upgrade else []
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder, target.name)
        draft.write_text(target.read_text("utf-8") if target.is_file() else "", encoding="utf-8")
        command = (*COMPILE, *kept, *words, "pyproject.toml", "--output-file", draft)
        done = subprocess.run([str(word) for word in command], input=given, text=True, check=False)
        if done.returncode != 0:
            sys.exit(done.returncode)
        target.write_text(header + draft.read_text("utf-8"), encoding="utf-8")
    print(target, file=sys.stderr)  # noqa: T201


def chosen(extras: Iterable[str]) -> list[str]:
    """Extras as options of uv."""
    return [word for extra in extras for word in ("--extra", extra)]


def torch_found_at(image: dict[str, Any]) -> list[str]:
    """The source of an image's PyTorch, which PyPI lacks, as options of uv."""
    if not any("+cpu" in words for words in image.get("override", ())):
        return []
    folder, index = os.environ.get("PIP_FIND_LINKS"), os.environ.get("BRAKEPOINT_TORCH_INDEX")
    found_at = folder or (f"{index.rstrip('/')}/torch/" if index else "")
    return ["--find-links", found_at] if found_at else []


def requirements(name: str) -> list[str]:
    """The requirements of an image's extras, sorted."""
    said = project()["project"]
    extras = (said["optional-dependencies"][extra] for extra in images()[name]["extras"])
    return sorted({*said["dependencies"], *(words for extra in extras for words in extra)})


def lock_header(name: str) -> str:
    """The beginning of an image's lock: its inputs. A lock with a different beginning is out of date."""
    image = images()[name]
    overrides = (*project()["tool"]["uv"]["override-dependencies"], *image.get("override", ()))
    wanted = [PYTHON, *overrides, *requirements(name)]
    digest = hashlib.sha256("\n".join(wanted).encode()).hexdigest()
    sources = "".join(f"--no-binary {package}\n" for package in image.get("sources", ()))
    return f"{HEADER}# From requirements with the SHA-256 {digest}\n{sources}"


def main() -> None:
    """Generates all locks."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--upgrade", action="store_true", help="the newest of everything")
    arguments = parser.parse_args()
    os.chdir(ROOT)
    make_environment_locks(arguments.upgrade)
    make_image_locks(arguments.upgrade)


if __name__ == "__main__":
    main()
