"""The time that messages carry.

All services started by one supervisor share this time, whatever happens to the system clock: that clock may
be changed by hours, even backwards, while a train drives, without any effect. Services on several machines
can only rely on the clocks of these machines.
"""

import os
import time

CLOCK_VARIABLE = "BRAKEPOINT_CLOCK"
"""Variable with the seconds by which this time is ahead of `steady_s`, which a machine's processes share."""


def steady_s() -> float:
    """Seconds by a clock that is never set and, where available, also runs while a laptop sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class MessageClock:
    """Returns the current time.

    Args:
        ahead_s: How far this clock is ahead of `steady_s`; None for the machine's clock.
    """

    def __init__(self, ahead_s: float | None = None) -> None:
        self._ahead_s = ahead_s

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time() if self._ahead_s is None else self._ahead_s + steady_s()

    def hold(self) -> dict[str, str]:
        """Stops following the machine's clock; returns variables for other processes to share this clock."""
        if self._ahead_s is None:
            self._ahead_s = time.time() - steady_s()
        return {CLOCK_VARIABLE: repr(self._ahead_s)}


_given = os.environ.get(CLOCK_VARIABLE)
CLOCK = MessageClock(float(_given) if _given else None)
"""The clock of this process."""
