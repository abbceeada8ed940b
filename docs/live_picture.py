"""Takes the picture of the live page that the docs show, at the stop before a danger: `make picture`."""

import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

from brakepoint.services import SERVICES, Settings
from brakepoint.services.supervisor import Supervisor

FEED = "track-stop"
PICTURE = Path(__file__).parent / "images" / "live.png"
STOPPED = """() => document.getElementById("speed").textContent === "0"
    && document.getElementById("order").textContent.includes("stopping for a danger")
"""
STOP_WITHIN_MS = 60_000


def main() -> None:
    """Starts everything, drives to the danger, and takes the page in Chromium."""
    settings = Settings.given(feed=FEED)
    with (
        Supervisor(settings, SERVICES[1:], lambda *_: None),
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1180, "height": 760}, locale="en-US")
        page.goto(f"http://{settings.page}/")
        page.get_by_role("button", name="Start").click()
        page.wait_for_function(STOPPED, timeout=STOP_WITHIN_MS)
        page.screenshot(path=str(PICTURE))
        browser.close()


if __name__ == "__main__":
    main()
