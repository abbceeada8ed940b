"""`brakepoint hub`: commands for the real train other than driving."""

import asyncio
import json
import math
import queue
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol, TypeVar, cast

import typer
from rich.console import Console
from rich.table import Table

from brakepoint.adapters import REAL_HUB, hub_tool, open_camera, open_hub
from brakepoint.cli.camera import Model, Out, ask, ask_cm, chosen_path, keep, known_train, load_detector
from brakepoint.cli.usage import CommandLine
from brakepoint.detector import SHIPPED_MODEL
from brakepoint.errors import UserError
from brakepoint.files import write_whole
from brakepoint.messages import Light, Order, OrderKind, Reason, TrainState
from brakepoint.ports import Camera, Hub
from brakepoint.rules import CONTROL_RATE_HZ, FULL_SPEED_CM_S
from brakepoint.systems import require_posix
from brakepoint.texts import text
from brakepoint.train_file import choosing

if TYPE_CHECKING:
    from brakepoint.calibration.drive import DriveFit, Leg, Seen
    from brakepoint.calibration.legs import TunableHub
    from brakepoint.mission.loop import FrameDetector
    from brakepoint.train_file import Eye

hub_app = CommandLine(help="cli.hub.help", no_args_is_help=True)
TRY_S = 2.0
"""How long the motor runs in a trial."""
LINK_LOSS_FILE = Path("runs/link-loss.json")
"""The owner's observations: whether the motor kept turning with the link closed, and with the link silent."""
FINGER_CM, TAPE_CM = 4.0, 0.5
"""Accuracy of a key that a person presses as the train passes a mark, and of a measured stopping place."""
ROLLED_CM = (0, 150)
"""Smallest and greatest distance that a train may cover while it brakes."""
BAR_WIDTH = 40
Answer = TypeVar("Answer")


@hub_app.command("find", help="cli.hub.find.help")
def find_command() -> None:
    """Lists the hubs in range; exit status 1 if there is none."""
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
    """Lets the owner test what the hub does when its link is closed or silent, and saves the answers."""
    left_turning = hub_tool(hub, "left_turning")
    typer.confirm(text("cli.hub.link_loss.on_blocks"), abort=True)
    address, answers = hub.partition(":")[2].partition("?")[0], {}
    for way in ("hung_up", "out_of_reach"):
        typer.echo(text(f"cli.hub.link_loss.{way}"))
        with left_turning(address, way == "hung_up") as address:
            try:
                answers[way] = typer.confirm(text(f"cli.hub.link_loss.{way}_question"))
            finally:
                typer.echo(text("cli.hub.link_loss.braking"))
    LINK_LOSS_FILE.parent.mkdir(parents=True, exist_ok=True)
    tried = {"hub": address, "tried": date.today().isoformat(), "turns_on": answers}
    write_whole(LINK_LOSS_FILE, json.dumps(tried, indent=1).encode())
    said = "runs_on" if any(answers.values()) else "stops"
    typer.echo(text(f"cli.hub.link_loss.{said}", path=LINK_LOSS_FILE))


def _hold(train: Hub, kind: OrderKind, light: Light, began_at: float, until_s: float) -> None:
    """Repeats one order at the control rate, as an autopilot would."""
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
    """Watches the driver's heartbeat until SIGTERM or Ctrl-C."""
    require_posix("brakepoint hub guard")
    guard = hub_tool(REAL_HUB, "guard")

    async def run() -> None:
        stopping, loop = asyncio.Event(), asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopping.set)
        loop.add_signal_handler(signal.SIGHUP, int)  # A guard survives its terminal.
        await guard(Path(heartbeat) if heartbeat else None, stopping, _tell)

    asyncio.run(run())


def _tell(key: str, **values: object) -> None:
    with suppress(OSError):  # Nobody reads the output any more, but the guard must continue.
        typer.echo(text(f"hub.guard.{key}", None, **values))


@hub_app.command("calibrate", help="cli.hub.calibrate.help")
def calibrate_command(
    hub: Annotated[str, typer.Option("--hub", metavar="URI", help="cli.hub.option.hub")] = REAL_HUB,
    camera: Annotated[str, typer.Option("--camera", metavar="URI", help="cli.hub.calibrate.camera")] = "",
    apart: Annotated[
        float, typer.Option("--apart", metavar="CM", min=20, max=1000, help="cli.hub.calibrate.apart")
    ] = 60.0,
    detector: Model = str(SHIPPED_MODEL),
    out: Out = None,
) -> None:
    """Drives between two marks at several powers, computes and shows figures, and writes the train's file."""
    from brakepoint.calibration.drive import POWERS, fit_drive, speed_of
    from brakepoint.calibration.legs import START_CM, start_cm

    path = chosen_path(out)
    train = known_train(path)
    if camera and train.camera is None:
        raise UserError("calibrate.camera_first", path=path)
    reckoning = hub_tool(hub, "Reckoning")
    typer.echo(text("cli.hub.try.searching", hub=hub))
    with ExitStack() as stack:
        with choosing(None):
            driven = cast("TunableHub", stack.enter_context(closing(open_hub(hub))))
        watch: Watch = _Stopwatch()
        if camera and train.camera:
            with choosing(path):
                opened = stack.enter_context(closing(open_camera(camera)))
            watch = _CameraWatch(opened, load_detector(detector), train.camera)
        start = start_cm(train.camera) if train.camera else START_CM
        typer.echo(text(f"calibrate.run.{watch.name}", apart=apart, start=start))
        legs = []
        for power in POWERS:
            _asked(driven, partial(ask, text("calibrate.run.ready", power=power)))
            legs.append(watch.drive(driven, power, apart))
            speed = speed_of(legs[-1], apart)
            typer.echo(text("calibrate.run.drove", power=power, speed=speed))
            if speed >= FULL_SPEED_CM_S:
                break
    sight_cm = train.camera.sight_cm if train.camera else math.inf
    fit = fit_drive(legs, apart, reckoning, sight_cm=sight_cm)
    Console(highlight=False).print(_plot(fit))
    eye = train.camera
    if eye is not None and camera:
        eye = eye.model_copy(update={"latency_s": fit.latency_s})
    keep(train.model_copy(update={"drive": fit.drive, "camera": eye}), path)


def _tick() -> float:
    """Waits one step of the control loop, and returns the time."""
    time.sleep(1 / CONTROL_RATE_HZ)
    return time.monotonic()


def _asked(hub: Hub, question: Callable[[], Answer]) -> Answer:
    """Asks a person, sending brake orders meanwhile, since a silent driver is considered dead."""
    answer: Future[Answer] = Future()

    def wait() -> None:
        try:
            answer.set_result(question())
        except BaseException as error:
            answer.set_exception(error)

    threading.Thread(target=wait, name="question", daemon=True).start()
    while not answer.done():
        now = _tick()
        hub.apply(Order(kind=OrderKind.BRAKE, reason=Reason.BY_HAND, light=Light.ON, at=now))
        hub.state(now)
    return answer.result()


class Watch(Protocol):
    """Records when the train passes the marks in one run.

    Attributes:
        name: Name of the text `calibrate.run.{name}`, which explains what a person must do.
    """

    name: str

    def drive(self, hub: "TunableHub", power: int, apart: float) -> "Leg":
        """Drives once between marks that are this many centimetres apart."""


class _CameraWatch:
    """The camera sees two plates."""

    name = "plates"

    def __init__(self, camera: Camera, detector: "FrameDetector", eye: "Eye") -> None:
        self._camera, self._detector, self._eye = camera, detector, eye

    def drive(self, hub: "TunableHub", power: int, apart: float) -> "Leg":
        from brakepoint.calibration.legs import Course, brake_ahead_cm, drive_leg, marks_in

        def look(state: TrainState) -> "list[Seen]":
            frame = self._camera.read(state)
            return marks_in(self._detector.detect(frame), self._eye) if frame is not None else []

        return drive_leg(hub, power, look, _tick, Course(apart, brake_ahead_cm(self._eye)))


class _Stopwatch:
    """A person presses Enter as the train passes each of two marks, and measures where the train stopped."""

    name = "stopwatch"

    def drive(self, hub: "TunableHub", power: int, apart: float) -> "Leg":
        from brakepoint.calibration.drive import Seen
        from brakepoint.calibration.legs import RESTS_S, Course, drive_leg

        # A queue for each run: keys that were pressed only after the last run are not passings of this one.
        presses: queue.SimpleQueue[bool] = queue.SimpleQueue()
        listener = threading.Thread(target=_listen, args=(presses,), name="presses", daemon=True)
        listener.start()
        marks = iter((0, 1))

        def look(state: TrainState) -> list[Seen]:
            with suppress(queue.Empty):
                if not presses.get_nowait():
                    raise typer.Abort  # Nobody can press a key any more, so the train must stop.
                return [Seen(state.at, next(marks), 0.0, FINGER_CM)]
            return []

        leg = drive_leg(hub, power, look, _tick, Course(apart, 0.0, is_watched=False))
        _asked(hub, listener.join)
        rolled_cm = _asked(hub, lambda: ask_cm(text("calibrate.run.rolled"), *ROLLED_CM)) or 0.0
        rest = Seen(leg.braked_at + RESTS_S, 1, -rolled_cm, TAPE_CM, is_late=False)
        return replace(leg, seen=(*leg.seen, rest))


def _listen(presses: "queue.SimpleQueue[bool]") -> None:
    """Puts True into the queue for each of two presses of Enter, and False if the input has ended."""
    with suppress(EOFError):
        for _ in (0, 1):
            input()
            presses.put(True)
        return
    presses.put(False)


def _plot(fit: "DriveFit") -> Table:
    """Draws the measured speeds as bars, and the results with their errors."""
    table = Table(box=None, pad_edge=False, show_header=False)
    widest = max(speed for _, speed in fit.legs)
    for power, speed in fit.legs:
        bar = "█" * max(round(BAR_WIDTH * speed / widest), 1)
        table.add_row(f"{power} %", f"{bar} {speed:.1f} {text('unit.cm_s')}")
    for name, error in fit.errors.items():
        value = text(f"calibrate.figure.{name}", None, value=getattr(fit.drive, name), error=error)
        table.add_row(text(f"calibrate.name.{name}"), value)
    full = text("calibrate.figure.full_speed_cm_s", None, value=fit.drive.full_speed_cm_s)
    table.add_row(text("calibrate.name.full_speed_cm_s"), full)
    return table
