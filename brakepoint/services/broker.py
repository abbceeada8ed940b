"""The embedded broker: amqtt, for one machine only."""

import asyncio
import logging
import threading
from typing import Any

from brakepoint.services import ServiceSettings, tell
from brakepoint.services.bus import parse_broker

Plugins = dict[str, dict[str, Any]]
"""What amqtt loads, by class: its settings."""


def run(settings: ServiceSettings, stopping: threading.Event, plugins: Plugins | None = None) -> None:
    """Listens at the broker address of the settings.

    Args:
        settings: Where to listen.
        stopping: Ends it.
        plugins: Further plug-ins; by default every client may publish and subscribe to everything.
    """
    broker = parse_broker(settings.broker)
    logging.getLogger("amqtt").setLevel(logging.CRITICAL)
    logging.getLogger("transitions").setLevel(logging.CRITICAL)
    # Raised when a client leaves during the shutdown, and harmless.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    asyncio.run(_serve(f"{broker.host}:{broker.port}", stopping, plugins or {}))


async def _serve(bind: str, stopping: threading.Event, plugins: Plugins) -> None:
    from amqtt.broker import Broker

    anonymous = "amqtt.plugins.authentication.AnonymousAuthPlugin"
    broker = Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": bind}},
            "plugins": {anonymous: {"allow_anonymous": True}, **plugins},
        }
    )
    await broker.start()
    tell("broker", address=bind)
    await asyncio.to_thread(stopping.wait)
    await broker.shutdown()
