"""`brakepoint up`: starts every service of the live train, and stops them all on Ctrl-C."""

from collections.abc import Callable
from contextlib import AbstractContextManager
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
from brakepoint.systems import stop_event
from brakepoint.texts import harmless, text
from brakepoint.web import new_token, page_url

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
    run_until_stopped(settings, lambda settings, *how: Supervisor(settings, CLIENTS, *how))


def run_until_stopped(
    settings: ServiceSettings,
    services: Callable[
        [ServiceSettings, Callable[[str, str], None], Callable[[], bool]], AbstractContextManager[object]
    ],
) -> None:
    """Runs services and prints the URL of their page, until Ctrl-C or SIGTERM.

    Args:
        settings: Settings of the services; if other machines can reach the page and there is no token, one is
            added.
        services: Context manager that runs the services, given the settings, a function that prints their
            lines, and a function that returns whether the services should stop.
    """
    settings = replace(settings, token=settings.token or new_token(address(settings.page)[0]))
    console, stopping = Console(highlight=False), stop_event()
    with services(settings, teller(console), stopping.is_set):
        if not stopping.is_set():
            url = page_url(settings.page, settings.token)
            console.print(f"\n[bold green]●[/] {text('live.up.ready', url=url)}\n", soft_wrap=True)
        stopping.wait()
        console.print(text("live.up.stopping"))
    console.print(text("live.up.stopped"))


def teller(console: Console) -> Callable[[str, str], None]:
    """A function that prints each line of a service after the service's name in the service's colour."""
    width = max(map(len, SERVICES))

    def tell(name: str, line: str) -> None:
        colour = COLOURS.get(name, "default")  # An overlay may have pods of its own.
        console.print(f"[{colour}]{name:<{width}}[/] │ {escape(harmless(line))}", soft_wrap=True)

    return tell
