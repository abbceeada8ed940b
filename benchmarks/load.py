"""How much of a core the services of one train take, with and without someone watching the page."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from urllib.error import URLError
from urllib.request import urlopen

from rich.table import Table

from benchmarks.processes import processor_s
from brakepoint.services import ServiceSettings
from brakepoint.services.bus import Bus
from brakepoint.services.live_mission import DRIVING, start
from brakepoint.services.supervisor import Supervisor
from brakepoint.services.topics import CONTROL, MISSION
from brakepoint.sockets import LOCALHOST, free_port
from brakepoint.texts import text

WARM_UP_S, SECONDS = 2.0, 8.0
COLUMNS = ("service", "without_page", "with_page")


def measure_load(feed: str, model: str, page: bool, seconds: float = SECONDS) -> dict[str, float]:
    """Drives a feed live for a while, with the embedded broker.

    Args:
        feed: Name of the feed, or path to an mp4.
        model: The detector's model, or `oracle`.
        page: Whether the monitor runs, too, and a page is open.
        seconds: Duration of the measurement, which must end before the feed does.

    Returns:
        Processor seconds per second by service.
    """
    settings = ServiceSettings(feed=feed, detector=model, page=f"{LOCALHOST}:{free_port()}")
    names = ("broker", *DRIVING, *(["monitor"] if page else []))
    with ExitStack() as opened:
        services = opened.enter_context(Supervisor(settings, names[1:], lambda *_: None))
        start(opened.enter_context(Bus(services.settings, "", (CONTROL, MISSION))), feed)
        if page:
            opened.enter_context(_open_page(f"http://{settings.page}/"))
        time.sleep(WARM_UP_S)
        before = {name: processor_s(services.pid(name)) for name in names}
        began = time.monotonic()
        time.sleep(seconds)
        elapsed_s = time.monotonic() - began
        return {name: (processor_s(services.pid(name)) - before[name]) / elapsed_s for name in names}


@contextmanager
def _open_page(url: str) -> Iterator[None]:
    """Does what the page does in a browser: it fetches the picture at each update."""
    is_closed = threading.Event()

    def follow() -> None:
        with suppress(URLError, OSError), urlopen(url + "news") as news:
            for line in news:
                if is_closed.is_set():
                    return
                if line.startswith(b"event: now"):
                    urlopen(url + "picture.jpg").read()

    browser = threading.Thread(target=follow, daemon=True)
    browser.start()
    yield
    is_closed.set()
    browser.join()


def load_table(loads: dict[bool, dict[str, float]]) -> Table:
    """Formats a row for each service, and their sum, with a column without the page and one with it."""
    table = Table(title=text("bench.load.title"))
    for column in COLUMNS:
        table.add_column(text(f"bench.load.{column}"), justify="left" if column == "service" else "right")
    for name in loads[True]:
        table.add_row(name, *(f"{load[name]:.3f}" if name in load else "–" for load in loads.values()))
    table.add_section()
    table.add_row(text("bench.stages.together"), *(f"{sum(load.values()):.3f}" for load in loads.values()))
    return table
