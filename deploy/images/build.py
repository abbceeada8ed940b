"""Builds images on this machine, without a container engine or a registry.

    python deploy/images/build.py edge    as root: builds the image with buildah on a base made by debootstrap

PyTorch's build without CUDA is taken from the index that BRAKEPOINT_TORCH_INDEX names, by default the one in
the Containerfile. If PIP_FIND_LINKS names a folder of wheels, it is taken from that folder, and the default
is not used.

A cluster builds on UBI instead (Containerfile, argument BASE); the additions to the base are the same.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from brakepoint.files import size_mb

ROOT = Path(__file__).resolve().parents[2]
IMAGES_DIR = Path("deploy/images")
WORK_DIR = Path("runs/images")
BASE = "localhost/brakepoint-base"
DEBIAN, MIRROR = "bookworm", "http://deb.debian.org/debian"
BASE_PACKAGES = "python3,python3-venv,ca-certificates"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
BASE_FILE = "FROM scratch\nCOPY . /\nENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
STORE = ROOT / WORK_DIR
STORAGE = ("--root", STORE / "storage", "--runroot", STORE / "run", "--storage-driver", "vfs")
TOOLS = Path(sys.executable).parent
OWN_WHEELS = os.environ.get("PIP_FIND_LINKS", "")
"""Folder of wheels that this machine already has; empty if it has none."""
TORCH_INDEX = "BRAKEPOINT_TORCH_INDEX"


def images() -> dict[str, dict[str, Any]]:
    """The images by name, from images.toml."""
    return tomllib.loads((IMAGES_DIR / "images.toml").read_text("utf-8"))


def build(name: str) -> None:
    """Builds an image, replacing the previous one."""
    make_base()
    if container(name) in buildah("containers", "--format", "{{.ContainerName}}").split():
        buildah("rm", container(name))
    say(f"{name}: building …")
    # Named, because old versions of Buildah leave out a stage that only a default names.
    arguments = {"KIND": name, "BASE": BASE, "READY": "ready", "PIP_FIND_LINKS": OWN_WHEELS}
    if OWN_WHEELS or TORCH_INDEX in os.environ:
        arguments[TORCH_INDEX] = os.environ.get(TORCH_INDEX, "")
    arguments["PIP_CERT"] = str(CERTIFICATES) if CERTIFICATES.is_file() else ""
    shown = [CERTIFICATES.parent, *([OWN_WHEELS] if Path(OWN_WHEELS).is_absolute() else [])]
    buildah(
        *("bud", "--isolation", "chroot", "--pull-never"),
        *(word for folder in shown for word in ("--volume", f"{folder}:{folder}:ro")),
        *("--file", IMAGES_DIR / "Containerfile", "--ignorefile", IMAGES_DIR / "ignore", "--target", name),
        *(word for key, value in arguments.items() for word in ("--build-arg", f"{key}={value}")),
        *("--tag", f"localhost/{container(name)}", "."),
    )
    buildah("rmi", "--prune")


def container(name: str) -> str:
    """Name of an image and of its container."""
    return f"brakepoint-{name}"


def look(name: str) -> dict[str, Any]:
    """Lists the contents of a built image, and prints its size and the path of its root."""
    tag = f"localhost/{container(name)}"
    bill = WORK_DIR / f"{name}.cdx.json"
    run(
        *(TOOLS / "cyclonedx-py", "requirements", "--output-file", bill),
        IMAGES_DIR / "locks" / f"{name}.txt",
    )
    buildah("from", "--pull-never", "--name", container(name), tag)
    root = Path(buildah("mount", container(name)).strip())
    base_mb = size_mb(WORK_DIR / "base")
    image = json.loads(buildah("inspect", "--type", "image", tag))["OCIv1"]
    config = image["config"]
    return {
        "name": name,
        "base_mb": round(base_mb),
        "added_mb": round(size_mb(root) - base_mb),
        "most_mb": images()[name]["most_mb"],
        "root": str(root),
        "bill_of_materials": str(bill),
        "environment": dict(variable.split("=", 1) for variable in config["Env"]),
        "entry_point": config.get("Entrypoint", []),
        "folder": config["WorkingDir"],
        "user": config["User"],
        "labels": config["Labels"],
        "history": [step.get("created_by", "") for step in image["history"]],
    }


def make_base() -> None:
    """Creates the base from Debian's packages, unless it exists."""
    if buildah("images", "--quiet", "--filter", f"reference={BASE}").strip():
        return
    folder, part = WORK_DIR / "base", WORK_DIR / "base.part"
    if not folder.is_dir():
        say("base: debootstrap …")
        shutil.rmtree(part, ignore_errors=True)
        run("debootstrap", "--variant=minbase", f"--include={BASE_PACKAGES}", DEBIAN, part, MIRROR)
        part.rename(folder)
    file = WORK_DIR / "Containerfile.base"
    file.write_text(BASE_FILE, encoding="utf-8")
    buildah("bud", "--isolation", "chroot", "--pull-never", "--file", file, "--tag", BASE, folder)


def buildah(*words: object) -> str:
    """Runs buildah with a separate store, without touching the machine's own."""
    return run("buildah", *STORAGE, *words)


def run(*words: object) -> str:
    """Runs a command; shows its output only if it fails."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, words))}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout


def say(line: str) -> None:
    """Prints progress."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="as images.toml has them; all, if none is named")
    arguments = parser.parse_args()
    os.chdir(ROOT)
    WORK_DIR.mkdir(parents=True, exist_ok=True)
    for name in arguments.names or images():
        build(name)
        built = look(name)
        added, most, base = (built[size] for size in ("added_mb", "most_mb", "base_mb"))
        say(f"{name}: {added} MB, of at most {most}, on top of a base of {base} MB")
        print(json.dumps(built))  # noqa: T201


if __name__ == "__main__":
    main()
