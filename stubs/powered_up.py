"""A Powered Up hub on the radio: finding it, connecting to it, and ports that take what they are told.

`stubs.lwp3` knows the bytes; here is who sends which and when, on asyncio and on bleak. Whatever can fail has
a time limit, and fails in one of two ways: with a `UserError` while the hub is looked for and looked at, or
with `HubLostError` once it is in use.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import NoReturn

from bleak import BleakAdapter, BleakClient, BleakScanner
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from bleak.exc import BleakBluetoothNotAvailableError, BleakError

from brakepoint.errors import UserError
from brakepoint.texts import text
from stubs import lwp3
from stubs.lwp3 import BRAKE, CHARACTERISTIC_UUID, SERVICE_UUID, Feedback, HubKind, Port, SetValue, hub_kind

ADDRESS = re.compile(r"([0-9A-F]{2}:){5}[0-9A-F]{2}")
TRIES = 3
"""How often a port is told the same thing before the hub counts as lost."""
KIND_TEXTS: dict[int | None, str] = {
    HubKind.CITY: "city",
    HubKind.TECHNIC: "technic",
    HubKind.REMOTE_CONTROL: "remote",
}
DEVICE_TEXTS: dict[int | None, str] = {
    None: "nothing",
    lwp3.DeviceType.TRAIN_MOTOR: "motor",
    lwp3.DeviceType.LIGHT: "light",
}
RADIO_ERRORS = (BleakError, OSError, EOFError, TimeoutError)
"""What bleak raises, and what reaches us through it from the system's message bus."""


@dataclass(frozen=True)
class Limits:
    """How long each thing may take, in seconds.

    Attributes:
        find_s: Until a hub is heard.
        settle_s: How long a search goes on behind the first hub, to hear whether there is another.
        connect_s: Until it is connected and its services are known.
        attach_s: Until it has said what is plugged in.
        write_s: Until the radio has acknowledged a message: in radio silence that never happens.
        feedback_s: Until the hub has said that an order is carried out.
        disconnect_s: Until the link is down.
    """

    find_s: float = 10.0
    settle_s: float = 1.0
    connect_s: float = 15.0
    attach_s: float = 3.0
    write_s: float = 1.0
    feedback_s: float = 1.0
    disconnect_s: float = 10.0


class HubLostError(Exception):
    """The link to the hub, or the trust in it, is gone. Its text is for people.

    Args:
        key: Of the text `hub.lost.{key}`.
        values: What stands in it.
    """

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(text(f"hub.lost.{key}", None, **values))


def checked_address(written: str) -> str:
    """A Bluetooth address in capitals; empty stays empty and means any hub.

    Raises:
        UserError: It is no address.
    """
    address = written.strip().upper()
    if address and not ADDRESS.fullmatch(address):
        raise UserError("hub.error.address", address=written)
    return address


async def find_hub(address: str = "", limits: Limits = Limits()) -> BLEDevice:
    """Finds the hub: by its address, or else the only City hub there is.

    One that is connected already does not advertise: a process that died has left it so. It is taken over.

    Raises:
        UserError: There is no Bluetooth, no hub, more than one, or the address is that of another thing.
    """
    with _bluetooth_needed():
        adapter = await BleakAdapter.get()
        connected = {hub.address: hub for hub in await adapter.get_connected_devices([SERVICE_UUID])}
        if address in connected or (not address and len(connected) == 1):
            return connected.get(address) or next(iter(connected.values()))
        heard = await _hear_hubs(limits, address)
    if address in heard:
        _, kind = heard[address]
        if kind not in (HubKind.CITY, None):
            raise UserError("hub.error.other_kind", address=address, kind=kind_name(kind))
        return heard[address][0]
    cities = [device for device, kind in heard.values() if kind == HubKind.CITY]
    if address or not cities:
        others = ", ".join(f"{name} ({kind_name(kind)})" for name, (_, kind) in sorted(heard.items()))
        wanted = address or kind_name(HubKind.CITY)
        if others:
            raise UserError("hub.error.only_others", wanted=wanted, seconds=limits.find_s, others=others)
        raise UserError("hub.error.not_found", wanted=wanted, seconds=limits.find_s)
    if len(cities) > 1:
        addresses = sorted(device.address for device in cities)
        raise UserError("hub.error.several", addresses=", ".join(addresses), first=addresses[0])
    return cities[0]


async def hear_kinds(limits: Limits = Limits()) -> dict[str, int | None]:
    """Listens for hubs of any kind: address → kind.

    Raises:
        UserError: There is no Bluetooth.
    """
    with _bluetooth_needed():
        return {address: kind for address, (_, kind) in (await _hear_hubs(limits)).items()}


@contextmanager
def _bluetooth_needed() -> Iterator[None]:
    try:
        yield
    except BleakBluetoothNotAvailableError as error:
        raise UserError("hub.error.no_bluetooth", why=error.args[0]) from error
    except RADIO_ERRORS as error:
        why = getattr(error, "strerror", None) or error
        raise UserError("hub.error.no_bluetooth", why=why) from error


async def _hear_hubs(limits: Limits, address: str = "") -> dict[str, tuple[BLEDevice, int | None]]:
    """Listens for advertisements: address → the device and its kind.

    Args:
        limits: How long.
        address: Stop at once when this one is heard; else stop a while behind the first City hub.
    """
    heard: dict[str, tuple[BLEDevice, int | None]] = {}
    found = asyncio.Event()

    def hear(device: BLEDevice, advertisement: AdvertisementData) -> None:
        kind = hub_kind(advertisement.manufacturer_data)
        if kind is None and device.address != address:
            return
        heard[device.address] = device, kind
        if device.address == address or (not address and kind == HubKind.CITY):
            found.set()

    async with BleakScanner(hear):
        with suppress(TimeoutError):
            await asyncio.wait_for(found.wait(), limits.find_s)
        if found.is_set() and not address:
            await asyncio.sleep(limits.settle_s)
    return heard


def kind_name(kind: int | None) -> str:
    """What a person calls a kind of hub."""
    return text(f"hub.kind.{KIND_TEXTS.get(kind, 'other')}")


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
        on_change: Called when battery or voltage have changed.
    """

    def __init__(self, device: BLEDevice, limits: Limits) -> None:
        self.address = device.address
        self.attached: dict[int, int] = {}
        self.battery_percent: int | None = None
        self.is_voltage_low = False
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
async def connected(device: BLEDevice, limits: Limits) -> AsyncIterator[PoweredUpHub]:
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
