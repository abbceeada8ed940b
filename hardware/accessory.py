"""Ports that are not essential for a train: its headlight and the hub's own light."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NoReturn

from hardware.lwp3 import SetValue

AGAIN_S = 0.02
"""How long a port waits before it tries again, while a message is being sent to the motor."""


class Accessory:
    """Sends a port its newest requested value when nothing more important is being sent.

    An accessory never waits for an answer and never fails: an unplugged light is ignored until it is back.

    Args:
        whisper: Sends a message unless there is one to send to the motor; returns whether it was sent.
        port: The port.
        value: Initial value of the port.

    Attributes:
        is_there: Whether a device is plugged in; nothing is sent while none is.
    """

    def __init__(self, whisper: Callable[[SetValue], Awaitable[bool]], port: int, value: int) -> None:
        self._whisper, self._port = whisper, port
        self._wanted = value
        self._sent: int | None = None
        self.is_there = False
        self._news = asyncio.Event()

    def want(self, value: int) -> None:
        """Requests a value."""
        if value != self._wanted:
            self._wanted = value
            self._news.set()

    def attached(self, is_there: bool) -> None:
        """Records that the device was plugged in or unplugged; the value is then sent again."""
        self.is_there, self._sent = is_there, None
        self._news.set()

    @property
    def is_settled(self) -> bool:
        """Whether there is nothing to send."""
        return not self.is_there or self._sent == self._wanted

    async def keep(self) -> NoReturn:
        """Sends the requested values, for ever."""
        while True:
            self._news.clear()
            while not self.is_settled:
                value = self._wanted
                if await self._whisper(SetValue(self._port, value)):
                    self._sent = value
                else:
                    await asyncio.sleep(AGAIN_S)
            await self._news.wait()
