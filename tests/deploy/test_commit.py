"""The pipeline's last task writes the new digest into an overlay, and nothing else."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from brakepoint.delivery.rendering import container_of, named, render

ROOT = Path(__file__).parents[2]
OVERLAY = "solutions/step7_delivery/overlay"
IMAGE, DIGEST = "registry.example.com/room/brakepoint-edge", f"sha256:{'1' * 64}"
IDENTITY = ("-c", "user.name=test", "-c", "user.email=test@localhost")


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *IDENTITY, *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone as the task `clone` leaves it, and beside it its origin."""
    clone, origin = tmp_path / "clone", tmp_path / "origin.git"
    git(tmp_path, "init", "--quiet", "--bare", str(origin))
    for folder in ("deploy", "solutions/step7_delivery"):
        shutil.copytree(ROOT / folder, clone / folder)
    git(clone, "init", "--quiet", "--initial-branch", "main")
    git(clone, "remote", "add", "origin", str(origin))
    git(clone, "add", ".")
    git(clone, "commit", "--quiet", "--message", "As it was")
    git(clone, "push", "--quiet", "origin", "main")
    return clone


def run_task(clone: Path, name: str = "brakepoint-edge") -> subprocess.CompletedProcess:
    """Runs the script of the task, with kubectl for kustomize."""
    task = named(render(ROOT / "deploy" / "tekton"), "Task", "commit")
    assert task is not None
    script = task["spec"]["steps"][0]["script"].replace("$(workspaces.git-credentials.bound)", "false")
    script = script.replace("/tmp/", f"{clone.parent}/")  # Each pod has one of its own.
    tools = clone.parent / "tools"
    tools.mkdir(exist_ok=True)
    kustomize = tools / "kustomize"
    kustomize.write_text('#!/bin/sh\nshift && exec kubectl kustomize "$@"\n')
    kustomize.chmod(0o755)
    environment = {
        "PATH": os.pathsep.join((str(tools), str(Path(sys.executable).parent), os.environ["PATH"])),
        "HOME": str(clone.parent),
        "BRANCH": "main",
        "OVERLAY": OVERLAY,
        "NAME": name,
        "IMAGE": IMAGE,
        "DIGEST": DIGEST,
    }
    return subprocess.run(
        ["sh", "-c", script], cwd=clone, env=environment, capture_output=True, text=True, check=False
    )


def test_the_overlay_deploys_the_digest_and_keeps_its_comments(clone: Path) -> None:
    before = (clone / OVERLAY / "kustomization.yaml").read_text("utf-8").splitlines()

    done = run_task(clone)

    assert done.returncode == 0, done.stderr
    after = (clone / OVERLAY / "kustomization.yaml").read_text("utf-8").splitlines()
    changed = [new.strip() for old, new in zip(before, after, strict=True) if old != new]
    assert changed == [f"newName: {IMAGE}", f"digest: {DIGEST}"]
    capture = named(render(clone / OVERLAY), "Deployment", "capture")
    assert capture is not None and container_of(capture)["image"] == f"{IMAGE}@{DIGEST}"
    assert "[skip build]" in git(clone.parent / "origin.git", "log", "-1", "--format=%s", "main")


def test_the_same_digest_is_not_committed_twice(clone: Path) -> None:
    run_task(clone)
    before = git(clone.parent / "origin.git", "rev-parse", "main")

    assert "names this digest already" in run_task(clone).stdout
    assert git(clone.parent / "origin.git", "rev-parse", "main") == before


ENTRY = """  - name: brakepoint-edge
    newName: image-registry.openshift-image-registry.svc:5000/brakepoint-images/brakepoint-edge
    newTag: "0.1.0"
"""


def commit_entry(clone: Path, entry: str) -> None:
    """Pushes an overlay whose entry for the image is written in another way."""
    overlay = clone / OVERLAY / "kustomization.yaml"
    before = overlay.read_text("utf-8")
    assert ENTRY in before
    overlay.write_text(before.replace(ENTRY, entry), encoding="utf-8", newline="")
    git(clone, "commit", "--quiet", "--all", "--message", "Written in another way")
    git(clone, "push", "--quiet", "origin", "main")


@pytest.mark.parametrize(
    "entry",
    [
        ENTRY.replace("brakepoint-edge", '"brakepoint-edge"', 1),
        ENTRY.replace("brakepoint-edge", "'brakepoint-edge'", 1),
        ENTRY.replace("- name", "-   name").replace("    new", "      new"),
        ENTRY.replace("\n", "\r\n"),
    ],
)
def test_a_name_in_quotes_or_further_right_or_from_windows_is_the_images_name(
    clone: Path, entry: str
) -> None:
    commit_entry(clone, entry)

    done = run_task(clone)

    assert done.returncode == 0, done.stderr
    capture = named(render(clone / OVERLAY), "Deployment", "capture")
    assert capture is not None and container_of(capture)["image"] == f"{IMAGE}@{DIGEST}"


def test_an_entry_in_one_line_is_asked_for_in_three(clone: Path) -> None:
    commit_entry(clone, "  - {name: brakepoint-edge, newName: a.example/b/brakepoint-edge, newTag: '1'}\n")

    done = run_task(clone)

    assert done.returncode == 1 and "three lines: - name: brakepoint-edge" in done.stderr


def test_an_overlay_that_does_not_name_the_image_is_reported_and_left_alone(clone: Path) -> None:
    before = git(clone.parent / "origin.git", "rev-parse", "main")

    done = run_task(clone, name="brakepoint-other")

    assert (
        done.returncode == 1
        and "an entry in images with three lines: - name: brakepoint-other" in done.stderr
    )
    assert git(clone.parent / "origin.git", "rev-parse", "main") == before


def push_from_elsewhere(clone: Path, message: str) -> str:
    """Pushes a commit meanwhile, as a person or the pipeline of another push would."""
    other = clone.parent / "other"
    git(clone.parent, "clone", "--quiet", "--branch", "main", str(clone.parent / "origin.git"), str(other))
    git(other, "commit", "--quiet", "--allow-empty", "--message", message)
    git(other, "push", "--quiet", "origin", "HEAD:main")
    return git(other, "rev-parse", "HEAD").strip()


def test_what_was_overtaken_by_a_later_push_is_not_deployed(clone: Path) -> None:
    later = push_from_elsewhere(clone, "Stop earlier")

    done = run_task(clone)

    assert done.returncode == 0 and f"{later} was pushed meanwhile" in done.stdout
    assert git(clone.parent / "origin.git", "rev-parse", "main").strip() == later


def test_a_digest_that_was_committed_meanwhile_is_no_later_push(clone: Path) -> None:
    push_from_elsewhere(clone, "Deploy something [skip build]")

    assert run_task(clone).returncode == 0
    assert f"Deploy {IMAGE}@{DIGEST}" in git(clone.parent / "origin.git", "log", "-1", "--format=%s", "main")


def test_a_run_of_what_the_pipeline_has_committed_last_may_deploy(clone: Path) -> None:
    run_task(clone)
    before = git(clone.parent / "origin.git", "rev-parse", "main")

    assert "names this digest already" in run_task(clone).stdout
    assert git(clone, "rev-parse", "HEAD") == before
