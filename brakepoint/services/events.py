"""The events of a mission, as CloudEvents in structured JSON, for logs and leaderboards."""

import uuid
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from cloudevents.conversion import to_json
from cloudevents.exceptions import GenericException
from cloudevents.http import CloudEvent, from_json

from brakepoint.errors import UserError


class EventType(StrEnum):
    """The types of the events."""

    MISSION_STARTED = "brakepoint.mission.started"
    MISSION_STOPPED = "brakepoint.mission.stopped"
    MISSION_SCORED = "brakepoint.mission.scored"
    TRAIN_LOST = "brakepoint.locomotive.lost"
    ORDER_CHANGED = "brakepoint.order.changed"


def make_event(event_type: EventType, train_id: str, service: str, data: dict[str, Any]) -> CloudEvent:
    """Creates an event with the current time.

    Args:
        event_type: Type of the event.
        train_id: The train; the event's subject.
        service: The publishing service; part of the event's source.
        data: The details, which must be JSON-serialisable.
    """
    attributes = {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "type": event_type.value,
        "source": f"/brakepoint/{train_id}/{service}",
        "subject": train_id,
        "time": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
    }
    return CloudEvent(attributes, data)


def encode_event(event: CloudEvent) -> bytes:
    """Encodes an event for the `event` topic."""
    return to_json(event)


def decode_event(payload: bytes) -> CloudEvent:
    """Decodes the output of `encode_event`.

    Raises:
        UserError: The payload isn't a CloudEvent.
    """
    try:
        return from_json(payload)
    except (GenericException, ValueError, AttributeError, TypeError, RecursionError) as error:
        raise UserError("live.error.event") from error
