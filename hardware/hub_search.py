"""Finds Powered Up hubs in range, and selects the right one.

Failures here raise `UserError`, since nothing is driving yet.
"""

import asyncio
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import parse_qsl

from bleak import BleakAdapter, BleakScanner
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from bleak.exc import BleakBluetoothNotAvailableError, BleakError

from brakepoint.errors import UserError, system_says
from brakepoint.rules import WATCHDOG_S
from brakepoint.texts import text
from brakepoint.train_file import OPTION
from hardware.lwp3 import SERVICE_UUID, HubKind, hub_kind

ADDRESS = re.compile(r"([0-9A-F]{2}:){5}[0-9A-F]{2}")
KIND_TEXTS: dict[int | None, str] = {
    HubKind.CITY: "city",
    HubKind.TECHNIC: "technic",
    HubKind.REMOTE_CONTROL: "remote",
}
RADIO_ERRORS = (BleakError, OSError, EOFError, TimeoutError)
"""Exceptions of bleak, and exceptions of the system's message bus that pass through bleak."""


@dataclass(frozen=True)
class RadioLimits:
    """Time limits in seconds.

    Attributes:
        find_s: Time until a hub is heard.
        settle_s: How long a search continues after the first hub, in case there are more.
        connect_s: Time until the hub is connected and its services are known.
        attach_s: Time until the hub has reported what is plugged in.
        write_s: Time until the hub's radio has acknowledged a message, which never happens if the link is
            dead.
        feedback_s: Time until the hub has confirmed that an order is carried out.
        disconnect_s: Time until the link is down.
        orders_s: Time until a train without a new order brakes: the watchdog's time.
        look_again_s: How long a braked train must go without another order to count as braked: twice the time
            after which a live driver would have repeated its order.
    """

    find_s: float = 10.0
    settle_s: float = 1.0
    connect_s: float = 15.0
    attach_s: float = 3.0
    write_s: float = 1.0
    feedback_s: float = 1.0
    disconnect_s: float = 10.0
    orders_s: float = WATCHDOG_S
    look_again_s: float = 1.2


def checked_address(written: str) -> str:
    """A Bluetooth address in upper case; an empty one stays empty and means any hub.

    Raises:
        UserError: The string isn't an address.
    """
    address = written.strip().upper()
    if address and not ADDRESS.fullmatch(address):
        raise UserError("hub.error.address", address=written)
    return address


def address_in(rest: str) -> str:
    """The address in the part of a hub's URI after its scheme, `ADDRESS?train=train.toml`.

    Raises:
        UserError: There is another option: if it were misspelt, the train would drive with wrong figures.
    """
    address, _, options = rest.partition("?")
    for name, written in parse_qsl(options, keep_blank_values=True):
        if name != OPTION:
            raise UserError("hub.error.option", uri=f"ble:{rest}", option=f"{name}={written}", known=OPTION)
    return address


async def find_hub(
    address: str = "", limits: RadioLimits = RadioLimits(), but: Collection[str] = ()
) -> BLEDevice:
    """Finds the hub by its address, or else the only City hub in range.

    A hub does not advertise if a process that died has left it connected. Such a hub is taken over.

    Args:
        address: The hub's address; empty for any.
        limits: Time limits.
        but: Addresses of devices that turned out not to be a train's hub.

    Raises:
        UserError: There is no Bluetooth, no hub, more than one, or the address belongs to another device.
    """
    with _bluetooth_needed():
        adapter = await BleakAdapter.get()
        linked = {hub.address: hub for hub in await adapter.get_connected_devices([SERVICE_UUID])}
        ours = {name: hub for name, hub in linked.items() if _may_be_a_train(hub) and name not in but}
        if address in ours or (not address and len(ours) == 1):
            return ours.get(address) or next(iter(ours.values()))
        if address in linked:
            what = kind_name(_kind_of_linked(linked[address]))
            raise UserError("hub.error.other_kind", address=address, kind=what)
        if ours and not address:
            raise UserError("hub.error.several", addresses=", ".join(sorted(ours)), first=min(ours))
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


def _kind_of_linked(hub: BLEDevice) -> int | None:
    """The kind of a connected hub, from its earlier advertisement; None if the system has forgotten that."""
    details = hub.details if isinstance(hub.details, dict) else {}
    return hub_kind(details.get("props", {}).get("ManufacturerData", {}))


def _may_be_a_train(hub: BLEDevice) -> bool:
    return _kind_of_linked(hub) in (HubKind.CITY, None)


async def hear_kinds(limits: RadioLimits = RadioLimits()) -> dict[str, int | None]:
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
        why = system_says(error) if isinstance(error, OSError) else error
        raise UserError("hub.error.no_bluetooth", why=why) from error


async def _hear_hubs(limits: RadioLimits, address: str = "") -> dict[str, tuple[BLEDevice, int | None]]:
    """Listens for advertisements: address → the device and its kind.

    Args:
        limits: Time limits.
        address: Hearing this address ends the search immediately; otherwise, the search ends a while after
            the first City hub.
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
    """The name of a kind of hub."""
    return text(f"hub.kind.{KIND_TEXTS.get(kind, 'other')}")
