"""Helpers for tests of the `ble:` hub: orders, and waiting for their effects."""

import threading
import time
from collections.abc import Callable

from patience import PATIENCE_S

from brakepoint.locomotive import ORDER_POWER
from brakepoint.messages import Light, Order, OrderKind, Reason, SignClass
from hardware.ble_hub import BluetoothHub

SHORT_S = 1.0
"""How long a test waits to see that something does not happen, or for a failure that must happen."""
LOW_POWER = ORDER_POWER[OrderKind.LOW_SPEED]


def order(kind: OrderKind, light: Light = Light.ON, reason: Reason = Reason.CLEAR, at: float = 0) -> Order:
    return Order(kind=kind, reason=reason, light=light, at=at)


FULL, LOW = order(OrderKind.FULL_SPEED), order(OrderKind.LOW_SPEED)
DANGER = Order(
    kind=OrderKind.BRAKE, reason=Reason.DANGER_STOP, sign=SignClass.DANGER_AHEAD, light=Light.ON, at=1
)


def eventually(is_so: Callable[[], bool]) -> bool:
    """Waits until a condition holds."""
    until = time.monotonic() + PATIENCE_S
    while not is_so():
        if time.monotonic() > until:
            return False
        threading.Event().wait(0.002)
    return True


def drive(hub: BluetoothHub, wanted: Order, now: float = 0.0) -> None:
    """Gives an order, lets the ramp end on the hub's clock, and waits until the hub has confirmed it."""
    hub.apply(wanted)
    for tick in range(16):
        hub.state(now + tick / 15)
    assert hub.wait_until_settled(PATIENCE_S)
