"""Makes the locks of the images, and builds images on this machine, without engine and without registry.

    python deploy/images/build.py locks          what each image holds, to the hash: locks/NAME.txt
    python deploy/images/build.py build edge     as root: builds it with buildah on a base made by debootstrap

A cluster builds on UBI instead (Containerfile, argument BASE); what is added to the base is the same.
"""

import argparse
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
IMAGES_DIR = Path("deploy/images")
WORK_DIR = Path("runs/images")
BASE = "localhost/brakepoint-base"
DEBIAN, MIRROR = "bookworm", "http://deb.debian.org/debian"
BASE_PACKAGES = "python3,python3-venv,ca-certificates"
PYTHON = "3.11"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
BASE_FILE = "FROM scratch\nCOPY . /\nENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
STORE = ROOT / WORK_DIR
STORAGE = ("--root", STORE / "storage", "--runroot", STORE / "run", "--storage-driver", "vfs")
TOOLS = Path(sys.executable).parent


def images() -> dict[str, dict[str, Any]]:
    """The images by name, as images.toml describes them."""
    return tomllib.loads((IMAGES_DIR / "images.toml").read_text("utf-8"))


def known_extras() -> set[str]:
    """The extras of the project."""
    project = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["project"]
    return set(project["optional-dependencies"])


def make_locks() -> None:
    """Writes a lock for each image, with the hash of every file that may be installed."""
    for name, image in images().items():
        if missing := set(image["extras"]) - known_extras():
            say(f"{name}: no lock yet, the project has no extra {', '.join(sorted(missing))}")
            continue
        target = IMAGES_DIR / "locks" / f"{name}.txt"
        extras = [word for extra in image["extras"] for word in ("--extra", extra)]
        options = ["--quiet", "--universal", "--python-version", PYTHON, "--generate-hashes", "--no-header"]
        run(TOOLS / "uv", "pip", "compile", *options, *extras, "pyproject.toml", "--output-file", target)
        say(f"{name}: {target}")


def build(name: str) -> dict[str, Any]:
    """Builds an image, lists what is in it, and says how large it is and where its root lies."""
    make_base()
    tag = f"localhost/brakepoint-{name}"
    say(f"{name}: building …")
    arguments = {"KIND": name, "BASE": BASE, "PIP_CERT": CERTIFICATES if CERTIFICATES.is_file() else ""}
    buildah(
        *("bud", "--isolation", "chroot", "--pull-never", "--volume", "/etc/ssl/certs:/etc/ssl/certs:ro"),
        *("--file", IMAGES_DIR / "Containerfile", "--ignorefile", IMAGES_DIR / "ignore", "--target", name),
        *(word for key, value in arguments.items() for word in ("--build-arg", f"{key}={value}")),
        *("--tag", tag, "."),
    )
    bill = WORK_DIR / f"{name}.cdx.json"
    lock = IMAGES_DIR / "locks" / f"{name}.txt"
    run(TOOLS / "cyclonedx-py", "requirements", "--output-file", bill, lock)
    root = Path(buildah("mount", buildah("from", "--pull-never", tag).strip()).strip())
    base_mb = size_mb(WORK_DIR / "base")
    config = json.loads(buildah("inspect", "--type", "image", tag))["OCIv1"]["config"]
    return {
        "name": name,
        "base_mb": round(base_mb),
        "added_mb": round(size_mb(root) - base_mb),
        "most_mb": images()[name].get("most_mb"),
        "root": str(root),
        "bill_of_materials": str(bill),
        "environment": dict(variable.split("=", 1) for variable in config["Env"]),
        "entry_point": config.get("Entrypoint", []),
        "folder": config["WorkingDir"],
        "user": config["User"],
        "labels": config["Labels"],
    }


def make_base() -> None:
    """Makes the base from Debian's packages, unless it is there."""
    if buildah("images", "--quiet", "--filter", f"reference={BASE}").strip():
        return
    folder = WORK_DIR / "base"
    if not (folder / "etc/os-release").is_file():
        say("base: debootstrap …")
        run("debootstrap", "--variant=minbase", f"--include={BASE_PACKAGES}", DEBIAN, folder, MIRROR)
    file = WORK_DIR / "Containerfile.base"
    file.write_text(BASE_FILE, encoding="utf-8")
    buildah("bud", "--isolation", "chroot", "--pull-never", "--file", file, "--tag", BASE, folder)


def size_mb(folder: Path) -> float:
    """What the files below a folder take, in millions of bytes."""
    files = (os.lstat(Path(place, name)) for place, _, names in os.walk(folder) for name in names)
    return sum(file.st_size for file in files) / 1e6


def buildah(*words: object) -> str:
    """Runs buildah on a store of our own; nothing of the machine's is touched."""
    return run("buildah", *STORAGE, *words)


def run(*words: object) -> str:
    """Runs a command; what it says is shown only if it fails."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, words))}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout


def say(line: str) -> None:
    """Tells whoever waits what is going on."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201


def main() -> None:
    """Does what the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("locks", "build"))
    parser.add_argument("names", nargs="*", help="edge, serving, pipeline, workbench")
    arguments = parser.parse_args()
    os.chdir(ROOT)
    if arguments.what == "locks":
        make_locks()
        return
    WORK_DIR.mkdir(parents=True, exist_ok=True)
    for name in arguments.names or ["edge"]:
        built = build(name)
        say(f"{name}: {built['added_mb']} MB on top of a base of {built['base_mb']} MB")
        print(json.dumps(built))  # noqa: T201


if __name__ == "__main__":
    main()
