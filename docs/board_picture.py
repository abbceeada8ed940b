"""Takes the picture of the board for the instructor's guide, from a simulated room: `make picture`."""

import os
import tempfile
import threading
from pathlib import Path

import uvicorn
from chromium import chromium
from simulated_room import SimulatedRoom

from brakepoint.board.server import make_app
from brakepoint.texts import languages

IMAGES = Path(__file__).resolve().parent / "images"
PORT = 8765
MINUTE = 92
"""Minute of the workshop at which the attendees are spread over the course."""


def main() -> None:
    """Simulates the room, and takes the picture in Chromium, at a projector's size, in each language."""
    os.chdir(tempfile.mkdtemp())
    room = SimulatedRoom()
    room.run_until(MINUTE)
    server = uvicorn.Server(uvicorn.Config(make_app(room.watcher), port=PORT, log_level="error"))
    threading.Thread(target=server.run, daemon=True).start()
    with chromium() as browser:
        for lang in languages():
            page = browser.new_page(
                viewport={"width": 1920, "height": 920}, color_scheme="light", locale=lang
            )
            page.goto(f"http://127.0.0.1:{PORT}/")
            page.wait_for_selector(".seat")
            page.screenshot(path=str(IMAGES / lang / "board.png"))
            page.close()
    server.should_exit = True


if __name__ == "__main__":
    main()
