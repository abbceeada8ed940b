"""Takes the picture of the live page at the stop before a danger, in both languages: `make picture`."""

from pathlib import Path

from chromium import chromium

from brakepoint.services import CLIENTS, ServiceSettings
from brakepoint.services.supervisor import Supervisor
from brakepoint.texts import languages, text

FEED = "track-stop"
IMAGES = Path(__file__).resolve().parent / "images"
STOPPED = """words => document.getElementById("speed").textContent === "0"
    && document.getElementById("order").textContent.includes(words)
"""
STOP_WITHIN_MS = 60_000
SETTLED_MS = 500
"""After this time, the picture and its boxes are of the standing train."""


def main() -> None:
    """Starts all services, and for each language drives to the danger and takes the page's picture."""
    with chromium() as browser:
        for lang in languages():
            settings = ServiceSettings.given(feed=FEED)
            with Supervisor(settings, CLIENTS, lambda *_: None):
                # Without the bypass, the page's content policy would keep Playwright from waiting for a
                # function.
                page = browser.new_page(viewport={"width": 1180, "height": 760}, locale=lang, bypass_csp=True)
                page.goto(f"http://{settings.page}/")
                page.locator("#start").click()
                page.wait_for_function(STOPPED, arg=text("reason.danger_stop", lang), timeout=STOP_WITHIN_MS)
                page.wait_for_timeout(SETTLED_MS)
                page.screenshot(path=str(IMAGES / lang / "live.png"))
                page.close()


if __name__ == "__main__":
    main()
