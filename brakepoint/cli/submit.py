"""`brakepoint submit`: submits the attendee's model and autopilot for scoring on the instructor's side."""

from pathlib import Path
from typing import Annotated

import typer

from brakepoint import extras
from brakepoint.cli.train import DEFAULT_OUT
from brakepoint.course import LABS_DIR
from brakepoint.errors import UserError
from brakepoint.room import in_a_room
from brakepoint.texts import text


def submit_command(
    model: Annotated[
        Path, typer.Option("--detector", metavar="MODEL.onnx", help="cli.submit.model")
    ] = DEFAULT_OUT / "model.onnx",
    autopilot: Annotated[
        Path,
        typer.Option("--autopilot", metavar="FILE.py", show_default=False, help="cli.submit.autopilot"),
    ] = LABS_DIR / "step6_autopilot.py",
) -> None:
    """Uploads model and autopilot to the attendee's bucket.

    Raises:
        UserError: This machine has not joined a room, a file is missing, or the store failed.
    """
    if not in_a_room():
        raise UserError("room.error.not_in_a_room")
    extras.require("workshop", "boto3")
    from brakepoint.room.sharing import submit

    submit(model, autopilot)
    typer.echo(text("cli.submit.done", model=model, autopilot=autopilot.name))
