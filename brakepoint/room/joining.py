"""The code on a card with which a laptop joins a room, and what joining stores on that laptop.

`HANDLE.ROOM:KEY@HOST:PORT`, or with `https://` before the host, and with `+core` at the end in a room that
follows the core track. `@HOST:PORT` alone changes the address.
"""

import json
import re

from brakepoint import room as this_room
from brakepoint.course import TRACK_VARIABLE, Track
from brakepoint.errors import UserError
from brakepoint.room import ROOM_VARIABLE, joined
from brakepoint.room.files import PRIVATE, write
from brakepoint.store.connection import DEFAULT_REGION, Connection
from brakepoint.store.errors import friendly_errors
from brakepoint.store.settings import ENDPOINT_VARIABLE

PLAIN = "http://"
"""The scheme that is omitted from a code."""
CODE = re.compile(
    r"(?:(?P<handle>[a-z0-9-]+)\.(?P<room>[a-z0-9-]+):(?P<key>[a-z0-9-]+))?@(?P<place>(?:https?://)?[^/@+\s]+)(?:\+(?P<track>[a-z]+))?"
)


def data_connection(
    room: str, handle: str, secret_key: str, endpoint: str, track: str = Track.FULL
) -> dict[str, str]:
    """The variables of an attendee's environment: the data connection and the attendee.

    Args:
        room: Name of the room.
        handle: The attendee.
        secret_key: The attendee's secret key.
        endpoint: URL of the store.
        track: How much of the course the room covers.
    """
    place = f"{room}-{handle}"
    return {
        ENDPOINT_VARIABLE: endpoint,
        "AWS_S3_BUCKET": place,
        "AWS_ACCESS_KEY_ID": place,
        "AWS_SECRET_ACCESS_KEY": secret_key,
        "AWS_DEFAULT_REGION": DEFAULT_REGION,
        ROOM_VARIABLE: room,
        TRACK_VARIABLE: str(track),
    }


def join_code(room: str, handle: str, secret_key: str, endpoint: str, track: Track = Track.FULL) -> str:
    """The code to type after `brakepoint join`."""
    ending = "" if track is Track.FULL else f"+{track}"
    return f"{handle}.{room}:{secret_key}@{endpoint.removeprefix(PLAIN)}{ending}"


def join(code: str) -> Connection:
    """Joins a room: from then on every command uses the attendee's bucket.

    Args:
        code: The code from the card.

    Returns:
        The attendee's bucket.

    Raises:
        UserError: The code is invalid, there is no joined room whose address could change, or the store
            refuses access.
    """
    found = CODE.fullmatch(code.strip().lower())
    track = (found and found["track"]) or Track.FULL
    if found is None or track not in list(Track):
        raise UserError("room.error.no_code", code=code)
    place = found["place"]
    endpoint = place if "://" in place else PLAIN + place
    if found["key"]:
        variables = data_connection(
            found["room"], found["handle"], found["key"], endpoint, found["track"] or Track.FULL
        )
    else:
        variables = {**joined(), ENDPOINT_VARIABLE: endpoint}
        if ROOM_VARIABLE not in variables:
            raise UserError("room.error.not_joined")
    store = _entered(variables)
    write(this_room.JOINED_PATH, json.dumps(variables, indent=2) + "\n", PRIVATE)
    return store


def _entered(variables: dict[str, str]) -> Connection:
    """The bucket, after checking that it can be listed."""
    store = Connection(
        variables[ENDPOINT_VARIABLE],
        variables["AWS_S3_BUCKET"],
        variables["AWS_ACCESS_KEY_ID"],
        variables["AWS_SECRET_ACCESS_KEY"],
    )
    with friendly_errors(store.endpoint, store.bucket):
        store.client.list_objects_v2(Bucket=store.bucket, MaxKeys=1)
    return store
