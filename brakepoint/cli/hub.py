"""`brakepoint hub`: what one does with the real train apart from driving it."""

import asyncio
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from brakepoint.adapters import REAL_HUB, hub_tool, open_hub
from brakepoint.cli.usage import CommandLine
from brakepoint.messages import Light, Order, OrderKind, Reason
from brakepoint.ports import Hub
from brakepoint.rules import CONTROL_RATE_HZ
from brakepoint.systems import require_posix
from brakepoint.texts import text

hub_app = CommandLine(help="cli.hub.help", no_args_is_help=True)
TRY_S = 2.0
"""How long the motor turns in a trial."""


@hub_app.command("find", help="cli.hub.find.help")
def find_command() -> None:
    """Lists the hubs in reach; exit status 1 if there is none."""
    hubs = hub_tool(REAL_HUB, "find_hubs")()
    for uri, kind in hubs:
        typer.echo(f"{uri}  {kind}")
    if not hubs:
        typer.echo(text("cli.hub.find.none"))
        raise typer.Exit(1)


@hub_app.command("try", help="cli.hub.try.help")
def try_command(
    hub: Annotated[str, typer.Option("--hub", metavar="URI", help="cli.hub.option.hub")] = REAL_HUB,
) -> None:
    """Connects, drives at low speed with a blinking light, and brakes."""
    typer.echo(text("cli.hub.try.searching", hub=hub))
    train = open_hub(hub)
    try:
        typer.echo(text("cli.hub.try.moves", seconds=TRY_S))
        began_at = time.monotonic()
        _hold(train, OrderKind.LOW_SPEED, Light.BLINK, began_at, TRY_S)
        _hold(train, OrderKind.BRAKE, Light.ON, began_at, 2 * TRY_S)
    finally:
        train.close()
    typer.echo(text("cli.hub.try.done"))


def _hold(train: Hub, kind: OrderKind, light: Light, began_at: float, until_s: float) -> None:
    """Gives one order again and again, at the control rate, as an autopilot would."""
    while (now := time.monotonic() - began_at) < until_s:
        train.apply(Order(kind=kind, reason=Reason.BY_HAND, light=light, at=now))
        train.state(now)
        time.sleep(1 / CONTROL_RATE_HZ)


@hub_app.command("guard", help="cli.hub.guard.help")
def guard_command(
    heartbeat: Annotated[
        str, typer.Option("--heartbeat", metavar="FILE", help="cli.hub.option.heartbeat")
    ] = "",
) -> None:
    """Watches until SIGTERM or Ctrl-C."""
    require_posix("brakepoint hub guard")
    guard = hub_tool(REAL_HUB, "guard")

    async def run() -> None:
        stopping, loop = asyncio.Event(), asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopping.set)
        loop.add_signal_handler(signal.SIGHUP, int)  # A guard outlives its terminal.
        await guard(Path(heartbeat) if heartbeat else None, stopping, _tell)

    asyncio.run(run())


def _tell(key: str, **values: object) -> None:
    with suppress(OSError):  # Nobody listens any more, which is no reason not to guard.
        typer.echo(text(f"hub.guard.{key}", None, **values))
