"""The page's server: what the model sees in a picture, and the pictures that are kept.

A picture is received, examined and discarded. Only `POST /album` stores a picture, on this machine's disk.
"""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Protocol, TypeVar

import numpy as np
from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Base64Bytes, BaseModel, ConfigDict, Field

from brakepoint.look import SIGN_LOOKS
from brakepoint.messages import Detection, SignClass
from brakepoint.scenery.artwork import PLATES, svg
from brakepoint.show.album import SIGNS_MAX, Album, ShownSign, decoded
from brakepoint.web.server import NO_STORE, check_token, make_page

BODY_MAX_BYTES = 8_000_000
"""Enough for a JPEG of a few megapixels in base64."""
TO_PRINT = {kind: plate for kind, plate in PLATES.items() if not kind.startswith("road-")}
"""The sign plates of the toy's line, at their true size."""
TEXTS = ("show.", "sign.")
Answer = TypeVar("Answer")
Token = Annotated[str, Header(alias="X-Brakepoint-Token")]


class PictureDetector(Protocol):
    """Finds signs in a picture, as `brakepoint.detector.Detector` does."""

    def detect_image(self, image: np.ndarray, confidence: float | None = None) -> tuple[Detection, ...]:
        """Finds the signs in a picture, `(height, width, 3)` uint8, blue-green-red."""


class ShownPicture(BaseModel):
    """A picture to store, and its signs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    jpeg: Base64Bytes
    signs: Annotated[list[ShownSign], Field(max_length=SIGNS_MAX)]


async def _body(request: Request) -> bytes:
    return await request.body()


def make_app(
    detector: PictureDetector, album: Album, samples: list[Path], token: str = "", **facts: object
) -> FastAPI:
    """Creates the server.

    Args:
        detector: The model's detector, which examines one picture at a time.
        album: Stores the labelled pictures.
        samples: Pictures that come with the kit, for a person without a camera.
        token: Required to use the page; empty when only this machine can reach the page.
        facts: Further constants that the page shows.
    """
    router = APIRouter()
    one_at_a_time = threading.Lock()

    @router.post("/look")
    def look(body: Annotated[bytes, Depends(_body)], given: Token) -> JSONResponse:
        check_token(given, token)
        image = decoded(body)
        with one_at_a_time:
            began_at = time.perf_counter()
            found = detector.detect_image(image)
            took_ms = 1000 * (time.perf_counter() - began_at)
        return JSONResponse({"signs": [_sign(each, image) for each in found], "took_ms": took_ms})

    @router.get("/album.json")
    def kept(given: Token) -> JSONResponse:
        check_token(given, token)
        return JSONResponse({"names": album.names}, headers=NO_STORE)

    @router.post("/album", status_code=201)
    def keep(shown: ShownPicture, given: Token) -> JSONResponse:
        check_token(given, token)
        with one_at_a_time:
            name = album.add(shown.jpeg, shown.signs)
        return JSONResponse({"name": name}, status_code=201)

    @router.get("/album/{name}")
    def picture(name: str, given: Token) -> Response:
        check_token(given, token)
        return Response(_or_404(lambda: album.picture(name)), media_type="image/jpeg")

    @router.delete("/album/{name}", status_code=204)
    def forget(name: str, given: Token) -> Response:
        check_token(given, token)
        with one_at_a_time:
            _or_404(lambda: album.remove(name))
        return Response(status_code=204)

    @router.get("/samples/{number}.jpg")
    def sample(number: int) -> Response:
        if not samples:
            raise HTTPException(404)
        return Response(samples[number % len(samples)].read_bytes(), media_type="image/jpeg")

    @router.get("/art/{kind}.svg")
    def art(kind: str) -> Response:
        return Response(_or_404(lambda: svg(TO_PRINT[kind].kind)), media_type="image/svg+xml")

    told = {
        "classes": list(SignClass),
        "colours": {sign_class: look.colour for sign_class, look in SIGN_LOOKS.items()},
        "folder": str(album.folder),
        "samples": len(samples),
        "plates": [[kind, plate.width_cm, plate.height_cm] for kind, plate in TO_PRINT.items()],
        **facts,
    }
    return make_page(
        "brakepoint.show", router, lambda key: key.startswith(TEXTS), token, told, BODY_MAX_BYTES
    )


def _sign(found: Detection, image: np.ndarray) -> dict[str, object]:
    height, width = image.shape[:2]
    left, top, right, bottom = found.box
    box = [
        min(max(share, 0.0), 1.0) for share in (left / width, top / height, right / width, bottom / height)
    ]
    return {"sign_class": found.sign_class, "confidence": found.confidence, "box": box}


def _or_404(do: Callable[[], Answer]) -> Answer:
    try:
        return do()
    except (KeyError, FileNotFoundError):
        raise HTTPException(404) from None
