"""What runs in the guest: bluetoothd, the hub's driver and the guard. The rest is on the host.

On the wire between them each line is a question in JSON, `[name, argument…]`, and each line back its answer.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from emulated_hub import PATIENCE_S, PATIENT  # noqa: E402

from brakepoint.errors import UserError  # noqa: E402
from brakepoint.messages import Order, OrderKind, Reason  # noqa: E402
from stubs.ble_hub import BluetoothHub  # noqa: E402

RADIO = "/dev/ttyS1"
HEARTBEAT = "/run/hub"
FULL_SPEED = "full-speed"
"""As an argument of this program: it drives on and on, until it is killed."""


class Guest:
    """What the host can have done: each public method is a question."""

    def __init__(self) -> None:
        self._hub: BluetoothHub | None = None
        self._driver: subprocess.Popen[str] | None = None
        self._guard: subprocess.Popen[str] | None = None

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

    def apply(self, order: dict[str, Any]) -> None:
        """Passes an order on, and waits until the hub has confirmed it."""
        self._hub.apply(Order(**order))
        if not self._hub.wait_until_settled(PATIENCE_S):
            raise TimeoutError("the hub does not confirm")

    def state(self, now: float) -> dict[str, Any]:
        return self._hub.state(now).model_dump(mode="json")

    def close(self) -> None:
        self._hub.close()

    def guard(self) -> None:
        """Starts the guard."""
        command = [sys.executable, "-m", "brakepoint", "hub", "guard"]
        self._guard = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)

    def drive(self, address: str) -> None:
        """Starts a driver, and waits until the guard says that it has it in view."""
        self._driver = subprocess.Popen([sys.executable, __file__, FULL_SPEED])
        next(line for line in self._guard.stdout if address in line)

    def kill(self) -> float:
        """Kills the driver, and says what time it is: the guest's, in seconds."""
        self._driver.kill()
        return time.monotonic()

    def now(self) -> float:
        return time.monotonic()


def drive_on() -> None:
    """What the guard is there for: it is never told to end."""
    hub = BluetoothHub(limits=PATIENT)
    while True:
        now = time.monotonic()
        hub.apply(Order(kind=OrderKind.FULL_SPEED, reason=Reason.CLEAR, at=now))
        hub.state(now)
        time.sleep(0.05)


def lines(wire: int) -> Iterator[str]:
    """What is said on the wire, as long as there is somebody at its other end."""
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
    if FULL_SPEED in sys.argv:
        return drive_on()
    start_bluetooth()
    guest, wire = Guest(), os.open(next(Path("/dev").glob("vport*")), os.O_RDWR)
    os.write(wire, b'"ready"\n')
    for line in lines(wire):
        name, *arguments = json.loads(line)
        os.write(wire, json.dumps(getattr(guest, name)(*arguments)).encode() + b"\n")


if __name__ == "__main__":
    main()
