"""A deployed train drives like the same steps on the attendee's own machine: same verdict, same score."""

from pathlib import Path

import pytest

from brakepoint.delivery.rendering import render
from brakepoint.delivery.running import Pods, drive, entry_point
from brakepoint.feeds import find_feed
from brakepoint.mission.drive import ORACLE, Assignment
from brakepoint.mission.records import Run, Score
from brakepoint.mission.scoring import score_run
from brakepoint.services import ServiceSettings
from brakepoint.services.live_mission import drive_live
from brakepoint.truth import load_truth

pytestmark = pytest.mark.live

STEPS, FEED = "solutions", "track-stop-and-slowdown"
OVERLAY = Path(__file__).parents[2] / STEPS / "step7_delivery" / "overlay"
TRIES = 5
"""In real time a busy machine comes too late for a picture now and then, and the train brakes for it."""


def deployed() -> Score:
    """As `brakepoint deploy` does it."""
    return scored(drive(Pods(render(OVERLAY), entry_point(STEPS, ORACLE), ignore), ignore))


def at_home(folder: Path) -> Score:
    """As `brakepoint mission --live` does it."""
    settings = ServiceSettings.given(feed=FEED, detector=ORACLE, steps=STEPS, broker="")
    return scored(drive_live(Assignment(find_feed(FEED), STEPS, ORACLE, folder), settings, ignore))


def scored(run: Run) -> Score:
    return score_run(run, load_truth(find_feed(FEED).with_suffix(".json")))


def ignore(*news: object) -> None:
    """Ignores progress."""


def test_the_deployed_score_is_the_local_one(tmp_path: Path) -> None:
    for _ in range(TRIES):
        there, here = deployed(), at_home(tmp_path)
        if (there.accomplished, there.score) == (here.accomplished, here.score) and here.accomplished:
            break

    assert (there.accomplished, there.score) == (here.accomplished, here.score)
    assert [sign.obeyed for sign in there.signs] == [sign.obeyed for sign in here.signs]
    assert there.accomplished
