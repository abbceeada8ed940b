"""`brakepoint board`: the live page of a room."""

from typing import Annotated

import typer

from brakepoint import extras
from brakepoint.cli.room import DEFAULT_FILE, Attendees, RoomFile, open_room
from brakepoint.services import address
from brakepoint.systems import stop_event
from brakepoint.texts import text
from brakepoint.web import new_token, page_url

DEFAULT_PAGE = "127.0.0.1:8001"


def board_command(
    file: RoomFile = DEFAULT_FILE,
    attendees: Attendees = None,
    page: Annotated[str, typer.Option("--page", metavar="HOST:PORT", help="cli.board.page")] = DEFAULT_PAGE,
) -> None:
    """Serves the page until Ctrl-C or SIGTERM.

    Raises:
        UserError: The room's file or the address is invalid, or a package is missing.
    """
    room = open_room(file, attendees)
    extras.require("live")
    from brakepoint.board.server import make_app
    from brakepoint.board.watcher import Watcher
    from brakepoint.room.stores import open_store
    from brakepoint.web.server import served

    host, port = address(page)
    token = new_token(host)
    watcher = Watcher(room, open_store(room), reread=lambda: open_room(file, attendees))
    stopping = stop_event()
    with served(make_app(watcher, token), host, port):
        typer.echo(text("cli.board.ready", url=page_url(page, token)))
        watcher.watch(stopping)
