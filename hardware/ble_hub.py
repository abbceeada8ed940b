"""The train on the radio: replaces `stubs.printing_hub`, and drives a Powered Up City hub.

The control loop and the radio each have a thread. Only the newest settings of the hub's ports are passed
between the threads, so a brake overtakes anything in progress. The radio's thread never waits for the control
loop's thread, which may hang, and brakes when there has been no order for the watchdog's time. When the link
was lost, the train is braked as soon as the link is restored. In both cases, the train then waits for a newer
order.
"""

import asyncio
import atexit
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from types import FrameType
from typing import Any, TextIO

from brakepoint.errors import UserError, system_says
from brakepoint.look import order_line
from brakepoint.messages import Order, TrainState
from brakepoint.texts import text
from brakepoint.train_file import Drive, chosen_train
from hardware.claims import claim, release
from hardware.heartbeat import BEAT_S, Heartbeat, heartbeat_path
from hardware.hub_guard import guard
from hardware.hub_search import RadioLimits, address_in, checked_address, find_hub, hear_kinds, kind_name
from hardware.link_loss import left_turning
from hardware.lwp3 import BRAKE, Port, SetMode
from hardware.port_setter import REFRESH_S, HubLostError
from hardware.powered_up import PoweredUpHub, connected
from hardware.reckoning import PortSettings, Reckoning
from hardware.speaker import Speaker

__all__ = ["BluetoothHub", "find_hubs", "guard", "left_turning", "open_hub"]

BACK_OFF_S = (0.1, 1.0)
"""Delay before the first attempt to reconnect to a lost hub, and the longest; each is twice the one before.

The first delay is short because the train may be moving meanwhile.
"""
BATTERY_LOW_PERCENT = 20
CLOSE_S = 15.0
"""Braking and disconnecting take seconds; more than this would be a bug."""
SAID_S = 1.0
"""How long to wait, at most, until messages are printed."""


class BluetoothHub:
    """Drives a City hub with a train motor on port A and a light on port B.

    Args:
        address: The hub's Bluetooth address; empty for the only hub in range.
        out: Where to print orders and events of the hub; None prints nothing.
        limits: How long each step on the radio may take.
        heartbeat: The heartbeat that the guard watches.
        drive: The measured drive; by default the one in `brakepoint.locomotive`.

    Raises:
        UserError: There is no Bluetooth, no such hub, no motor on the hub, or another program drives the hub.
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
        self._ordered_at = self._moved_at = time.monotonic()
        self._bitten_at: float | None = None
        self._is_alive = False
        self._said = ""
        self._speaker = Speaker(self._print)
        self._claims: list[socket.socket] = []
        self._strangers: set[str] = set()
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
        self._speaker.flush(SAID_S)
        atexit.register(self.close)

    @property
    def is_up(self) -> bool:
        """Whether the hub is connected and accepts orders."""
        return self._hub is not None

    @property
    def volts(self) -> float | None:
        """The hub's voltage; None until the hub has reported it."""
        hub = self._hub
        return hub.volts if hub is not None else None

    def fit(self, drive: Drive) -> None:
        """Uses another drive for driving and dead reckoning from now on, for measurements."""
        with self._lock:
            self._reckoning.fit(drive)

    def apply(self, order: Order) -> None:
        """Carries an order out, for the watchdog's time at most; a lost hub accepts no orders."""
        with self._lock:
            if self._hub is None:
                return
            self._heed_watchdog()
            is_news = self._order is None or (self._order.meaning, self._order.light) != (
                order.meaning,
                order.light,
            )
            line = order_line(order, self._reckoning.state) if is_news else ""
            self._order, self._bitten_at = order, None
            self._reckoning.follow(None if self._hub.is_voltage_low else order)
            self._ordered_at = time.monotonic()
            self._pass_on()
        if line:
            self._print(line)

    def state(self, now: float) -> TrainState:
        """Computes the train's state at `now`, and sets the ports for ramps and blinking at that time."""
        with self._lock:
            self._heed_watchdog()
            self._reckoning.measured(self.volts)
            self._reckoning.at(now)
            self._moved_at = time.monotonic()
            self._pass_on()
            return self._reckoning.state

    def close(self) -> None:
        """Brakes, then disconnects; may be called twice."""
        atexit.unregister(self.close)
        self._set(self._stopping)
        self._thread.join(CLOSE_S)
        self._speaker.end(SAID_S)

    def wait_until_settled(self, timeout_s: float) -> bool:
        """Waits until the hub has confirmed all requests; returns whether it has."""
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

    def _heed_watchdog(self) -> None:
        """Brakes the train in the dead reckoning if the watchdog has braked the real one."""
        if self._bitten_at is not None and self._order is not None:
            self._reckoning.at(self._reckoning.state.at + max(self._bitten_at - self._moved_at, 0.0))
            self._order = None
            self._reckoning.follow(None)

    def _set(self, event: asyncio.Event) -> None:
        """Sets an event of the radio's thread, unless the thread has ended."""
        with suppress(RuntimeError):  # The thread's loop is closed.
            self._loop.call_soon_threadsafe(event.set)

    def _print(self, line: str) -> None:
        if self._out is not None:
            print(line, file=self._out, flush=True)

    def _say(self, key: str, **values: object) -> None:
        """Prints what happens to the hub, but not the same message twice in a row."""
        line = text(f"hub.say.{key}", None, **values)
        if line != self._said:
            self._said = line
            self._speaker.say(line)

    # The following runs in the radio's thread.

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(self._stay_connected())
        except BaseException as error:
            if self._ready.done():
                raise
            self._ready.set_exception(error)
        finally:
            release(self._claims)

    async def _stay_connected(self) -> None:
        """Connects, and reconnects after losses, until stopped; only the first attempt may raise."""
        beating = asyncio.create_task(self._beat())
        back_off_s = BACK_OFF_S[0]
        while not self._stopping.is_set():
            try:
                await self._connect_once()
                back_off_s = BACK_OFF_S[0]
            except HubLostError as error:
                self._say("lost", why=error)
                back_off_s = BACK_OFF_S[0]
            except Exception as error:  # Bleak raises many kinds of exceptions when a device comes or goes.
                if not self._ready.done():
                    raise
                self._say("still_lost", why=error if isinstance(error, UserError) else repr(error))
                back_off_s = min(2 * back_off_s, BACK_OFF_S[1])
            await self._pause(back_off_s)
        beating.cancel()
        if self._claims:
            self._leave_sign(self._heartbeat.end)

    async def _connect_once(self) -> None:
        """Finds the hub, drives it until stopped, and leaves it braked.

        Raises:
            UserError: The hub cannot be reached, or another program drives it.
            HubLostError: The link to the hub was lost.
        """
        device = await find_hub(self._address, self._limits, self._strangers)
        if not self._claims:
            self._claims.append(claim(device.address, "driven"))
            self._claims.append(claim(str(self._heartbeat.path.resolve()), "watched"))
        async with connected(device, self._limits, self._say) as hub:
            try:
                await hub.require_motor()
                await hub.whisper(SetMode(Port.RGB_LIGHT, 0))
                await self._drive(hub)
            except UserError:
                if hub.is_of_a_train or self._address:
                    raise
                self._strangers.add(hub.address)
                release(self._claims)  # The next hub needs a claim of its own.
            finally:
                with self._lock:
                    self._hub = None
                    self._forget_order()

    async def _drive(self, hub: PoweredUpHub) -> None:
        """Keeps the ports at the requested values until stopped; at the beginning, the motor is braked."""
        hub.on_change = self._heed_battery
        with self._lock:
            self._hub, self._address = hub, hub.address
            self._forget_order()
        self._say("connected", address=hub.address)
        self._heed_battery()
        if not self._ready.done():
            self._ready.set_result(None)
        ports: list[Coroutine[Any, Any, None]] = [hub.motor.keep(), hub.light.keep(), hub.colour.keep()]
        watching = asyncio.create_task(hub.miss_the_light())
        tasks = [asyncio.create_task(part) for part in (*ports, hub.lost(), self._follow(hub))]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (watching, *tasks):
                task.cancel()
            await asyncio.gather(watching, *tasks, return_exceptions=True)

    async def _follow(self, hub: PoweredUpHub) -> None:
        """Passes the newest settings to the ports until stopped, and brakes if there is no new order."""
        while not self._stopping.is_set():
            self._changed.clear()
            settings, now = self._settings, time.monotonic()
            left_s = self._ordered_at + self._limits.orders_s - now
            if left_s <= 0 and not self._stands:
                settings = PortSettings()
                if self._bitten_at is None:
                    self._bitten_at = now
                    self._say("no_orders", seconds=self._limits.orders_s)
            # A final brake is not repeated: the guard would take the repetition for an active driver.
            hub.motor.refresh_s = REFRESH_S if self._bitten_at is None else None
            hub.motor.want(settings.motor)
            hub.light.want(settings.light)
            hub.colour.want(settings.colour)
            await self._first_of(left_s if left_s > 0 else self._limits.orders_s)

    def _forget_order(self) -> None:
        """Brakes the train until there is a new order."""
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
                await asyncio.sleep(0)  # Lets `_follow` pass on earlier requests.
                while self._changed.is_set() or self._hub is None or not self._hub.is_settled:
                    await asyncio.sleep(0.001)
        except TimeoutError:
            return False
        return True

    @property
    def _stands(self) -> bool:
        """Whether the driver wants the train to stand, in which case a slow driver is acceptable."""
        return self._order is None or self._settings.motor == BRAKE

    async def _beat(self) -> None:
        """Touches the heartbeat while this thread runs and the driver lives, or has left the train braked."""
        is_written = True
        while True:
            if self._address and (self._is_alive or (self._stands and self._bitten_at is None)):
                self._is_alive, was_written = False, is_written
                is_written = self._leave_sign(partial(self._heartbeat.beat, self._address))
                if is_written and not was_written:
                    self._say("heartbeat_back", path=self._heartbeat.path)
            await asyncio.sleep(BEAT_S)

    def _leave_sign(self, leave: Callable[[], None]) -> bool:
        """Writes to the guard's file; reports a failure, since the train is then unguarded."""
        try:
            leave()
        except OSError as error:
            self._say("no_heartbeat", path=self._heartbeat.path, why=system_says(error))
            return False
        return True

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            pass

    async def _first_of(self, seconds: float) -> None:
        """Waits for new settings, for the end, or for a timeout."""
        waits = [asyncio.ensure_future(event.wait()) for event in (self._changed, self._stopping)]
        try:
            await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()


def open_hub(rest: str, out: TextIO | None = sys.stdout) -> BluetoothHub:
    """Opens the hub for the URI `ble:` or `ble:AA:BB:CC:DD:EE:FF`; `?train=train.toml` may follow.

    From then on, the train is braked when the program is terminated (by SIGTERM, or by SIGHUP when
    its terminal is closed), unless the program has its own handler.

    Args:
        rest: The hub's Bluetooth address, which is empty for the only hub in range, and the train's file.
        out: Where to print orders and events of the hub; None prints nothing.

    Raises:
        UserError: As for `BluetoothHub`, or an option is unknown, or the train's file is missing or invalid.
    """
    address, drive = address_in(rest), chosen_train(rest).drive
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, _exit)
    return BluetoothHub(address, out, drive=drive)


def find_hubs() -> list[tuple[str, str]]:
    """Listens for hubs: the URI of each, and the name of its kind.

    Raises:
        UserError: There is no Bluetooth.
    """
    kinds = asyncio.run(hear_kinds())
    return [(f"ble:{address}", kind_name(kind)) for address, kind in sorted(kinds.items())]


def _exit(number: int, _: FrameType | None) -> None:
    sys.exit(128 + number)
