"""Ports that a train can do without: its headlight and the hub's own light."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NoReturn

from hardware.lwp3 import SetValue

AGAIN_S = 0.02
"""How long a port waits for its turn when the motor is being told something."""


class Accessory:
    """Tells a port the newest value that was asked for, when nothing that matters is being said.

    It never waits for an answer and never fails: a light that is pulled out is done without until it is back.

    Args:
        whisper: Sends a message unless the motor has one to send; says whether it was sent.
        port: Which.
        value: What it is first set to.

    Attributes:
        is_there: Whether it is plugged in; it is told nothing while it is not.
    """

    def __init__(self, whisper: Callable[[SetValue], Awaitable[bool]], port: int, value: int) -> None:
        self._whisper, self._port = whisper, port
        self._wanted = value
        self._sent: int | None = None
        self.is_there = False
        self._news = asyncio.Event()

    def want(self, value: int) -> None:
        """Asks for a value."""
        if value != self._wanted:
            self._wanted = value
            self._news.set()

    def attached(self, is_there: bool) -> None:
        """Takes note of its being plugged in or pulled out; it is told its value again."""
        self.is_there, self._sent = is_there, None
        self._news.set()

    @property
    def is_settled(self) -> bool:
        """Whether there is nothing to send."""
        return not self.is_there or self._sent == self._wanted

    async def keep(self) -> NoReturn:
        """Sends whatever is wanted, for ever."""
        while True:
            self._news.clear()
            while not self.is_settled:
                value = self._wanted
                if await self._whisper(SetValue(self._port, value)):
                    self._sent = value
                else:
                    await asyncio.sleep(AGAIN_S)
            await self._news.wait()
