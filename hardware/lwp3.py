"""The LEGO Wireless Protocol 3, as far as a train needs it: only messages and their bytes.

Every message is `LENGTH 00 TYPE …`; the docstring of each class gives the bytes, with the section of the
published specification (https://lego.github.io/lego-ble-wireless-protocol-docs) that defines them. `encode`
returns the bytes of a message; `decode` parses bytes from either side. This module does no input or output,
so both a hub's client and an emulated hub use it.
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

from hardware.lwp3_names import Action as Action
from hardware.lwp3_names import Colour as Colour
from hardware.lwp3_names import DeviceType as DeviceType
from hardware.lwp3_names import Feedback as Feedback
from hardware.lwp3_names import HubKind as HubKind
from hardware.lwp3_names import Port as Port

SERVICE_UUID = "00001623-1212-efde-1623-785feabcd123"
CHARACTERISTIC_UUID = "00001624-1212-efde-1623-785feabcd123"
"""The only characteristic: messages to the hub are written to it; messages from the hub are notifications."""
COMPANY_ID = 0x0397
"""Company id of the manufacturer's data in an advertisement."""

BRAKE = 127
"""Value of a motor's power that short-circuits the motor, which slows the train down."""
FLOAT = 0
"""Value of a motor's power that lets the train roll freely."""
POWER_MAX = 100
VOLTS = 9.6 / 3893
"""Volts per step of the voltage port."""
OUTPUT_COMMAND = 0x81
"""The message type of an order to a port; errors about an order contain it."""


class ProtocolError(ValueError):
    """The bytes are not a message of this protocol."""


def hub_kind(manufacturer_data: Mapping[int, bytes]) -> int | None:
    """The kind of hub that sent an advertisement; None if the advertisement isn't from LEGO.

    Args:
        manufacturer_data: Company id → data, from a scanner. The data is
            `BUTTON KIND CAPABILITIES LAST_NETWORK STATUS OPTION` (section *Advertising*).
    """
    data = manufacturer_data.get(COMPANY_ID, b"")
    return data[1] if len(data) > 1 else None


class Message(Protocol):
    """Any of the messages below."""

    def encode(self) -> bytes:
        """The transmitted bytes."""


def _framed(message_type: int, payload: bytes) -> bytes:
    """`LENGTH 00 TYPE PAYLOAD` (section *Common Message Header*); the length includes its own byte."""
    return bytes([len(payload) + 3, 0, message_type]) + payload


# Orders to a port


@dataclass(frozen=True)
class SetValue:
    """Sets a port immediately and requests feedback: `08 00 81 PORT 11 51 00 VALUE`.

    The value is a motor's power, −100…100, `BRAKE` or `FLOAT`; a lamp's brightness, 0…100; or the index of a
    colour. 0x11 is "execute immediately, send feedback", 0x51 00 "write mode 0" (sections *Port Output
    Command*, *WriteDirectModeData* and *StartPower*).
    """

    port: int
    value: int

    def encode(self) -> bytes:
        """See `Message`."""
        return _framed(OUTPUT_COMMAND, struct.pack("<BBBBb", self.port, 0x11, 0x51, 0x00, self.value))

    @classmethod
    def parse(cls, payload: bytes) -> "SetValue":
        """Parses the bytes after the header."""
        port, startup, command, mode, value = struct.unpack("<BBBBb", payload)
        if (startup, command, mode) != (0x11, 0x51, 0x00):
            raise ProtocolError(f"an output command that no train uses: {payload.hex(' ')}")
        return cls(port, value)


@dataclass(frozen=True)
class SetMode:
    """Selects the mode of a port: `0a 00 41 PORT MODE DELTA(4) REPORTS`.

    The hub's own light takes colours by index in mode 0 (section *Port Input Format Setup (Single)*).

    Attributes:
        port: The port.
        mode: Number of the mode.
        reports_at: Change of a value that triggers a report, a `PortValue`; 0 for no reports.
    """

    port: int
    mode: int
    reports_at: int = 0

    def encode(self) -> bytes:
        """See `Message`."""
        reports = self.reports_at > 0
        return _framed(0x41, struct.pack("<BBIB", self.port, self.mode, self.reports_at or 1, reports))

    @classmethod
    def parse(cls, payload: bytes) -> "SetMode":
        """Parses the bytes after the header."""
        port, mode, delta, reports = struct.unpack("<BBIB", payload)
        return cls(port, mode, delta if reports else 0)


@dataclass(frozen=True)
class PortValue:
    """The value of a port, in two bytes: `06 00 45 PORT VALUE(2)` (section *Port Value (Single)*)."""

    port: int
    value: int

    def encode(self) -> bytes:
        """See `Message`."""
        return _framed(0x45, struct.pack("<BH", self.port, self.value))

    @classmethod
    def parse(cls, payload: bytes) -> "PortValue":
        """Parses the bytes after the header."""
        return cls(*struct.unpack("<BH", payload))


# To and from the hub itself

_BATTERY = 0x06
_SYSTEM_TYPE = 0x0B
_LOW_VOLTAGE = 0x01


@dataclass(frozen=True)
class _Fixed:
    whole: ClassVar[bytes]

    def encode(self) -> bytes:
        """See `Message`."""
        return self.whole


class WatchBattery(_Fixed):
    """Subscribes to changes in the battery's level: `05 00 01 06 02` (section *Hub Properties*)."""

    whole = _framed(0x01, bytes([_BATTERY, 0x02]))


class AskBattery(_Fixed):
    """Requests the battery's current level: `05 00 01 06 05` (section *Hub Properties*)."""

    whole = _framed(0x01, bytes([_BATTERY, 0x05]))


@dataclass(frozen=True)
class BatteryLevel:
    """The battery's level: `06 00 01 06 06 PERCENT` (section *Hub Properties*)."""

    percent: int

    def encode(self) -> bytes:
        """See `Message`."""
        return _framed(0x01, bytes([_BATTERY, 0x06, self.percent]))


class AskKind(_Fixed):
    """Requests the kind of the hub: `05 00 01 0b 05` (section *Hub Properties*, system type)."""

    whole = _framed(0x01, bytes([_SYSTEM_TYPE, 0x05]))


@dataclass(frozen=True)
class KindOfHub:
    """The kind of the hub: `06 00 01 0b 06 KIND`; the same number as in an advertisement."""

    kind: int

    def encode(self) -> bytes:
        """See `Message`."""
        return _framed(0x01, bytes([_SYSTEM_TYPE, 0x06, self.kind]))


def _parse_property(payload: bytes) -> BatteryLevel | KindOfHub:
    match tuple(payload):
        case (0x06, 0x06, percent):
            return BatteryLevel(percent)
        case (0x0B, 0x06, kind):
            return KindOfHub(kind)
    raise ProtocolError(f"a property that no train uses: {payload.hex(' ')}")


@dataclass(frozen=True)
class HubAction:
    """An action: `04 00 02 ACTION` (section *Hub Actions*)."""

    action: Action

    def encode(self) -> bytes:
        """See `Message`."""
        return _framed(0x02, bytes([self.action]))

    @classmethod
    def parse(cls, payload: bytes) -> "HubAction":
        """Parses the bytes after the header."""
        (action,) = payload
        return cls(Action(action))


class WatchVoltage(_Fixed):
    """Subscribes to alerts about low voltage: `05 00 03 01 01` (section *Hub Alerts*)."""

    whole = _framed(0x03, bytes([_LOW_VOLTAGE, 0x01]))


class AskVoltage(_Fixed):
    """Asks whether the voltage is currently too low: `05 00 03 01 03` (section *Hub Alerts*)."""

    whole = _framed(0x03, bytes([_LOW_VOLTAGE, 0x03]))


@dataclass(frozen=True)
class VoltageAlert:
    """Whether the voltage is too low: `06 00 03 01 04 STATUS`, 00 if not (section *Hub Alerts*)."""

    is_low: bool

    def encode(self) -> bytes:
        """See `Message`."""
        return _framed(0x03, bytes([_LOW_VOLTAGE, 0x04, 0xFF if self.is_low else 0x00]))


def _parse_alert(payload: bytes) -> VoltageAlert:
    match tuple(payload):
        case (0x01, 0x04, status):
            return VoltageAlert(status != 0)
    raise ProtocolError(f"an alert that no train uses: {payload.hex(' ')}")


# From the hub


@dataclass(frozen=True)
class Attached:
    """A device was plugged in: `0f 00 04 PORT 01 TYPE(2) HARDWARE(4) SOFTWARE(4)`.

    Section *Hub Attached I/O*.

    Attributes:
        port: The port.
        device_type: Type of the device, for instance `DeviceType.TRAIN_MOTOR`, or a number without a name.
        hardware: Hardware revision of the device, in the hub's format.
        software: Software revision of the device.
    """

    port: int
    device_type: int
    hardware: int = 0
    software: int = 0

    def encode(self) -> bytes:
        """See `Message`."""
        return _framed(
            0x04, struct.pack("<BBHII", self.port, 1, self.device_type, self.hardware, self.software)
        )


@dataclass(frozen=True)
class Detached:
    """A device was unplugged: `05 00 04 PORT 00` (section *Hub Attached I/O*)."""

    port: int

    def encode(self) -> bytes:
        """See `Message`."""
        return _framed(0x04, bytes([self.port, 0]))


def _parse_attached(payload: bytes) -> Attached | Detached:
    match tuple(payload):
        case (port, 0):
            return Detached(port)
        case (_, 1, *_):
            port, _, device_type, hardware, software = struct.unpack("<BBHII", payload)
            return Attached(port, device_type, hardware, software)
    raise ProtocolError(f"an attachment that no train has: {payload.hex(' ')}")


@dataclass(frozen=True)
class CommandFeedback:
    """The status of commands: `LENGTH 00 82`, then `PORT FLAGS` for one port or several.

    `0a` is "done and idle" (section *Port Output Command Feedback*).

    Attributes:
        ports: `(port, flags)` of each port.
    """

    ports: tuple[tuple[int, Feedback], ...]

    def encode(self) -> bytes:
        """See `Message`."""
        return _framed(0x82, bytes(byte for port in self.ports for byte in port))

    @classmethod
    def parse(cls, payload: bytes) -> "CommandFeedback":
        """Parses the bytes after the header."""
        if not payload or len(payload) % 2:
            raise ProtocolError(f"half a feedback: {payload.hex(' ')}")
        pairs = zip(payload[::2], payload[1::2], strict=True)
        return cls(tuple((port, Feedback(flags)) for port, flags in pairs))


@dataclass(frozen=True)
class HubError:
    """A command was rejected: `05 00 05 COMMAND CODE` (section *Generic Error Messages*).

    Attributes:
        command: Type of the rejected message, for instance 0x81.
        code: 5 unknown, 6 wrong parameters, 7 too much current, and others.
    """

    command: int
    code: int

    def encode(self) -> bytes:
        """See `Message`."""
        return _framed(0x05, bytes([self.command, self.code]))

    @classmethod
    def parse(cls, payload: bytes) -> "HubError":
        """Parses the bytes after the header."""
        command, code = payload
        return cls(command, code)


_FIXED: dict[bytes, Message] = {
    each.whole: each for each in (WatchBattery(), AskBattery(), AskKind(), WatchVoltage(), AskVoltage())
}
_PARSERS: dict[int, Callable[[bytes], Message]] = {
    0x01: _parse_property,
    0x02: HubAction.parse,
    0x03: _parse_alert,
    0x04: _parse_attached,
    0x05: HubError.parse,
    0x41: SetMode.parse,
    0x45: PortValue.parse,
    OUTPUT_COMMAND: SetValue.parse,
    0x82: CommandFeedback.parse,
}


def decode(data: bytes) -> Message:
    """Parses a message.

    Raises:
        ProtocolError: The bytes are not a message, or are a message that no train needs.
    """
    if (fixed := _FIXED.get(bytes(data))) is not None:
        return fixed
    if len(data) < 3 or data[0] != len(data) or data[1] != 0 or data[2] not in _PARSERS:
        raise ProtocolError(f"no message: {data.hex(' ')}")
    try:
        return _PARSERS[data[2]](bytes(data[3:]))
    except (struct.error, ValueError) as error:
        raise ProtocolError(f"a message of type {data[2]:#04x} with a wrong body: {data.hex(' ')}") from error
