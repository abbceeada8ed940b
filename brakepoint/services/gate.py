"""Decides which orders a controller passes on to the train. This module is pure: it does not read a clock."""

from enum import StrEnum

from brakepoint.messages import GivenOrder, OrderKind
from brakepoint.rules import LOW_SPEED_STRETCH_CM, ORDER_AGE_MAX_S, WATCHDOG_S


class Refusal(StrEnum):
    """Why an order is not passed on. Texts: `live.refusal.{value}`."""

    OTHER_RUN = "other_run"
    OLD = "old"
    FUTURE = "future"
    OUT_OF_ORDER = "out_of_order"
    OTHER_GIVER = "other_giver"


class Gate:
    """Passes on fresh orders of one autopilot, in sequence.

    After a silence so long that the train's watchdog has triggered, there may be a new autopilot, which does
    not know the sign in force: the train is then limited to low speed for the length of a low-speed stretch.
    """

    def __init__(self) -> None:
        self._last: GivenOrder | None = None
        self._passed_at: float | None = None
        self._run, self._resumed = -1, False
        self._careful_until_cm = float("-inf")

    def begin_run(self, run: int, resumed: bool = False) -> None:
        """Forgets the previous run.

        Args:
            run: Number of the new run: orders for other runs are not passed on.
            resumed: Whether the train is already moving, and this gate has not seen the run so far.
        """
        self._run, self._passed_at, self._resumed = run, None, resumed
        self._careful_until_cm = float("-inf")

    def refusal(self, order: GivenOrder, now: float) -> Refusal | None:
        """Why this order must not be passed on; None if it may be passed on."""
        if order.run != self._run:
            return Refusal.OTHER_RUN
        if now - order.at > ORDER_AGE_MAX_S:
            return Refusal.OLD
        if order.at - now > ORDER_AGE_MAX_S:
            return Refusal.FUTURE
        if self._last is None:
            return None
        if order.giver == self._last.giver:
            return Refusal.OUT_OF_ORDER if order.number <= self._last.number else None
        return Refusal.OTHER_GIVER if not self._is_silent(now) else None

    def passed(self, order: GivenOrder, now: float, position_cm: float) -> GivenOrder:
        """Records an order that was not refused, and returns what to pass on.

        Args:
            order: The order.
            now: Current time in seconds.
            position_cm: Position of the train.
        """
        if self._resumed or (self._passed_at is not None and self._is_silent(now)):
            self._careful_until_cm = position_cm + LOW_SPEED_STRETCH_CM
        self._last, self._passed_at, self._resumed = order, now, False
        if order.kind is OrderKind.FULL_SPEED and position_cm < self._careful_until_cm:
            return order.model_copy(update={"kind": OrderKind.LOW_SPEED})
        return order

    def _is_silent(self, now: float) -> bool:
        return self._passed_at is None or now - self._passed_at > WATCHDOG_S
