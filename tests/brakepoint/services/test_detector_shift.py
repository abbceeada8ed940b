"""Which trains a replica of the detector serves, when it takes them over, and how it leaves them."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Queue
from typing import Any

import pytest
from patience import PATIENCE_S

pytest.importorskip("paho")

from fake_bus import FakeBus

from brakepoint.errors import UserError
from brakepoint.services import ServiceSettings, detector
from brakepoint.services.detector import SharedModel, Shift
from brakepoint.services.topics import CONTROL, FRAME, MISSION

SETTINGS = ServiceSettings(train_id="a,b,c", detector="oracle")
MODELS = [SharedModel(None, threading.Lock()), SharedModel(None, threading.Lock())]


class Stage:
    """The shares that a replica gets, one a turn, and what becomes of each train."""

    def __init__(self) -> None:
        self.others, self.is_ready = 0, False
        self.shares: list[set[str]] = []
        self.happened: Queue[tuple[str, str]] = Queue()
        self.model: Future[Any] = Future()
        self.told: list[dict[str, Any]] = []
        self.touched = 0
        self.copies: dict[str, int] = {}
        self.stopping = threading.Event()
        self.breaks: dict[str, Exception] = {}

    def ready(self) -> None:
        self.is_ready = True

    def share(self, wait_s: float) -> set[str]:
        if len(self.shares) == 1:
            self.stopping.set()
        return self.shares.pop(0)

    def serve(self, part: object, bus: FakeBus, leaving: threading.Event) -> None:
        self.happened.put(("serves", bus.train_id))
        if bus.train_id in self.breaks:
            raise self.breaks[bus.train_id]
        assert leaving.wait(PATIENCE_S)

    def run(self, *shares: set[str]) -> None:
        """Turns once for each share, then stops."""
        self.shares = [*shares]
        replicas: Any = self
        with ThreadPoolExecutor(8) as threads:
            Shift(SETTINGS, replicas, self.model).run(self.stopping, threads)

    def what_happened(self) -> list[tuple[str, str]]:
        return sorted(self.happened.get() for _ in range(self.happened.qsize()))


@pytest.fixture
def stage(monkeypatch) -> Iterator[Stage]:
    stage = Stage()

    class Connection(FakeBus):
        def __init__(self, train: ServiceSettings, service: str, topics: object) -> None:
            super().__init__(service)
            assert (service, topics) == ("detector", (CONTROL, FRAME, MISSION))
            self.train_id = train.train_id

        def __enter__(self) -> "Connection":
            return self

        def __exit__(self, *error: object) -> None:
            stage.happened.put(("closed", self.train_id))

        def hand_over(self) -> None:
            stage.happened.put(("handed over", self.train_id))

        def beat(self, latency: Any = None) -> bool:
            stage.happened.put(("starting", self.train_id))
            return super().beat(latency)

    class Probe:
        def beat(self) -> None:
            stage.touched += 1

    def detecting(bus: FakeBus, model: object, feed: str, in_use: Any) -> None:
        stage.copies[bus.train_id] = [shared.in_use for shared in MODELS].index(in_use)

    monkeypatch.setattr(detector, "Bus", Connection)
    monkeypatch.setattr(detector, "Detecting", detecting)
    monkeypatch.setattr(detector, "ProbeFile", Probe)
    monkeypatch.setattr(detector, "serve", stage.serve)
    monkeypatch.setattr(detector, "tell", lambda key, **values: stage.told.append({"key": key, **values}))
    yield stage
    stage.stopping.set()


ALL = {"a", "b", "c"}


def test_the_only_replica_serves_every_train_and_says_farewell_at_the_end(stage: Stage) -> None:
    stage.model.set_result(MODELS)
    stage.run(ALL, ALL, ALL)

    assert stage.is_ready
    assert stage.what_happened() == sorted((what, train) for what in ("serves", "closed") for train in ALL)
    assert stage.told == [] and stage.touched == 0


def test_a_train_that_is_someone_elses_is_handed_over_and_the_others_stay(stage: Stage) -> None:
    stage.model.set_result(MODELS)
    stage.others = 1
    stage.run({"a", "b"}, {"b", "c"}, {"b", "c"})

    assert [train for what, train in stage.what_happened() if what == "handed over"] == ["a", "b", "c"]
    assert [told["trains"] for told in stage.told] == ["a, b", "b, c"]
    assert {(told["key"], told["replicas"]) for told in stage.told} == {("shares", 2)}


@pytest.mark.parametrize(
    "shares", [({"a", "b"},), ({"a"}, {"a", "b"}), ({"c"}, {"c", "a"}, {"a"}, {"a", "b"})]
)
def test_each_copy_of_the_model_has_equally_many_trains(stage: Stage, shares: tuple[set[str], ...]) -> None:
    stage.model.set_result(MODELS)
    stage.others = 1
    stage.run(*shares)

    assert {stage.copies["a"], stage.copies["b"]} == {0, 1}


def test_a_train_comes_back_while_the_others_are_served_all_along(stage: Stage) -> None:
    stage.model.set_result(MODELS)
    stage.others = 1
    stage.run({"a", "b"}, {"b"}, {"a", "b"})

    served = [train for what, train in stage.what_happened() if what == "serves"]
    assert served == ["a", "a", "b"]


def test_what_is_left_when_the_other_replica_has_gone_is_told(stage: Stage) -> None:
    stage.model.set_result(MODELS)
    given = stage.share

    def share(wait_s: float) -> set[str]:
        stage.others = 1 if len(stage.shares) == 2 else 0
        return given(wait_s)

    stage.share = share  # type: ignore[method-assign]
    stage.run({"a"}, ALL)

    assert [(told["replicas"], told["trains"]) for told in stage.told] == [(2, "a"), (1, "a, b, c")]


def test_a_replica_with_nothing_to_do_is_well_once_its_model_is_loaded(stage: Stage) -> None:
    stage.others = 2
    stage.run(set(), set())
    assert stage.touched == 0 and not stage.is_ready

    stage.stopping.clear()
    stage.model.set_result(MODELS)
    stage.run(set(), set(), {"a"})
    assert stage.touched == 2
    assert [(told["replicas"], told["trains"]) for told in stage.told] == [(3, "a")]


def test_one_that_lost_its_last_train_says_that_it_has_none(stage: Stage) -> None:
    stage.model.set_result(MODELS)
    stage.others = 1
    stage.run({"a"}, set())

    assert [told["trains"] for told in stage.told] == ["a", "–"]


def test_while_the_model_is_loading_its_trains_are_told_so_and_can_be_left(stage: Stage) -> None:
    given, told = stage.share, threading.Event()

    def share(wait_s: float) -> set[str]:
        if len(stage.shares) == 1:
            stage.happened.get(timeout=PATIENCE_S)
            told.set()
        return given(wait_s)

    stage.share = share  # type: ignore[method-assign]
    stage.run({"a"}, set())

    assert told.is_set()
    happened = stage.what_happened()
    assert ("closed", "a") in happened and ("serves", "a") not in happened


def test_a_model_that_cannot_be_loaded_ends_the_service(stage: Stage) -> None:
    stage.model.set_exception(UserError("live.error.event"))
    with pytest.raises(UserError):
        stage.run(ALL, ALL)

    assert not stage.is_ready


def test_a_train_whose_part_breaks_down_ends_the_service_and_the_others_are_left(stage: Stage) -> None:
    stage.model.set_result(MODELS)
    stage.breaks["b"] = RuntimeError("broken")
    given = stage.share

    def share(wait_s: float) -> set[str]:
        while len(stage.shares) < 50 and stage.happened.qsize() < 4:  # Until the broken one is closed.
            threading.Event().wait(0.001)
        return given(wait_s)

    stage.share = share  # type: ignore[method-assign]
    with pytest.raises(RuntimeError, match="broken"):
        stage.run(*([ALL] * 50))

    assert {train for what, train in stage.what_happened() if what == "closed"} == ALL
