"""The rendered overlays match Kubernetes' schemas, field by field."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from secret_scan import secrets_in

from brakepoint.delivery.rendering import render

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
BUILT_IN = ("v1", "apps/", "networking.k8s.io/", "rbac.authorization.k8s.io/")


@pytest.mark.parametrize("folder", ["overlays/stub", "overlays/jetson", "overlays/kind", "tekton"])
def test_every_built_in_kind_is_valid(folder: str, tmp_path: Path) -> None:
    known = [m for m in render(DEPLOY / folder) if m["apiVersion"].startswith(BUILT_IN)]
    file = tmp_path / "manifests.yaml"
    file.write_text(yaml.safe_dump_all(known), "utf-8")
    validator = Path(sys.executable).with_name("kubernetes-validate")

    done = subprocess.run([validator, "--strict", file], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert (done.stdout + done.stderr).count("passed") == len(known)


def test_no_secret_is_in_what_is_deployed() -> None:
    rooms = (
        "deploy",
        "devfile.yaml",
        ".vscode",
        "solutions",
        "labs",
        "brakepoint",
        "stubs",
        "hardware",
        "notebooks",
    )

    assert secrets_in(*(str(ROOT / room) for room in rooms)) == {}
