"""The page of a race: several runs on one line, side by side, in a file that needs no network."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from brakepoint.errors import UserError
from brakepoint.mission.page import environment, frame, in_script
from brakepoint.mission.page.plot import order_spans
from brakepoint.mission.report import Recording
from brakepoint.rules import CONTROL_RATE_HZ

HEAT_SIZE = 8
"""This many lines fit on a projector."""
PODIUM = 3


@dataclass(frozen=True)
class Racer:
    """One run in a race.

    Attributes:
        name: Driver's name, as the page shows it.
        recording: The run.
        has_blame: Whether the recording says whose fault the lost points were.
    """

    name: str
    recording: Recording
    has_blame: bool = True

    @property
    def rank(self) -> tuple[float, float, str]:
        """Sort key: more points first, then the earlier arrival at the end of the line."""
        mission = self.recording.mission
        return -mission.score, mission.duration_s, self.name


def render_race(racers: Sequence[Racer]) -> str:
    """Writes the page: heats of eight, with the best racers in the last heat, then the podium.

    Args:
        racers: At least one; all of them drove the same feed.

    Raises:
        UserError: The racers drove different feeds.
    """
    feeds = {racer.recording.feed for racer in racers}
    if len(feeds) > 1:
        raise UserError("race.error.feeds", feeds=", ".join(sorted(feeds)))
    ranked = sorted(racers, key=lambda racer: racer.rank)
    heats = [ranked[begin : begin + HEAT_SIZE] for begin in range(0, len(ranked), HEAT_SIZE)][::-1]
    return (
        environment()
        .get_template("race.html.j2")
        .render(
            heats=heats,
            line=ranked[0].recording,
            podium=ranked[:PODIUM],
            playable=playable,
            **frame("race.title", script="race.js"),
        )
    )


def playable(racer: Racer) -> Markup:
    """The run for the page's script, as JSON that is safe within a script element."""
    recording = racer.recording
    ticks, length = recording.run.ticks, recording.length_cm
    data = {
        "rate": CONTROL_RATE_HZ,
        "share": [round(min(max(tick.position_cm / length, 0.0), 1.0), 4) for tick in ticks],
        "orders": [[span.first, span.order.kind] for span in order_spans(ticks)],
    }
    return in_script(json.dumps(data, separators=(",", ":")))
