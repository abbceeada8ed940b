"""Step 5: the given parts, the protocol's response and pictures as bytes or as text; and the lookout."""

import base64
import json

import numpy as np
import pytest

pytest.importorskip("kserve")

from kserve import InferInput, InferRequest
from kserve.errors import InvalidInput
from kserve.protocol.infer_type import RequestedOutput

from brakepoint.messages import TOPIC_ROOT, Health
from brakepoint.services.topics import CONTROL, STATUS
from brakepoint.workshop.overhearing import overhear
from brakepoint.workshop.wire import TRAIN, TappedClient, scene
from solutions.step5_serving import answer, jpeg_bytes, lookout

ARRAY = np.arange(6, dtype=np.float32).reshape(2, 3)
JPEG = b"\xff\xd8\xff\xe0 not text \xff\xd9"


def ask(**said: object) -> InferRequest:
    field = InferInput("x", [2, 3], "FP32")
    field.set_data_from_numpy(ARRAY)
    return InferRequest("track", [field], **said)


def test_the_response_repeats_the_id_and_says_who_answered() -> None:
    found = answer(ask(request_id="seven"), "track", "3", {"a": ARRAY})

    assert (found.id, found.model_name, found.model_version) == ("seven", "track", "3")


def test_each_request_without_an_id_gets_one_of_its_own() -> None:
    ids = {answer(ask(), "track", "3", {"a": ARRAY}).id for _ in range(2)}

    assert len(ids) == 2
    assert all(ids)


@pytest.mark.parametrize(("parameters", "form"), [(None, dict), ({"binary_data_output": True}, bytes)])
def test_numbers_are_binary_if_that_was_asked_for(parameters: dict | None, form: type) -> None:
    body, _ = answer(ask(parameters=parameters), "track", "3", {"a": ARRAY}).to_rest()

    assert isinstance(body, form)


def test_only_the_outputs_that_were_asked_for_are_sent() -> None:
    asked = ask(request_outputs=[RequestedOutput("b")])

    body, _ = answer(asked, "track", "3", {"a": ARRAY, "b": ARRAY[0]}).to_rest()

    assert [output["name"] for output in body["outputs"]] == ["b"]


@pytest.mark.parametrize("value", [JPEG, base64.b64encode(JPEG).decode()], ids=["bytes", "base64"])
def test_a_picture_comes_as_bytes_or_as_text(value: bytes | str) -> None:
    assert jpeg_bytes(value) == JPEG


@pytest.mark.parametrize("nonsense", ["no base64!", "/9j/4A=é", "/9j/*"])
def test_text_that_is_not_base64_is_refused(nonsense: str) -> None:
    with pytest.raises(InvalidInput):
        jpeg_bytes(nonsense)


def test_others_hear_the_lookout_stop_the_train_and_the_broker_speak_for_who_is_lost() -> None:
    heard, afterwards = overhear(lookout)

    assert [brief(line) for line in heard] == [
        ("status/lookout", "ready"),
        ("status/detector", "ready"),
        ("status/detector", "gone"),
        ("control", "stop"),
        ("status/lookout", "gone"),
    ]
    assert [brief(line) for line in afterwards] == [("status/detector", "gone"), ("status/lookout", "gone")]


def brief(line: str) -> tuple[str, str]:
    topic, _, payload = line.partition(" ")
    name = topic.removeprefix("brakepoint/train-7/")
    message = json.loads(payload)
    return name, message["action"] if name == CONTROL.name else message["health"]


def test_the_lookout_s_messages_are_delivered_as_the_kit_s_own() -> None:
    client = TappedClient()
    lookout(client, TRAIN)
    with scene(client) as others:
        others.hear("detector", Health.GONE)
    status, stop = client.sent

    assert client.will is not None
    for sent, topic in ((status, STATUS), (client.will, STATUS), (stop, CONTROL)):
        assert topic.decode(sent.payload)
        assert (sent.qos, sent.retain) == (topic.qos, topic.retain)
    assert client.filters == [(f"{TOPIC_ROOT}/{TRAIN}/status/detector", STATUS.qos)]
