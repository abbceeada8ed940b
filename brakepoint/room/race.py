"""The race of a room: everyone's best submission, driving side by side."""

from pathlib import Path

from pydantic import ValidationError

from brakepoint.errors import UserError
from brakepoint.mission.page.race import Racer
from brakepoint.mission.report import Recording
from brakepoint.room.config import Room
from brakepoint.room.rulings import Rulings
from brakepoint.room.scoring import BEST, FINAL, folder_of
from brakepoint.room.submission import RUN_NAME

PAGE_NAME = "race.html"
"""File name in the room's folder."""


def read_recording(run: Path) -> Recording:
    """Reads the run of a submission that the room has kept.

    Raises:
        UserError: The recording cannot be read.
    """
    try:
        return Recording.model_validate_json(run.read_bytes())
    except (OSError, ValidationError) as error:
        raise UserError("race.error.damaged", path=run) from error


def racers(room: Room, final: bool = False) -> list[Racer]:
    """Each attendee's best run, or the run of the final; disqualified attendees do not race.

    Raises:
        UserError: There is no run, or one cannot be read.
    """
    out = Rulings.load(room.folder).disqualified
    found = []
    for handle in room.everybody:
        file = folder_of(room, handle) / (FINAL if final else BEST) / RUN_NAME
        if handle in out or not file.exists():
            continue
        found.append(Racer(handle, read_recording(file), has_blame=False))
    if not found:
        raise UserError("race.error.nobody")
    return found
