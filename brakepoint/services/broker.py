"""The embedded broker: amqtt, for one machine only."""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from brakepoint.errors import UserError, system_says
from brakepoint.services import ServiceSettings, tell
from brakepoint.services.bus import parse_broker
from brakepoint.sockets import LOCALHOST, free_port

Plugins = dict[str, dict[str, Any]]
"""The plug-ins that amqtt loads: the settings of each, by its class."""
CLOSE_WITHIN_S = 0.5
"""Since Python 3.12, a server waits for its last connection to close, and amqtt keeps even a silent one."""


def run(settings: ServiceSettings, stopping: threading.Event, plugins: Plugins | None = None) -> None:
    """Listens at the broker address given in the settings.

    Args:
        settings: Where to listen.
        stopping: Ends the broker.
        plugins: Further plug-ins; by default every client may publish and subscribe to everything.

    Raises:
        UserError: The address is not a broker's, or the broker cannot listen there.
    """
    broker = parse_broker(settings.broker)
    bind = f"{broker.host}:{broker.port}"
    _run(bind, stopping, plugins or {}, partial(tell, "broker", address=bind))


@contextmanager
def embedded_broker() -> Iterator[str]:
    """A broker in a thread of this process, on a free local port, until the context ends.

    Yields:
        The broker's URL.

    Raises:
        UserError: The broker cannot listen.
    """
    bind, stopping, settled = f"{LOCALHOST}:{free_port()}", threading.Event(), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        broker = pool.submit(_run, bind, stopping, {}, settled.set)
        broker.add_done_callback(lambda _: settled.set())
        try:
            settled.wait()
            if broker.done():
                broker.result()  # It raises the reason why the broker could not start.
            yield f"mqtt://{bind}"
        finally:
            stopping.set()


def _run(bind: str, stopping: threading.Event, plugins: Plugins, started: Callable[[], object]) -> None:
    logging.getLogger("amqtt").setLevel(logging.CRITICAL)
    logging.getLogger("transitions").setLevel(logging.CRITICAL)
    # Raised when a client leaves during the shutdown, and harmless.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    asyncio.run(_serve(bind, stopping, plugins, started))


async def _serve(
    bind: str, stopping: threading.Event, plugins: Plugins, started: Callable[[], object]
) -> None:
    from amqtt.errors import BrokerError

    from brakepoint.services.take_over import Broker

    anonymous = "amqtt.plugins.authentication.AnonymousAuthPlugin"
    broker = Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": bind}},
            "plugins": {anonymous: {"allow_anonymous": True}, **plugins},
        }
    )
    try:
        await broker.start()
    except BrokerError as error:
        why = system_says(error.__cause__) if isinstance(error.__cause__, OSError) else error
        raise UserError("live.error.port", address=bind, why=why) from error
    started()
    await asyncio.to_thread(stopping.wait)
    with suppress(TimeoutError):
        await asyncio.wait_for(broker.shutdown(), CLOSE_WITHIN_S)
