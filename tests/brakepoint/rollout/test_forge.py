"""A bare repository reports each push once, and the trigger's filter decides."""

import os
import subprocess
from pathlib import Path

import pytest

from brakepoint.errors import UserError
from brakepoint.rollout.forge import Forge, Push, starts_a_run

FILTER = (
    "body.ref == 'refs/heads/main' && has(body.head_commit.message) &&\n"
    "!body.head_commit.message.contains('[skip build]')"
)
WHO = {
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@b",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@b",
}


@pytest.fixture
def forge(tmp_path: Path) -> Forge:
    made = Forge(tmp_path / "forge.git")
    made.open()
    return made


@pytest.fixture
def clone(tmp_path: Path, forge: Forge) -> Path:
    folder = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", forge.folder, folder], check=True, capture_output=True)
    return folder


def push(clone: Path, message: str, ref: str = "main") -> str:
    for words in (
        ["commit", "--quiet", "--allow-empty", "-m", message],
        ["push", "--quiet", "origin", f"HEAD:{ref}"],
    ):
        subprocess.run(["git", *words], cwd=clone, env={**os.environ, **WHO}, check=True, capture_output=True)
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=clone, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_push_is_heard_once_with_branch_commit_and_message(forge: Forge, clone: Path) -> None:
    commit = push(clone, "Stop earlier\n\nBy a hand.")
    assert list(forge.pushes()) == [Push("refs/heads/main", commit, "Stop earlier\n\nBy a hand.")]
    assert list(forge.pushes()) == []


def test_two_pushes_are_heard_in_their_order(forge: Forge, clone: Path) -> None:
    commits = [push(clone, "one"), push(clone, "two")]
    assert [one.commit for one in forge.pushes()] == commits


def test_a_branch_that_is_deleted_is_not_a_push(forge: Forge, clone: Path) -> None:
    push(clone, "one", "other")
    list(forge.pushes())
    subprocess.run(["git", "push", "--quiet", "origin", ":other"], cwd=clone, check=True, capture_output=True)
    assert list(forge.pushes()) == []


def test_a_forge_that_is_opened_once_more_keeps_what_it_has(forge: Forge, clone: Path) -> None:
    commit = push(clone, "one")
    forge.open()
    assert [one.commit for one in forge.pushes()] == [commit]


@pytest.mark.parametrize(
    ("said", "starts"),
    [
        (Push("refs/heads/main", "c", "Stop earlier"), True),
        (Push("refs/heads/other", "c", "Stop earlier"), False),
        (Push("refs/heads/main", "c", "Deploy x [skip build]"), False),
    ],
)
def test_a_push_starts_a_run_if_the_triggers_filter_lets_it(said: Push, starts: bool) -> None:
    assert starts_a_run(said, FILTER) is starts


def test_a_filter_that_says_something_else_is_refused() -> None:
    with pytest.raises(UserError, match=r"body\.pusher"):
        starts_a_run(Push("refs/heads/main", "c", "m"), "body.pusher == 'me'")
