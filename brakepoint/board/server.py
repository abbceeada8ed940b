"""The board's server: the page, its texts, and how the room is."""

import secrets
from importlib import resources
from typing import Annotated

from fastapi import FastAPI, Header, HTTPException
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.middleware.trustedhost import TrustedHostMiddleware

from brakepoint.board.watcher import Watcher
from brakepoint.course import course
from brakepoint.monitor.server import LOCAL_HOSTS, NO_STORE
from brakepoint.texts import LANGUAGES, catalogue

TEXTS = ("board.",)
TITLES = (("course.", ".title"), ("lab.", ".title"))
"""Beginnings and ends of the keys of further texts that the page needs."""


def make_app(watcher: Watcher, token: str = "") -> FastAPI:
    """Makes the server.

    Args:
        watcher: Knows how the room is.
        token: Whoever wants to see the room must know it; empty when only this machine can reach the page.
    """
    app = FastAPI(title="Brakepoint", docs_url=None, redoc_url=None, openapi_url=None)
    if not token:  # A page from elsewhere, under a name of its own for this address, has no business here.
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=LOCAL_HOSTS)

    @app.get("/room.json")
    def room(x_brakepoint_token: Annotated[str, Header()] = "") -> JSONResponse:
        if token and not secrets.compare_digest(x_brakepoint_token.encode(), token.encode()):
            raise HTTPException(403)
        steps = [
            {"name": step.name, "number": step.number, "exercises": len(step.exercises)} for step in course()
        ]
        seats = [seat.model_dump(mode="json") for seat in watcher.seats]
        said = {"room": watcher.room.name, "steps": steps, "seats": seats, "trouble": watcher.trouble}
        return JSONResponse(said, headers=NO_STORE)

    @app.get("/texts.json")
    def texts() -> JSONResponse:
        chosen = {
            key: entry
            for key, entry in catalogue().items()
            if key.startswith(TEXTS) or any(key.startswith(a) and key.endswith(z) for a, z in TITLES)
        }
        words = {lang: {key: entry[lang] for key, entry in chosen.items()} for lang in LANGUAGES}
        return JSONResponse({"texts": words, "asks_token": bool(token)})

    @app.get("/look.css")
    def look() -> FileResponse:
        return FileResponse(str(resources.files("brakepoint.mission.page") / "style.css"))

    static = str(resources.files("brakepoint.board") / "static")
    app.mount("/", StaticFiles(directory=static, html=True))
    return app
