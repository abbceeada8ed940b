"""How each topic is delivered: what must arrive, what is retained, and how much is accepted."""

import pytest

pytest.importorskip("paho")

from brakepoint.services.topics import (
    CONTROL,
    DETECTIONS,
    EVENT,
    FRAME,
    MISSION,
    ORDER,
    ORDERS,
    PICTURE,
    REPLICA,
    STATE,
    STATUS,
    TOPICS,
)

MEASURED = (FRAME, PICTURE, DETECTIONS, ORDER, STATE)
SURE = (CONTROL, MISSION, STATUS, EVENT)


def test_of_what_is_measured_only_the_newest_counts_and_nothing_is_sent_again() -> None:
    assert {(topic.qos, topic.retain, topic.keep, topic.each) for topic in MEASURED} == {(0, False, 1, False)}


def test_what_happens_once_must_arrive() -> None:
    assert {topic.qos for topic in SURE} == {1}


def test_latecomers_receive_the_mission_and_the_state_of_the_services_and_nothing_else() -> None:
    assert [topic for topic in TOPICS if topic.retain] == [MISSION, STATUS]
    assert [topic for topic in TOPICS if topic.each] == [STATUS]


def test_a_replica_that_is_no_more_leaves_nothing_at_the_broker() -> None:
    assert (REPLICA.qos, REPLICA.retain, REPLICA.each) == (0, False, False)


def test_wishes_and_news_wait_until_they_are_read_and_a_mission_is_replaced_by_the_next() -> None:
    assert [topic.keep for topic in (CONTROL, STATUS, REPLICA, EVENT, ORDERS)] == [64] * 5
    assert MISSION.keep == 1


@pytest.mark.parametrize(
    ("topics", "max_bytes"),
    [((ORDER, ORDERS, STATE, CONTROL, MISSION, STATUS, REPLICA), 2_000), ((DETECTIONS, EVENT), 100_000)],
)
def test_no_more_is_read_than_such_a_message_can_be_long(topics, max_bytes) -> None:
    assert {topic.max_bytes for topic in topics} == {max_bytes}


def test_each_topic_has_the_senders_that_the_brokers_rules_know() -> None:
    assert {topic.name: topic.senders for topic in TOPICS} == {
        "frame": ("capture",),
        "detections": ("detector",),
        "order": ("autopilot",),
        "state": ("controller",),
        "control": ("monitor",),
        "mission": ("controller",),
        "status": ("*",),
        "replica": ("detector",),
        "event": ("controller", "monitor"),
    }
    assert (PICTURE.name, ORDERS.name) == (FRAME.name, ORDER.name)
