"""`brakepoint up`: starts every service of the live train, and stops them all on Ctrl-C."""

import signal
import threading
from collections.abc import Callable
from dataclasses import replace

from rich.console import Console
from rich.markup import escape

from brakepoint import extras
from brakepoint.cli.service import (
    Broker,
    Camera,
    Feed,
    Hub,
    Model,
    Page,
    Steps,
    TrainAt,
    TrainId,
    check_train,
)
from brakepoint.feeds import find_feed
from brakepoint.services import CLIENTS, SERVICES, ServiceSettings, address
from brakepoint.texts import text
from brakepoint.web import new_token

COLOURS = dict(
    zip(
        SERVICES,
        ("bright_black", "green", "yellow", "cyan", "magenta", "blue", "bright_white"),
        strict=True,
    )
)


def up_command(
    feed: Feed = "",
    camera: Camera = "",
    hub: Hub = "",
    detector: Model = "",
    steps: Steps = "",
    broker: Broker = "",
    train_id: TrainId = "",
    link: TrainAt = "",
    page: Page = "",
) -> None:
    """Runs until Ctrl-C or SIGTERM."""
    check_train(hub, link)
    extras.require("live")
    from brakepoint.services.supervisor import Supervisor

    settings = ServiceSettings.given(
        feed=feed,
        camera=camera,
        hub=hub,
        detector=detector,
        steps=steps,
        broker=broker,
        train_id=train_id,
        link=link,
        page=page,
    )
    if settings.is_recorded:
        find_feed(settings.shown)
    settings = replace(settings, token=settings.token or new_token(address(settings.page)[0]))
    console = Console(highlight=False)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    with Supervisor(settings, CLIENTS, teller(console), stopping.is_set):
        if not stopping.is_set():
            url = f"http://{settings.page}/" + (f"#token={settings.token}" if settings.token else "")
            console.print(f"\n[bold green]●[/] {text('live.up.ready', url=url)}\n", soft_wrap=True)
        stopping.wait()
        console.print(text("live.up.stopping"))
    console.print(text("live.up.stopped"))


def teller(console: Console) -> Callable[[str, str], None]:
    """Prints each line of a service behind its name, in its colour."""
    width = max(map(len, SERVICES))

    def tell(name: str, line: str) -> None:
        console.print(f"[{COLOURS[name]}]{name:<{width}}[/] │ {escape(line)}", soft_wrap=True)

    return tell
