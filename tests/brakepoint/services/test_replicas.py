"""How the replicas of a detector share the trains, and what each of them hears of the others."""

from collections import Counter
from statistics import mean
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("paho")

from fake_bus import FakeBus

from brakepoint.messages import Health, Status
from brakepoint.services import ServiceSettings, replicas
from brakepoint.services.replicas import INTRODUCTION_S, PAUSE_S, SILENT_AFTER_S, UNHEARD_S, Replicas, shares
from brakepoint.services.topics import REPLICA

NAMES = st.text("abcdef0123456789-", min_size=1, max_size=8)
TRAINS = st.sets(NAMES, min_size=1, max_size=24)
REPLICAS = st.sets(NAMES, min_size=1, max_size=6)
TWENTY = [f"train-{number}" for number in range(1, 21)]


@given(TRAINS, REPLICAS)
def test_every_train_has_one_replica_and_the_loads_are_even(trains, names) -> None:
    found = shares(trains, names)
    load = Counter(found.values())

    assert found.keys() == trains
    assert load.keys() <= names
    assert max(load.values()) == -(-len(trains) // len(names))


@given(TRAINS, REPLICAS, st.randoms())
def test_all_replicas_compute_the_same_in_whatever_order_they_heard_of_each_other(
    trains, names, random
) -> None:
    mixed = random.sample(sorted(names), len(names)), random.sample(sorted(trains), len(trains))

    assert shares(mixed[1], mixed[0]) == shares(trains, names)


@given(TRAINS, NAMES, NAMES)
def test_of_two_replicas_the_one_that_comes_or_goes_moves_its_own_trains_and_no_other(
    trains, one, two
) -> None:
    alone, both = shares(trains, {one}), shares(trains, {one, two})

    assert set(alone.values()) == {one}
    assert {train for train in trains if alone[train] != both[train]} == {
        train for train in trains if both[train] != one
    }


@pytest.mark.parametrize("many", [3, 4, 6])
def test_of_several_replicas_hardly_any_other_train_moves(many: int) -> None:
    needless = []
    for number in range(100):
        names = {f"detector-{number}-{each}" for each in range(many)}
        leaver = f"detector-{number}-0"
        before, after = shares(TWENTY, names), shares(TWENTY, names - {leaver})
        needless.append(sum(before[train] not in (leaver, after[train]) for train in TWENTY))

    assert 0 < mean(needless) < 1.6, "rendezvous hashing alone would move none, but its loads are uneven"
    assert max(needless) < len(TWENTY) / 3


OWN, OTHER, THIRD = (f"detector-0a1b2c3d-{end}" for end in ("own", "other", "third"))


class Place:
    """One replica with a clock and a broker that the test moves."""

    def __init__(self) -> None:
        self.now = 100.0
        self.bus = FakeBus(OWN)
        self.beats: list[bool] = []
        bus: Any = self.bus
        bus.beat = lambda now=False: self.beats.append(now)
        self.replicas = Replicas(bus, TWENTY, lambda: self.now)

    def hear(self, name: str, health: Health = Health.READY) -> None:
        self.bus.bring(REPLICA, Status(service=name, health=health, at=1.0))

    def share(self) -> set[str]:
        return self.replicas.share(0.0)

    def introduce(self, *names: str, health: Health = Health.READY) -> None:
        """Lets it hear itself, and these, until it knows who is there."""
        self.hear(OWN, Health.STARTING)
        for name in names:
            self.hear(name, health)
        self.share()
        self.now += INTRODUCTION_S

    def pass_s(self, seconds: int, *heard: str) -> None:
        """Lets time pass, with a heartbeat a second of those that are heard."""
        for _ in range(seconds):
            self.now += 1.0
            for name in heard:
                self.hear(name)
            self.share()


def of(name: str, *names: str) -> set[str]:
    return {train for train, replica in shares(TWENTY, names).items() if replica == name}


@pytest.fixture
def place() -> Place:
    return Place()


def test_the_only_replica_serves_every_train_once_it_has_listened_for_others(place: Place) -> None:
    assert place.share() == set()
    place.hear(OWN)
    assert place.share() == set()
    place.now += 0.99 * INTRODUCTION_S
    assert place.share() == set()
    place.now += 0.02 * INTRODUCTION_S

    assert place.share() == set(TWENTY)
    assert place.replicas.others == 0


def test_where_it_cannot_hear_itself_it_works_alone(place: Place) -> None:
    place.now += 0.99 * UNHEARD_S
    assert place.share() == set()
    place.now += 0.02 * UNHEARD_S

    assert place.share() == set(TWENTY)


def test_one_that_is_still_starting_leaves_the_trains_to_those_that_are_ready(place: Place) -> None:
    place.introduce(OTHER)
    assert place.share() == set()
    assert place.replicas.others == 1

    place.replicas.ready()

    assert place.bus.is_ready and place.replicas.is_ready
    assert place.share() == of(OWN, OWN, OTHER)


def test_as_long_as_none_is_ready_those_that_are_starting_share_the_trains(place: Place) -> None:
    place.introduce(OTHER, health=Health.STARTING)
    assert place.share() == of(OWN, OWN, OTHER)

    place.replicas.ready()
    assert place.share() == set(TWENTY), "the other one is still starting"

    place.hear(OTHER)
    assert place.share() == of(OWN, OWN, OTHER)


def test_a_new_one_is_answered_at_once_and_only_then(place: Place) -> None:
    place.introduce()
    place.beats.clear()
    place.hear(OTHER, Health.STARTING)
    place.share()
    assert place.beats == [True, False]

    place.hear(OTHER)
    place.share()
    assert place.beats == [True, False, False]


def test_the_trains_of_one_that_has_gone_are_taken_over_at_once(place: Place) -> None:
    place.introduce(OTHER, THIRD)
    place.replicas.ready()
    place.hear(OTHER, Health.GONE)

    assert place.share() == of(OWN, OWN, THIRD)
    place.hear(THIRD, Health.GONE)
    place.hear(THIRD, Health.GONE)
    assert place.share() == set(TWENTY)


def test_the_last_will_of_its_own_lost_connection_means_nothing(place: Place) -> None:
    place.introduce(OTHER)
    place.replicas.ready()
    place.hear(OWN, Health.GONE)

    assert place.share() == of(OWN, OWN, OTHER)


def test_one_with_other_trains_is_no_replica(place: Place) -> None:
    place.introduce("detector-ffffffff-other")
    place.replicas.ready()

    assert place.share() == set(TWENTY)


def test_one_that_falls_silent_without_a_last_will_is_gone_after_a_while(place: Place) -> None:
    place.introduce(OTHER, THIRD)
    place.replicas.ready()
    place.pass_s(int(SILENT_AFTER_S) - 1, OWN, THIRD)
    assert place.share() == of(OWN, OWN, OTHER, THIRD)

    place.pass_s(2, OWN, THIRD)
    assert place.share() == of(OWN, OWN, THIRD)


def test_while_it_does_not_even_hear_itself_nobody_is_gone(place: Place) -> None:
    place.introduce(OTHER)
    place.replicas.ready()
    place.pass_s(100)
    assert place.share() == of(OWN, OWN, OTHER), "the broker is away"

    place.pass_s(int(SILENT_AFTER_S), OWN)
    assert place.share() == of(OWN, OWN, OTHER), "the broker is back, and the other one is on its way"

    place.pass_s(2, OWN)
    assert place.share() == set(TWENTY)


def test_a_heartbeat_of_its_own_that_is_lost_saves_nobody(place: Place) -> None:
    place.introduce(OTHER)
    place.replicas.ready()
    for _ in range(4):
        place.now += 0.99 * PAUSE_S
        place.hear(OWN)
        place.share()

    assert place.replicas.others == 0


def test_all_with_the_same_settings_are_replicas_of_each_other(monkeypatch) -> None:
    made: list[tuple[str, str, object, object]] = []

    class Connection(FakeBus):
        def __init__(self, settings, service, topics, health_on) -> None:
            super().__init__(service)
            made.append((settings.train_id, service, topics, health_on))

    monkeypatch.setattr(replicas, "Bus", Connection)
    for trains in ("a,b", "a, b", "a,c"):
        replicas.join(ServiceSettings(train_id=trains), "detector")
    groups = [service.rpartition("-")[0] for _, service, _, _ in made]

    assert {(train, topics, health_on) for train, _, topics, health_on in made} == {
        ("a", (REPLICA,), REPLICA)
    }
    assert groups[0] == groups[1] != groups[2] and groups[0].startswith("detector-")
    assert len({service for _, service, _, _ in made}) == 3
    assert {len(service) for _, service, _, _ in made} == {len("detector-") + 8 + 1 + 8}
