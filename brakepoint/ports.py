"""The interfaces of camera and hub, which are selected by URI.

`video:track-stop` and `print:` take the place of hardware; `csi:0`, `usb:/dev/video0` and `ble:` are real
hardware. An adapter is loaded by name when its URI is used, so that hardware libraries are only required if
needed.
"""

from typing import Protocol

from brakepoint.messages import Frame, Order, TrainState


class Camera(Protocol):
    """Looks ahead from the train."""

    def read(self, train_state: TrainState) -> Frame | None:
        """Captures one frame, or returns None if none is available.

        Args:
            train_state: State of the train. A recorded camera shows the view from the train's position; a
                real one ignores the state.
        """

    def close(self) -> None:
        """Releases the device; may be called twice."""


class Hub(Protocol):
    """Drives the train: motor, brake and headlight.

    Attributes:
        is_simulated: Whether reopening the hub puts its train at the start; a real train must be put there by
            a person.
    """

    is_simulated: bool

    def apply(self, order: Order) -> None:
        """Carries an order out; the order applies until the next one.

        A wireless hub brakes by itself when it has received no order for `brakepoint.rules.WATCHDOG_S`.
        """

    def state(self, now: float) -> TrainState:
        """Returns the train's speed and position at the time `now`, in seconds, which never decreases."""

    def close(self) -> None:
        """Brakes the train, then gives up control of it; may be called twice."""
