"""The pages that a room's attendees take home, from what the room has kept about each attendee."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from brakepoint.cores import available_cores
from brakepoint.errors import UserError
from brakepoint.feeds import find_feed
from brakepoint.files import whole_folder
from brakepoint.mission.report import Recording
from brakepoint.room.config import Room
from brakepoint.room.history import Heard, History
from brakepoint.room.outcomes import Marks, Scores
from brakepoint.room.race import read_recording
from brakepoint.room.rulings import Rulings
from brakepoint.room.scoring import BEST, FINAL, folder_of
from brakepoint.room.submission import RUN_NAME
from brakepoint.truth import load_truth
from brakepoint.workers import spread
from brakepoint.workshop.curves import approach
from brakepoint.workshop.souvenir import Film, Souvenir, built, write_souvenir

FOLDER = "souvenirs"
"""Folder in the room's folder, with a page for each attendee."""


@dataclass(frozen=True)
class Gathered:
    """What the room has kept about one attendee.

    Attributes:
        handle: Handle of the attendee.
        heard: What the board has heard from the attendee; None if it has heard nothing.
        marks: The attendee's scores; None if there are none, or they do not count.
        run: The recording of the run that got the score; None if there is none.
        feed: The feed of that run; None if the room names none.
    """

    handle: str
    heard: Heard | None
    marks: Marks | None
    run: Path | None
    feed: Path | None


def gather(room: Room) -> list[Gathered]:
    """What the room has kept, for each attendee about whom it has kept something.

    Raises:
        UserError: The room has kept nothing about anyone, or the scores cannot be read.
    """
    heard, marks = History.load(room.folder).heard, Scores.load(room.folder).marks
    out = Rulings.load(room.folder).disqualified
    found = [
        _gathered(room, handle, heard.get(handle), None if handle in out else marks.get(handle))
        for handle in room.everybody
        if handle in heard or (handle in marks and handle not in out)
    ]
    if not found:
        raise UserError("souvenir.error.nobody")
    return found


def _gathered(room: Room, handle: str, heard: Heard | None, marks: Marks | None) -> Gathered:
    """What is kept about one attendee; the run is that of the final if there is one, otherwise the best."""
    is_final = marks is not None and marks.final is not None and marks.final.reason is None
    run = folder_of(room, handle) / (FINAL if is_final else BEST) / RUN_NAME
    feed = room.final_feed if is_final else room.hidden_feed
    return Gathered(handle, heard, marks, run if marks is not None and run.is_file() else None, feed)


def write_souvenirs(room: Room, films: bool) -> Iterator[tuple[int, int, str]]:
    """Writes every attendee's page, several at a time, replacing earlier pages.

    Args:
        room: The room.
        films: Whether the pages have films; films and curves need the hidden feed, and films show this feed.

    Yields:
        The number of pages written, the total, and the handle if the attendee's film could not be made, or
        "".

    Raises:
        UserError: The room has kept nothing about anyone, or a record of the room cannot be read.
    """
    everybody = gather(room)
    with (
        whole_folder(room.folder / FOLDER) as folder,
        spread(partial(_write, room, films, folder), everybody, available_cores()) as written,
    ):
        for done, lacks_film in enumerate(written, 1):
            yield done, len(everybody), lacks_film


def _write(room: Room, films: bool, folder: Path, kept: Gathered) -> str:
    """Writes one page, and returns the attendee's handle if a wanted film could not be made."""
    recording = read_recording(kept.run) if kept.run is not None else None
    film, chart = None, None
    if recording is not None and kept.feed is not None:
        video = find_feed(str(kept.feed))
        truth = load_truth(video.with_suffix(".json"))
        chart = approach(recording, truth)
        if films and truth.feed == recording.feed:
            film = _filmed(recording, video)
    marks, heard = kept.marks, kept.heard
    moments = [heard.at] if heard is not None else []
    moments += [marks.last.at] if marks is not None else []
    page = Souvenir(
        handle=kept.handle,
        day=max(moments).astimezone().date(),
        steps=built(heard.done if heard is not None else {}, room.track),
        missions=(recording.mission,) if recording is not None else (),
        film=film,
        map50=marks.best_map50 if marks is not None else None,
        charts=(chart,) if chart is not None else (),
    )
    write_souvenir(folder / f"{kept.handle}.html", page)
    return kept.handle if films and recording is not None and film is None else ""


def _filmed(recording: Recording, video: Path) -> Film:
    """The film of a run, which is drawn from its recording."""
    from brakepoint.mission.film import make_film

    with TemporaryDirectory() as folder:
        film = Path(folder, "film.mp4")
        make_film(recording, video, film)
        return Film(film.read_bytes(), film.with_suffix(".jpg").read_bytes())
