"""The monitor as a service: the page and its onlooker."""

import threading

from brakepoint.monitor.onlooker import Onlooker
from brakepoint.monitor.server import make_app
from brakepoint.services import ServiceSettings, address, tell
from brakepoint.services.bus import Bus
from brakepoint.services.service_loop import serve
from brakepoint.services.topics import CONTROL, DETECTIONS, MISSION, ORDERS, PICTURE, STATE, STATUS
from brakepoint.web.server import served

TOPICS = (CONTROL, DETECTIONS, MISSION, ORDERS, PICTURE, STATE, STATUS)


def run(settings: ServiceSettings, stopping: threading.Event) -> None:
    """Serves the page and connects to the broker."""
    host, port = address(settings.page)
    with Bus(settings, "monitor", TOPICS) as bus:
        onlooker = Onlooker(bus, settings.shown)
        with served(make_app(onlooker, settings.token), host, port):
            tell("page", url=f"http://{settings.page}/")
            serve(onlooker, bus, stopping)
