"""What a person is looking for, sealed, and how long finding and mending took."""

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
    """The incident that is under way. The file does not say which one it is.

    Attributes:
        salt: Drawn for each case; the order of the suspects follows from it, too.
        seal: Hash of salt and incident.
        started_at: When the train was broken.
    """

    salt: str
    seal: str
    started_at: datetime

    @classmethod
    def load(cls) -> "Case":
        """The case that is under way.

        Raises:
            UserError: There is none.
        """
        try:
            return cls.model_validate_json(CASE_PATH.read_text(encoding="utf-8"))
        except (OSError, ValidationError) as error:
            raise UserError("incident.error.none") from error

    @property
    def incident(self) -> Incident:
        """Which one it is.

        Raises:
            UserError: The file was changed.
        """
        found = next((one for one in INCIDENTS if _seal(self.salt, one) == self.seal), None)
        if found is None:
            raise UserError("incident.error.none")
        return found

    @property
    def suspects(self) -> dict[str, str]:
        """The causes to choose from: name by letter, in an order of this case's own."""
        names = list(CAUSES)
        random.Random(self.salt).shuffle(names)
        return dict(zip(LETTERS, names, strict=False))


class Entry(BaseModel):
    """What became of one incident.

    Attributes:
        started_at: When the train was broken, the last time.
        found_min: Minutes until the cause was named; None: it was not yet.
        mended_min: Minutes until the train was healthy and the cause named; None: not yet.
        hints: How many were given.
        wrong: How often another cause was named.
    """

    started_at: datetime
    found_min: float | None = None
    mended_min: float | None = None
    hints: int = 0
    wrong: int = 0


class Record(BaseModel):
    """`incidents.json`, which lies beside the progress.

    Attributes:
        incidents: By number.
    """

    incidents: dict[int, Entry] = {}

    @classmethod
    def load(cls) -> "Record":
        """Reads the file; one that is missing or unreadable means a fresh start."""
        try:
            return cls.model_validate_json(RECORD_PATH.read_text(encoding="utf-8"))
        except (OSError, ValidationError):
            return cls()

    def save(self) -> None:
        """Writes the file, whole or not at all."""
        content = json.dumps(self.model_dump(mode="json"), indent=2) + "\n"
        write_whole(RECORD_PATH, content.encode())

    def of(self, case: Case) -> Entry:
        """The entry of the case that is under way."""
        return self.incidents.setdefault(case.incident.number, Entry(started_at=case.started_at))


def open_case(number: int | None, now: datetime | None = None) -> Case:
    """Breaks a train, and forgets the one before.

    Args:
        number: Of the incident; None for one that was not mended yet, drawn by lot.
        now: When.

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
    """Takes down what a check has found, and says whether the right cause is known by now.

    Args:
        case: The case.
        named: The cause that the person named, or nothing.
        healthy: Whether the train is.
        now: When.
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
    """A path as a person types it: from the current folder, if it is below that."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
