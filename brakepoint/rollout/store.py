"""This machine's Buildah and skopeo, with a separate store for the workplace."""

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from brakepoint.errors import UserError
from brakepoint.files import BYTES_IN_MB
from brakepoint.rollout.registry import Registry

NOISE = re.compile(r"^/bin/sh -c #\(nop\) +|\b(?:dir|file|multi):[0-9a-f]{64} in ")
"""The text around the instruction in an image's history: `/bin/sh -c #(nop) COPY dir:… in /opt`."""
PATH_OF_BASE = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Pulled:
    """A pulled image.

    Attributes:
        root: Root file system of the image.
        entry_point: The command that the image runs.
        environment: The image's environment variables.
        folder: The image's working folder.
    """

    root: Path
    entry_point: list[str]
    environment: dict[str, str]
    folder: str


@dataclass(frozen=True)
class Layer:
    """A layer of an image in the registry.

    Attributes:
        made_by: The instruction that created the layer.
        megabytes: Compressed size of the layer in megabytes.
    """

    made_by: str
    megabytes: float


@dataclass(frozen=True)
class Store:
    """Images on this machine.

    Attributes:
        folder: Where the images are kept.
        registry: The registry for pulling and pushing.
    """

    folder: Path
    registry: Registry

    def push_base(self, name: str, roots: dict[str, Path]) -> None:
        """Pushes a manifest list of single-layer images, one for each architecture, unless the list exists.

        Args:
            name: Full name of the list, with a tag.
            roots: Root file systems by architecture.
        """
        if set(self.architectures(name)) >= roots.keys():
            return
        members = []
        for architecture, root in roots.items():
            container = self.buildah("from", "--arch", architecture, "scratch").strip()
            self.buildah("copy", container, root, "/")
            self.buildah("config", "--arch", architecture, "--env", PATH_OF_BASE, container)
            members.append(
                self.buildah("commit", "--rm", "--quiet", container, f"{name}-{architecture}").strip()
            )
        self.buildah("manifest", "create", "base", *members)
        self.buildah("manifest", "push", *self.registry.login, "--all", "--rm", "base", f"docker://{name}")
        self.buildah("rmi", "--all", "--force")

    def architectures(self, name: str) -> dict[str, str]:
        """The digest of each architecture's image in a manifest list; empty if there is no such list."""
        done = self._run("skopeo", "inspect", "--raw", *self.registry.login, f"docker://{name}")
        if done.returncode != 0:
            return {}
        listed = json.loads(done.stdout).get("manifests", [])
        return {one["platform"]["architecture"]: one["digest"] for one in listed}

    def layers(self, name: str) -> list[Layer]:
        """The layers of an image in the registry, the base first."""
        raw = json.loads(
            self._checked("skopeo", "inspect", "--raw", *self.registry.login, f"docker://{name}")
        )
        config = json.loads(
            self._checked("skopeo", "inspect", "--config", *self.registry.login, f"docker://{name}")
        )
        history = [step for step in config["history"] if not step.get("empty_layer")]
        made = [NOISE.sub("", step.get("created_by", "")) for step in history]
        sizes = [layer["size"] / BYTES_IN_MB for layer in raw["layers"]]
        return [Layer(*both) for both in zip(made, sizes, strict=True)]

    def pull(self, name: str, architecture: str) -> Pulled:
        """Pulls an image by its digest, and unpacks it.

        Args:
            name: Name with digest, of an image or a manifest list.
            architecture: Architecture of the image in the list.

        Raises:
            UserError: The image cannot be pulled.
        """
        choice = ("--arch", architecture)
        container = self.buildah(
            "from", *choice, "--pull-always", *self.registry.login, f"docker://{name}"
        ).strip()
        root = Path(self.buildah("mount", container).strip())
        config = json.loads(self.buildah("inspect", container))["OCIv1"]["config"]
        environment = dict(variable.split("=", 1) for variable in config.get("Env") or ())
        words = [
            *(config.get("Entrypoint") or ()),
            *([] if config.get("Entrypoint") else config.get("Cmd") or ()),
        ]
        return Pulled(root, words, environment, config.get("WorkingDir") or "/")

    def clear(self) -> None:
        """Deletes every container and image in the store; images in the registry are kept."""
        for words in (("rm", "--all"), ("rmi", "--all", "--force")):
            self._run(*self._buildah(), *words)

    def buildah(self, *words: object) -> str:
        """Runs buildah.

        Raises:
            UserError: Buildah fails.
        """
        return self._checked(*self._buildah(), *words)

    def _buildah(self) -> list[str]:
        return [
            *("buildah", "--root", str(self.folder / "storage"), "--runroot", str(self.folder / "run")),
            *("--storage-driver", "vfs"),
        ]

    def _checked(self, *words: object) -> str:
        done = self._run(*words)
        if done.returncode != 0:
            raise UserError("rollout.error.tool", tool=words[0], why=done.stderr.strip()[-300:])
        return done.stdout

    @staticmethod
    def _run(*words: object) -> "subprocess.CompletedProcess[str]":
        return subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
