"""Takes the first picture of the docs, from a real run, in both languages: `make picture`."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from chromium import chromium
from PIL import Image
from playwright.sync_api import Browser

from brakepoint.texts import languages

FEED = "track-stop-and-slowdown"
COLOURS = 256
IMAGES = Path(__file__).resolve().parent / "images"


def resting_tick(run: Path) -> int:
    """The tick at which the train has just come to rest before the danger."""
    ticks = json.loads((run / f"{FEED}.run.json").read_text(encoding="utf-8"))["run"]["ticks"]
    for number, tick in enumerate(ticks):
        if tick["order"]["light"] == "blink" and tick["speed_cm_s"] == 0:
            return number
    raise RuntimeError("the train did not stop")


def take(browser: Browser, run: Path, picture: Path) -> None:
    """Opens the page, moves the run to the stop, and takes a picture of the feed's card."""
    page = browser.new_page(viewport={"width": 1180, "height": 1300}, bypass_csp=True)
    page.goto((run / "index.html").as_uri())
    page.wait_for_function("document.querySelector('video').readyState >= 2")
    page.locator("[data-seek]").fill(str(resting_tick(run)))
    page.wait_for_function("!document.querySelector('video').seeking")
    page.mouse.click(5, 5)
    page.locator("[data-feed]").screenshot(path=str(picture))
    page.close()
    with Image.open(picture) as image:  # Reduced to a third of the size: the page also has a moving picture.
        image.convert("RGB").quantize(COLOURS).save(picture, optimize=True)


def main() -> None:
    """Drives and takes the picture in each language."""
    with chromium() as browser:
        for lang in languages():
            with tempfile.TemporaryDirectory() as folder:
                words = ["--lang", lang, "mission", "--feed", FEED, "--out", folder]
                command = [sys.executable, "-m", "brakepoint", *words]
                subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
                take(browser, Path(folder), IMAGES / lang / "mission.png")


if __name__ == "__main__":
    main()
