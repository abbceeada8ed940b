"""What runs in the guest: bluetoothd, the hub's driver and the guard. The rest is on the host.

On the wire between them each line is a request in JSON, `[name, argument…]`, and each line back its answer.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from emulated_hub import PATIENT  # noqa: E402
from patience import PATIENCE_S  # noqa: E402

from brakepoint.errors import UserError  # noqa: E402
from brakepoint.messages import Order, OrderKind, Reason  # noqa: E402
from brakepoint.rules import WATCHDOG_S  # noqa: E402
from hardware.ble_hub import BluetoothHub  # noqa: E402

RADIO = "/dev/ttyS1"
HEARTBEAT = "/run/hub"
LINK_PORT = 18831
SAID = Path("/run/said")


class Guest:
    """The requests that the host can make: each public method is one."""

    def __init__(self) -> None:
        self._hub: BluetoothHub | None = None
        self._driver = 0

    def open(self) -> None:
        """Connects to the hub; bluetoothd needs a while to own its adapter."""
        until = time.monotonic() + PATIENCE_S
        while self._hub is None:
            try:
                self._hub = BluetoothHub(limits=PATIENT)
            except UserError:
                if time.monotonic() > until:
                    raise
                time.sleep(1)

    def _opened(self) -> BluetoothHub:
        assert self._hub is not None, "open comes first"
        return self._hub

    def apply(self, order: dict[str, Any]) -> None:
        """Passes an order on, and waits until the hub has confirmed it."""
        hub = self._opened()
        hub.apply(Order(**order))
        if not hub.wait_until_settled(PATIENCE_S):
            raise TimeoutError("the hub does not confirm")

    def state(self, now: float) -> dict[str, Any]:
        return self._opened().state(now).model_dump(mode="json")

    def close(self) -> None:
        self._opened().close()

    def guard(self) -> None:
        """Starts the guard, which writes to the log."""
        command = [sys.executable, "-u", "-m", "brakepoint", "hub", "guard"]
        subprocess.Popen(command, cwd=ROOT)

    def drive(self) -> None:
        """Starts a driver: a fork, since a Python takes a quarter of a minute to start here."""
        self._driver = os.fork()
        if not self._driver:
            drive_on()

    def kill(self) -> float:
        """Kills the driver, and returns the guest's time in seconds."""
        os.kill(self._driver, signal.SIGKILL)
        return time.monotonic()

    def hang(self) -> float:
        """Makes the driver's loop hang, while its radio works, and returns the time."""
        os.kill(self._driver, signal.SIGUSR1)
        return time.monotonic()

    def kill_with_its_sign_of_life(self) -> float:
        """Kills the driver, deletes the file that the guard watches, and returns the time."""
        killed_at_s = self.kill()
        Path(HEARTBEAT).unlink()
        return killed_at_s

    def now(self) -> float:
        return time.monotonic()

    def wall(self) -> float:
        return time.time()

    def put_forward(self, seconds: float) -> None:
        """Corrects the clock by which messages are dated."""
        time.clock_settime(time.CLOCK_REALTIME, time.time() + seconds)

    def serve(self) -> None:
        """Starts the live services' side of the train, a driver, too, and waits until it listens."""
        options = ["--hub", "ble:", "--link", f"0.0.0.0:{LINK_PORT}"]
        command = [sys.executable, "-m", "brakepoint", "service", "train", *options]
        with SAID.open("w") as said:
            process = subprocess.Popen(command, cwd=ROOT, stdout=said, stderr=said)
        self._driver = process.pid
        while not listens(LINK_PORT):
            if process.poll() is not None:
                raise RuntimeError(f"the train's side has ended: {self.said()}")
            time.sleep(0.2)

    def said(self) -> str:
        """The output of the train's side since it was started."""
        return SAID.read_text("utf-8")


def drive_on() -> NoReturn:
    """A driver that never ends by itself, for which the guard exists."""
    signal.signal(signal.SIGUSR1, lambda *_: time.sleep(PATIENCE_S * 60))
    hub = BluetoothHub(limits=replace(PATIENT, orders_s=WATCHDOG_S))
    while True:
        now = time.monotonic()
        hub.apply(Order(kind=OrderKind.FULL_SPEED, reason=Reason.CLEAR, at=now))
        hub.state(now)
        time.sleep(0.05)


def listens(port: int) -> bool:
    """Whether a program in the guest listens at a port."""
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return False
    return True


def lines(wire: int) -> Iterator[str]:
    """The lines on the wire, until its other end closes it."""
    said = b""
    while heard := os.read(wire, 65536):
        *whole, said = (said + heard).split(b"\n")
        yield from map(bytes.decode, whole)


def start_bluetooth() -> None:
    subprocess.Popen(["dbus-daemon", "--system", "--nofork", "--nopidfile"])
    while not Path("/run/dbus/system_bus_socket").exists():
        time.sleep(0.05)
    subprocess.Popen(["/usr/libexec/bluetooth/bluetoothd", "--nodetach"])
    subprocess.Popen(["btattach", "--bredr", RADIO, "--protocol", "h4"], stdout=subprocess.DEVNULL)


def main() -> None:
    os.environ["BRAKEPOINT_HUB_HEARTBEAT"] = HEARTBEAT
    start_bluetooth()
    guest, wire = Guest(), os.open(next(Path("/dev").glob("vport*")), os.O_RDWR)
    os.write(wire, b'"ready"\n')
    for line in lines(wire):
        name, *arguments = json.loads(line)
        os.write(wire, json.dumps(getattr(guest, name)(*arguments)).encode() + b"\n")


if __name__ == "__main__":
    main()
