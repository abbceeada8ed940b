"""The page's server: the page, its texts, the picture, the news as Server-Sent Events, and the buttons."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from importlib import resources
from typing import Annotated

from fastapi import FastAPI, Header, HTTPException, Response
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from starlette.middleware.trustedhost import TrustedHostMiddleware

from brakepoint.errors import UserError
from brakepoint.messages import Wish
from brakepoint.monitor.onlooker import Onlooker
from brakepoint.rules import CONTROL_RATE_HZ, FULL_SPEED_CM_S, LOW_SPEED_CM_S
from brakepoint.texts import LANGUAGES, catalogue

NEWS_HZ = CONTROL_RATE_HZ
TEXTS = (
    "monitor.",
    "live.fault.",
    "live.health.",
    "order.",
    "reason.",
    "light.",
    "page.kind.",
    "score.ending.",
    "score.penalty.",
)
"""Beginnings of the keys of the texts that the page needs."""
LOCAL_HOSTS = ["127.0.0.1", "localhost", "[::1]"]
NO_STORE = {"Cache-Control": "no-store"}


def make_app(onlooker: Onlooker, token: str = "") -> FastAPI:
    """Makes the server.

    Args:
        onlooker: What it shows, and passes people's wishes to.
        token: Whoever presses a button must know it; empty when only this machine can reach the page.
    """
    app = FastAPI(title="Brakepoint", docs_url=None, redoc_url=None, openapi_url=None)
    if not token:  # A page from elsewhere, under a name of its own for this address, has no business here.
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=LOCAL_HOSTS)

    @app.get("/news")
    async def news() -> StreamingResponse:
        return StreamingResponse(_news(onlooker), media_type="text/event-stream", headers=NO_STORE)

    @app.get("/picture.jpg")
    def picture() -> Response:
        newest = onlooker.picture
        if newest is None:
            return Response(status_code=204)
        return Response(newest.jpeg, media_type="image/jpeg", headers=NO_STORE)

    @app.post("/control", status_code=202)
    def control(wish: Wish, x_brakepoint_token: Annotated[str, Header()]) -> Response:
        # The header, even empty, is what a form on another site cannot send.
        if not secrets.compare_digest(x_brakepoint_token.encode(), token.encode()) and token:
            raise HTTPException(403)
        try:
            onlooker.ask(wish)
        except UserError as error:
            raise HTTPException(422, str(error)) from None
        return Response(status_code=202)

    @app.get("/texts.json")
    def texts() -> JSONResponse:
        chosen = {key: entry for key, entry in catalogue().items() if key.startswith(TEXTS)}
        speeds = {"full_speed": FULL_SPEED_CM_S, "low_speed": LOW_SPEED_CM_S}
        words = {lang: {key: entry[lang] for key, entry in chosen.items()} for lang in LANGUAGES}
        return JSONResponse({"texts": words, "speeds": speeds, "asks_token": bool(token)})

    @app.get("/look.css")
    def look() -> FileResponse:
        return FileResponse(str(resources.files("brakepoint.mission.page") / "style.css"))

    static = str(resources.files("brakepoint.monitor") / "static")
    app.mount("/", StaticFiles(directory=static, html=True))
    return app


async def _news(onlooker: Onlooker) -> AsyncIterator[str]:
    """All that is to be told, from the beginning for everybody who comes: a reload loses nothing."""
    told = -1
    while True:
        if told != onlooker.version:
            told = onlooker.version
            yield _event("story", onlooker.story())
        yield _event("now", onlooker.now())
        await asyncio.sleep(1 / NEWS_HZ)


def _event(name: str, data: object) -> str:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
