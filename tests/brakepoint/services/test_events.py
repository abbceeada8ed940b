import json

import pytest

from brakepoint.errors import UserError
from brakepoint.services.events import EventType, decode_event, encode_event, make_event


def test_an_event_is_a_cloudevent_in_structured_json():
    said = json.loads(
        encode_event(make_event(EventType.MISSION_SCORED, "train-1", "monitor", {"score": 98.0}))
    )

    assert said["specversion"] == "1.0"
    assert (said["type"], said["source"]) == ("brakepoint.mission.scored", "/brakepoint/train-1/monitor")
    assert said["subject"] == "train-1"
    assert said["data"] == {"score": 98.0}
    assert said["id"] and said["time"].endswith("Z")


def test_what_is_read_is_what_was_said():
    event = make_event(EventType.TRAIN_LOST, "train-1", "controller", {"run": 3})

    again = decode_event(encode_event(event))
    assert again == event


@pytest.mark.parametrize("payload", [b"", b"[]", b"{}", b"1", b"\xff", b'{"specversion": "1.0"}'])
def test_anything_else_is_refused(payload):
    with pytest.raises(UserError):
        decode_event(payload)
