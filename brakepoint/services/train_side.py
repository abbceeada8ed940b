"""The train's side of the link, with the watchdog, in place of a real train on the radio."""

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import closing

from pydantic import ValidationError

from brakepoint.adapters import SIMULATED_HUB, open_hub
from brakepoint.errors import UserError, system_says
from brakepoint.messages import GivenOrder, Light, Order, OrderKind, Reason, TrainState
from brakepoint.ports import Hub
from brakepoint.rules import ORDER_AGE_MAX_S, WATCHDOG_S
from brakepoint.services import ServiceSettings, address, metrics, tell
from brakepoint.services.clock import CLOCK
from brakepoint.services.link import LINE_MAX_BYTES, FromTrain

REPORTS_HZ = 30
"""Twice the control rate, so that no decision rests on a state older than half a step."""
BACKLOG_MAX_BYTES = 10_000
"""A listener that is this far behind receives no further reports."""


class GuardedTrain:
    """A train that obeys the last order, and brakes by itself after `WATCHDOG_S` without an order.

    Args:
        uri: URI of the hub.
        clock: Clock in seconds, which is never set, for the train's motion and the watchdog.
        now: Clock of the messages' timestamps.
        bitten: Called whenever the watchdog triggers.

    Raises:
        UserError: The hub cannot be reached.
    """

    def __init__(
        self,
        uri: str = SIMULATED_HUB,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = CLOCK.now,
        bitten: Callable[[], None] = lambda: None,
    ) -> None:
        self._uri, self._clock, self._now, self._bitten = uri, clock, now, bitten
        self._run = -1
        self._hub: Hub = open_hub(uri)
        self._began_at = clock()
        self._begin(self._began_at)

    def _begin(self, now: float) -> None:
        """Puts the train at the start, from which distances and a simulated hub's time count."""
        if self._hub.is_simulated:
            self._began_at, self._hub = now, open_hub(self._uri)
        self._origin_cm = self._hub_state(now).position_cm
        self._last: GivenOrder | None = None
        self._heard_at, self._heard_clock, self._has_bitten = self._now(), now, False

    def hear(self, order: GivenOrder) -> bool:
        """Carries an order out, unless the order is old or for another run.

        Only a person's order begins a new run, never an autopilot's: a train that was restarted mid-run
        believes that it is at the start, and must not set off because its autopilot is still driving.

        Returns:
            Whether the order was obeyed.
        """
        now = self._move()
        if self._now() - order.at > ORDER_AGE_MAX_S:
            return False
        if order.run != self._run:
            if order.reason is not Reason.BY_HAND:
                return False
            self._run = order.run
            self._begin(now)
        self._last, self._has_bitten = order, False
        self._heard_at, self._heard_clock = self._now(), now
        self._hub.apply(order)
        return True

    def report(self) -> FromTrain:
        """Returns the train's current speed and position."""
        now = self._move()
        state = self._hub_state(now)
        state = state.model_copy(
            update={"at": self._now(), "position_cm": state.position_cm - self._origin_cm}
        )
        seen_at = self._last.seen_at if self._last else None
        return FromTrain(run=self._run, state=state, seen_at=seen_at, heard_at=self._heard_at)

    def close(self) -> None:
        """Brakes and releases the train."""
        self._hub.close()

    def _move(self) -> float:
        """Moves the train up to now; however late this is called, the watchdog triggers at its exact time."""
        now = self._clock()
        bites_at = self._heard_clock + WATCHDOG_S
        if self._last is not None and now > bites_at and not self._has_bitten:
            self._hub_state(bites_at)
            self._has_bitten = True
            self._bitten()
            self._hub.apply(
                Order(kind=OrderKind.BRAKE, reason=Reason.NO_ORDERS, light=Light.BLINK, at=bites_at)
            )
        self._hub_state(now)
        return now

    def _hub_state(self, at: float) -> TrainState:
        return self._hub.state(max(at - self._began_at, 0.0))


def run(settings: ServiceSettings, stopping: threading.Event) -> None:
    """Waits for a controller at the link's address and obeys it.

    Raises:
        UserError: The hub cannot be reached, or another process is listening at that address.
    """
    bites = metrics.WATCHDOG_BITES.labels(settings.train_id, "train")
    with closing(GuardedTrain(settings.hub, bitten=bites.inc)) as train:
        asyncio.run(_serve(train, settings, stopping))


async def _serve(train: GuardedTrain, settings: ServiceSettings, stopping: threading.Event) -> None:
    host, port = address(settings.link)
    listeners: set[asyncio.StreamWriter] = set()
    of = (settings.train_id, "train")

    async def obey(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        listeners.add(writer)
        try:
            while line := await reader.readline():
                _hear(train, line, of)
        except (ValueError, OSError):
            pass  # An overlong line, or a lost link: the watchdog handles the rest.
        except asyncio.CancelledError:
            pass  # Still connected when the service ends; asyncio would log a traceback.
        finally:
            listeners.discard(writer)
            writer.close()

    try:
        server = await asyncio.start_server(obey, host, port, limit=LINE_MAX_BYTES)
    except OSError as error:
        raise UserError("live.error.port", address=settings.link, why=system_says(error)) from error
    tell("train", address=settings.link)
    async with server:
        while not stopping.is_set():
            report = train.report()
            metrics.TRAIN_SPEED.labels(*of).set(report.state.speed_cm_s)
            metrics.TRAIN_POSITION.labels(*of).set(report.state.position_cm)
            line = report.model_dump_json().encode() + b"\n"
            for writer in listeners:
                if writer.transport.get_write_buffer_size() < BACKLOG_MAX_BYTES:
                    writer.write(line)
            await asyncio.sleep(1 / REPORTS_HZ)
        server.close()
        for writer in listeners:
            writer.close()
        await asyncio.sleep(1 / REPORTS_HZ)


def _hear(train: GuardedTrain, line: bytes, of: tuple[str, str]) -> None:
    """Processes one line from the link; a line that isn't an order is rejected."""
    metrics.MESSAGES.labels(*of, "link").inc()
    try:
        order = GivenOrder.model_validate_json(line)
    except ValidationError:
        metrics.MESSAGES_REFUSED.labels(*of, "link").inc()
        return
    if not train.hear(order):
        metrics.ORDERS_REFUSED.labels(*of, "train").inc()
