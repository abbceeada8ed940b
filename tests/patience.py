"""How long a test waits for something that must happen: the machine may be busy with other work."""

import time
from collections.abc import Callable

PATIENCE_S = 60.0


def await_condition(condition: Callable[[], object]) -> None:
    """Waits until a condition holds.

    Raises:
        AssertionError: It does not hold in time.
    """
    until = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < until, "it did not come to pass in time"
        time.sleep(0.01)
