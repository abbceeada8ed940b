"""Renders a kustomize overlay with kubectl, which needs no cluster for rendering."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from brakepoint.errors import UserError
from brakepoint.files import load_yaml_documents
from brakepoint.places import KIT

Manifest = dict[str, Any]


def render_step(folder: Path, part: str) -> list[Manifest]:
    """Renders one part of step 7, wherever the step's folder is; the base comes with the kit.

    Args:
        folder: Folder of the step, an attendee's or the kit's.
        part: Name of a folder in that folder.

    Raises:
        UserError: See `render`.
    """
    with tempfile.TemporaryDirectory() as root:
        for name in ("base", "components"):
            shutil.copytree(KIT / "deploy" / name, Path(root, "deploy", name))
        copy = Path(root, "labs", folder.name)
        if folder.is_dir():
            # Links stay links: an editor's lock is a link to nothing.
            shutil.copytree(folder, copy, symlinks=True)
        return render(copy / part, Path(root))


def render(overlay: Path, root: Path = Path("/")) -> list[Manifest]:
    """What `kubectl apply --kustomize` would send to the cluster.

    Args:
        overlay: Folder with a `kustomization.yaml`.
        root: Messages name files relative to this folder.

    Raises:
        UserError: There is no overlay, kubectl is not installed, or kubectl rejects the files.
    """
    if not (overlay / "kustomization.yaml").is_file():
        raise UserError("delivery.error.no_overlay", folder=_seen_from(root, str(overlay)))
    done = subprocess.run([kubectl(), "kustomize", str(overlay)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or [f"kubectl: {done.returncode}"]
        why = _seen_from(root, said[-1])
        raise UserError("delivery.error.render", folder=_seen_from(root, str(overlay)), why=why)
    return load_yaml_documents(done.stdout)


def _seen_from(root: Path, words: str) -> str:
    return words.replace(f"{root}/", "") if root.name else words


def kubectl() -> str:
    """Path of the kubectl that pip installed beside this Python, or else of another one.

    Raises:
        UserError: kubectl is not installed.
    """
    beside = Path(sys.executable).with_name("kubectl")
    found = str(beside) if beside.is_file() else shutil.which("kubectl")
    if found is None:
        raise UserError("delivery.error.no_kubectl")
    return found


def of_kind(manifests: list[Manifest], kind: str) -> Iterator[Manifest]:
    """The manifests of one kind."""
    return (manifest for manifest in manifests if manifest["kind"] == kind)


def named(manifests: list[Manifest], kind: str, name: str) -> Manifest | None:
    """The manifest of that kind and name, if there is one."""
    return next((m for m in of_kind(manifests, kind) if m["metadata"]["name"] == name), None)


def container_of(deployment: Manifest) -> Manifest:
    """The only container of a Deployment's pod."""
    container: Manifest = deployment["spec"]["template"]["spec"]["containers"][0]
    return container
