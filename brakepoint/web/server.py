"""The server of a live page: access control, the page itself, and its texts in every language."""

import secrets
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from importlib import resources

import uvicorn
from fastapi import APIRouter, FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from brakepoint.errors import UserError, system_says
from brakepoint.sockets import PORT_MAX
from brakepoint.texts import catalogue, chosen_language, languages, text
from brakepoint.web import LOCAL_HOSTS, STATIC

LOCAL_NAMES = [f"[{host}]" if ":" in host else host for host in LOCAL_HOSTS]
"""Host names for this machine in a local browser."""
NO_STORE = {"Cache-Control": "no-store"}
BODY_MAX_BYTES = 4096
"""Enough for the longest request, which takes a few hundred bytes."""
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
"""Headers of every answer that does not set them itself.

They prevent external content, embedding in frames, and the use of a script cached from an older kit.
"""
SHARED_TEXTS = ("language.name", "web.")
CLOSE_WITHIN_S = 1


class Guard:
    """Wraps a page: refuses a long body without reading it, and adds `HEADERS` to each answer.

    Args:
        app: The page.
        body_max_bytes: Maximum length of a body.
    """

    def __init__(self, app: ASGIApp, body_max_bytes: int = BODY_MAX_BYTES) -> None:
        self._app = app
        self._body_max_bytes = body_max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles a request, as an ASGI application."""

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        if scope["type"] == "http" and not self._is_short(Headers(scope=scope)):
            refusal = PlainTextResponse("", 413, {"Connection": "close"})
            await refusal(scope, receive, send_guarded)
        else:
            await self._app(scope, receive, send_guarded)

    def _is_short(self, headers: Headers) -> bool:
        """Whether a request declares a short body; a chunked body does not declare its length."""
        stated = headers.get("content-length", "0")
        is_number = stated.isdecimal() and len(stated) <= len(str(self._body_max_bytes))
        return "transfer-encoding" not in headers and is_number and int(stated) <= self._body_max_bytes


def check_token(given: str, token: str) -> None:
    """Accepts requests with the token, and all requests if there is none.

    Raises:
        HTTPException: The token is wrong.
    """
    if token and not secrets.compare_digest(given.encode(), token.encode()):
        raise HTTPException(403)


def make_page(
    package: str,
    router: APIRouter,
    needs_text: Callable[[str], bool],
    token: str,
    facts: Mapping[str, object],
    body_max_bytes: int = BODY_MAX_BYTES,
) -> FastAPI:
    """Creates the server of a page.

    Args:
        package: Package whose folder `static` contains the page.
        router: Further routes of the page.
        needs_text: Whether the page needs the text of a key.
        token: Required to use the page; empty when only this machine can reach the page.
        facts: Further constants for the page.
        body_max_bytes: Maximum length of a request's body.
    """
    app = FastAPI(title="Brakepoint", docs_url=None, redoc_url=None, openapi_url=None)
    if not token:  # Prevents DNS rebinding: a foreign page may use its own name for this address.
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=LOCAL_NAMES)
    app.add_middleware(Guard, body_max_bytes=body_max_bytes)  # Added last, so it runs first.
    app.include_router(router)
    app.add_exception_handler(RequestValidationError, _refuse)
    app.add_exception_handler(UserError, _explain)
    app.add_exception_handler(OSError, _explain)

    @app.get("/texts.json")
    def texts() -> JSONResponse:
        chosen = [key for key in catalogue() if key.startswith(SHARED_TEXTS) or needs_text(key)]
        words = {lang: {key: catalogue()[key][lang] for key in chosen} for lang in languages()}
        chosen_lang = chosen_language()
        return JSONResponse({"texts": words, "chosen_lang": chosen_lang, "asks_token": bool(token), **facts})

    app.mount("/web", StaticFiles(directory=str(STATIC)))
    app.mount("/", StaticFiles(directory=str(resources.files(package) / "static"), html=True))
    return app


def _refuse(_: Request, __: Exception) -> JSONResponse:
    """Refuses an invalid body without repeating it: no answer can contain a NaN or half a character."""
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    return JSONResponse({"detail": status.phrase}, status)


def _explain(_: Request, error: Exception) -> JSONResponse:
    """Answers with an error's message in every language, of which each page shows its own."""
    if isinstance(error, UserError):
        status, said = HTTPStatus.UNPROCESSABLE_ENTITY, {lang: error.for_others(lang) for lang in languages()}
    else:
        assert isinstance(error, OSError)
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        said = {lang: text("web.disk", lang, why=system_says(error, lang)) for lang in languages()}
    return JSONResponse({"detail": said}, status)


@contextmanager
def served(app: FastAPI, host: str, port: int) -> Iterator[None]:
    """Serves a page, in a thread, until the context ends.

    Raises:
        UserError: The address is in use, for instance by a second kit on this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host.strip("[]"), port), family=family)
    except OSError as error:
        why, other = system_says(error), f"{host}:{port % PORT_MAX + 1}"
        raise UserError("cli.error.page", page=f"{host}:{port}", why=why, other=other) from error
    config = uvicorn.Config(
        app, host=host, port=port, log_level="error", timeout_graceful_shutdown=CLOSE_WITHIN_S
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(2 * CLOSE_WITHIN_S)
        listener.close()
