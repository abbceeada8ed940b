"""A Powered Up hub that was found: connecting to it, and ports that take what they are told.

`hardware.lwp3` knows the bytes, `hardware.hub_search` finds the hub; here is who sends which message and
when, on asyncio and on bleak. Whatever can fail has a time limit, and fails in one of two ways: with a
`UserError` while the hub is looked at, or with `HubLostError` once it is in use.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import NoReturn

from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.device import BLEDevice

from brakepoint.errors import UserError
from brakepoint.texts import text
from hardware import lwp3
from hardware.hub_search import RADIO_ERRORS, RadioLimits
from hardware.lwp3 import BRAKE, CHARACTERISTIC_UUID, Feedback, Port, SetValue

TRIES = 3
"""How often a port is told the same thing before the hub counts as lost."""
VOLTS_DELTA = 20
"""The hub says its voltage again when it has changed by so much, 0.05 V."""
VOLTS_SHARE = 0.2
"""Of the newest voltage in the mean: it wavers with the motor's current."""
DEVICE_TEXTS: dict[int | None, str] = {
    None: "nothing",
    lwp3.DeviceType.TRAIN_MOTOR: "motor",
    lwp3.DeviceType.LIGHT: "light",
}


class HubLostError(Exception):
    """The link to the hub, or the trust in it, is gone. Its text is for people.

    Args:
        key: Of the text `hub.lost.{key}`.
        values: What stands in it.
    """

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(text(f"hub.lost.{key}", None, **values))


def device_name(device_type: int | None) -> str:
    """What a person calls a thing that is plugged in."""
    return text(f"hub.device.{DEVICE_TEXTS.get(device_type, 'other')}", type=f"{device_type or 0:#06x}")


class PoweredUpHub:
    """A connected hub; `connected` makes one.

    Attributes:
        address: Its Bluetooth address.
        attached: Port → type of what is plugged in.
        battery_percent: How full its battery is; None until it has said so.
        is_voltage_low: Whether it has raised the alert.
        volts: Its voltage, a mean of the last values; None until it has said one.
        on_change: Called when battery or voltage have changed.
    """

    def __init__(self, device: BLEDevice, limits: RadioLimits) -> None:
        self.address = device.address
        self.attached: dict[int, int] = {}
        self.battery_percent: int | None = None
        self.is_voltage_low = False
        self.volts: float | None = None
        self.on_change: Callable[[], None] = lambda: None
        self.limits = limits
        self._setters: dict[int, PortSetter] = {}
        self._required: dict[int, int] = {}
        self._news = asyncio.Event()
        self._lost: asyncio.Future[NoReturn] = asyncio.get_running_loop().create_future()
        self._writing = asyncio.Lock()
        self._client = BleakClient(device, self._on_disconnect, timeout=limits.connect_s)

    async def open(self) -> None:
        """Connects, and asks at once for what is to be watched: a hub that hears nothing hangs up.

        Raises:
            UserError: It does not connect, or is no hub.
        """
        try:
            async with asyncio.timeout(self.limits.connect_s):
                await self._client.connect()
                await self._client.start_notify(CHARACTERISTIC_UUID, self._hear)
            for message in (lwp3.WatchBattery(), lwp3.AskBattery(), lwp3.WatchVoltage()):
                await self.write(message)
        except (*RADIO_ERRORS, HubLostError) as error:
            why = str(error) or text("hub.lost.silence", seconds=self.limits.connect_s)
            raise UserError("hub.error.connect", address=self.address, why=why) from error

    async def require(self, port: Port, device_type: int) -> None:
        """Waits until something is plugged in; from then on the hub is lost when it is pulled out.

        Raises:
            UserError: Nothing is, or something else.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(self.limits.attach_s):
                while self.attached.get(port) != device_type:
                    self._news.clear()
                    await self._news.wait()
        found, wanted = self.attached.get(port), device_name(device_type)
        if found is None:
            raise UserError("hub.error.port_empty", port=port.name, wanted=wanted)
        if found != device_type:
            raise UserError("hub.error.port_wrong", port=port.name, wanted=wanted, found=device_name(found))
        self._required[port] = device_type

    async def write(self, message: lwp3.Message) -> None:
        """Sends a message; returns when the radio has acknowledged it.

        Raises:
            HubLostError: It has not.
        """
        limit_s = self.limits.write_s
        try:
            async with asyncio.timeout(limit_s), self._writing:
                await self._client.write_gatt_char(CHARACTERISTIC_UUID, message.encode(), response=True)
        except TimeoutError as error:
            raise HubLostError("silence", seconds=limit_s) from error
        except RADIO_ERRORS as error:
            raise HubLostError("link", why=error) from error

    def setter(self, port: Port, value: int, refresh_s: float | None = None) -> "PortSetter":
        """Makes what keeps a port at a value, and says it again every so often if asked to."""
        self._setters[port] = PortSetter(self, port, value, refresh_s)
        return self._setters[port]

    async def lost(self) -> NoReturn:
        """Waits for the end.

        Raises:
            HubLostError: The link is down, the hub was switched off, or something was pulled out.
        """
        await asyncio.shield(self._lost)

    async def close(self) -> None:
        """Brakes, if the radio still lets it, and only then disconnects."""
        if self._client.is_connected and not self._lost.done():
            brake = self.setter(Port.A, BRAKE)
            with suppress(HubLostError):
                await brake.settle()
        with suppress(*RADIO_ERRORS):
            async with asyncio.timeout(self.limits.disconnect_s):
                await self._client.disconnect()
        self._lost.cancel()

    def _lose(self, error: HubLostError) -> None:
        if not self._lost.done():
            self._lost.set_exception(error)
            self._lost.exception()  # Somebody may be past waiting for it.

    def _on_disconnect(self, _: BleakClient) -> None:
        self._lose(HubLostError("dropped"))

    def _hear(self, _: BleakGATTCharacteristic, data: bytearray) -> None:
        """Takes note of what the hub says; of the rest no train has any use."""
        try:
            message = lwp3.decode(bytes(data))
        except lwp3.ProtocolError:
            return
        match message:
            case lwp3.Attached(port, device_type):
                self.attached[port] = device_type
            case lwp3.Detached(port):
                self.attached.pop(port, None)
                if port in self._required:
                    self._lose(HubLostError("detached", port=Port(port).name))
            case lwp3.CommandFeedback(ports):
                for port, flags in ports:
                    if port in self._setters:
                        self._setters[port].answered(flags)
            case lwp3.HubError(command, code):
                self._lose(HubLostError("error", command=f"{command:#04x}", code=code))
            case lwp3.BatteryLevel(percent):
                self.battery_percent = percent
                self.on_change()
            case lwp3.VoltageAlert(is_low):
                self.is_voltage_low = is_low
                self.on_change()
            case lwp3.PortValue(Port.VOLTAGE, raw):
                now = lwp3.volts(raw)
                self.volts = now if self.volts is None else self.volts + VOLTS_SHARE * (now - self.volts)
            case lwp3.HubAction(lwp3.Action.WILL_SWITCH_OFF | lwp3.Action.WILL_DISCONNECT):
                self._lose(HubLostError("off"))
        self._news.set()


class PortSetter:
    """Keeps a port at the newest value that was asked for.

    A newer value never waits for the feedback of an older one, so a brake is sent at once, whatever is under
    way. The port is settled when the hub has answered everything that it was sent. What it discards or leaves
    unanswered is sent again: a port may be told twice, since it is told a state and not a change.
    """

    def __init__(self, hub: PoweredUpHub, port: Port, value: int, refresh_s: float | None) -> None:
        self._hub, self._port, self._refresh_s = hub, port, refresh_s
        self._wanted = value
        self._sent: int | None = None
        self._unanswered = 0
        self._unanswered_since = 0.0
        self._discarded = False
        self._failures = 0
        self._news = asyncio.Event()

    def want(self, value: int) -> None:
        """Asks for a value."""
        if value != self._wanted:
            self._wanted = value
            self._news.set()

    @property
    def is_settled(self) -> bool:
        """Whether the hub has confirmed the value that is wanted."""
        return self._sent == self._wanted and not self._unanswered

    def answered(self, flags: Feedback) -> None:
        """Takes note of what the hub says of this port."""
        if Feedback.DISCARDED in flags and Feedback.DONE not in flags:
            self._discarded = True
        elif not flags & (Feedback.DONE | Feedback.IDLE):
            return
        self._unanswered = max(self._unanswered - 1, 0)
        self._unanswered_since = _now()
        self._news.set()

    async def keep(self) -> NoReturn:
        """Sends whatever is wanted, for ever.

        Raises:
            HubLostError: The radio or the hub does not take it.
        """
        while True:
            await self.settle()
            try:
                async with asyncio.timeout(self._refresh_s):
                    await self._news.wait()
            except TimeoutError:
                self._sent = None

    async def settle(self) -> None:
        """Sends what is wanted until it is confirmed.

        Raises:
            HubLostError: The radio or the hub does not take it.
        """
        while not self.is_settled:
            self._news.clear()
            if self._sent != self._wanted:
                await self._send()
            else:
                await self._wait_for_answer()
            if self._discarded and not self._unanswered:
                self._fail("refused")
        self._news.clear()
        self._failures = 0

    async def _send(self) -> None:
        if not self._unanswered:
            self._unanswered_since = _now()
        elif _now() - self._unanswered_since > self._hub.limits.feedback_s:
            self._fail("feedback")
        value = self._wanted
        self._discarded = False
        self._unanswered += 1
        self._sent = value
        await self._hub.write(SetValue(self._port, value))

    async def _wait_for_answer(self) -> None:
        try:
            async with asyncio.timeout_at(self._unanswered_since + self._hub.limits.feedback_s):
                await self._news.wait()
        except TimeoutError:
            self._fail("feedback")

    def _fail(self, key: str) -> None:
        """Has the value sent again, if there are tries left."""
        self._failures += 1
        if self._failures >= TRIES:
            raise HubLostError(key, port=self._port.name, times=TRIES)
        self._sent, self._unanswered, self._discarded = None, 0, False


def _now() -> float:
    return asyncio.get_running_loop().time()


@asynccontextmanager
async def connected(device: BLEDevice, limits: RadioLimits) -> AsyncIterator[PoweredUpHub]:
    """Connects to a hub, and leaves it braked and disconnected, whatever happens between.

    Raises:
        UserError: It does not connect, or is no hub.
    """
    hub = PoweredUpHub(device, limits)
    try:
        await hub.open()
        yield hub
    finally:
        closing = asyncio.ensure_future(hub.close())
        while not closing.done():
            with suppress(asyncio.CancelledError):  # Who is in a hurry must wait for the brake, too.
                await asyncio.shield(closing)
