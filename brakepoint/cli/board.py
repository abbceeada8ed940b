"""`brakepoint board`: the live page of a room."""

import secrets
import signal
import threading
from typing import Annotated

import typer

from brakepoint import extras
from brakepoint.cli.room import DEFAULT_FILE, Attendees, RoomFile, open_room
from brakepoint.cli.up import LOCAL_HOSTS, TOKEN_BYTES
from brakepoint.services import address
from brakepoint.texts import text

DEFAULT_PAGE = "127.0.0.1:8001"
CLOSE_WITHIN_S = 1


def board_command(
    file: RoomFile = DEFAULT_FILE,
    attendees: Attendees = None,
    page: Annotated[
        str, typer.Option("--page", metavar="HOST:PORT", help=text("cli.board.page"))
    ] = DEFAULT_PAGE,
) -> None:
    """Serves the page until Ctrl-C or SIGTERM.

    Raises:
        UserError: The room's file, the address or a package is not as it should be.
    """
    room = open_room(file, attendees)
    extras.require("live")
    import uvicorn

    from brakepoint.board.server import make_app
    from brakepoint.board.watcher import Watcher
    from brakepoint.room.stores import open_store

    host, port = address(page)
    token = "" if host in LOCAL_HOSTS else secrets.token_urlsafe(TOKEN_BYTES)
    watcher = Watcher(room, open_store(room))
    config = uvicorn.Config(
        make_app(watcher, token),
        host=host,
        port=port,
        log_level="error",
        timeout_graceful_shutdown=CLOSE_WITHIN_S,
    )
    server, stopping = uvicorn.Server(config), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    serving = threading.Thread(target=server.run, daemon=True)
    serving.start()
    typer.echo(text("cli.board.ready", url=f"http://{page}/" + (f"#token={token}" if token else "")))
    watcher.watch(stopping)
    server.should_exit = True
    serving.join(2 * CLOSE_WITHIN_S)
