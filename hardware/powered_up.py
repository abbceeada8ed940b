"""Connects to a Powered Up hub that was found, and controls its ports.

`hardware.lwp3` defines the bytes, and `hardware.hub_search` finds the hub; this module defines who sends
which message and when, with asyncio and bleak. Every step that can fail has a time limit, and raises one of
two exceptions: `UserError` while the hub is being examined, or `HubLostError` once the hub is in use. Only
problems of the motor are errors: problems of other ports are reported, and these ports are then ignored. The
first and the last message on a link are brakes.
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
from brakepoint.train_file import VOLTS_LEAST, VOLTS_MOST
from hardware import lwp3
from hardware.accessory import Accessory
from hardware.hub_search import RADIO_ERRORS, RadioLimits, kind_name
from hardware.lwp3 import BRAKE, CHARACTERISTIC_UUID, Colour, DeviceType, HubKind, Port
from hardware.port_setter import REFRESH_S, HubLostError, PortSetter

VOLTS_DELTA = 20
"""Change at which the hub reports its voltage again, 0.05 V."""
VOLTS_SHARE = 0.2
"""Weight of the newest voltage in the mean, since the voltage fluctuates with the motor's current."""
CONNECT_TRIES = 3
CONNECT_AGAIN_S = 0.3
"""Delay before retrying a connection.

A connection may fail for temporary reasons: another one is being opened or closed, or an answer was lost.
"""
Trouble = Callable[..., None]
QUESTIONS = (
    lwp3.AskKind(),
    lwp3.WatchVoltage(),
    lwp3.AskVoltage(),
    lwp3.WatchBattery(),
    lwp3.AskBattery(),
    lwp3.SetMode(Port.VOLTAGE, 0, VOLTS_DELTA),
)
DEVICE_TEXTS: dict[int | None, str] = {
    None: "nothing",
    lwp3.DeviceType.TRAIN_MOTOR: "motor",
    lwp3.DeviceType.LIGHT: "light",
}


def device_name(device_type: int | None) -> str:
    """The name of a device that is plugged in."""
    return text(f"hub.device.{DEVICE_TEXTS.get(device_type, 'other')}", type=f"{device_type or 0:#06x}")


class PoweredUpHub:
    """A connected hub; created by `connected`.

    Attributes:
        address: Bluetooth address of the hub.
        attached: Port → type of the device that is plugged in.
        battery_percent: Level of the battery; None until the hub has reported it.
        is_voltage_low: Whether the hub has raised the alert for low voltage.
        volts: The voltage, as a mean of the last plausible values; None until the hub has reported one.
        on_change: Called when the battery's level or the voltage alert has changed.
        on_trouble: Called about ignored ports: key of `hub.say.{key}`, and the text's values.
        motor: Port A, initially braked.
        light: Port B.
        colour: The hub's own light.
    """

    def __init__(self, device: BLEDevice, limits: RadioLimits) -> None:
        self.address = device.address
        self.attached: dict[int, int] = {}
        self.battery_percent: int | None = None
        self.is_voltage_low = False
        self.volts: float | None = None
        self.kind: int | None = None
        self.on_change: Callable[[], None] = lambda: None
        self.on_trouble: Trouble = lambda key, **values: None
        self.limits = limits
        self.motor = PortSetter(self.write, limits, Port.A, BRAKE, REFRESH_S)
        self.light = Accessory(self.whisper, Port.B, 0)
        self.colour = Accessory(self.whisper, Port.RGB_LIGHT, Colour.BLUE)
        self.colour.attached(True)
        self._writes_waiting = 0
        self._has_motor = False
        self._news = asyncio.Event()
        self._lost: asyncio.Future[NoReturn] = asyncio.get_running_loop().create_future()
        self._writing = asyncio.Lock()
        self._client = BleakClient(device, self._on_disconnect, timeout=limits.connect_s)

    async def open(self) -> None:
        """Connects, and brakes before anything else, since a train may be moving without a driver.

        The brake also keeps the hub connected: a hub that receives nothing disconnects.

        Raises:
            UserError: The device does not connect, or isn't a hub.
        """
        try:
            async with asyncio.timeout(self.limits.connect_s):
                await self._client.connect()
                await self._client.start_notify(CHARACTERISTIC_UUID, self._hear)
            await self.motor.send()
        except (*RADIO_ERRORS, HubLostError) as error:
            why = str(error) or text("hub.lost.silence", seconds=self.limits.connect_s)
            raise UserError("hub.error.connect", address=self.address, why=why) from error
        for question in QUESTIONS:
            await self.whisper(question)

    async def require_motor(self) -> None:
        """Waits until the motor is present and braked; after that, unplugging it means that the hub is lost.

        A hub reports what is plugged in only once per link. If an earlier process received that report and
        has died, the confirmed brake proves that there is a motor.

        Raises:
            UserError: There is no motor, or another device is in its place, or this isn't a train's hub.
            HubLostError: The motor does not brake.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(self.limits.attach_s):
                while self.attached.get(Port.A) != DeviceType.TRAIN_MOTOR and self.is_of_a_train:
                    self._news.clear()
                    await self._news.wait()
        if not self.is_of_a_train:
            raise UserError("hub.error.other_kind", address=self.address, kind=kind_name(self.kind))
        found, wanted = self.attached.get(Port.A), device_name(DeviceType.TRAIN_MOTOR)
        if found is None and not self.motor.is_settled:
            raise UserError("hub.error.port_empty", port=Port.A.name, wanted=wanted)
        if found not in (None, DeviceType.TRAIN_MOTOR):
            raise UserError("hub.error.port_wrong", port=Port.A.name, wanted=wanted, found=device_name(found))
        self._has_motor = True
        await self.motor.settle()

    @property
    def is_settled(self) -> bool:
        """Whether the motor has confirmed its value and the other ports' values have been sent."""
        return self.motor.is_settled and self.light.is_settled and self.colour.is_settled

    @property
    def is_of_a_train(self) -> bool:
        """Whether this is a City hub, as far as is known: a remote control offers the same service."""
        return self.kind in (HubKind.CITY, None)

    async def write(self, message: lwp3.Message) -> None:
        """Sends a message ahead of whispered ones; returns when the hub's radio has acknowledged it.

        Raises:
            HubLostError: The message has not been acknowledged.
        """
        limit_s = self.limits.write_s
        self._writes_waiting += 1
        try:
            async with asyncio.timeout(limit_s), self._writing:
                await self._client.write_gatt_char(CHARACTERISTIC_UUID, message.encode(), response=True)
        except TimeoutError as error:
            raise HubLostError("silence", seconds=limit_s) from error
        except RADIO_ERRORS as error:
            raise HubLostError("link", why=error) from error
        finally:
            self._writes_waiting -= 1

    async def whisper(self, message: lwp3.Message) -> bool:
        """Sends an unconfirmed message, unless something more important has to be sent.

        A whispered message requests no acknowledgement, so it delays nothing; the motor's messages detect
        problems with the link.

        Returns:
            Whether the message is done with: sent, or refused by the system's Bluetooth.
        """
        if self._writes_waiting:
            return False
        with suppress(*RADIO_ERRORS):
            async with asyncio.timeout(self.limits.write_s):
                await self._client.write_gatt_char(CHARACTERISTIC_UUID, message.encode(), response=False)
        return True

    async def miss_the_light(self) -> None:
        """Reports that no light was plugged in in time."""
        await asyncio.sleep(self.limits.attach_s)
        if not self.light.is_there:
            self.on_trouble("no_light")

    async def lost(self) -> NoReturn:
        """Waits until the hub is lost.

        Raises:
            HubLostError: The link is down, the hub was switched off, or the motor was unplugged.
        """
        await asyncio.shield(self._lost)

    def check(self) -> None:
        """Raises the error for which `lost` waits, if it has occurred."""
        if self._lost.done():
            self._lost.result()

    async def close(self) -> None:
        """Brakes if the link still allows it, whatever else has failed, and only then disconnects."""
        if self._client.is_connected:
            self.motor = PortSetter(self.write, self.limits, Port.A, BRAKE)
            with suppress(HubLostError):
                await self.motor.settle()
        await self.hang_up()

    async def hang_up(self) -> None:
        """Disconnects, whatever the motor does; `close` brakes first."""
        with suppress(*RADIO_ERRORS):
            async with asyncio.timeout(self.limits.disconnect_s):
                await self._client.disconnect()
        self._lost.cancel()

    def _lose(self, error: HubLostError) -> None:
        if not self._lost.done():
            self._lost.set_exception(error)
            self._lost.exception()  # There may be nothing left that waits for this error.

    def _on_disconnect(self, _: BleakClient) -> None:
        self._lose(HubLostError("dropped"))

    def _hear(self, _: BleakGATTCharacteristic, data: bytearray) -> None:
        """Processes the hub's messages; ignores those that no train needs."""
        try:
            message = lwp3.decode(bytes(data))
        except lwp3.ProtocolError:
            return
        match message:
            case lwp3.Attached(port, device_type):
                self.attached[port] = device_type
                if port == Port.B:
                    self.light.attached(device_type == DeviceType.LIGHT)
            case lwp3.Detached(port):
                self._detached(port)
            case lwp3.CommandFeedback(ports):
                for port, flags in ports:
                    if port == Port.A:
                        self.motor.answered(flags)
            case lwp3.HubError(command, code):
                self._refused(command, code)
            case lwp3.KindOfHub(kind):
                self.kind = kind
            case lwp3.BatteryLevel(percent):
                self.battery_percent = percent
                self.on_change()
            case lwp3.VoltageAlert(is_low):
                self.is_voltage_low = is_low
                self.on_change()
            case lwp3.PortValue(Port.VOLTAGE, raw) if VOLTS_LEAST <= (now := raw * lwp3.VOLTS) <= VOLTS_MOST:
                self.volts = now if self.volts is None else self.volts + VOLTS_SHARE * (now - self.volts)
            case lwp3.HubAction(lwp3.Action.WILL_SWITCH_OFF | lwp3.Action.WILL_DISCONNECT):
                self._lose(HubLostError("off"))
        self._news.set()

    def _detached(self, port: int) -> None:
        self.attached.pop(port, None)
        if port == Port.A and self._has_motor:
            self._lose(HubLostError("detached", port=Port.A.name))
        elif port == Port.B:
            self.light.attached(False)
            self.on_trouble("no_light")

    def _refused(self, command: int, code: int) -> None:
        """Processes an error; a hub does not report the cause.

        If the error may be about the motor's order, that order is sent again.
        """
        if command == lwp3.OUTPUT_COMMAND:
            self.motor.refused()
        self.on_trouble("refused", command=f"{command:#04x}", code=code)


@asynccontextmanager
async def connected(
    device: BLEDevice, limits: RadioLimits, on_trouble: Trouble = lambda key, **values: None
) -> AsyncIterator[PoweredUpHub]:
    """Connects to a hub, and leaves it braked and disconnected, whatever happens in between.

    Args:
        device: The hub.
        limits: Time limits.
        on_trouble: See `PoweredUpHub`.

    Raises:
        UserError: The device does not connect, or isn't a hub.
    """
    hub = await _opened(device, limits, on_trouble)
    try:
        yield hub
    finally:
        await _closed(hub)


async def _opened(device: BLEDevice, limits: RadioLimits, on_trouble: Trouble) -> PoweredUpHub:
    """Connects, and retries once if the failure may be temporary, while there is time."""
    until = asyncio.get_running_loop().time() + limits.connect_s
    for tries_left in reversed(range(CONNECT_TRIES)):
        hub = PoweredUpHub(device, limits)
        hub.on_trouble = on_trouble
        try:
            await hub.open()
            break
        except BaseException as error:
            await _closed(hub)
            is_late = asyncio.get_running_loop().time() > until
            if is_late or not tries_left or not isinstance(error, UserError):
                raise
        await asyncio.sleep(CONNECT_AGAIN_S)
    return hub


async def _closed(hub: PoweredUpHub) -> None:
    closing = asyncio.ensure_future(hub.close())
    while not closing.done():
        with suppress(asyncio.CancelledError):  # Even urgent messages must wait for the brake.
            await asyncio.shield(closing)
