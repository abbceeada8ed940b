"""Takes the picture of the page on which signs are shown to a model: `make picture`."""

import tempfile
import threading
from contextlib import chdir
from pathlib import Path

import uvicorn
from chromium import chromium

from brakepoint.cli.show import CONFIDENCE, lesson
from brakepoint.detector import Detector
from brakepoint.models import BASE_MODEL
from brakepoint.show.album import Album
from brakepoint.show.server import make_app
from brakepoint.store import CONTENT_DIR
from brakepoint.texts import languages

IMAGES = Path(__file__).resolve().parent / "images"
PORT = 8766
PICTURE = CONTENT_DIR / "stills" / "images" / "still-0003-3.jpg"
ALBUM = Path("my-signs")


def main() -> None:
    """Opens a picture with the base model, which does not know the toy's danger signs, and takes the page."""
    with tempfile.TemporaryDirectory() as folder, chdir(folder), chromium() as browser:
        detector, album = Detector(BASE_MODEL, CONFIDENCE), Album(ALBUM)
        app = make_app(detector, album, [PICTURE], model=BASE_MODEL.name, commands=lesson(ALBUM))
        server = uvicorn.Server(uvicorn.Config(app, port=PORT, log_level="error"))
        threading.Thread(target=server.run, daemon=True).start()
        for lang in languages():
            page = browser.new_page(
                viewport={"width": 1180, "height": 860}, color_scheme="light", locale=lang
            )
            page.goto(f"http://127.0.0.1:{PORT}/")
            page.locator("#sample").click()
            page.locator("#seen", has_text=" ms").wait_for()
            page.screenshot(path=str(IMAGES / lang / "show.jpg"), quality=90)
            page.close()
        server.should_exit = True


if __name__ == "__main__":
    main()
