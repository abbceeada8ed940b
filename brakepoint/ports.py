"""What a camera and a hub must be able to do, and how one is chosen by URI.

`video:track-stop` and `print:` stand in for the hardware; `csi:0`, `usb:/dev/video0` and `ble:` are the real
thing. An adapter is loaded by name when its URI is used: nobody needs hardware libraries for nothing.
"""

from typing import Protocol

from brakepoint.messages import Frame, Order, TrainState


class Camera(Protocol):
    """Looks ahead from the train."""

    def read(self, train_state: TrainState) -> Frame | None:
        """Captures one frame, or returns None when there is none to be had.

        Args:
            train_state: Where the train is. A recorded camera shows that place; a real one looks for itself.
        """

    def close(self) -> None:
        """Releases the device; may be called twice."""


class Hub(Protocol):
    """Drives the train: motor, brake and headlight.

    Attributes:
        is_simulated: Whether a hub that is opened again has its train at the start; a person must put a real
            train there.
    """

    is_simulated: bool

    def apply(self, order: Order) -> None:
        """Carries an order out; it holds until the next one.

        A hub on a radio brakes by itself when there is none for `brakepoint.rules.WATCHDOG_S`.
        """

    def state(self, now: float) -> TrainState:
        """Says how fast the train is and where at the time `now`, in seconds, which never goes back."""

    def close(self) -> None:
        """Brakes and lets go of the train; may be called twice."""
