"""A train on a fake radio, its driver in a separate process, a guard, and everything that can go wrong."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Self

from emulated_hub import EmulatedHub
from fake_bluez import FakeBluez

from brakepoint.errors import UserError
from brakepoint.messages import Light, Order, OrderKind, Reason
from brakepoint.rules import CONTROL_RATE_HZ
from hardware.ble_hub import BluetoothHub
from hardware.heartbeat import Heartbeat
from hardware.hub_guard import guard
from hardware.lwp3 import HubError, Port, VoltageAlert

WITHIN_S = 60.0
"""A train that has not received a brake order within this time counts as never braked."""
PROCESSES = get_context("forkserver")
PROCESSES.set_forkserver_preload(["benchmarks.radio_stage"])


@dataclass
class NotingHub(EmulatedHub):
    """A hub that records its motor commands.

    Attributes:
        history: Time, by the monotonic clock, and value of each command.
    """

    history: list[tuple[float, int]] = field(default_factory=list)

    def _set(self, order: Any, port: int, value: int) -> None:
        super()._set(order, port, value)
        if port == Port.A:
            self.history.append((time.monotonic(), self.motor))


def drive(bus: str, heartbeat: Path, asked: Connection) -> None:
    """A driver that orders full speed until something else is requested."""
    os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = bus
    hub = BluetoothHub(out=None, heartbeat=Heartbeat(heartbeat))
    kind, gives_orders = OrderKind.FULL_SPEED, True
    while True:
        if asked.poll():
            match asked.recv():
                case "brake":
                    kind = OrderKind.BRAKE
                case "be quiet":
                    gives_orders = False
                case "hang":
                    time.sleep(10 * WITHIN_S)
        now = time.monotonic()
        if gives_orders:
            light = Light.BLINK if kind is OrderKind.BRAKE else Light.ON
            hub.apply(Order(kind=kind, reason=Reason.BY_HAND, light=light, at=now))
        hub.state(now)
        asked.poll(1 / CONTROL_RATE_HZ)


class Stage:
    """One train, its driver and its guard, for one fault.

    Args:
        folder: Folder for the bus and the heartbeat.

    Attributes:
        hub: The train's hub.
        device: The hub's Bluetooth device.
        beat: The driver's heartbeat.
        braked_at: When the guard reported that the train was braked.
    """

    def __init__(self, folder: Path) -> None:
        self._bluez = FakeBluez(folder / "bus")
        os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = self._bluez.address
        self.beat = folder / "session" / "beat"
        self.hub = NotingHub()
        self.braked_at: list[float] = []
        self._is_guarded = threading.Event()
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self._open.enter_context(self._bluez.running())
        self.device = self._bluez.add(self.hub)
        ours, theirs = PROCESSES.Pipe()
        self._asking = ours
        how = (self._bluez.address, self.beat, theirs)
        self.driver = PROCESSES.Process(target=drive, args=how, daemon=True)
        self._guard_loop = asyncio.new_event_loop()
        self._guarding = threading.Thread(target=self._guard, daemon=True)
        return self

    def __exit__(self, *_: object) -> None:
        if self.driver.pid is not None:
            self.driver.kill()
            self.driver.join()
        if self._guarding.is_alive():
            self._guard_loop.call_soon_threadsafe(self._relieved.set)
            self._guarding.join(WITHIN_S)
        self._open.close()

    def set_off(self) -> None:
        """Starts driver and guard, and waits until the train has full power and is guarded.

        Raises:
            TimeoutError: The train did not reach this state in time.
        """
        self._relieved = asyncio.Event()
        self.driver.start()
        self._guarding.start()
        self.until(lambda: self.hub.motor == 100 and self._is_guarded.is_set())

    def until(self, is_so: Callable[[], bool]) -> None:
        """Waits until a condition holds.

        Raises:
            TimeoutError: The condition did not hold in time.
        """
        until = time.monotonic() + WITHIN_S
        while not is_so():
            if time.monotonic() > until:
                raise TimeoutError(f"{WITHIN_S:g} s")
            time.sleep(0.005)

    def ask(self, what: str) -> None:
        """Sends a request to the driver."""
        self._asking.send(what)

    def do(self, action: Callable[..., object], *arguments: object) -> None:
        """Runs an action in the radio's own thread."""
        self._bluez.do(action, *arguments)

    def fall_silent(self, seconds: float) -> None:
        """Silently blocks all messages for a while."""
        self.device.is_silent, self.device.is_on = True, False

        def speak() -> None:
            self.device.is_silent, self.device.is_on = False, True

        threading.Timer(seconds, speak).start()

    def go_away(self, seconds: float) -> None:
        """Drops the link, and puts the hub out of range for a while."""
        self.device.is_on = False
        self.device.drop()
        threading.Timer(seconds, setattr, (self.device, "is_on", True)).start()

    def _guard(self) -> None:
        def say(key: str, **_: object) -> None:
            if key == "guarding":
                self._is_guarded.set()
            elif key == "braked":
                self.braked_at.append(time.monotonic())

        with asyncio.Runner(loop_factory=lambda: self._guard_loop) as runner:
            runner.run(guard(self.beat, self._relieved, say))


@dataclass(frozen=True)
class Fault:
    """A fault on the radio.

    Attributes:
        strike: Causes the fault.
        wakes_guard: Whether the guard must brake, too.
        drives_on: Whether the train must drive on.
    """

    strike: Callable[[Stage], object]
    wakes_guard: bool = False
    drives_on: bool = False


def _signal(number: int) -> Callable[[Stage], None]:
    return lambda stage: os.kill(stage.driver.pid or 0, number)


def _kill_with_sign_of_life(stage: Stage) -> None:
    _signal(signal.SIGKILL)(stage)
    stage.driver.join()
    stage.beat.unlink()
    stage.beat.parent.rmdir()


def _slow(seconds: float) -> Callable[[Stage], None]:
    def strike(stage: Stage) -> None:
        stage.device.write_takes_s = seconds
        stage.ask("brake")

    return strike


def _second_driver(stage: Stage) -> None:
    try:
        BluetoothHub(out=None, heartbeat=Heartbeat(stage.beat.with_name("other"))).close()
    except UserError:
        return
    raise TimeoutError("a second driver was let in")


def _no_answers(stage: Stage) -> None:
    stage.hub.feedback = lambda sent: None


FAULTS: dict[str, Fault] = {
    "driver_killed": Fault(_signal(signal.SIGKILL), wakes_guard=True),
    "driver_killed_with_beat": Fault(_kill_with_sign_of_life, wakes_guard=True),
    "driver_stopped": Fault(_signal(signal.SIGSTOP), wakes_guard=True),
    "loop_hung": Fault(lambda stage: stage.ask("hang"), wakes_guard=True),
    "no_orders": Fault(lambda stage: stage.ask("be quiet")),
    "link_dropped": Fault(lambda stage: stage.device.drop()),
    "link_dropped_3s": Fault(lambda stage: stage.go_away(3.0)),
    "silence_600ms": Fault(lambda stage: stage.fall_silent(0.6)),
    "silence_3s": Fault(lambda stage: stage.fall_silent(3.0)),
    "silence_6s": Fault(lambda stage: stage.fall_silent(6.0)),
    "no_feedback": Fault(_no_answers),
    "voltage_low": Fault(lambda stage: stage.do(stage.hub.say, VoltageAlert(True))),
    "brake_at_80ms": Fault(_slow(0.08)),
    "brake_at_120ms": Fault(_slow(0.12)),
    "light_pulled": Fault(lambda stage: stage.do(stage.hub.unplug, Port.B), drives_on=True),
    "alert_refused": Fault(lambda stage: stage.do(stage.hub.say, HubError(0x03, 5)), drives_on=True),
    "second_driver": Fault(_second_driver, drives_on=True),
}
"""Texts: `bench.radio.faults.{name}`."""
