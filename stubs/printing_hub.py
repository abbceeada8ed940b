"""A hub in place of a real train: it prints the orders it receives, and computes how the train would move."""

import sys
from typing import TextIO

from brakepoint.locomotive import ORDER_POWER, Motion
from brakepoint.look import order_line
from brakepoint.messages import Light, Order, OrderKind, TrainState


class PrintingHub:
    """Prints each order that differs from the previous one, and moves a train like `brakepoint.locomotive`.

    Args:
        out: Where to print; None prints nothing.
    """

    is_simulated = True

    def __init__(self, out: TextIO | None = sys.stdout) -> None:
        self._out = out
        self._order: Order | None = None
        self._motion = Motion()
        self._now: float | None = None

    def apply(self, order: Order) -> None:
        """Carries out an order, which takes effect at the time of the last `state`."""
        last, self._order = self._order, order
        if last is None or (last.meaning, last.light) != (order.meaning, order.light):
            self._print(order)

    def state(self, now: float) -> TrainState:
        """Moves the train up to `now` and returns its state. An earlier time does not move it."""
        seconds = max(now - self._now, 0.0) if self._now is not None else 0.0
        self._now = now if self._now is None else max(now, self._now)
        braking = self._order is None or self._order.kind is OrderKind.BRAKE
        self._motion = self._motion.braked(seconds) if braking else self._motion.pulled(self._power, seconds)
        return self._state()

    def close(self) -> None:
        """Brakes the train."""
        if self._order is not None and self._order.kind is not OrderKind.BRAKE:
            self._order = self._order.model_copy(update={"kind": OrderKind.BRAKE})

    @property
    def _power(self) -> int:
        return ORDER_POWER[self._order.kind] if self._order else 0

    def _state(self) -> TrainState:
        return TrainState(
            at=self._now or 0.0,
            position_cm=self._motion.position_cm,
            speed_cm_s=self._motion.speed_cm_s,
            power=self._power,
            braking=self._order is None or self._order.kind is OrderKind.BRAKE,
            light=self._order.light if self._order else Light.OFF,
        )

    def _print(self, order: Order) -> None:
        if self._out is not None:
            print(order_line(order, self._state()), file=self._out, flush=True)


def open_hub(rest: str, out: TextIO | None = sys.stdout) -> PrintingHub:
    """Opens the hub for the URI `print:`; nothing may follow the colon.

    Args:
        rest: The part after the colon.
        out: Where to print; None prints nothing.
    """
    return PrintingHub(out)
