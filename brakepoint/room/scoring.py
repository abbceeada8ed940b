"""Scores the submissions of a room, several at a time, on a feed that no attendee has seen."""

import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from brakepoint.cores import available_cores
from brakepoint.errors import UserError
from brakepoint.feeds import find_feed
from brakepoint.files import whole_folder
from brakepoint.room.config import Room
from brakepoint.room.locking import SCORING, locked
from brakepoint.room.outcomes import Failure, Scores, SubmissionOutcome, clean
from brakepoint.room.rulings import Rulings
from brakepoint.room.sandbox import Aborted, require_sandbox
from brakepoint.room.stores.base import Buckets, RoomStore
from brakepoint.room.submission import NAMES, RUN_NAME, Submission, fetch, score

SPARE_PLACES = 1
"""This many more submissions than cores are scored at once, since a sleeping one leaves its core unused."""
BEST, FINAL = "best", "final"
"""The folders with an attendee's best submission, which drives in the final, and with its run there."""


def score_room(
    room: Room, store: RoomStore, scores: Scores, stopping: threading.Event | None = None
) -> Iterator[tuple[str, SubmissionOutcome]]:
    """Scores every new submission, several at a time, one per attendee.

    Attendees who have used fewer tries come first. If a submission fails, that is its outcome, not an error.

    Args:
        room: The room.
        store: The room's object store.
        scores: Scores of the room, which are updated here and in the room's folder.
        stopping: Ends the scoring; submissions being scored at that moment get no outcome.

    Yields:
        Handle and outcome of each new submission.

    Raises:
        UserError: The room has no hidden feed, this machine has no sandbox, or another command is scoring;
            or, after all others were scored, a submission cannot be read.
        OSError: Earlier outcomes still cannot be written; or, after all submissions were scored, the new ones
            cannot.
    """
    feed = _hidden(room.hidden_feed, "hidden_feed")
    stopping = stopping or threading.Event()
    with _alone(room):
        scores.catch_up(room.folder)
        rulings = Rulings.load(room.folder)
        waiting, unreadable = _waiting(room, rulings.source(room.folder, store), scores, rulings)

        def judge(handle: str) -> SubmissionOutcome:
            seated = _seated(room, handle)
            source = Rulings.load(room.folder).source(room.folder, store)  # By now, time may be up.
            submission = fetch(source, room.place_of(handle))
            if submission is None:
                raise FileNotFoundError(handle)
            marks = scores.marks.get(handle)
            if marks is not None and marks.tries >= room.tries and not rulings.asks_again(handle):
                return _failure(submission.digest, Failure.TRIES, str(room.tries))
            outcome = score(submission, feed, folder_of(room, handle), room.map50_min, stopping)
            _require_seated_since(seated, room, handle)
            if scores.would_be_best(handle, outcome):
                with whole_folder(folder_of(room, handle) / BEST) as best:
                    submission.unpack(best)
                    shutil.copyfile(folder_of(room, handle) / RUN_NAME, best / RUN_NAME)
            return outcome

        for handle, outcome in _kept(_judge_all(waiting, judge, stopping), scores, room.folder):
            if outcome.is_settled:
                with suppress(OSError):  # With a full disk, the submission is scored again later.
                    rulings.answered(handle, room.folder)
            yield handle, outcome
        if unreadable:
            error = next(iter(unreadable.values()))
            why = clean(str(error))
            raise UserError("room.error.unreadable", handles=", ".join(unreadable), why=why) from error


def score_final(
    room: Room, scores: Scores, stopping: threading.Event | None = None
) -> Iterator[tuple[str, SubmissionOutcome]]:
    """Scores each attendee's best submission on the feed of the final, which no submission has driven before.

    Args:
        room: The room.
        scores: Scores of the room, which are updated here and in the room's folder.
        stopping: Ends the scoring.

    Yields:
        Handle and outcome of each submission that had not been scored on this feed before.

    Raises:
        UserError: The room has no feed for the final, this machine has no sandbox, or another command is
            scoring.
        OSError: As for `score_room`.
    """
    feed = _hidden(room.final_feed, "final_feed")
    stopping = stopping or threading.Event()
    with _alone(room):
        scores.catch_up(room.folder)
        out = Rulings.load(room.folder).disqualified
        best = {handle: folder_of(room, handle) / BEST for handle in room.everybody if handle not in out}
        waiting = [
            handle
            for handle, marks in scores.marks.items()
            if handle in best
            and best[handle].is_dir()
            and (marks.final is None or not marks.final.is_settled)
        ]

        def judge(handle: str) -> SubmissionOutcome:
            seated = _seated(room, handle)
            submission = Submission(*((best[handle] / name).read_bytes() for name in NAMES))
            outcome = score(submission, feed, folder_of(room, handle) / FINAL, 0.0, stopping)
            _require_seated_since(seated, room, handle)
            return outcome

        yield from _kept(_judge_all(waiting, judge, stopping), scores, room.folder, final=True)


@contextmanager
def _alone(room: Room) -> Iterator[None]:
    """Lets one command score at a time: two would count a try twice, and interfere with each other's files.

    Raises:
        UserError: Another command is scoring.
    """
    with ExitStack() as held:
        try:
            held.enter_context(locked(room.folder, SCORING, wait=False))
        except BlockingIOError:
            raise UserError("room.error.scoring", room=room.name) from None
        yield


def _kept(
    judged: Iterator[tuple[str, SubmissionOutcome]], scores: Scores, folder: Path, final: bool = False
) -> Iterator[tuple[str, SubmissionOutcome]]:
    """Writes each outcome; a full disk does not stop the scoring and is reported at the end."""
    trouble: OSError | None = None
    for handle, outcome in judged:
        try:
            scores.add(handle, outcome, folder, final)
            trouble = None
        except OSError as error:
            trouble = error
        yield handle, outcome
    if trouble is not None:
        raise trouble


def _hidden(wanted: Path | None, name: str) -> Path:
    """A hidden feed, after checking that the sandbox hides it."""
    if wanted is None:
        raise UserError("room.error.no_hidden_feed", name=name)
    feed = find_feed(str(wanted))
    require_sandbox(feed, feed.with_suffix(".json"))
    return feed


def _waiting(
    room: Room, store: Buckets, scores: Scores, rulings: Rulings
) -> tuple[list[str], dict[str, Exception]]:
    """The attendees whose submission has not been scored yet; those who have used fewest tries come first.

    Returns:
        Their handles, and the errors for unreadable buckets, which their owners can fix and which must not
        hold up the others.
    """
    there, tries = store.buckets(), {}
    unreadable: dict[str, Exception] = {}
    for handle in room.everybody:
        if room.place_of(handle) not in there:
            continue
        marks = scores.marks.get(handle)
        try:
            submission = fetch(store, room.place_of(handle))
        except (OSError, UserError) as error:
            unreadable[handle] = error
            continue
        if submission is not None and rulings.wants_score(handle, submission.digest, marks):
            tries[handle] = marks.tries if marks else 0
    return sorted(tries, key=tries.__getitem__), unreadable


def _judge_all(
    handles: list[str], judge: Callable[[str], SubmissionOutcome], stopping: threading.Event
) -> Iterator[tuple[str, SubmissionOutcome]]:
    """Scores several submissions at a time; interrupted ones get no outcome."""

    def outcome(handle: str) -> SubmissionOutcome | None:
        if stopping.is_set():
            return None
        try:
            return judge(handle)
        except Aborted:
            return None
        except Exception as error:  # Whatever a submission does, the others must be scored.
            return _failure("", Failure.INTERNAL, f"{type(error).__name__}: {error}")

    with ThreadPoolExecutor(available_cores() + SPARE_PLACES) as places:
        futures = {places.submit(outcome, handle): handle for handle in handles}
        try:
            for future in as_completed(futures):
                found = future.result()
                if found is not None:
                    yield futures[future], found
        finally:
            if not all(future.done() for future in futures):
                stopping.set()
                places.shutdown(cancel_futures=True)


def _seated(room: Room, handle: str) -> datetime | None:
    """When the work under a handle last became someone else's, or nobody's, by a reset or a move."""
    return Rulings.load(room.folder).seated.get(handle)


def _require_seated_since(seated: datetime | None, room: Room, handle: str) -> None:
    """Checks that a submission still belongs to its handle.

    Raises:
        Aborted: The attendee's work was reset or moved while the submission was being scored.
    """
    if _seated(room, handle) != seated:
        raise Aborted


def _failure(digest: str, reason: Failure, detail: str) -> SubmissionOutcome:
    return SubmissionOutcome(digest=digest, at=datetime.now(UTC), reason=reason, detail=detail)


def folder_of(room: Room, handle: str) -> Path:
    """The folder with an attendee's submissions."""
    return room.folder / "submissions" / handle
