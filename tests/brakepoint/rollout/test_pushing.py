"""A clone is pushed to the forge on top of the pipeline's commits, and is not modified itself."""

import os
import subprocess
from pathlib import Path

import pytest

from brakepoint.errors import UserError
from brakepoint.rollout.forge import Forge
from brakepoint.rollout.pushing import ONCE_MORE, is_clean, push

WHO = {f"GIT_{role}_{what}": "a@b" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
OVERLAY = "first\nsecond\nthird\ntag: 0.1.0\n"


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", *words], cwd=folder, env={**os.environ, **WHO}, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def commit(clone: Path, name: str, words: str) -> str:
    (clone / name).write_text(words, encoding="utf-8")
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "--message", f"Change {name}")
    return git(clone, "rev-parse", "HEAD")


@pytest.fixture
def forge(tmp_path: Path) -> Forge:
    made = Forge(tmp_path / "forge.git")
    made.open()
    return made


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    folder = tmp_path / "clone"
    folder.mkdir()
    git(folder, "init", "--quiet")
    commit(folder, "overlay", OVERLAY)
    return folder


def deploy(forge: Forge, tmp_path: Path, digest: str) -> None:
    """Commits a digest as the pipeline does."""
    there = tmp_path / f"pipeline-{digest}"
    subprocess.run(["git", "clone", "--quiet", forge.folder, there], check=True, capture_output=True)
    commit(there, "overlay", OVERLAY.replace("tag: 0.1.0", f"digest: {digest}"))
    git(there, "push", "--quiet", "origin", "HEAD:main")


def test_the_first_push_brings_the_commit_as_it_is(forge: Forge, clone: Path) -> None:
    assert push(clone, forge) == git(clone, "rev-parse", "HEAD")
    assert [one.commit for one in forge.pushes()] == [git(clone, "rev-parse", "HEAD")]


def test_what_the_pipeline_has_deployed_stays_deployed(forge: Forge, clone: Path, tmp_path: Path) -> None:
    push(clone, forge)
    deploy(forge, tmp_path, "abc")
    head = commit(clone, "autopilot", "stop earlier\n")
    pushed = push(clone, forge)
    assert "digest: abc" in forge.git("show", "main:overlay")
    assert forge.git("show", "main:autopilot") == "stop earlier"
    assert forge.git("rev-parse", "main") == pushed
    assert git(clone, "rev-parse", "HEAD") == head, "the clone is left alone"
    assert git(clone, "status", "--porcelain") == ""


def test_where_both_have_changed_a_line_the_one_that_is_pushed_counts(
    forge: Forge, clone: Path, tmp_path: Path
) -> None:
    push(clone, forge)
    deploy(forge, tmp_path, "abc")
    commit(clone, "overlay", OVERLAY.replace("0.1.0", "0.2.0"))
    push(clone, forge)
    assert "tag: 0.2.0" in forge.git("show", "main:overlay")


@pytest.mark.parametrize("after", ["reset", "amended"])
def test_a_commit_that_was_taken_back_does_not_come_back_with_the_next_push(
    forge: Forge, clone: Path, tmp_path: Path, after: str
) -> None:
    push(clone, forge)
    commit(clone, "bad", "bad\n")
    push(clone, forge)
    deploy(forge, tmp_path, "abc")
    git(clone, "rm", "--quiet", "bad")
    git(clone, "commit", "--quiet", "--amend", "--allow-empty", "--message", "Better")
    if after == "reset":
        git(clone, "reset", "--quiet", "--hard", "HEAD~1")
    push(clone, forge)
    assert forge.git("ls-tree", "--name-only", "main") == "overlay"
    commit(clone, "autopilot", "stop earlier\n")
    push(clone, forge)
    assert forge.git("ls-tree", "--name-only", "main").split() == ["autopilot", "overlay"]


def test_what_was_built_before_is_built_once_more(forge: Forge, clone: Path) -> None:
    first = push(clone, forge)
    second = push(clone, forge)
    assert second != first
    assert forge.git("log", "-1", "--format=%s", "main") == ONCE_MORE
    assert [one.commit for one in forge.pushes()] == [first, second]


def test_what_is_not_committed_is_not_pushed(forge: Forge, clone: Path) -> None:
    assert is_clean(clone)
    (clone / "overlay").write_text("changed\n", encoding="utf-8")
    assert not is_clean(clone)
    push(clone, forge)
    assert forge.git("show", "main:overlay") == OVERLAY.strip()


def test_a_merge_that_git_refuses_says_why(forge: Forge, clone: Path, tmp_path: Path) -> None:
    push(clone, forge)
    deploy(forge, tmp_path, "abc")
    git(clone, "rm", "--quiet", "overlay")
    git(clone, "commit", "--quiet", "--message", "Without")
    with pytest.raises(UserError, match="overlay deleted in"):
        push(clone, forge)


def test_a_folder_that_is_not_a_clone_is_said_to_be_none(forge: Forge, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="git"):
        push(tmp_path / "empty", forge)
