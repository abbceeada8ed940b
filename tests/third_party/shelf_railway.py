"""An adapter as a third party would write it: a train and a camera, in one module."""

import sys
from typing import TextIO

import numpy as np

from brakepoint.locomotive import ORDER_POWER, Motion
from brakepoint.messages import Frame, Light, Order, OrderKind, TrainState


class ShelfHub:
    """A train that runs along a shelf."""

    is_simulated = True

    def __init__(self) -> None:
        self._order: Order | None = None
        self._motion, self._now = Motion(), 0.0

    def apply(self, order: Order) -> None:
        self._order = order

    def state(self, now: float) -> TrainState:
        seconds, self._now = max(now - self._now, 0.0), max(now, self._now)
        if self._order is None or self._order.kind is OrderKind.BRAKE:
            self._motion = self._motion.braked(seconds)
        else:
            self._motion = self._motion.pulled(ORDER_POWER[self._order.kind], seconds)
        return TrainState(
            at=self._now,
            position_cm=self._motion.position_cm,
            speed_cm_s=self._motion.speed_cm_s,
            power=ORDER_POWER[self._order.kind] if self._order else 0,
            braking=self._order is None or self._order.kind is OrderKind.BRAKE,
            light=self._order.light if self._order else Light.OFF,
        )

    def close(self) -> None:
        if self._order is not None:
            self._order = self._order.model_copy(update={"kind": OrderKind.BRAKE})


class ShelfCamera:
    """A camera that sees nothing but noise."""

    def __init__(self, seed: int) -> None:
        self._random, self._frame_id = np.random.default_rng(seed), 0

    def read(self, train_state: TrainState) -> Frame:
        self._frame_id += 1
        image = self._random.integers(0, 255, (480, 640, 3), np.uint8)
        return Frame(self._frame_id, train_state.at, train_state.position_cm, image)

    def close(self) -> None:
        pass


def open_hub(rest: str, out: TextIO | None = sys.stdout) -> ShelfHub:
    """Opens `shelf:`."""
    return ShelfHub()


def open_camera(rest: str, seed: int = 0) -> ShelfCamera:
    """Opens `shelf:`."""
    return ShelfCamera(seed)
