"""Takes the picture of the board for the instructor's guide, from a simulated room: `make picture`."""

import os
import shutil
import tempfile
import threading
from pathlib import Path

import uvicorn
from playwright.sync_api import sync_playwright
from simulated_room import SimulatedRoom

from brakepoint.board.server import make_app

PICTURE = Path(__file__).resolve().parent / "images" / "board.png"
PORT = 8765
MINUTE = 92
"""When the room is spread over the course."""


def main() -> None:
    """Lets the room work, opens the page in Chromium, and takes it as a projector shows it."""
    os.chdir(tempfile.mkdtemp())
    room = SimulatedRoom()
    room.run_until(MINUTE)
    server = uvicorn.Server(uvicorn.Config(make_app(room.watcher), port=PORT, log_level="error"))
    threading.Thread(target=server.run, daemon=True).start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1920, "height": 920}, color_scheme="light", locale="en")
        page.goto(f"http://127.0.0.1:{PORT}/")
        page.wait_for_selector(".seat")
        page.screenshot(path=str(PICTURE))
        browser.close()
    server.should_exit = True


if __name__ == "__main__":
    main()
