"""The attendee's side of a room: uploads progress, labs and submissions to the attendee's own bucket."""

from datetime import datetime
from pathlib import Path

from brakepoint.course import Step, course
from brakepoint.errors import UserError
from brakepoint.files import write_whole
from brakepoint.room.parcel import SUBMISSION_KEY, packed
from brakepoint.store.connection import Connection
from brakepoint.store.errors import friendly_errors
from brakepoint.workshop.progress import INCIDENTS_NAME

PROGRESS_KEY = "room/progress.json"
LABS_PREFIX = "room/labs/"
INCIDENTS_KEY = f"room/{INCIDENTS_NAME}"


def lab_files(step: Step) -> dict[str, Path]:
    """The files that an attendee writes in a step, by their keys."""
    return {f"{LABS_PREFIX}{part.as_posix()}": step.lab.parent / part for part in step.parts}


def share(step: Step, progress: Path) -> None:
    """Uploads the progress and the files of a step.

    Raises:
        UserError: The store failed.
    """
    upload({PROGRESS_KEY: progress} | {key: path for key, path in lab_files(step).items() if path.is_file()})


def share_incidents(progress: Path) -> None:
    """Uploads how long each incident took, and the progress file, if there is one.

    Raises:
        UserError: The store failed.
    """
    incidents = progress.with_name(INCIDENTS_NAME)
    upload({INCIDENTS_KEY: incidents} | ({PROGRESS_KEY: progress} if progress.is_file() else {}))


def take_work(store: Connection, progress: Path, backups: Path) -> list[Path]:
    """Restores the progress, the times of incidents, and the labs from the last check of each step.

    Args:
        store: The attendee's bucket.
        progress: Where to write the progress.
        backups: Folder for the previous files.

    Returns:
        The files that have changed.

    Raises:
        UserError: The store failed.
    """
    brought = []
    with friendly_errors(store.endpoint, store.bucket):
        pages = store.client.get_paginator("list_objects_v2").paginate(Bucket=store.bucket, Prefix="room/")
        there = {entry["Key"] for page in pages for entry in page.get("Contents", [])}
        wanted = {PROGRESS_KEY: progress, INCIDENTS_KEY: progress.with_name(INCIDENTS_NAME)}
        for step in course():
            wanted |= lab_files(step)
        for key in sorted(there & set(wanted)):
            data, path = store.client.get_object(Bucket=store.bucket, Key=key)["Body"].read(), wanted[key]
            before = path.read_bytes() if path.is_file() else None
            if data == before:
                continue
            if before is not None:
                name = f"{path.stem}-{datetime.now():%Y%m%d-%H%M%S-%f}{path.suffix}"
                backups.mkdir(parents=True, exist_ok=True)
                write_whole(backups / name, before)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, data)
            brought.append(path)
    return brought


def submit(model: Path, autopilot: Path) -> None:
    """Uploads a submission, which replaces the previous one as a whole.

    Raises:
        UserError: A file is missing, or the store failed.
    """
    _put({SUBMISSION_KEY: packed(_content(model), _content(autopilot))})


def upload(files: dict[str, Path]) -> None:
    """Puts files into the attendee's bucket.

    Args:
        files: Files by key.

    Raises:
        UserError: A file is missing, or the store failed.
    """
    _put({key: _content(path) for key, path in files.items()})


def _content(path: Path) -> bytes:
    if not path.is_file():
        raise UserError("room.error.nothing_there", path=path)
    return path.read_bytes()


def _put(objects: dict[str, bytes]) -> None:
    store = Connection.from_environment()
    with friendly_errors(store.endpoint, store.bucket):
        for key, data in objects.items():
            store.client.put_object(Bucket=store.bucket, Key=key, Body=data)
