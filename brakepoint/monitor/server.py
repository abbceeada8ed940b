"""The page's server: the picture, the news as Server-Sent Events, and the buttons."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, FastAPI, Header, Response
from fastapi.responses import StreamingResponse

from brakepoint.look import INK, PAPER, SIGN_LOOKS
from brakepoint.messages import SignClass, Wish
from brakepoint.monitor.onlooker import Onlooker
from brakepoint.rules import CONTROL_RATE_HZ, FULL_SPEED_CM_S, LOW_SPEED_CM_S
from brakepoint.web.server import NO_STORE, check_token, make_page

NEWS_HZ = CONTROL_RATE_HZ
TEXTS = (
    "monitor.",
    "live.fault.",
    "live.health.",
    "order.",
    "reason.",
    "light.",
    "sign.",
    "score.ending.",
    "score.penalty.",
)
"""Prefixes of the keys of the texts that the page needs."""
LOOKS = {
    sign_class: {
        "colour": SIGN_LOOKS[sign_class].colour,
        "words": INK if SIGN_LOOKS[sign_class].is_bright else PAPER,
        "paths": SIGN_LOOKS[sign_class].paths,
    }
    for sign_class in SignClass
}
"""How the page draws the signs."""
SPEEDS = {"full_speed": FULL_SPEED_CM_S, "low_speed": LOW_SPEED_CM_S}


def make_app(onlooker: Onlooker, token: str = "") -> FastAPI:
    """Creates the server.

    Args:
        onlooker: Source of what the page shows, and recipient of people's requests.
        token: Required to press a button; empty when only this machine can reach the page.
    """
    router = APIRouter()

    @router.get("/news")
    async def news() -> StreamingResponse:
        return StreamingResponse(_news(onlooker), media_type="text/event-stream", headers=NO_STORE)

    @router.get("/picture.jpg")
    def picture() -> Response:
        newest = onlooker.picture
        if newest is None:
            return Response(status_code=204)
        return Response(newest.jpeg, media_type="image/jpeg", headers=NO_STORE)

    @router.post("/control", status_code=202)
    def control(wish: Wish, x_brakepoint_token: Annotated[str, Header()]) -> Response:
        # A form on another site cannot send this header, even an empty one.
        check_token(x_brakepoint_token, token)
        onlooker.ask(wish)
        return Response(status_code=202)

    facts = {"speeds": SPEEDS, "looks": LOOKS}
    return make_page("brakepoint.monitor", router, lambda key: key.startswith(TEXTS), token, facts)


async def _news(onlooker: Onlooker) -> AsyncIterator[str]:
    """All news, from the beginning for every new client: a reload loses nothing."""
    told = -1
    while True:
        if told != onlooker.version:
            told = onlooker.version
            yield _event("story", onlooker.story())
        yield _event("now", onlooker.now())
        await asyncio.sleep(1 / NEWS_HZ)


def _event(name: str, data: object) -> str:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
