"""`brakepoint hub`: what one does with the real train apart from driving it."""

import asyncio
import json
import signal
import time
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from brakepoint.adapters import REAL_HUB, hub_tool, open_hub
from brakepoint.cli.usage import CommandLine
from brakepoint.files import write_whole
from brakepoint.messages import Light, Order, OrderKind, Reason
from brakepoint.ports import Hub
from brakepoint.rules import CONTROL_RATE_HZ
from brakepoint.systems import require_posix
from brakepoint.texts import text

hub_app = CommandLine(help="cli.hub.help", no_args_is_help=True)
TRY_S = 2.0
"""How long the motor turns in a trial."""
LINK_LOSS_FILE = Path("runs/link-loss.json")
"""What the owner has found out: whether the motor turned on behind the end of a link, and in silence."""


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
    link_loss: Annotated[bool, typer.Option("--link-loss", help="cli.hub.option.link_loss")] = False,
) -> None:
    """Connects, drives at low speed with a blinking light, and brakes."""
    if link_loss:
        _try_link_loss(hub)
        return
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


def _try_link_loss(hub: str) -> None:
    """Lets the owner find out what the hub does when its link ends, in both ways, and writes the answers."""
    leave_turning, stop = hub_tool(hub, "leave_turning"), hub_tool(hub, "stop")
    typer.confirm(text("cli.hub.link_loss.on_blocks"), abort=True)
    address, answers = hub.partition(":")[2], {}
    for way in ("hung_up", "out_of_reach"):
        typer.echo(text(f"cli.hub.link_loss.{way}"))
        address = leave_turning(address, way == "hung_up")
        try:
            answers[way] = typer.confirm(text(f"cli.hub.link_loss.{way}_question"))
        finally:
            typer.echo(text("cli.hub.link_loss.braking"))
            stop(address)
    LINK_LOSS_FILE.parent.mkdir(parents=True, exist_ok=True)
    tried = {"hub": address, "tried": date.today().isoformat(), "turns_on": answers}
    write_whole(LINK_LOSS_FILE, json.dumps(tried, indent=1).encode())
    said = "runs_on" if any(answers.values()) else "stops"
    typer.echo(text(f"cli.hub.link_loss.{said}", path=LINK_LOSS_FILE))


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
