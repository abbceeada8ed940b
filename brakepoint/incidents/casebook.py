"""The sealed cause that a person is looking for, and how long finding and fixing it took."""

import hashlib
import json
import random
import secrets
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ValidationError

from brakepoint.course import ROOT
from brakepoint.errors import UserError
from brakepoint.files import write_whole
from brakepoint.incidents.causes import CAUSES, INCIDENTS, Incident, find_incident
from brakepoint.incidents.site import healthy_site
from brakepoint.workshop.progress import INCIDENTS_NAME

FOLDER = ROOT / "runs" / "incident"
SITE_DIR = FOLDER / "train"
CASE_PATH = FOLDER / "case.json"
RECORD_PATH = ROOT / INCIDENTS_NAME
LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Case(BaseModel):
    """The current case. Its file does not reveal which incident it is.

    Attributes:
        salt: Drawn for each case; also determines the order of the suspects.
        seal: Hash of salt and incident.
        started_at: When the train was broken.
    """

    salt: str
    seal: str
    started_at: datetime

    @classmethod
    def load(cls) -> "Case":
        """The current case.

        Raises:
            UserError: There is no current case.
        """
        try:
            return cls.model_validate_json(CASE_PATH.read_bytes())
        except (OSError, ValidationError) as error:
            raise UserError("incident.error.none") from error

    @property
    def incident(self) -> Incident:
        """The incident that the case hides.

        Raises:
            UserError: The file was changed.
        """
        found = next((one for one in INCIDENTS if _seal(self.salt, one) == self.seal), None)
        if found is None:
            raise UserError("incident.error.none")
        return found

    @property
    def suspects(self) -> dict[str, str]:
        """The causes to choose from: names by letter, in an order specific to this case."""
        names = list(CAUSES)
        random.Random(self.salt).shuffle(names)
        return dict(zip(LETTERS, names, strict=False))


class Entry(BaseModel):
    """The history of one incident.

    Attributes:
        started_at: When the train was last broken.
        found_min: Minutes until the cause was named; None if it has not been named.
        mended_min: Minutes until the train was healthy and the cause named; None if that has not happened
            yet.
        hints: Number of hints given.
        wrong: Number of wrong causes named.
    """

    started_at: datetime
    found_min: float | None = None
    mended_min: float | None = None
    hints: int = 0
    wrong: int = 0


class Record(BaseModel):
    """The contents of `incidents.json`, which is kept next to the progress file.

    Attributes:
        incidents: Entries by incident number.
    """

    incidents: dict[int, Entry] = {}

    @classmethod
    def load(cls) -> "Record":
        """Reads the file; a missing or unreadable one means a fresh start."""
        try:
            return cls.model_validate_json(RECORD_PATH.read_bytes())
        except (OSError, ValidationError):
            return cls()

    def save(self) -> None:
        """Writes the file atomically."""
        content = json.dumps(self.model_dump(mode="json"), indent=2) + "\n"
        write_whole(RECORD_PATH, content.encode())

    def of(self, case: Case) -> Entry:
        """The entry of the current case."""
        return self.incidents.setdefault(case.incident.number, Entry(started_at=case.started_at))


def open_case(number: int | None, now: datetime | None = None) -> Case:
    """Breaks a train, and discards the previous case.

    Args:
        number: Number of the incident; None to draw one at random from those not fixed yet.
        now: The current time.

    Raises:
        UserError: There is no such incident.
    """
    record = Record.load()
    incident = find_incident(number) if number is not None else _drawn(record)
    salt = secrets.token_hex(8)
    case = Case(salt=salt, seal=_seal(salt, incident), started_at=now or datetime.now(UTC))
    incident.break_(healthy_site(SITE_DIR)).save()
    write_whole(CASE_PATH, case.model_dump_json().encode())
    record.incidents[incident.number] = Entry(started_at=case.started_at)
    record.save()
    return case


def take_down(case: Case, named: str, healthy: bool, now: datetime | None = None) -> bool:
    """Records what a check has found, and returns whether the right cause has been named.

    Args:
        case: The case.
        named: The cause that the person named, or None.
        healthy: Whether the train is healthy.
        now: The current time.
    """
    record = Record.load()
    entry = record.of(case)
    minutes = round(((now or datetime.now(UTC)) - case.started_at).total_seconds() / 60, 1)
    if named == case.incident.name:
        entry.found_min = minutes if entry.found_min is None else entry.found_min
    elif named:
        entry.wrong += 1
    found = entry.found_min is not None and named in ("", case.incident.name)
    if found and healthy and entry.mended_min is None:
        entry.mended_min = minutes
    record.save()
    return found


def _drawn(record: Record) -> Incident:
    mended = {number for number, entry in record.incidents.items() if entry.mended_min is not None}
    return secrets.choice([one for one in INCIDENTS if one.number not in mended] or list(INCIDENTS))


def _seal(salt: str, incident: Incident) -> str:
    return hashlib.sha256(f"{salt} {incident.number}".encode()).hexdigest()


def path_shown(path: Path) -> str:
    """A path as a person would type it: relative to the current folder, if the path is below that folder."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
