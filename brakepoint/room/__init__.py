"""A room of attendees: provisioning, what they hand in, its scores, and a rehearsal before the day."""

import json
import os

from brakepoint.course import ROOT

ROOM_VARIABLE = "BRAKEPOINT_ROOM"
"""Set where somebody works in a room; it comes with the data connection."""

JOINED_PATH = ROOT / "runs" / "joined.json"
"""What `brakepoint join` leaves on a laptop: the data connection, with the attendee's key."""


def joined() -> dict[str, str]:
    """The variables of the room that this laptop has joined; none if it has not."""
    try:
        return dict(json.loads(JOINED_PATH.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def take_joined() -> None:
    """Sets the variables of the room that was joined; those that are set already outweigh them."""
    for name, value in joined().items():
        os.environ.setdefault(name, value)


def in_a_room() -> bool:
    """Whether this is an attendee's workspace in a room."""
    return bool(os.environ.get(ROOM_VARIABLE))


def own_handle() -> str:
    """What the attendee is called whose workspace this is; empty outside a room."""
    room, place = os.environ.get(ROOM_VARIABLE, ""), os.environ.get("AWS_S3_BUCKET", "")
    return place.removeprefix(f"{room}-") if room and place.startswith(f"{room}-") else ""
