"""A room during its day, for tests: its file, its attendees, and their files."""

import json
from datetime import UTC, datetime
from pathlib import Path

from brakepoint.course import find_step
from brakepoint.room.accounts import Accounts
from brakepoint.room.config import Room, load_room
from brakepoint.room.history import Heard, History
from brakepoint.room.outcomes import Scores
from brakepoint.room.parcel import SUBMISSION_KEY, packed
from brakepoint.room.stores import open_store
from brakepoint.store import Connection
from brakepoint.workshop.progress import Progress

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KIT = {"stills/one.jpg": b"the kit's", "SHA256SUMS": b"its checksums"}
STEP = find_step("1")


def describe(handles: tuple[str, ...], port: int, attendees: int | None = None) -> None:
    names = ", ".join(handles)
    Path("room.yaml").write_text(
        f"name: spring  # the room\nattendees: {attendees or len(handles)}\nhandles: [{names}]  # all\n"
        f"store: {{kind: embedded, port: {port}}}\n"
    )


def room_now() -> Room:
    return load_room(Path("room.yaml"))


def connection(handle: str) -> Connection:
    room = room_now()
    place, account = room.place_of(handle), Accounts.load(room.folder).accounts[handle]
    return Connection(room.outside, place, place, account.secret_key)


def upload(handle: str, **files: bytes) -> None:
    room = room_now()
    for key, data in files.items():
        open_store(room).put(room.place_of(handle), key, data)


def hand_in(handle: str, points: int) -> None:
    upload(handle, **{SUBMISSION_KEY: packed(handle.encode(), str(points).encode())})


def work(handle: str) -> dict[str, bytes]:
    """The attendee's own files in their bucket."""
    room = room_now()
    store, place = open_store(room), room.place_of(handle)
    return {key: store.read(place, key, 10_000) for key in store.objects(place) if key not in KIT}


def everything(handles: tuple[str, ...]) -> dict[str, object]:
    """Work, key, card, points and history of attendees."""
    room = room_now()
    accounts, scores = Accounts.load(room.folder).accounts, Scores.load(room.folder).marks
    history = History.load(room.folder).heard
    codes = json.loads((room.folder / "cards.json").read_text())
    return {
        handle: (work(handle), accounts[handle], codes.get(handle), scores.get(handle), history.get(handle))
        for handle in handles
    }


def remember(handle: str) -> None:
    """Records an attendee as the board would."""
    with History.changing(room_now().folder) as history:
        progress = Progress()
        progress.of(STEP).done = [STEP.exercises[0]]
        history.heard[handle] = Heard.from_upload(progress.model_dump_json().encode(), None, NOW)
