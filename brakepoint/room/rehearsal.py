"""Rehearses a room before the day: all attendees do the same thing at once, phase by phase."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from brakepoint.course import course
from brakepoint.detector import SHIPPED_MODEL
from brakepoint.errors import UserError
from brakepoint.places import PACKAGES
from brakepoint.room.accounts import Accounts
from brakepoint.room.config import Room
from brakepoint.room.manifests import connection_variables
from brakepoint.room.stores.base import RoomStore
from brakepoint.store.connection import Connection
from brakepoint.store.errors import friendly_errors
from brakepoint.workshop.checking import examination

FEED, DETECTOR = "track-stop", str(SHIPPED_MODEL)
TRIAL_KEY = "rehearsal/model.onnx"
TIMEOUT_S = 600.0
PATIENCE_S = {"start": 10.0, "pull": 30.0, "check": 30.0, "mission": 60.0, "upload": 10.0}
"""The phases, in order, and how long an attendee waits patiently for each. Texts: `room.phase.{name}`."""


@dataclass(frozen=True)
class Rehearser:
    """Acts as one attendee.

    Attributes:
        handle: The attendee whose key and bucket are used.
        variables: The variables of the attendee's environment.
        folder: Where output is written.
    """

    handle: str
    variables: dict[str, str]
    folder: Path

    def start(self) -> str:
        """Starts the command line, up to its first output."""
        return self._run("-m", "brakepoint", "progress")

    def pull(self) -> str:
        """Downloads the workshop's data from the bucket into a dataset."""
        options = ["--steps", "solutions", "--out", str(self.folder / "data")]
        return self._run("-m", "brakepoint", "dataset", *options)

    def check(self) -> str:
        """Runs the check of the first step."""
        step = course()[0]
        return self._run(*examination(step, step.solution, self.folder / "verdicts"))

    def mission(self) -> str:
        """Drives, scores and films one feed."""
        options = ["--feed", FEED, "--detector", DETECTOR, "--out", str(self.folder / "mission")]
        return self._run("-m", "brakepoint", "mission", *options)

    def upload(self) -> str:
        """Uploads a model to the bucket, and deletes it again."""
        values = self.variables
        store = Connection(
            values["AWS_S3_ENDPOINT"],
            values["AWS_S3_BUCKET"],
            values["AWS_ACCESS_KEY_ID"],
            values["AWS_SECRET_ACCESS_KEY"],
        )
        try:
            with friendly_errors(store.endpoint, store.bucket):
                store.client.put_object(Bucket=store.bucket, Key=TRIAL_KEY, Body=SHIPPED_MODEL.read_bytes())
                store.client.delete_object(Bucket=store.bucket, Key=TRIAL_KEY)
        except UserError as error:
            return str(error)
        return ""

    def _run(self, *arguments: str) -> str:
        """Runs Python as in the attendee's workspace; returns what went wrong, or an empty string."""
        try:
            process = subprocess.run(
                [sys.executable, *arguments],
                cwd=self.folder,
                env={**os.environ, "PYTHONPATH": str(PACKAGES), **self.variables},
                capture_output=True,
                text=True,
                errors="replace",
                timeout=TIMEOUT_S,
            )
        except subprocess.TimeoutExpired:
            return f"> {TIMEOUT_S:g} s"
        lines = process.stderr.strip().splitlines() or [f"exit {process.returncode}"]
        return lines[-1] if process.returncode else ""


@dataclass(frozen=True)
class Phase:
    """The results of one phase for all attendees.

    Attributes:
        name: Name of the phase.
        median_s: Median waiting time.
        slowest_s: Longest waiting time.
        slowest: The attendee who waited longest.
        failures: What went wrong, by handle.
    """

    name: str
    median_s: float
    slowest_s: float
    slowest: str
    failures: dict[str, str]

    @property
    def is_slow(self) -> bool:
        """Whether an attendee would lose patience."""
        return self.slowest_s > PATIENCE_S[self.name]


def rehearse(room: Room, store: RoomStore) -> Iterator[Phase]:
    """Rehearses the room with all its attendees at once; the store must be serving.

    Args:
        room: The room; it must have been applied.
        store: The room's object store.

    Yields:
        How each phase went.

    Raises:
        UserError: The room has not been applied.
    """
    accounts = Accounts.load(room.folder).accounts
    missing = [handle for handle in room.everybody if handle not in accounts]
    if missing:
        raise UserError("room.error.not_applied", room=room.name, missing=", ".join(missing[:3]))
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(room.attendees) as pool:
        rehearsers = []
        for handle in room.everybody:
            variables = connection_variables(room, handle, accounts[handle], room.outside)
            rehearsers.append(Rehearser(handle, variables, Path(folder, handle)))
            rehearsers[-1].folder.mkdir()
        for name in PATIENCE_S:
            results = list(pool.map(_timed, [getattr(rehearser, name) for rehearser in rehearsers]))
            by_handle = dict(zip(room.everybody, results, strict=True))
            slowest = max(by_handle, key=lambda handle: by_handle[handle][0])
            yield Phase(
                name=name,
                median_s=median(seconds for seconds, _ in results),
                slowest_s=by_handle[slowest][0],
                slowest=slowest,
                failures={handle: why for handle, (_, why) in by_handle.items() if why},
            )


def _timed(work: Callable[[], str]) -> tuple[float, str]:
    began_at = time.monotonic()
    why = work()
    return time.monotonic() - began_at, why
