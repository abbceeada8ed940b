"""The simulated train, with its watchdog: at the other end of a link, as the real one is of a radio."""

import asyncio
import threading
import time
from collections.abc import Callable

from pydantic import ValidationError

from brakepoint.messages import GivenOrder, Light, Order, OrderKind, Reason
from brakepoint.rules import ORDER_AGE_MAX_S, WATCHDOG_S
from brakepoint.services import Settings, address
from brakepoint.services.link import LINE_MAX_BYTES, FromTrain
from brakepoint.services.serving import tell
from stubs.printing_hub import PrintingHub

REPORTS_HZ = 30
"""Twice the control rate, so that no decision rests on a state older than half a step."""
BACKLOG_MAX_BYTES = 10_000
"""A listener that is this far behind is not told more."""


class GuardedTrain:
    """A train that obeys the last order, and brakes by itself when there has been none for `WATCHDOG_S`.

    Args:
        clock: Seconds, for instance `time.time`.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._run = -1
        self._begin(clock())

    def _begin(self, now: float) -> None:
        """Puts the train at the start; its hub counts the time from here."""
        self._began_at, self._hub = now, PrintingHub()
        self._last: GivenOrder | None = None
        self._heard_at = now

    def hear(self, order: GivenOrder) -> None:
        """Carries an order out, unless it is old; that of a new run puts the train at the start first."""
        now = self._move()
        if now - order.at > ORDER_AGE_MAX_S:
            return
        if order.run != self._run:
            self._run = order.run
            self._begin(now)
        self._last, self._heard_at = order, now
        self._hub.apply(order)

    def report(self) -> FromTrain:
        """Says how fast the train is and where, at this moment."""
        now = self._move()
        state = self._hub.state(now - self._began_at).model_copy(update={"at": now})
        seen_at = self._last.seen_at if self._last else None
        return FromTrain(run=self._run, state=state, seen_at=seen_at, heard_at=self._heard_at)

    def _move(self) -> float:
        """Moves the train up to now; the watchdog bites at its very moment, however late this is called."""
        now = self._clock()
        bites_at = self._heard_at + WATCHDOG_S
        if self._last is not None and now > bites_at:
            self._hub.state(bites_at - self._began_at)
            self._hub.apply(
                Order(kind=OrderKind.BRAKE, reason=Reason.NO_ORDERS, light=Light.BLINK, at=bites_at)
            )
        self._hub.state(now - self._began_at)
        return now


def run(settings: Settings, stopping: threading.Event) -> None:
    """Waits for a controller at the link's address and obeys it."""
    asyncio.run(_serve(*address(settings.link), stopping))


async def _serve(host: str, port: int, stopping: threading.Event) -> None:
    train = GuardedTrain()
    listeners: set[asyncio.StreamWriter] = set()

    async def obey(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        listeners.add(writer)
        try:
            while line := await reader.readline():
                try:
                    train.hear(GivenOrder.model_validate_json(line))
                except ValidationError:
                    tell("bad_line")
        except (ValueError, ConnectionError):
            pass  # A line beyond all bounds, or a lost link: the watchdog sees to the rest.
        finally:
            listeners.discard(writer)
            writer.close()

    server = await asyncio.start_server(obey, host, port, limit=LINE_MAX_BYTES)
    tell("train", address=f"{host}:{port}")
    async with server:
        while not stopping.is_set():
            report = train.report().model_dump_json().encode() + b"\n"
            for writer in listeners:
                if writer.transport.get_write_buffer_size() < BACKLOG_MAX_BYTES:
                    writer.write(report)
            await asyncio.sleep(1 / REPORTS_HZ)
        for writer in listeners:
            writer.close()
        await asyncio.sleep(1 / REPORTS_HZ)
