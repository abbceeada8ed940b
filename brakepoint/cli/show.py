"""`brakepoint show`: a page on which a person shows signs to a model, and labels the model's mistakes."""

import os
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from brakepoint import extras
from brakepoint.detector import SHIPPED_MODEL
from brakepoint.services import address
from brakepoint.systems import stop_event
from brakepoint.texts import text
from brakepoint.web import new_token, page_url

DEFAULT_PAGE = "127.0.0.1:8002"
DEFAULT_ALBUM = Path("my-signs")
CONFIDENCE = 0.25
SAMPLES = 24
"""Number of pictures from the kit's dataset that the page offers."""


def show_command(
    model: Annotated[
        str, typer.Option("--detector", metavar="MODEL.onnx", show_default=False, help="cli.show.model")
    ] = str(SHIPPED_MODEL),
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="cli.show.out")] = DEFAULT_ALBUM,
    page: Annotated[str, typer.Option("--page", metavar="HOST:PORT", help="cli.show.page")] = DEFAULT_PAGE,
) -> None:
    """Serves the page until Ctrl-C or SIGTERM.

    Raises:
        UserError: The model, the folder or the address is invalid, or a package is missing.
    """
    extras.require("live")
    from brakepoint.serving.pictures import PIXELS_MOST, PIXELS_VARIABLE

    os.environ.setdefault(PIXELS_VARIABLE, str(PIXELS_MOST))
    from brakepoint.detector import Detector
    from brakepoint.labels.pictures import pictures_in
    from brakepoint.show.album import Album
    from brakepoint.show.server import make_app
    from brakepoint.store import CONTENT_DIR
    from brakepoint.web.server import served

    host, port = address(page)
    token = new_token(host)
    detector = Detector(model, CONFIDENCE)
    album = Album(out)
    samples = pictures_in(CONTENT_DIR / "stills" / "images")
    every = max(1, len(samples) // SAMPLES)
    app = make_app(detector, album, samples[::every], token, model=Path(model).name, commands=lesson(out))
    stopping = stop_event()
    with served(app, host, port):
        typer.echo(text("cli.show.ready", url=page_url(page, token)))
        stopping.wait()
    typer.echo(text("cli.show.kept", pictures=len(album.names), folder=out))


def lesson(album: Path) -> list[str]:
    """The commands that train a model on an album, and show the result."""
    return [
        f"brakepoint dataset --from {quote(str(album))} --out runs/shown",
        "brakepoint train --data runs/shown/train --val runs/shown/val --out runs/taught --epochs 20",
        "brakepoint show --detector runs/taught/model.onnx",
    ]
