"""The board's server: shows the state of the room."""

import re
from typing import Annotated

from fastapi import APIRouter, FastAPI, Header
from fastapi.responses import JSONResponse

from brakepoint.board.watcher import Watcher
from brakepoint.course import course
from brakepoint.web.server import NO_STORE, check_token, make_page

TEXTS = re.compile(r"board\..*|(?:course|lab)\..*\.title")
"""Keys of the texts that the page needs."""


def make_app(watcher: Watcher, token: str = "") -> FastAPI:
    """Creates the server.

    Args:
        watcher: Provides the state of the room.
        token: Required to see the room; empty when only this machine can reach the page.
    """
    router = APIRouter()

    @router.get("/room.json")
    def room(x_brakepoint_token: Annotated[str, Header()] = "") -> JSONResponse:
        check_token(x_brakepoint_token, token)
        track = watcher.room.track
        steps = [
            {"name": step.name, "number": step.number, "exercises": len(step.exercises_of(track))}
            for step in course()
        ]
        seats = [seat.model_dump(mode="json") for seat in watcher.seats]
        said = {"room": watcher.room.name, "steps": steps, "seats": seats, "trouble": watcher.trouble}
        return JSONResponse(said, headers=NO_STORE)

    return make_page("brakepoint.board", router, lambda key: bool(TEXTS.fullmatch(key)), token, {})
