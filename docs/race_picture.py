"""Takes the picture of a race for the instructor's guide and the film: `make picture`."""

import tempfile
from pathlib import Path

from chromium import chromium
from driving import blind_to, feed, never_brakes
from recordings import record

from brakepoint.messages import SignClass
from brakepoint.mission.page.race import Racer, render_race
from brakepoint.texts import languages
from solutions.step6_autopilot import step

IMAGES = Path(__file__).resolve().parent / "images"
FEED = "track-stop-and-slowdown"
RACERS = {
    "anna": step,
    "bela": blind_to(SignClass.SPEED_LIMIT),
    "clio": never_brakes,
    "dana": blind_to(SignClass.DANGER_AHEAD),
}
COUNTDOWN_MS, RACED_MS = 3000, 7500


def main() -> None:
    """Drives with perfect detections, and takes the picture mid-race, in each language."""
    racers = [Racer(name, record(feed(FEED), autopilot)) for name, autopilot in RACERS.items()]
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        race = Path(folder, "race.html")
        race.write_text(render_race(racers), encoding="utf-8")
        for lang in languages():
            page = browser.new_page(viewport={"width": 1280, "height": 720}, color_scheme="light")
            page.clock.install()
            page.goto(race.as_uri())
            page.click(f"[data-set-lang={lang}]")
            page.click("#start")
            page.clock.run_for(COUNTDOWN_MS + RACED_MS)
            page.screenshot(path=str(IMAGES / lang / "race.png"))
            page.close()


if __name__ == "__main__":
    main()
