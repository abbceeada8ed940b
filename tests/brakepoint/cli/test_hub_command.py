"""`brakepoint hub`: what it reports about the real train, and that a trial ends with a train at rest."""

import builtins
import json
import threading
import time
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest
import typer
from patience import PATIENCE_S

from brakepoint.calibration import legs
from brakepoint.calibration.drive import Leg
from brakepoint.cli import hub, run
from brakepoint.errors import UserError
from brakepoint.messages import Light, Order, OrderKind, TrainState
from brakepoint.rules import CONTROL_RATE_HZ
from brakepoint.texts import text


@pytest.fixture(autouse=True)
def english(monkeypatch):
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")


class FakeTrain:
    """Records its orders; loses the radio at a given one."""

    def __init__(self, lost_at: int = -1) -> None:
        self.orders: list[Order] = []
        self.looked_at: list[float] = []
        self.is_closed, self._lost_at = False, lost_at

    def apply(self, order):
        if len(self.orders) == self._lost_at:
            raise UserError("camera.failed", camera="ble:", why="the radio is lost")
        self.orders.append(order)

    def state(self, now):
        self.looked_at.append(now)

    def close(self):
        self.is_closed = True


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]

    def sleep(seconds):
        now[0] += seconds

    monkeypatch.setattr(hub, "time", SimpleNamespace(monotonic=lambda: now[0], sleep=sleep))
    return now


def test_a_trial_drives_slowly_with_a_blinking_light_and_then_brakes_for_as_long(clock, monkeypatch, capsys):
    train = FakeTrain()
    monkeypatch.setattr(hub, "open_hub", lambda uri: train)

    assert run(["hub", "try", "--hub", "ble:90:84"]) == 0

    meanings = [(order.kind, order.light) for order in train.orders]
    half = len(meanings) // 2
    assert set(meanings[:half]) == {(OrderKind.LOW_SPEED, Light.BLINK)}
    assert set(meanings[half + 1 :]) == {(OrderKind.BRAKE, Light.ON)}
    assert len(meanings) == pytest.approx(2 * hub.TRY_S * CONTROL_RATE_HZ, abs=2)
    assert [order.at for order in train.orders] == train.looked_at
    assert train.is_closed
    said = capsys.readouterr().out
    assert "ble:90:84" in said and text("cli.hub.try.moves", "en", seconds=hub.TRY_S) in said


def test_a_trial_that_fails_lets_go_of_the_train(clock, monkeypatch, capsys):
    train = FakeTrain(lost_at=3)
    monkeypatch.setattr(hub, "open_hub", lambda uri: train)

    assert run(["hub", "try"]) == 2
    assert train.is_closed
    assert "the radio is lost" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("turns", "said"),
    [((False, False), "stops"), ((True, False), "runs_on"), ((False, True), "runs_on")],
)
def test_what_a_hub_does_without_its_link_is_asked_twice_told_and_written_down(
    tmp_path, monkeypatch, capsys, turns, said
):
    monkeypatch.chdir(tmp_path)
    answers = iter((True, *turns))
    left: list[tuple[str, bool]] = []

    @contextmanager
    def left_turning(address, hangs_up):
        left.append((address, hangs_up))
        yield "90:84"

    monkeypatch.setattr(hub, "hub_tool", lambda uri, tool: left_turning)
    monkeypatch.setattr(hub.typer, "confirm", lambda *_, **__: next(answers))

    assert run(["hub", "try", "--link-loss", "--hub", "ble:?motor=A"]) == 0
    assert left == [("", True), ("90:84", False)]
    assert capsys.readouterr().out.splitlines() == [
        text(f"cli.hub.link_loss.{name}", "en", path=hub.LINK_LOSS_FILE)
        for name in ("hung_up", "braking", "out_of_reach", "braking", said)
    ]
    written = json.loads((tmp_path / hub.LINK_LOSS_FILE).read_text("utf-8"))
    assert written["turns_on"] == dict(zip(("hung_up", "out_of_reach"), turns, strict=True))
    assert written["hub"] == "90:84"


@pytest.mark.parametrize(
    ("hubs", "status", "said"),
    [
        ([], 1, "hub"),
        ([("ble:A", "a remote control"), ("ble:B", "a hub")], 0, "ble:A  a remote control\nble:B  a hub\n"),
    ],
    ids=["none", "two"],
)
def test_the_hubs_in_reach_are_listed_and_none_is_a_sentence(monkeypatch, capsys, hubs, status, said):
    monkeypatch.setattr(hub, "hub_tool", lambda uri, tool: lambda: hubs)

    assert run(["hub", "find"]) == status
    assert said in capsys.readouterr().out


def test_a_key_that_is_pressed_after_a_run_is_not_a_passing_in_the_next_run(monkeypatch):
    keys = threading.Semaphore(0)
    monkeypatch.setattr(builtins, "input", lambda: keys.acquire(timeout=30))
    monkeypatch.setattr(hub, "ask_cm", lambda question, least, most: 5.0)
    state = TrainState(at=1.0, position_cm=0, speed_cm_s=0, power=40, braking=False, light=Light.ON)

    def asked(train, question):
        if question.__name__ == "join":  # The run is over, and nothing was pressed in time.
            keys.release(2)
        return question()

    def leg(train, power, look, tick, course):
        return Leg(power, volts=None, braked_at=20.0, seen=tuple(look(state)))

    monkeypatch.setattr(hub, "_asked", asked)
    monkeypatch.setattr(legs, "drive_leg", leg)
    watch, train = hub._Stopwatch(), cast(Any, FakeTrain())
    runs = [watch.drive(train, power, apart=60.0) for power in (40, 60)]

    assert [[each.ahead_cm for each in run_.seen] for run_ in runs] == [[-5.0], [-5.0]]


def test_a_run_whose_input_has_ended_stops_at_once(monkeypatch):
    def ended():
        raise EOFError

    def leg(train, power, look, tick, course):
        for thread in threading.enumerate():
            if thread.name == "presses":
                thread.join()
        look(TrainState(at=1.0, position_cm=0, speed_cm_s=0, power=40, braking=False, light=Light.ON))

    monkeypatch.setattr(builtins, "input", ended)
    monkeypatch.setattr(legs, "drive_leg", leg)

    with pytest.raises(typer.Abort):
        hub._Stopwatch().drive(cast(Any, FakeTrain()), 40, apart=60.0)


def test_a_train_is_braked_for_as_long_as_a_person_thinks_about_an_answer():
    train = FakeTrain()

    def think() -> str:
        until = time.monotonic() + PATIENCE_S
        while len(train.orders) < 3 and time.monotonic() < until:
            threading.Event().wait(0.01)
        return "an answer"

    assert hub._asked(cast(Any, train), think) == "an answer"
    assert len(train.orders) >= 3
    assert {order.kind for order in train.orders} == {OrderKind.BRAKE}
    assert train.looked_at == [order.at for order in train.orders]
