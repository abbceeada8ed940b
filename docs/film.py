"""Makes the film of the docs and the moving picture of the README: `make film`.

The missions are driven for the film; the pages are shown as pictures, which `make picture` takes.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import av
import cv2
import numpy as np
from PIL import Image

from brakepoint.drawing import bgr, write
from brakepoint.labels.pictures import read_picture
from brakepoint.models import BASE_MODEL, SHIPPED_MODEL
from brakepoint.rules import CONTROL_RATE_HZ
from brakepoint.texts import languages, text

IMAGES = Path(__file__).resolve().parent / "images"
ACTS = (
    ("base", BASE_MODEL, "track-stop"),
    ("yours", SHIPPED_MODEL, "track-stop"),
    ("all", SHIPPED_MODEL, "track-full"),
)
"""Title, detector and feed of each act."""
PAGES = (("show", "show.jpg"), ("incident", "live.png"), ("race", "race.png"))
"""Title and picture of each page at the end."""
TITLE_S, PAGE_S = 3.0, 4.0
BACKGROUND = bgr("#0d1117")
MOVING_ACT, MOVING_WIDTH_PX, MOVING_EVERY, MOVING_QUALITY = 1, 340, 3, 28
"""The README's moving picture: its act, its width, which of the frames it has, and its quality, 0 to 100."""


def act(model: Path, feed: str) -> list[np.ndarray]:
    """Drives a feed, and returns the frames of the resulting film."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["mission", "--feed", feed, "--detector", str(model), "--out", folder]
        subprocess.run([sys.executable, "-m", "brakepoint", *words], stdout=subprocess.DEVNULL, check=False)
        with av.open(f"{folder}/{feed}.mp4") as film:
            return [frame.to_ndarray(format="bgr24") for frame in film.decode(video=0)]


def title(words: str, shape: tuple[int, ...]) -> np.ndarray:
    """A frame with a line or two of text at its centre."""
    frame = np.full(shape, BACKGROUND, np.uint8)
    for number, line in enumerate(words.split("\n")):
        write(frame, line, (shape[1] // 2, shape[0] // 2 + 44 * number), 30, align="center")
    return frame


def page(picture: Path, shape: tuple[int, ...]) -> np.ndarray:
    """A frame with a picture of a page, as large as the frame allows."""
    image = read_picture(picture)
    scale = min(shape[0] / image.shape[0], shape[1] / image.shape[1])
    image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    top, left = ((shape[axis] - image.shape[axis]) // 2 for axis in (0, 1))
    frame = np.full(shape, BACKGROUND, np.uint8)
    frame[top : top + image.shape[0], left : left + image.shape[1]] = image
    return frame


def save_film(acts: list[list[np.ndarray]], folder: Path) -> None:
    """Writes the acts in order, then the pages in the folder, each after its title, to `film.mp4`."""
    shape = acts[0][0].shape

    def frames() -> Iterator[np.ndarray]:
        pages = ([page(folder / file, shape)] * round(PAGE_S * CONTROL_RATE_HZ) for _, file in PAGES)
        for (name, *_), shown in zip((*ACTS, *PAGES), chain(acts, pages), strict=True):
            yield from [title(text(f"docs.film.{name}"), shape)] * round(TITLE_S * CONTROL_RATE_HZ)
            yield from shown

    with av.open(str(folder / "film.mp4"), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=CONTROL_RATE_HZ)
        stream.height, stream.width = shape[:2]
        stream.pix_fmt, stream.options = "yuv420p", {"crf": "27", "preset": "slow"}
        for frame in frames():
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="bgr24")))
        container.mux(stream.encode())


def save_moving(frames: list[np.ndarray], path: Path) -> None:
    """Writes a small animation that plays automatically on a forge."""
    small = [Image.fromarray(frame[:, :, ::-1]) for frame in frames[::MOVING_EVERY]]
    for image in small:
        image.thumbnail((MOVING_WIDTH_PX, MOVING_WIDTH_PX))
    first, *others = small
    every_ms = round(1000 * MOVING_EVERY / CONTROL_RATE_HZ)
    first.save(
        path, save_all=True, append_images=others, duration=every_ms, loop=0, quality=MOVING_QUALITY, method=6
    )


def main() -> None:
    """Makes the film and the moving picture in each language."""
    for lang in languages():
        os.environ["BRAKEPOINT_LANG"] = lang
        acts = [act(model, feed) for _, model, feed in ACTS]
        save_film(acts, IMAGES / lang)
        save_moving(acts[MOVING_ACT], IMAGES / lang / "mission.webp")


if __name__ == "__main__":
    main()
