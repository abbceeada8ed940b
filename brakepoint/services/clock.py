"""The time that messages carry. What one supervisor has started agrees on it, whatever the clock does.

Services of several machines can only agree by the clocks of these machines. On one machine they need not: the
clock there may be set while a train drives, by hours and backwards, and nothing of it is noticed.
"""

import os
import time

CLOCK_VARIABLE = "BRAKEPOINT_CLOCK"
"""By how much this time is ahead of `steady_s`, which all processes of a machine share."""


def steady_s() -> float:
    """Seconds by a clock that nobody sets; where there is one, by one that a laptop's sleep does not stop."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class MessageClock:
    """Says what time it is.

    Args:
        ahead_s: By how much it is ahead of `steady_s`; None for the machine's clock.
    """

    def __init__(self, ahead_s: float | None = None) -> None:
        self._ahead_s = ahead_s

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time() if self._ahead_s is None else self._ahead_s + steady_s()

    def hold(self) -> dict[str, str]:
        """Follows the machine's clock no longer; returns the environment in which others agree with it."""
        if self._ahead_s is None:
            self._ahead_s = time.time() - steady_s()
        return {CLOCK_VARIABLE: repr(self._ahead_s)}


_given = os.environ.get(CLOCK_VARIABLE)
CLOCK = MessageClock(float(_given) if _given else None)
"""This process's."""
