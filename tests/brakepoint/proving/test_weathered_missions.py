"""A small part of the proving ground; `make soak` drives all of it."""

from pathlib import Path

import pytest

from brakepoint.detector import SHIPPED_MODEL
from brakepoint.feeds import harder_feeds
from brakepoint.proving.ground import Candidate, Trial, drive_trial

CANDIDATE = Candidate(str(SHIPPED_MODEL), "solutions")
(TWO_DANGERS,) = (video for video in harder_feeds() if video.stem == "two-dangers")


@pytest.mark.parametrize("weather", ["dim", "jpeg", "wide"])
def test_two_dangers_close_together_are_stopped_for_in_bad_weather(weather: str, tmp_path: Path):
    outcome = drive_trial(CANDIDATE, tmp_path, Trial(TWO_DANGERS, weather))

    assert outcome.holds, outcome.score
