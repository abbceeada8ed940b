"""The monitor as a service: the page, and the onlooker behind it."""

import threading

import uvicorn

from brakepoint.monitor.onlooker import Onlooker
from brakepoint.monitor.server import make_app
from brakepoint.services import ServiceSettings, address, tell
from brakepoint.services.bus import Bus
from brakepoint.services.service_loop import serve
from brakepoint.services.topics import CONTROL, DETECTIONS, MISSION, ORDERS, PICTURE, STATE, STATUS

TOPICS = (CONTROL, DETECTIONS, MISSION, ORDERS, PICTURE, STATE, STATUS)
CLOSE_WITHIN_S = 1


def run(settings: ServiceSettings, stopping: threading.Event) -> None:
    """Serves the page and joins the broker."""
    host, port = address(settings.page)
    with Bus(settings, "monitor", TOPICS) as bus:
        onlooker = Onlooker(bus)
        config = uvicorn.Config(
            make_app(onlooker, settings.token),
            host=host,
            port=port,
            log_level="error",
            timeout_graceful_shutdown=CLOSE_WITHIN_S,
        )
        server = uvicorn.Server(config)
        page = threading.Thread(target=server.run, daemon=True)
        page.start()
        tell("page", url=f"http://{settings.page}/")
        serve(onlooker, bus, stopping)
        server.should_exit = True
        page.join(2 * CLOSE_WITHIN_S)
