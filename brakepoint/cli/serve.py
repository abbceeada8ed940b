"""`brakepoint serve`: serves the model with the Open Inference Protocol."""

import os
import signal
import threading
from functools import partial
from typing import Annotated

import typer

from brakepoint import extras
from brakepoint.detector import SHIPPED_MODEL
from brakepoint.sockets import PORT_MAX
from brakepoint.steps import load_step
from brakepoint.systems import on_end_of_parent
from brakepoint.texts import text
from brakepoint.workers import uninterrupted

FOLLOWER_ENDS_WITHIN_S = 2.0
"""How long the exit waits for the follower, which itself may be waiting for a store that does not answer."""
HOST, REST_PORT, GRPC_PORT = "127.0.0.1", 8080, 8081


def serve_command(
    model: Annotated[
        str, typer.Argument(metavar="MODEL.onnx|s3://", show_default=False, help="cli.serve.model")
    ] = str(SHIPPED_MODEL),
    host: Annotated[str, typer.Option("--host", help="cli.serve.host")] = HOST,
    rest_port: Annotated[
        int, typer.Option("--rest-port", min=1, max=PORT_MAX, help="cli.serve.rest_port")
    ] = REST_PORT,
    grpc_port: Annotated[
        int, typer.Option("--grpc-port", min=1, max=PORT_MAX, help="cli.serve.grpc_port")
    ] = GRPC_PORT,
    steps: Annotated[
        str | None, typer.Option("--steps", metavar="solutions|labs", help="cli.serve.steps")
    ] = None,
) -> None:
    """Serves until Ctrl-C.

    Raises:
        UserError: The model, the store, a port or the extra `serving` is unavailable.
    """
    from brakepoint.serving.pictures import PIXELS_MOST, PIXELS_VARIABLE
    from brakepoint.serving.source import follow, open_source

    extras.require("serving")
    on_end_of_parent(partial(os.kill, os.getpid(), signal.SIGTERM))
    os.environ.setdefault(PIXELS_VARIABLE, str(PIXELS_MOST))
    with uninterrupted():  # Ctrl-C during imports may be lost in one of the libraries.
        from brakepoint.serving.engine import Worker
        from brakepoint.serving.server import run

    step = load_step("step5_serving", steps)
    with open_source(model) as source:
        chosen = source("")
        assert chosen is not None
        engine = step.Engine(chosen.path, chosen.version)
        stopping = threading.Event()
        follower = threading.Thread(
            target=follow, args=(source, chosen.version, engine.switch, _tell, stopping), daemon=True
        )
        follower.start()
        named = f"[{host}]" if ":" in host else host  # As in any address with a port.
        address = {"version": chosen.version, "rest": f"{named}:{rest_port}", "grpc": f"{named}:{grpc_port}"}
        ready = partial(typer.echo, text("serving.ready", None, **address))
        try:
            run(step.models(engine, Worker()), host, rest_port, grpc_port, ready)
        finally:
            stopping.set()
            follower.join(FOLLOWER_ENDS_WITHIN_S)


def _tell(what: str, about: object) -> None:
    typer.echo(text(what, None, about=about), err=what == "serving.trouble")
