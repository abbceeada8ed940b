"""The time that messages carry. What one supervisor has started agrees on it, whatever the clock does.

Services of several machines can only agree by the clocks of these machines. On one machine they need not: the
clock there may be set while a train drives, by hours and backwards, and nothing of it is noticed.
"""

import os
import time

CLOCK_VARIABLE = "BRAKEPOINT_CLOCK"
"""By how much this time is ahead of the monotonic clock, which all processes of a machine share."""


class MessageClock:
    """Says what time it is.

    Args:
        ahead_s: By how much it is ahead of the monotonic clock; None for the machine's clock.
    """

    def __init__(self, ahead_s: float | None = None) -> None:
        self._ahead_s = ahead_s

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time() if self._ahead_s is None else self._ahead_s + time.monotonic()

    def hold(self) -> dict[str, str]:
        """Follows the machine's clock no longer; returns the environment in which others agree with it."""
        if self._ahead_s is None:
            self._ahead_s = time.time() - time.monotonic()
        return {CLOCK_VARIABLE: repr(self._ahead_s)}


_given = os.environ.get(CLOCK_VARIABLE)
CLOCK = MessageClock(float(_given) if _given else None)
"""This process's."""
