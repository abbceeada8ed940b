"""A room of attendees: provisioning, submissions, scores, and a rehearsal before the day."""

import json
import os

from brakepoint.course import ROOT

ROOM_VARIABLE = "BRAKEPOINT_ROOM"
"""Variable that is set in a room's environments, together with the data connection."""

JOINED_PATH = ROOT / "runs" / "joined.json"
"""Where `brakepoint join` stores the data connection, with the attendee's key, on a laptop."""


def joined() -> dict[str, str]:
    """The variables of the room that this laptop has joined; empty if none, or if the file is damaged."""
    try:
        said = json.loads(JOINED_PATH.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    is_whole = isinstance(said, dict) and all(
        isinstance(value, str) and not set("=\0") & set(name) and "\0" not in value
        for name, value in said.items()
    )
    return said if is_whole else {}


def take_joined() -> None:
    """Sets the variables of the joined room; variables that are already set take precedence."""
    for name, value in joined().items():
        os.environ.setdefault(name, value)


def in_a_room() -> bool:
    """Whether this is an attendee's workspace in a room."""
    return bool(os.environ.get(ROOM_VARIABLE))


def own_handle() -> str:
    """The handle of this workspace's attendee; empty outside a room."""
    room, place = os.environ.get(ROOM_VARIABLE, ""), os.environ.get("AWS_S3_BUCKET", "")
    return place.removeprefix(f"{room}-") if room and place.startswith(f"{room}-") else ""
