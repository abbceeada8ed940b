"""`brakepoint camera`: commands for the real camera."""

import os
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from brakepoint.adapters import open_camera
from brakepoint.cli.usage import CommandLine
from brakepoint.detector import SHIPPED_MODEL
from brakepoint.errors import UserError, system_says
from brakepoint.messages import Frame, Light, TrainState
from brakepoint.ports import Camera
from brakepoint.texts import text
from brakepoint.train_file import DEFAULT_PATH, RECORDED, VARIABLE, Eye, TrainFile, choosing, load_train

camera_app = CommandLine(help="cli.camera.help", no_args_is_help=True)
PICTURES = 30
"""Number of pictures taken at each position of the plate."""
PATIENCE_S = 10.0
"""How long taking these pictures may take."""
AHEAD_CM, LOWEST_CM = (5, 300), (0, 100)
"""Smallest and greatest distance of the plate, and height of the chessboard's lowest inner corners."""
FRAME_PX = RECORDED.width_px, RECORDED.height_px

Out = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="cli.camera.option.out")]
Model = Annotated[str, typer.Option("--detector", metavar="MODEL.onnx", help="cli.camera.option.detector")]


@camera_app.command("calibrate", help="cli.camera.calibrate.help")
def calibrate_command(
    camera: Annotated[str, typer.Option("--camera", metavar="URI", help="cli.camera.option.camera")],
    beside: Annotated[
        float, typer.Option("--beside", metavar="CM", min=-30, max=30, help="cli.camera.option.beside")
    ] = 7.0,
    chessboard: Annotated[
        str, typer.Option("--chessboard", metavar="9x6", help="cli.camera.option.chessboard")
    ] = "",
    square: Annotated[
        float, typer.Option("--square", metavar="CM", min=0.1, max=20, help="cli.camera.option.square")
    ] = 2.0,
    detector: Model = str(SHIPPED_MODEL),
    out: Out = None,
) -> None:
    """Asks for positions of the plate, takes pictures, computes the parameters, and writes the file."""
    from brakepoint.calibration.camera import fit_eye

    if "focal=" in camera:
        raise UserError("calibrate.focal_given", camera=camera)
    path = chosen_path(out)
    train = known_train(path)
    with choosing(None):
        opened = open_camera(camera)
    with closing(opened):
        own_px: tuple[int, int] = getattr(opened, "size_px", FRAME_PX)
        if chessboard:
            fit = _by_chessboard(opened, chessboard, square, own_px)
        else:
            fit = fit_eye(_places(opened, detector, beside), FRAME_PX, own_px)
    latency_s = train.camera.latency_s if train.camera else 0.0
    eye = fit.eye.model_copy(update={"latency_s": latency_s})
    Console(highlight=False).print(_table(eye, fit.errors))
    keep(train.model_copy(update={"camera": eye}), path)


def chosen_path(out: Path | None) -> Path:
    """The path of the train's file: from the option, the setting, or `train.toml`.

    Its folder is created before anything is measured, since the measurements would be lost without it.
    """
    path = out or Path(os.environ.get(VARIABLE) or DEFAULT_PATH)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def known_train(path: Path) -> TrainFile:
    """The current contents of the train's file; the default train if there is none."""
    return load_train(path) if path.exists() else TrainFile()


def keep(train: TrainFile, path: Path) -> None:
    """Writes the train's file, and shows how to use the file; if writing fails, shows the contents.

    Raises:
        UserError: The file cannot be written.
    """
    title = text("calibrate.title", date=time.strftime("%Y-%m-%d"))
    try:
        train.write(path, title)
    except OSError as error:
        typer.echo(train.to_toml(title), nl=False)
        raise UserError("calibrate.unwritable", path=path, why=system_says(error)) from error
    typer.echo(text("calibrate.written", path=path, setting=f"{VARIABLE}={path}"))


def ask(question: str) -> str:
    """Asks a person, and returns the answer without surrounding spaces."""
    typer.echo(question, nl=False)
    try:
        return input(" ").strip()
    except EOFError:
        raise typer.Abort() from None


def ask_cm(question: str, least: float, most: float) -> float | None:
    """Asks for a distance in cm until one in this range is entered; None for an empty line."""
    while answer := ask(question):
        with suppress(ValueError):
            if least <= (number := float(answer.replace(",", "."))) <= most:
                return number
        typer.echo(text("calibrate.not_a_number", answer=answer, least=least, most=most))
    return None


def pictures(camera: Camera, count: int) -> Iterator[Frame]:
    """This many pictures from a standing train; fewer if not all of them arrive in time."""
    until = time.monotonic() + PATIENCE_S
    while count and time.monotonic() < until:
        state = TrainState(
            at=time.monotonic(), position_cm=0, speed_cm_s=0, power=0, braking=True, light=Light.OFF
        )
        frame = camera.read(state)
        if frame is not None:
            count -= 1
            yield frame


def load_detector(path: str):  # type: ignore[no-untyped-def]
    """The detector for plates in pictures."""
    from brakepoint.detector import Detector

    return Detector(path)


def _places(camera: Camera, model: str, beside: float) -> list:  # type: ignore[type-arg]
    """Asks for positions of the plate, and takes pictures at each."""
    from brakepoint.calibration.camera import placed

    detector = load_detector(model)
    typer.echo(text("calibrate.plate.how", beside=beside))
    placements = []  # type: ignore[var-annotated]
    while ahead := ask_cm(text("calibrate.plate.where", number=len(placements) + 1), *AHEAD_CM):
        seen = [item for frame in pictures(camera, PICTURES) for item in detector.detect(frame).items]
        try:
            placements.append(placed(seen, ahead, beside))
        except UserError as error:
            typer.echo(str(error))
            continue
        last = placements[-1]
        typer.echo(text("calibrate.plate.seen", times=len(seen), height=last.height_px))
    if len(placements) < 2:
        raise UserError("calibrate.few_places", places=len(placements))
    return placements


def _by_chessboard(camera: Camera, pattern: str, square: float, own_px: tuple[int, int]):  # type: ignore[no-untyped-def]
    """Asks for views of a chessboard, and computes the camera's parameters."""
    from brakepoint.calibration.chessboard import CORNERS_MAX, CORNERS_MIN, VIEWS_MIN, find_board, fit_board

    try:
        columns, rows = (int(number) for number in pattern.split("x"))
    except ValueError:
        columns = rows = 0
    if min(columns, rows) < CORNERS_MIN or max(columns, rows) > CORNERS_MAX:
        raise UserError("calibrate.pattern", pattern=pattern, least=CORNERS_MIN, most=CORNERS_MAX)
    typer.echo(text("calibrate.board.how", columns=columns, rows=rows, views=VIEWS_MIN - 1))
    boards = []  # type: ignore[var-annotated]
    lowest_cm = None
    while lowest_cm is None:
        lowest_cm = ask_cm(text("calibrate.board.where", number=len(boards) + 1), *LOWEST_CM)
        found = [find_board(frame.image, columns, rows) for frame in pictures(camera, 1)]
        if not found or found[0] is None:
            typer.echo(text("calibrate.board.unseen"))
            lowest_cm = None
            continue
        boards.append(found[0])
    return fit_board(boards, columns, square, lowest_cm, FRAME_PX, own_px)


def _table(eye: Eye, errors: dict[str, float]) -> Table:
    """The results with their errors."""
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, error in errors.items():
        value = text(f"calibrate.figure.{name}", None, value=getattr(eye, name), error=error)
        table.add_row(text(f"calibrate.name.{name}"), value)
    return table
