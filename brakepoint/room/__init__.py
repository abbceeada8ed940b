"""A room of attendees: provisioning, what they hand in, its scores, and a rehearsal before the day."""

import os

ROOM_VARIABLE = "BRAKEPOINT_ROOM"
"""Set where somebody works in a room; it comes with the data connection."""


def in_a_room() -> bool:
    """Whether this is an attendee's workspace in a room."""
    return bool(os.environ.get(ROOM_VARIABLE))
