"""A port that must obey, such as the motor's: a value is sent until the hub has confirmed it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NoReturn

from brakepoint.texts import text
from hardware.hub_search import RadioLimits
from hardware.lwp3 import Feedback, Port, SetValue

TRIES = 3
"""Number of attempts to send a value before the hub counts as lost."""
REFRESH_S = 0.5
"""Interval at which the motor's power is sent again, changed or not, to detect a dead link."""
Write = Callable[[SetValue], Awaitable[None]]


class HubLostError(Exception):
    """The link to the hub is lost, or the hub is no longer trusted. The error's text is for people.

    Args:
        key: Key of the text `hub.lost.{key}`.
        values: The text's values.
    """

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(text(f"hub.lost.{key}", None, **values))


class PortSetter:
    """Keeps a port at the newest requested value.

    A newer value never waits for feedback on an older one, so a brake is sent immediately, whatever is in
    progress. The port is settled when the hub has answered everything sent to it. Values that the hub
    discards or leaves unanswered are sent again, which is safe because values are states, not changes.

    Args:
        write: Sends a message, or raises `HubLostError`.
        limits: Time limits for answers.
        port: The port.
        value: Initial value of the port.
        refresh_s: See the attribute.

    Attributes:
        refresh_s: Interval at which the value is sent again, changed or not; None for never.
    """

    def __init__(
        self, write: Write, limits: RadioLimits, port: Port, value: int, refresh_s: float | None = None
    ) -> None:
        self._write, self._limits, self._port, self.refresh_s = write, limits, port, refresh_s
        self._wanted = value
        self._sent: int | None = None
        self._unanswered = 0
        self._unanswered_since = 0.0
        self._discarded = False
        self._failures = 0
        self._news = asyncio.Event()

    def want(self, value: int) -> None:
        """Requests a value."""
        if value != self._wanted:
            self._wanted = value
            self._news.set()

    @property
    def is_settled(self) -> bool:
        """Whether the hub has confirmed the requested value."""
        return self._sent == self._wanted and not self._unanswered and not self._discarded

    def answered(self, flags: Feedback) -> None:
        """Processes the hub's feedback about this port."""
        if Feedback.DISCARDED in flags and Feedback.DONE not in flags:
            self._discarded = True
        elif not flags & (Feedback.DONE | Feedback.IDLE):
            return
        self._unanswered = max(self._unanswered - 1, 0)
        self._unanswered_since = _now()
        self._news.set()

    def refused(self) -> None:
        """Processes an error; it concerns this port only if an order to the port is still unanswered."""
        if self._unanswered:
            self.answered(Feedback.DISCARDED)

    async def keep(self) -> NoReturn:
        """Sends the requested values, for ever.

        Raises:
            HubLostError: The value could not be sent, or the hub does not accept it.
        """
        while True:
            await self.settle()
            try:
                async with asyncio.timeout(self.refresh_s):
                    await self._news.wait()
            except TimeoutError:
                self._sent = None

    async def settle(self) -> None:
        """Sends the requested value until it is confirmed.

        Raises:
            HubLostError: The value could not be sent, or the hub does not accept it.
        """
        while not self.is_settled:
            self._news.clear()
            if self._discarded and not self._unanswered:
                self._fail("refused")
            elif self._sent != self._wanted:
                await self.send()
            else:
                await self._wait_for_answer()
        self._news.clear()
        self._failures = 0

    async def left_alone(self, seconds: float) -> bool:
        """Waits for a while, and returns whether no one else sent this port an order.

        Feedback is sent to all listeners, so such an order is noticed. The next `settle` then sends the value
        again.
        """
        self._news.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return True
        self._sent = None
        return False

    async def send(self) -> None:
        """Sends the requested value, and waits only until the hub's radio has acknowledged it.

        Raises:
            HubLostError: The value could not be sent.
        """
        if not self._unanswered:
            self._unanswered_since = _now()
        elif _now() - self._unanswered_since > self._limits.feedback_s:
            self._fail("feedback")
        value = self._wanted
        self._discarded = False
        self._unanswered += 1
        self._sent = value
        await self._write(SetValue(self._port, value))

    async def _wait_for_answer(self) -> None:
        try:
            async with asyncio.timeout_at(self._unanswered_since + self._limits.feedback_s):
                await self._news.wait()
        except TimeoutError:
            self._fail("feedback")

    def _fail(self, key: str) -> None:
        """Schedules the value to be sent again, if there are attempts left."""
        self._failures += 1
        if self._failures >= TRIES:
            raise HubLostError(key, port=self._port.name, times=TRIES)
        self._sent, self._unanswered, self._discarded = None, 0, False


def _now() -> float:
    return asyncio.get_running_loop().time()
