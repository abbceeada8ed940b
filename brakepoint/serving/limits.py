"""Limits the size of requests to the endpoint."""

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from brakepoint.texts import text

BODY_MOST_BYTES = 64 * 2**20
"""Enough for the 800×608 input, which takes 5.8 MB as a tensor, and about 32 MB as JSON numbers."""


class BodyLimit:
    """Refuses large requests, and discards their bodies.

    Args:
        app: The wrapped application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, or refuses it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        told = dict(scope["headers"]).get(b"content-length", b"0")
        came = int(told) if told.isdigit() and int(told) > BODY_MOST_BYTES else 0

        async def counted() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            return {"type": "http.disconnect"} if came > BODY_MOST_BYTES else message

        async def guarded(message: Message) -> None:
            if came <= BODY_MOST_BYTES:
                await send(message)

        try:
            if came <= BODY_MOST_BYTES:
                await self._app(scope, counted, guarded)
        except Exception:
            if came <= BODY_MOST_BYTES:
                raise
        if came > BODY_MOST_BYTES:
            await _refuse(scope, receive, send)


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive()).get("more_body"):
        pass  # Most clients read the answer only after they have sent everything.
    answer = JSONResponse(
        {"error": text("serving.bad.too_large", most=BODY_MOST_BYTES // 2**20)}, 413, {"connection": "close"}
    )
    await answer(scope, receive, send)
