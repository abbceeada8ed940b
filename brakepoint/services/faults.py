"""Everything that can go wrong with a live train, inflicted on real processes, for the drill and tests."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from functools import partial
from itertools import count
from typing import Self

from brakepoint.messages import Action, Control, Fault, GivenOrder, OrderKind, Reason, TrainState
from brakepoint.rules import AT_REST_CM_S, CONTROL_RATE_HZ, ORDER_AGE_MAX_S
from brakepoint.services import ServiceSettings, address
from brakepoint.services.bus import SESSION_KEEPER, Bus
from brakepoint.services.clock import CLOCK
from brakepoint.services.link import FromTrain, Link
from brakepoint.services.live_mission import DRIVING, start
from brakepoint.services.supervisor import Supervisor
from brakepoint.services.topics import CONTROL, MISSION, ORDER, ORDERS

WITHIN_S = 60.0
"""How long the drill waits for anything: enough even for a busy machine."""
LOOK_S = 0.005
FAULT_S = 2.0
"""How long a fault of the camera lasts."""


class Stage:
    """A live train with all its services, and a view of the train that bypasses the services that may fail.

    Args:
        settings: Settings of the services.

    Attributes:
        services: The services.
        bus: Listens to missions and orders.
        run: Number of the last run begun.
    """

    def __init__(self, settings: ServiceSettings) -> None:
        self.services = Supervisor(settings, DRIVING, lambda *_: None)
        self._open = ExitStack()
        self.run = -1

    def __enter__(self) -> Self:
        with ExitStack() as opened:
            opened.enter_context(self.services)
            self.bus = opened.enter_context(Bus(self.services.settings, "", (MISSION, ORDERS)))
            self._train = Link(*address(self.services.settings.link))
            opened.callback(self._train.close)
            self._open = opened.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def begin(self, feed: str) -> None:
        """Begins a run, and waits until the train is at the start."""
        self.run = start(self.bus, feed).run
        self.await_report(lambda report: report.run == self.run)

    def await_train(self, condition: Callable[[TrainState], bool]) -> TrainState:
        """Waits until a condition holds for the train, and returns its state."""
        return self.await_report(lambda report: condition(report.state)).state

    def await_report(self, condition: Callable[[FromTrain], bool]) -> FromTrain:
        """Waits until a condition holds for a report of the train.

        Raises:
            TimeoutError: The condition did not hold in time.
        """
        until = time.monotonic() + WITHIN_S
        while time.monotonic() < until:
            report = self._train.take()
            if report is not None and condition(report):
                return report
            time.sleep(LOOK_S)
        raise TimeoutError("the train did not do so in time")

    def await_loss(self) -> None:
        """Waits for the verdict that the train was lost.

        Raises:
            TimeoutError: The verdict did not come in time.
        """
        until = time.monotonic() + WITHIN_S
        while time.monotonic() < until:
            mission = self.bus.take(MISSION, LOOK_S)
            if mission is not None and mission.run == self.run and mission.train_lost:
                return
        raise TimeoutError("nobody said that the train is lost")

    def ask_fault(self, fault: Fault) -> None:
        """Makes a service fail, as the page's button does."""
        asked = Control(action=Action.FAULT, fault=fault, seconds=FAULT_S, at=CLOCK.now())
        self.bus.say(CONTROL, asked)

    def last_order(self) -> GivenOrder | None:
        """The newest order."""
        last = None
        while (order := self.bus.take(ORDERS)) is not None:
            last = order
        return last


def is_at_rest(state: TrainState) -> bool:
    """Whether the train is at rest."""
    return state.speed_cm_s < AT_REST_CM_S


def position_now_cm(state: TrainState) -> float:
    """The train's current position, extrapolated from a slightly older report."""
    return state.position_cm + state.speed_cm_s * (CLOCK.now() - state.at)


@contextmanager
def _hung(service: str, stage: Stage) -> Iterator[None]:
    os.kill(stage.services.pid(service), signal.SIGSTOP)
    yield


@contextmanager
def _killed(service: str, stage: Stage) -> Iterator[None]:
    """Kills a service and each replacement: one that is ready before the train stops could keep it moving."""

    def kill(_: int) -> None:
        if pid := stage.services.pid(service):
            with suppress(ProcessLookupError):  # The service has just died.
                os.kill(pid, signal.SIGKILL)

    kill(0)
    with _again_and_again(kill):
        yield


@contextmanager
def _camera(fault: Fault, stage: Stage) -> Iterator[None]:
    stage.ask_fault(fault)
    yield


@contextmanager
def _two_autopilots(stage: Stage) -> Iterator[None]:
    """Pictures stop, and a second autopilot orders full speed."""

    def shout(number: int) -> None:
        bus.say(ORDER, _full_speed(stage.run, "rival", number, CLOCK.now()))

    stage.ask_fault(Fault.CAMERA_SILENT)
    with Bus(stage.services.settings, "rival") as bus, _again_and_again(shout):
        yield


@contextmanager
def _old_orders(stage: Stage) -> Iterator[None]:
    """The autopilot dies, and its orders are repeated: late, ahead of time, and in the wrong order."""
    last = stage.last_order()
    giver, number = (last.giver, last.number) if last else ("nobody", 0)
    ages_s = (1.5 * ORDER_AGE_MAX_S, -2 * ORDER_AGE_MAX_S)

    def shout(turn: int) -> None:
        for age_s in ages_s:
            bus.say(ORDER, _full_speed(stage.run, giver, number + 10**6 + turn, CLOCK.now() - age_s))
        bus.say(ORDER, _full_speed(stage.run, giver, max(number - turn, 0), CLOCK.now()))

    with (
        _killed("autopilot", stage),
        Bus(stage.services.settings, "rival") as bus,
        _again_and_again(shout),
    ):
        yield


@contextmanager
def _controller_robbed(stage: Stage) -> Iterator[None]:
    """Another client repeatedly connects under the controller's client name."""
    settings = stage.services.settings
    # The name is derived from the settings; without a login, nothing about it is secret.
    with Bus(settings, SESSION_KEEPER, (CONTROL,)):
        yield


@contextmanager
def _two_controllers(stage: Stage) -> Iterator[None]:
    """Pictures stop while a second controller is connected to the same train; then the second one dies.

    If pictures stopped first, that and the change of controller would be two faults, one after the other, and
    the stopping distance is promised only for one fault at a time.
    """
    met = threading.Event()
    second = Supervisor(
        stage.services.settings, ("controller",), lambda *_: met.set(), interrupted=lambda: True
    )
    with second:
        met.wait(WITHIN_S)
        stage.ask_fault(Fault.CAMERA_SILENT)
        yield
        with suppress(ProcessLookupError):
            os.kill(second.pid("controller"), signal.SIGKILL)


def _full_speed(run: int, giver: str, number: int, at: float) -> GivenOrder:
    return GivenOrder(
        kind=OrderKind.FULL_SPEED, reason=Reason.CLEAR, at=at, giver=giver, number=number, run=run
    )


@contextmanager
def _again_and_again(work: Callable[[int], None]) -> Iterator[None]:
    """Repeats work at twice the control rate until the block ends; the work gets the repetition's number."""
    enough = threading.Event()

    def repeat() -> None:
        for number in count(1):
            if enough.wait(0.5 / CONTROL_RATE_HZ):
                return
            work(number)

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield
    finally:
        enough.set()
        thread.join()


Strike = Callable[[Stage], AbstractContextManager[None]]
"""Causes a fault; when the block ends, the fault is over or the services can recover on their own."""

TRAIN_KILLED = "train_killed"
STOPPED = ("capture", "detector", "autopilot", "controller", "broker")
FAULTS: dict[str, Strike] = {
    **{str(fault): partial(_camera, fault) for fault in Fault if fault.startswith("camera_")},
    **{f"{service}_killed": partial(_killed, service) for service in STOPPED},
    **{f"{service}_hung": partial(_hung, service) for service in STOPPED},
    "two_autopilots": _two_autopilots,
    "old_orders": _old_orders,
    "controller_robbed": _controller_robbed,
    "two_controllers": _two_controllers,
}
"""The faults that brake the train. Texts: `bench.drill.faults.{name}`."""
