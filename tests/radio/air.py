"""The radio of a guest and that of an emulated hub, both bumble's, in a thread of the host.

bumble emulates the guest's Bluetooth adapter, on a socket that is a serial line in the guest. Everything
between it and the kit is real: the kernel, bluetoothd, and bleak.
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bumble.controller import Controller
from bumble.core import AdvertisingData
from bumble.device import Connection, Device
from bumble.gatt import Characteristic, CharacteristicValue, Service
from bumble.hci import Address, LeFeatureMask
from bumble.host import Host
from bumble.link import LocalLink
from bumble.transport import open_transport
from emulated_hub import EmulatedHub
from patience import PATIENCE_S

from hardware.lwp3 import CHARACTERISTIC_UUID, SERVICE_UUID, Message

ADDRESS = "C4:84:2B:00:00:01"
"""Static random: bumble's links carry data between such addresses alone."""

NOT_KEPT = LeFeatureMask.LL_PRIVACY | LeFeatureMask.LE_EXTENDED_ADVERTISING
"""Features that bumble's adapter claims, but does not implement: with either, the kernel waits for the
enhanced event of a connection, which never comes. Seconds later it gives the connection up and forgets it:
no one can disconnect any more, and the hub, still connected, is never heard again.
"""


class Link(LocalLink):
    """Gives the connection's address as the sender of data; bumble gives the controller's random one."""

    def send_acl_data(self, sender_controller, destination_address, transport, data):
        source = sender_controller.le_connections[destination_address].self_address
        receiver = self.find_le_controller(destination_address)
        asyncio.get_running_loop().call_soon(receiver.on_link_acl_data, source, transport, data)


class Air:
    """The only hub that the guest's adapter receives.

    Args:
        hub: The hub; its address must be `ADDRESS`.
        radio: The socket that QEMU is to connect to.
    """

    def __init__(self, hub: EmulatedHub, radio: Path) -> None:
        self._hub, self._radio = hub, radio
        self._loop = asyncio.new_event_loop()
        self._ready, self._over = threading.Event(), asyncio.Event()
        self._said: list[Message] = []

    @contextmanager
    def on(self) -> Iterator[None]:
        thread = threading.Thread(target=lambda: self._loop.run_until_complete(self._run()), daemon=True)
        thread.start()
        try:
            assert self._ready.wait(PATIENCE_S), "the emulated radio does not start"
            yield
        finally:
            self._loop.call_soon_threadsafe(self._over.set)
            thread.join(PATIENCE_S)

    async def _run(self) -> None:
        link = Link()
        async with await open_transport(f"unix-server:{self._radio}") as transport:
            guest = Controller(
                "guest", transport.source, transport.sink, link, public_address="00:11:22:33:44:55"
            )
            guest.le_features &= ~NOT_KEPT
            host = Host()
            host.controller = Controller("hub", link=link, public_address="00:11:22:33:44:66")
            self._device = Device(name="", address=Address(ADDRESS), host=host)
            self._device.add_service(Service(SERVICE_UUID, [self._characteristic()]))
            await self._device.power_on()
            await self._advertise()
            saying = asyncio.create_task(self._say_all())
            self._ready.set()
            await self._over.wait()
            saying.cancel()

    def _characteristic(self) -> Characteristic:
        properties = Characteristic.Properties
        self._port = Characteristic(
            CHARACTERISTIC_UUID,
            properties.WRITE | properties.WRITE_WITHOUT_RESPONSE | properties.NOTIFY,
            Characteristic.WRITEABLE,
            CharacteristicValue(write=self._written),
        )
        self._port.on(Characteristic.EVENT_SUBSCRIPTION, self._subscribed)
        return self._port

    def _subscribed(self, connection: Connection, is_on: bool, *_: object) -> None:
        if is_on:
            self._hub.greet()

    async def _advertise(self) -> None:
        company, data = self._hub.manufacturer_data
        said = company.to_bytes(2, "little") + data
        fields = [(AdvertisingData.FLAGS, bytes([6])), (AdvertisingData.MANUFACTURER_SPECIFIC_DATA, said)]
        await self._device.start_advertising(
            auto_restart=True, advertising_data=bytes(AdvertisingData(fields))
        )

    def _written(self, _: Connection, value: bytes) -> None:
        self._loop.call_soon(self._hub.hear, bytes(value))

    async def _say_all(self) -> None:
        """Sends one message after the other, as a hub does."""
        queue: asyncio.Queue[Message] = asyncio.Queue()
        self._hub.say = queue.put_nowait
        while True:
            await self._device.notify_subscribers(self._port, (await queue.get()).encode())
