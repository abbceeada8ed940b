"""The named numbers of the LEGO Wireless Protocol 3, whose messages are in `hardware.lwp3`."""

from enum import IntEnum, IntFlag


class HubKind(IntEnum):
    """System type and device number, the second byte of an advertisement (section *Advertising*)."""

    CITY = 0x41
    REMOTE_CONTROL = 0x42
    TECHNIC = 0x80


class Port(IntEnum):
    """Ports of the City hub."""

    A = 0
    B = 1
    RGB_LIGHT = 50
    CURRENT = 59
    VOLTAGE = 60


class DeviceType(IntEnum):
    """Devices that can be plugged in (section *IO Type ID*)."""

    TRAIN_MOTOR = 0x0002
    LIGHT = 0x0008


class Colour(IntEnum):
    """Colours of the hub's own light, by index."""

    OFF = 0
    BLUE = 3
    GREEN = 6
    RED = 9


class Feedback(IntFlag):
    """Status of the commands to a port (section *Port Output Command Feedback*)."""

    BUSY = 0x01
    """A command is in progress, and the buffer is empty."""
    DONE = 0x02
    DISCARDED = 0x04
    IDLE = 0x08
    FULL = 0x10
    """A command is in progress, and the buffer is full."""


class Action(IntEnum):
    """Requests to a hub and, from 0x30, a hub's announcements of its next action (section *Hub Actions*)."""

    SWITCH_OFF = 0x01
    DISCONNECT = 0x02
    WILL_SWITCH_OFF = 0x30
    WILL_DISCONNECT = 0x31
