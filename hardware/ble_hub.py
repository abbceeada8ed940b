"""The train on the radio: the drop-in for `stubs.printing_hub` that drives a Powered Up City hub.

The loop that drives, and the radio, each have a thread. What the hub's ports are to be set to is all that
passes from one to the other, and only the newest of it, so a brake overtakes whatever is under way. When the
link is lost the train is told to brake as soon as there is one again, and waits for an order newer than that.
"""

import asyncio
import atexit
import signal
import sys
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from contextlib import suppress
from types import FrameType
from typing import Any, TextIO

from brakepoint.errors import UserError
from brakepoint.look import order_line
from brakepoint.messages import Order, TrainState
from brakepoint.texts import text
from brakepoint.train_file import Drive, chosen_train
from hardware.heartbeat import BEAT_S, Heartbeat, heartbeat_path
from hardware.hub_guard import guard
from hardware.hub_search import RadioLimits, checked_address, find_hub, hear_kinds, kind_name
from hardware.lwp3 import BRAKE, Colour, DeviceType, Port, SetMode, WatchPort
from hardware.powered_up import VOLTS_DELTA, HubLostError, PoweredUpHub, connected
from hardware.reckoning import PortSettings, Reckoning

__all__ = ["BluetoothHub", "find_hubs", "guard", "open_hub"]

BACK_OFF_S = (0.5, 8.0)
"""How long to wait before the first try to get a lost hub back, and at most: each wait is twice the last."""
REFRESH_S = 0.5
"""The motor is told its power again so often, changed or not: a radio that has gone silent says nothing."""
BATTERY_LOW_PERCENT = 20
CLOSE_S = 15.0
"""Braking and disconnecting take seconds; more than this would be a bug."""


class BluetoothHub:
    """Drives a City hub with a train motor at port A and a light at port B.

    Args:
        address: The hub's Bluetooth address; empty for the only one in reach.
        out: Where to print orders and what happens to the hub; None prints nothing.
        limits: How long each thing may take.
        heartbeat: The sign of life for the guard.
        drive: What was measured of its motor; by default that of `brakepoint.locomotive`.

    Raises:
        UserError: There is no Bluetooth, no such hub, or something is not plugged in.
    """

    is_simulated = False

    def __init__(
        self,
        address: str = "",
        out: TextIO | None = sys.stdout,
        limits: RadioLimits = RadioLimits(),  # noqa: B008 — it is frozen
        heartbeat: Heartbeat | None = None,
        drive: Drive = Drive(),  # noqa: B008 — it is frozen
    ) -> None:
        self._address, self._out, self._limits = checked_address(address), out, limits
        self._heartbeat = heartbeat or Heartbeat(heartbeat_path())
        self._lock = threading.Lock()
        self._reckoning = Reckoning(drive)
        self._order: Order | None = None
        self._hub: PoweredUpHub | None = None
        self._settings = PortSettings()
        self._is_alive = False
        self._said = ""
        self._ready: Future[None] = Future()
        self._loop = asyncio.new_event_loop()
        self._changed, self._stopping = asyncio.Event(), asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="hub", daemon=True)
        self._thread.start()
        try:
            self._ready.result()
        except BaseException:
            self.close()
            raise
        atexit.register(self.close)

    @property
    def is_up(self) -> bool:
        """Whether the hub is connected and takes orders."""
        return self._hub is not None

    @property
    def volts(self) -> float | None:
        """The hub's voltage; None until it has said it."""
        hub = self._hub
        return hub.volts if hub is not None else None

    def fit(self, drive: Drive) -> None:
        """Drives and reckons by another drive from now on, for whoever measures one."""
        with self._lock:
            self._reckoning.fit(drive)

    def apply(self, order: Order) -> None:
        """Carries an order out from now on; a hub that is lost takes none."""
        with self._lock:
            if self._hub is None:
                return
            last, self._order = self._order, order
            if last is None or (last.meaning, last.light) != (order.meaning, order.light):
                self._print(order_line(order, self._reckoning.state))
            self._reckoning.follow(None if self._hub.is_voltage_low else order)
            self._pass_on()

    def state(self, now: float) -> TrainState:
        """Reckons where the train is at `now`, and goes on with what takes time: ramps, blinking."""
        with self._lock:
            self._reckoning.measured(self.volts)
            self._reckoning.at(now)
            self._pass_on()
            return self._reckoning.state

    def close(self) -> None:
        """Brakes, then disconnects; may be called twice."""
        atexit.unregister(self.close)
        self._set(self._stopping)
        self._thread.join(CLOSE_S)

    def wait_until_settled(self, timeout_s: float) -> bool:
        """Waits until the hub has confirmed all that it was asked for; says whether it has."""
        if not self._thread.is_alive():
            return False
        settled = asyncio.run_coroutine_threadsafe(self._settle(timeout_s), self._loop)
        return settled.result()

    def _pass_on(self) -> None:
        self._is_alive = True
        settings = self._reckoning.settings
        if settings != self._settings:
            self._settings = settings
            self._set(self._changed)

    def _set(self, event: asyncio.Event) -> None:
        """Sets an event of the radio's thread, unless that has come to its end."""
        with suppress(RuntimeError):  # Its loop is closed.
            self._loop.call_soon_threadsafe(event.set)

    def _print(self, line: str) -> None:
        if self._out is not None:
            print(line, file=self._out, flush=True)

    def _say(self, key: str, **values: object) -> None:
        """Says what happens to the hub; the same thing not twice in a row."""
        line = text(f"hub.say.{key}", None, **values)
        if line != self._said:
            self._said = line
            self._print(line)

    # What follows runs in the radio's thread.

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(self._stay_connected())
        except BaseException as error:
            if self._ready.done():
                raise
            self._ready.set_exception(error)

    async def _stay_connected(self) -> None:
        """Connects, and again after every loss, until told to stop; what fails at first is an error."""
        beating = asyncio.create_task(self._beat())
        back_off_s = BACK_OFF_S[0]
        while not self._stopping.is_set():
            try:
                await self._connect_once()
                back_off_s = BACK_OFF_S[0]
            except HubLostError as error:
                self._say("lost", why=error)
                back_off_s = BACK_OFF_S[0]
            except UserError as error:
                if not self._ready.done():
                    raise
                self._say("still_lost", why=error)
                back_off_s = min(2 * back_off_s, BACK_OFF_S[1])
            await self._pause(back_off_s)
        beating.cancel()
        self._heartbeat.end()

    async def _connect_once(self) -> None:
        """Finds the hub, drives it until told to stop, and leaves it braked.

        Raises:
            UserError: It cannot be reached.
            HubLostError: It was, and is no more.
        """
        device = await find_hub(self._address, self._limits)
        async with connected(device, self._limits) as hub:
            try:
                await hub.require(Port.A, DeviceType.TRAIN_MOTOR)
                await hub.require(Port.B, DeviceType.LIGHT)
                await hub.write(SetMode(Port.RGB_LIGHT, 0))
                await hub.write(WatchPort(Port.VOLTAGE, 0, VOLTS_DELTA))
                await self._drive(hub)
            finally:
                with self._lock:
                    self._hub = None
                    self._forget_order()

    async def _drive(self, hub: PoweredUpHub) -> None:
        """Keeps the ports at what is asked for until told to stop; it begins with a confirmed brake."""
        motor = hub.setter(Port.A, BRAKE, REFRESH_S)
        await motor.settle()
        setters = motor, hub.setter(Port.B, 0), hub.setter(Port.RGB_LIGHT, Colour.BLUE)
        hub.on_change = self._heed_battery
        with self._lock:
            self._hub, self._address = hub, hub.address
            self._forget_order()
        self._setters = setters
        self._say("connected", address=hub.address)
        self._heed_battery()
        if not self._ready.done():
            self._ready.set_result(None)
        work: list[Coroutine[Any, Any, None]] = [setter.keep() for setter in setters]
        tasks = [asyncio.create_task(part) for part in (*work, hub.lost(), self._follow())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self) -> None:
        """Hands the newest settings to the ports until told to stop."""
        while not self._stopping.is_set():
            self._changed.clear()
            settings = self._settings
            wanted = settings.motor, settings.light, settings.colour
            for setter, value in zip(self._setters, wanted, strict=True):
                setter.want(value)
            await self._first_of(self._changed, self._stopping)

    def _forget_order(self) -> None:
        """Has the train wait for a new order, braked."""
        self._order = None
        self._reckoning.follow(None)
        self._settings = self._reckoning.settings
        self._changed.set()

    def _heed_battery(self) -> None:
        hub = self._hub
        if hub is None:
            return
        if hub.is_voltage_low:
            self._say("voltage_low")
            with self._lock:
                self._reckoning.follow(None)
                self._settings = self._reckoning.settings
                self._changed.set()
        elif hub.battery_percent is not None:
            is_low = hub.battery_percent < BATTERY_LOW_PERCENT
            self._say("battery_low" if is_low else "battery", percent=hub.battery_percent)

    async def _settle(self, timeout_s: float) -> bool:
        try:
            async with asyncio.timeout(timeout_s):
                await asyncio.sleep(0)  # Lets `_follow` hand on what was asked for before.
                while self._changed.is_set() or not all(setter.is_settled for setter in self._setters):
                    await asyncio.sleep(0.001)
        except TimeoutError:
            return False
        return True

    async def _beat(self) -> None:
        """Touches the heartbeat while this thread turns and somebody asks where the train is."""
        while True:
            if self._is_alive and self._address:
                self._is_alive = False
                self._heartbeat.beat(self._address)
            await asyncio.sleep(BEAT_S)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            pass

    async def _first_of(self, *events: asyncio.Event) -> None:
        waits = [asyncio.ensure_future(event.wait()) for event in events]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()


def open_hub(rest: str, out: TextIO | None = sys.stdout) -> BluetoothHub:
    """Opens the hub for the URI `ble:` or `ble:AA:BB:CC:DD:EE:FF`; `?train=train.toml` may stand behind it.

    From then on the program brakes the train when it is told to end (SIGTERM), unless it has its own way.

    Args:
        rest: The hub's Bluetooth address, empty for the only one in reach; and the file of this train.
        out: Where to print orders and what happens to the hub; None prints nothing.

    Raises:
        UserError: As `BluetoothHub`, or the train's file is missing or is none.
    """
    drive = chosen_train(rest).drive
    is_unheeded = signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    if is_unheeded and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _exit)
    return BluetoothHub(rest.partition("?")[0], out, drive=drive)


def find_hubs() -> list[tuple[str, str]]:
    """Listens for hubs: the URI of each, and what a person calls its kind.

    Raises:
        UserError: There is no Bluetooth.
    """
    kinds = asyncio.run(hear_kinds())
    return [(f"ble:{address}", kind_name(kind)) for address, kind in sorted(kinds.items())]


def _exit(number: int, _: FrameType | None) -> None:
    sys.exit(128 + number)
