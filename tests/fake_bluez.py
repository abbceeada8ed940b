"""A message bus with a BlueZ, on its own socket, so that bleak's Linux backend runs unchanged.

It implements D-Bus with `dbus-fast`, which comes with bleak, and needs neither `dbus-daemon` nor root. It is
the bus and BlueZ in one: it handles the handshake, and answers for its only adapter and each `EmulatedHub` in
range.
"""

import asyncio
import io
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from dbus_fast import Message, MessageType, Variant
from dbus_fast._private.unmarshaller import Unmarshaller
from emulated_hub import EmulatedHub
from patience import PATIENCE_S

from hardware.lwp3 import CHARACTERISTIC_UUID, SERVICE_UUID

ADAPTER = "/org/bluez/hci0"
ADVERTISE_S = 0.01
Interfaces = dict[str, dict[str, Variant]]


class Device:
    """A hub within range of the radio, and the possible faults of the link.

    Attributes:
        hub: The hub.
        is_on: Whether it advertises and can be connected to.
        is_silent: Whether the radio has fallen silent unnoticed: writes are never acknowledged.
        write_takes_s: Duration of a write with acknowledgement; each waits for the one before.
        refuses_to_connect: BlueZ's errors for the next attempts to connect, in order.
        repeats_ports: Whether the hub reports its ports to every new listener, and not only to the first.
        is_kind_known: Whether BlueZ remembers what the hub has advertised.
        connects: Number of connections so far.
        written_before: Number of messages that had reached the hub before the latest connection.
        commands: The writes without acknowledgement.
    """

    def __init__(self, hub: EmulatedHub, bluez: "FakeBluez") -> None:
        self.hub, self._bluez = hub, bluez
        self.path = f"{ADAPTER}/dev_{hub.address.replace(':', '_')}"
        self.is_on, self.is_silent, self.is_connected = True, False, False
        self.write_takes_s, self._free_at_s = 0.0, 0.0
        self.refuses_to_connect: list[str] = []
        self.repeats_ports, self._has_greeted, self.is_kind_known = True, False, True
        self.connects = self.written_before = 0
        self.commands: list[bytes] = []
        hub.say = lambda message: bluez.changed(
            f"{self.path}/service0001/char0002",
            "org.bluez.GattCharacteristic1",
            Value=Variant("ay", message.encode()),
        )

    def drop(self) -> None:
        """Cuts the link."""
        self._bluez.do(self._disconnected)

    def switch_off(self) -> None:
        """Cuts the link, and stops advertising until `is_on` is set."""
        self.is_on = False
        self.drop()

    def objects(self) -> dict[str, Interfaces]:
        company, data = self.hub.manufacturer_data
        device = {
            "Address": Variant("s", self.hub.address),
            "AddressType": Variant("s", "public"),
            "Alias": Variant("s", self.hub.address.replace(":", "-")),
            "Adapter": Variant("o", ADAPTER),
            "Paired": Variant("b", False),
            "Connected": Variant("b", self.is_connected),
            "ServicesResolved": Variant("b", self.is_connected),
            "UUIDs": Variant("as", [SERVICE_UUID]),
            "RSSI": Variant("n", -60),
        }
        if self.is_kind_known:
            device["ManufacturerData"] = Variant("a{qv}", {company: Variant("ay", data)})
        objects = {self.path: {"org.bluez.Device1": device}}
        return objects | (self._gatt() if self.is_connected else {})

    def _gatt(self) -> dict[str, Interfaces]:
        service, characteristic = f"{self.path}/service0001", f"{self.path}/service0001/char0002"
        return {
            service: {
                "org.bluez.GattService1": {
                    "UUID": Variant("s", SERVICE_UUID),
                    "Device": Variant("o", self.path),
                    "Primary": Variant("b", True),
                }
            },
            characteristic: {
                "org.bluez.GattCharacteristic1": {
                    "UUID": Variant("s", CHARACTERISTIC_UUID),
                    "Service": Variant("o", service),
                    "Value": Variant("ay", b""),
                    "Notifying": Variant("b", False),
                    "Flags": Variant("as", ["write-without-response", "write", "notify"]),
                    "MTU": Variant("q", 23),
                }
            },
        }

    def answer(self, member: str, body: list[Any]) -> str | float | None:
        """Carries out a request to BlueZ for this device.

        Returns:
            An error; an empty text for success; the seconds until the answer; None if there is no answer.
        """
        match member:
            case "Connect":
                if self.refuses_to_connect:
                    return self.refuses_to_connect.pop(0)
                if not self.is_on:
                    return "org.bluez.Error.Failed"
                self._connected()
            case "Disconnect":
                self._disconnected()
            case "StartNotify":
                if self.repeats_ports or not self._has_greeted:
                    self._has_greeted = True
                    asyncio.get_running_loop().call_soon(self.hub.greet)
            case "WriteValue":
                if self.is_silent:
                    return None  # BlueZ would answer a command; nobody waits for that.
                if not self.is_connected:
                    return "org.bluez.Error.Failed"
                return self._written(bytes(body[0]), body[1]["type"].value == "request")
        return ""

    def _written(self, data: bytes, is_request: bool) -> str | float:
        """Delivers a message, now or when the radio is free; returns how long an acknowledgement takes."""
        loop = asyncio.get_running_loop()
        if not is_request:
            self.commands.append(data)
            self.hub.hear(data)  # Before BlueZ's answer, from which tests learn of the command.
            return ""
        if not self.write_takes_s:
            loop.call_soon(self.hub.hear, data)
            return ""
        self._free_at_s = max(self._free_at_s, loop.time()) + self.write_takes_s
        loop.call_at(self._free_at_s, self.hub.hear, data)
        return self._free_at_s - loop.time()

    def _connected(self) -> None:
        self.is_connected, self._has_greeted = True, False
        self.connects += 1
        self.written_before = len(self.hub.written)
        for path, interfaces in self._gatt().items():
            self._bluez.signal("InterfacesAdded", "oa{sa{sv}}", [path, interfaces])
        for name in ("Connected", "ServicesResolved"):
            self._bluez.changed(self.path, "org.bluez.Device1", **{name: Variant("b", True)})

    def _disconnected(self) -> None:
        if not self.is_connected:
            return
        self.is_connected = False
        for name in ("ServicesResolved", "Connected"):
            self._bluez.changed(self.path, "org.bluez.Device1", **{name: Variant("b", False)})
        for path, interfaces in reversed(self._gatt().items()):
            self._bluez.signal("InterfacesRemoved", "oas", [path, list(interfaces)])


class FakeBluez:
    """The bus and the BlueZ on it.

    Args:
        socket: Where the bus listens.

    Attributes:
        is_powered: Whether the adapter is switched on.
    """

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self.is_powered = True
        self._devices: list[Device] = []
        self._clients: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._serial = 0
        self._is_discovering = False

    @property
    def address(self) -> str:
        return f"unix:path={self._socket}"

    def add(self, hub: EmulatedHub) -> Device:
        """Brings a hub within range."""
        self._devices.append(Device(hub, self))
        return self._devices[-1]

    def do(self, action: Callable[..., object], *arguments: object) -> None:
        """Calls a function in the bus's thread, and waits for it."""

        async def run() -> None:
            action(*arguments)

        asyncio.run_coroutine_threadsafe(run(), self._loop).result(10)

    def say(self, hub: EmulatedHub, message: Any) -> None:
        """Makes a hub send a message."""
        self.do(lambda: hub.say(message))

    @contextmanager
    def running(self) -> Iterator["FakeBluez"]:
        ready = threading.Event()
        thread = threading.Thread(target=lambda: self._loop.run_until_complete(self._serve(ready)))
        thread.start()
        try:
            assert ready.wait(PATIENCE_S)
            yield self
        finally:
            self._loop.call_soon_threadsafe(self._ended.set)
            thread.join(PATIENCE_S)

    async def _serve(self, ready: threading.Event) -> None:
        self._ended = asyncio.Event()
        server = await asyncio.start_unix_server(self._talk, self._socket)
        advertising = asyncio.create_task(self._advertise())
        ready.set()
        await self._ended.wait()
        advertising.cancel()
        server.close()
        for client in self._clients:
            client.close()
        await asyncio.sleep(0)

    async def _advertise(self) -> None:
        """Repeats the advertisements of every hub within range to a scanner."""
        while True:
            await asyncio.sleep(ADVERTISE_S)
            for device in self._devices if self._is_discovering else ():
                if device.is_on and not device.is_connected:
                    self.changed(device.path, "org.bluez.Device1", RSSI=Variant("n", -60))

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _authenticate(reader, writer)
            self._clients.add(writer)
            while True:
                self._answer(await _read(reader), writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._clients.discard(writer)
            writer.close()

    def _answer(self, call: Message, writer: asyncio.StreamWriter) -> None:
        if call.message_type is not MessageType.METHOD_CALL:
            return
        device = next((device for device in self._devices if (call.path or "").startswith(device.path)), None)
        signature = ""
        body: list[Any] = []
        error: str | float | None = ""
        if call.member == "Hello":
            signature, body = "s", [f":1.{len(self._clients)}"]
        elif call.member == "GetManagedObjects":
            signature, body = "a{oa{sa{sv}}}", [self._objects()]
        elif call.member in ("StartDiscovery", "StopDiscovery"):
            self._is_discovering = call.member == "StartDiscovery"
        elif device is not None:
            error = device.answer(call.member or "", call.body)
        if error is None:
            return
        if isinstance(error, float):
            done = Message.new_method_return(call, signature, body)
            self._loop.call_later(error, self._send, writer, done)
        elif error:
            self._send(writer, Message.new_error(call, error, "it failed, as the test wants it"))
        else:
            self._send(writer, Message.new_method_return(call, signature, body))

    def _objects(self) -> dict[str, Interfaces]:
        adapter = {
            "Address": Variant("s", "00:00:00:00:00:01"),
            "Powered": Variant("b", self.is_powered),
            "Roles": Variant("as", ["central"]),
            "Discovering": Variant("b", False),
        }
        objects: dict[str, Interfaces] = {ADAPTER: {"org.bluez.Adapter1": adapter}}
        for device in self._devices:
            objects |= device.objects()
        return objects

    def changed(self, path: str, interface: str, **properties: Variant) -> None:
        """Notifies all clients that properties of an object have changed."""
        body = [interface, properties, []]
        self.signal("PropertiesChanged", "sa{sv}as", body, path, "org.freedesktop.DBus.Properties")

    def signal(
        self,
        member: str,
        signature: str,
        body: list[Any],
        path: str = "/",
        interface: str = "org.freedesktop.DBus.ObjectManager",
    ) -> None:
        for client in self._clients:
            self._send(client, Message.new_signal(path, interface, member, signature, body))

    def _send(self, writer: asyncio.StreamWriter, message: Message) -> None:
        self._serial += 1
        message.serial, message.sender = self._serial, ":1.0"
        writer.write(bytes(message._marshall(False)))


async def _authenticate(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    answers = {"AUTH": b"OK 0123456789abcdef0123456789abcdef\r\n", "NEGOTIATE_UNIX_FD": b"AGREE_UNIX_FD\r\n"}
    while (line := (await reader.readuntil(b"\r\n")).decode().strip("\0\r\n")) != "BEGIN":
        writer.write(answers[line.split()[0]])


async def _read(reader: asyncio.StreamReader) -> Message:
    """Reads one message: its fixed header gives the length of the rest."""
    header = await reader.readexactly(16)
    body_bytes, _, fields_bytes = struct.unpack("<4xIII", header)
    rest = await reader.readexactly((fields_bytes + 7) // 8 * 8 + body_bytes)
    whole: Any = io.BytesIO(header + rest)
    message = Unmarshaller(whole).unmarshall()
    assert message is not None
    return message


@pytest.fixture
def bluez(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeBluez]:
    """A Bluetooth adapter with nothing in range; bleak takes it for the system's."""
    fake = FakeBluez(tmp_path / "bus")
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", fake.address)
    with fake.running():
        yield fake
