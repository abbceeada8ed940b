"""Root file systems for the steps, from Debian's packages: a base per architecture, a layer per image."""

import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

import yaml

from brakepoint.cluster.images import parts
from brakepoint.delivery.rendering import Manifest, kubectl
from brakepoint.errors import UserError
from brakepoint.rollout.architectures import MACHINES, own_architecture
from brakepoint.rollout.confinement import Confinement
from brakepoint.rollout.sandbox import ALL_CAPABILITIES, Sandbox

DEBIAN, MIRROR = "bookworm", "http://deb.debian.org/debian"
BASE_PACKAGES = ("python3", "python3-venv", "ca-certificates", "make")
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
UNAME = '#!/bin/sh\n[ "$*" = -m ] && exec echo {machine}\nexec /usr/bin/uname "$@"\n'
"""Reports the machine of an emulated node to a program that is not emulated itself."""
KUSTOMIZE = '#!/bin/sh\nverb="$1"\nshift\n[ "$verb" = build ] && exec kubectl kustomize "$@"\n'
"""Replaces the command `kustomize`, which kubectl includes."""


@cache
def stand_ins() -> dict[str, Manifest]:
    """The replacement for each image, by its repository."""
    file = resources.files(__package__) / "data" / "stand_ins.yaml"
    return dict(yaml.safe_load(file.read_text(encoding="utf-8")))


@dataclass(frozen=True)
class Roots:
    """The root file systems below a folder, created when first needed.

    Attributes:
        folder: Where the file systems are kept.
        base_image: The base image's name in the pipeline.
    """

    folder: Path
    base_image: str

    def layers(self, image: str, architecture: str) -> tuple[Path, ...] | None:
        """The folders that form the root of an image, uppermost first; None if the image is unavailable.

        Raises:
            UserError: A folder cannot be created.
        """
        if image == self.base_image:
            return (self.base(architecture),)
        _, repository, _ = parts(image)
        said = stand_ins().get(repository, {"missing": repository})
        if "missing" in said:
            return None
        own = own_architecture()
        if said.get("native") and architecture != own:
            return self._machine(architecture), *(self.layers(image, own) or ())
        name = repository.rpartition("/")[2]
        return self._with_packages(name, architecture, said), self.base(architecture)

    def base(self, architecture: str) -> Path:
        """Debian with Python, from which the base image is also built.

        Raises:
            UserError: The folder cannot be created.
        """
        place = self.folder / f"base-{architecture}"
        if not place.is_dir():
            part = place.with_suffix(".part")
            shutil.rmtree(part, ignore_errors=True)
            include = f"--include={','.join(BASE_PACKAGES)}"
            how = (f"--arch={architecture}", "--variant=minbase", include)
            _run("debootstrap", *how, DEBIAN, str(part), MIRROR)
            for left in ("var/cache/apt/archives", "var/lib/apt/lists"):
                shutil.rmtree(part / left)
                (part / left / "partial").mkdir(parents=True)
            part.rename(place)
        return place

    def _machine(self, architecture: str) -> Path:
        """A layer in which `uname -m` reports an architecture."""
        place = self.folder / f"machine-{architecture}"
        _write_program(place / "usr/local/bin/uname", UNAME.format(machine=MACHINES[architecture]))
        return place

    def _with_packages(self, name: str, architecture: str, said: Manifest) -> Path:
        place = self.folder / f"{name}-{architecture}"
        if place.is_dir():
            return place
        scratch = self.folder / f"{name}-{architecture}.part"
        shutil.rmtree(scratch, ignore_errors=True)
        everything = Confinement(0, capabilities=frozenset(ALL_CAPABILITIES), may_gain=True)
        network = {"/etc/resolv.conf": Path("/etc/resolv.conf")}
        sandbox = Sandbox((self.base(architecture),), scratch, everything, network)
        packages = " ".join(said["packages"])
        script = (
            "set -e; export DEBIAN_FRONTEND=noninteractive; apt-get update -qq; "
            f"apt-get install -qq --yes --no-install-recommends {packages} >/dev/null; "
            "apt-get clean; rm -rf /var/lib/apt/lists/*"
        )
        _run(*sandbox.command(["sh", "-c", script]))
        layer = scratch / "upper"
        for there, here in (said.get("links") or {}).items():
            (layer / there.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
            (layer / there.lstrip("/")).symlink_to(here)
        if said.get("kustomize"):
            _write_program(layer / "usr/local/bin/kustomize", KUSTOMIZE)
            shutil.copy2(kubectl(), layer / "usr/local/bin/kubectl")
        layer.rename(place)
        shutil.rmtree(scratch)
        return place


def _write_program(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(script, encoding="utf-8")
    path.chmod(0o755)


def _run(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise UserError("rollout.error.tool", tool=words[0], why=(done.stderr or done.stdout).strip()[-300:])
