"""A bare repository that stands in for a forge: its hook keeps pushes in a file until they are processed."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from brakepoint.errors import UserError

HOOK = """#!/bin/sh
# Says of each push what a forge's webhook would: the branch and the commit. It starts nothing itself.
while read -r old new ref; do
  printf '%s %s %s\\n' "$old" "$new" "$ref" >> pushes
done
"""
GONE = "0" * 40
"""The commit of a deleted branch."""
CONDITION = re.compile(
    r"body\.ref == '(?P<ref>[^']+)'"
    r"|has\(body\.head_commit\.message\)"
    r"|!body\.head_commit\.message\.contains\('(?P<without>[^']+)'\)"
)


@dataclass(frozen=True)
class Push:
    """A push.

    Attributes:
        ref: The branch, such as `refs/heads/main`.
        commit: The branch's new commit.
        message: Message of that commit.
    """

    ref: str
    commit: str
    message: str


@dataclass(frozen=True)
class Forge:
    """A bare repository.

    Attributes:
        folder: Folder of the repository.
    """

    folder: Path

    def open(self) -> None:
        """Creates the repository unless it exists; tasks, which are in root's group, may push to it."""
        if not (self.folder / "HEAD").is_file():
            subprocess.run(
                ["git", "init", "--quiet", "--bare", "--shared", "--initial-branch=main", str(self.folder)],
                check=True,
            )
            self.git("config", "uploadpack.allowAnySHA1InWant", "true")
        hook = self.folder / "hooks" / "post-receive"
        hook.write_text(HOOK, encoding="utf-8")
        hook.chmod(0o755)
        self._make_queue()

    def git(self, *words: str) -> str:
        """Runs git in the repository.

        Raises:
            UserError: Git fails.
        """
        words = ("git", "--git-dir", str(self.folder), *words)
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise UserError("rollout.error.tool", tool="git", why=done.stderr.strip()[-300:])
        return done.stdout.strip()

    def has(self, ref: str) -> bool:
        """Whether the branch exists."""
        return bool(self.git("for-each-ref", ref))

    def pushes(self) -> Iterator[Push]:
        """The new pushes, in order; each push is returned once."""
        taken = self._queue.with_suffix(".heard")
        self._queue.replace(taken)
        self._make_queue()
        for line in taken.read_text("utf-8").splitlines():
            _, commit, ref = line.split(" ", 2)
            if commit != GONE:
                yield Push(ref, commit, self.git("log", "-1", "--format=%B", commit))

    @property
    def _queue(self) -> Path:
        return self.folder / "pushes"

    def _make_queue(self) -> None:
        self._queue.touch()
        self._queue.chmod(0o664)


def starts_a_run(push: Push, condition: str) -> bool:
    """Whether a push starts a run, according to a trigger's filter.

    Args:
        push: The push.
        condition: The trigger's CEL expression: conditions on branch and message that must all hold.

    Raises:
        UserError: The condition contains something unsupported.
    """
    for part in (part.strip() for part in condition.split("&&")):
        found = CONDITION.fullmatch(part)
        if found is None:
            raise UserError("rollout.error.filter", part=part)
        if found["ref"] and push.ref != found["ref"]:
            return False
        if found["without"] and found["without"] in push.message:
            return False
    return True
