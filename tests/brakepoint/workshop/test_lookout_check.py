"""What the messages about a wrong lookout name: what was found, and where."""

import pytest

pytest.importorskip("kserve")

from answers.trials import attempt

from brakepoint.course import find_step
from brakepoint.workshop.labs import solved
from brakepoint.workshop.verdicts import Verdict
from brakepoint.workshop.wire import NEIGHBOUR_STATUS

STEP = find_step("5")
SUBSCRIBE = "client.subscribe(watched, qos=1)"
READY = "client.publish(own, own_status(Health.READY, CLOCK.now()), qos=1, retain=True)"
ADD = "client.message_callback_add(watched, heard)"
ROOT = "brakepoint/train-7"


def with_other(before: str, after: str) -> Verdict:
    """The verdict on the solution with something else in one place."""
    code = solved(STEP)["lookout"]
    assert code.count(before) == 1
    return attempt(STEP, "lookout", code.replace(before, after))


@pytest.mark.parametrize(
    ("filters", "key", "found"),
    [
        ('topic_of(train_id, "status/+"), qos=1', "wide", f"{ROOT}/status/+"),
        ('"#", qos=1', "wide", "#"),
        ('[(watched, 1), (topic_of(train_id, "mission"), 1)]', "wide", f"{ROOT}/mission"),
        ('[("elsewhere", 1), ("#", 1)]', "wide", "#"),
        ('"elsewhere", qos=1', "topic", "elsewhere"),
    ],
)
def test_the_subscription_that_is_wrong_is_named(filters: str, key: str, found: str) -> None:
    verdict = with_other(SUBSCRIBE, f"client.subscribe({filters})")

    assert (verdict.key, verdict.values["found"]) == (f"check.step5.lookout.{key}", found)
    assert verdict.values["topic"] == f"{ROOT}/status/detector"


def test_the_messages_that_nobody_asked_for_are_those_of_other_services() -> None:
    verdict = with_other(ADD, "client.on_message = heard")

    assert verdict.key == "check.step5.lookout.unasked"
    assert verdict.values["topics"] == f"{ROOT}/mission, {ROOT}/status/autopilot, {NEIGHBOUR_STATUS}"


@pytest.mark.parametrize(("age_s", "passes"), [(0, True), (30, False), (-30, True), (-90, False)])
def test_a_message_carries_the_time_when_it_is_sent(age_s: float, passes: bool) -> None:
    verdict = with_other(READY, READY.replace("CLOCK.now()", f"CLOCK.now() - {age_s}"))

    assert verdict.key == ("" if passes else "check.step5.lookout.at")


def test_only_the_beginning_of_a_long_text_is_shown() -> None:
    verdict = with_other(READY, READY.replace("own_status(Health.READY, CLOCK.now())", '100 * "x"'))

    assert verdict.values == {"found": 60 * "x", "name": "Status"}


def test_a_mistake_in_on_connect_is_named_with_its_line() -> None:
    verdict = with_other("own_status(Health.READY, CLOCK.now())", 'Status(service="lookout")')

    assert verdict.key == "check.crashed"
    assert "Status" in verdict.values["code"]


def test_a_mistake_with_the_detector_s_message_is_named_with_its_line() -> None:
    verdict = with_other(".health is Health.GONE", ".wealth")

    assert verdict.key == "check.crashed"
    assert "wealth" in verdict.values["code"]


def test_a_payload_that_cannot_be_sent_is_named_wherever_it_is_sent() -> None:
    in_on_connect = with_other(
        "own_status(Health.READY, CLOCK.now()), qos=1",
        "Status(service=LOOKOUT, health=Health.READY, at=CLOCK.now()), qos=1",
    )
    for_any_message = with_other(
        ADD, "client.on_message = lambda client, _, message: client.publish(own, {})"
    )

    assert in_on_connect.key == for_any_message.key == "check.step5.lookout.payload"
    assert (in_on_connect.values, for_any_message.values) == ({"found": "Status"}, {"found": "dict"})
