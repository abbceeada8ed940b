"""Takes the picture that the README shows, from the page of a real run: `make picture`."""

import json
import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

FEED = "track-stop-and-slowdown"
RUN = Path("runs/picture")
PICTURE = Path(__file__).parent / "images" / "mission.png"


def resting_tick() -> int:
    """The tick at which the train has just come to rest before the danger."""
    ticks = json.loads((RUN / f"{FEED}.run.json").read_text(encoding="utf-8"))["run"]["ticks"]
    for number, tick in enumerate(ticks):
        if tick["order"]["light"] == "blink" and tick["speed_cm_s"] == 0:
            return number
    raise RuntimeError("the train did not stop")


def main() -> None:
    """Opens the page in Chromium, winds the run to the stop, and takes the feed's card."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1180, "height": 1300})
        page.goto((RUN / "index.html").resolve().as_uri())
        page.wait_for_function("document.querySelector('video').readyState >= 2")
        page.locator("[data-seek]").fill(str(resting_tick()))
        page.wait_for_function("!document.querySelector('video').seeking")
        page.mouse.click(5, 5)
        page.locator("[data-feed]").screenshot(path=str(PICTURE))
        browser.close()


if __name__ == "__main__":
    main()
