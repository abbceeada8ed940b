"""A whole room submits at once, and the first five attendees are hostile: `make hand-ins`.

Each honest attendee submits the shipped model and autopilot through the room's own store, with a key of their
own. The submissions run in the real sandbox, on a hidden feed. The benchmark measures when the last honest
submission was scored, and how much memory all submissions took.
"""

import contextlib
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer
from red_team import AUTOPILOTS, FIVE

from brakepoint.cli.usage import run_alone
from brakepoint.detector import SHIPPED_MODEL
from brakepoint.feeds import find_feed
from brakepoint.room.accounts import Accounts
from brakepoint.room.config import EmbeddedSettings, Room
from brakepoint.room.memory_groups import held_mb
from brakepoint.room.outcomes import Scores, SubmissionOutcome
from brakepoint.room.parcel import SUBMISSION_KEY, packed
from brakepoint.room.provisioning import Provisioner
from brakepoint.room.scoring import score_room
from brakepoint.room.stores import open_store, serving
from brakepoint.sockets import LOCALHOST, free_port
from brakepoint.store.connection import Connection
from brakepoint.systems import require_linux
from brakepoint.texts import number, text
from solutions import step6_autopilot

LOOK_EVERY_S = 0.05


@dataclass
class HandIns:
    """The results of the benchmark.

    Attributes:
        honest: Number of attendees who submitted the kit's own files.
        scored: Number of these attendees who got a score.
        astray: The unexpected outcomes, each with its attendee.
        honest_s: Time from the submission to the last honest score.
        all_s: Time to the last outcome, honest or hostile.
        peak_mb: Peak memory of this process and all its descendants.
    """

    honest: int = 0
    scored: int = 0
    astray: list[str] = field(default_factory=list)
    honest_s: float = 0.0
    all_s: float = 0.0
    peak_mb: float = 0.0


@contextlib.contextmanager
def looking_at_memory() -> Iterator[list[float]]:
    """Yields a list whose only element is the peak memory of this process and its descendants, in MB."""
    most, ended = [0.0], threading.Event()

    def look() -> None:
        while not ended.wait(LOOK_EVERY_S):
            most[0] = max(most[0], held_mb(os.getpid()))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield most
    finally:
        ended.set()
        thread.join()


def hand_in(room: Room, handle: str, autopilot: bytes) -> None:
    """Uploads the shipped model and an autopilot as `brakepoint submit` does, with the attendee's key."""
    place, key = room.place_of(handle), Accounts.load(room.folder).accounts[handle].secret_key
    client = Connection(room.outside, place, place, key).client
    client.put_object(Bucket=place, Key=SUBMISSION_KEY, Body=packed(SHIPPED_MODEL.read_bytes(), autopilot))


def play(room: Room, hostile: dict[str, str]) -> HandIns:
    """Submits for all attendees of a room at once, and scores all submissions.

    Args:
        room: The room, which is created.
        hostile: For each hostile attendee, by handle, the name of a submission from the tests' red team.
    """
    store, honest = open_store(room), Path(step6_autopilot.__file__).read_bytes()
    Provisioner(room, store).apply(lambda done, of: None)
    autopilots = {
        handle: AUTOPILOTS[hostile[handle]][0] if handle in hostile else honest for handle in room.everybody
    }
    found = HandIns(honest=len(room.everybody) - len(hostile))
    with looking_at_memory() as most, serving(room):
        with ThreadPoolExecutor(len(autopilots)) as everybody:
            list(everybody.map(lambda item: hand_in(room, *item), autopilots.items()))
        began_at = time.monotonic()
        for handle, outcome in score_room(room, store, Scores()):
            found.all_s = time.monotonic() - began_at
            _take_in(found, handle, outcome, hostile)
    found.peak_mb = most[0]
    return found


def _take_in(found: HandIns, handle: str, outcome: SubmissionOutcome, hostile: dict[str, str]) -> None:
    if handle not in hostile:
        found.honest_s = found.all_s
        found.scored += outcome.reason is None
    expected = AUTOPILOTS[hostile[handle]][1] if handle in hostile else {None}
    if outcome.reason not in expected:
        found.astray.append(f"{handle} ({hostile.get(handle, '–')}): {outcome.words()}")


def main(
    attendees: Annotated[int, typer.Option(min=1, help="bench.hand_ins.attendees")] = 40,
    hostile: Annotated[int, typer.Option(min=0, max=len(FIVE), help="bench.hand_ins.hostile")] = len(FIVE),
    feed: Annotated[str, typer.Option(help="bench.hand_ins.feed")] = "track-stop",
) -> None:
    """Runs the benchmark in a separate folder and prints the results; exit status 1 for unexpected ones."""
    require_linux("make hand-ins")
    original = find_feed(feed)
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        hidden = Path(shutil.copy2(original, folder))
        shutil.copy2(original.with_suffix(".json"), hidden.with_suffix(".json"))
        settings = EmbeddedSettings(host=LOCALHOST, port=free_port())
        room = Room(name="hand-ins", attendees=attendees, hidden_feed=hidden, store=settings)
        found = play(room, dict(zip(room.everybody, FIVE[:hostile], strict=False)))
    typer.echo(
        text(
            "bench.hand_ins.found",
            scored=found.scored,
            honest=found.honest,
            honest_s=number(found.honest_s, 0),
            all_s=number(found.all_s, 0),
            peak=number(found.peak_mb, 0),
        )
    )
    for line in found.astray:
        typer.echo(line)
    raise typer.Exit(1 if found.astray or found.scored < found.honest else 0)


if __name__ == "__main__":
    sys.exit(run_alone(main, "bench.hand_ins.help", sys.argv[1:]))
