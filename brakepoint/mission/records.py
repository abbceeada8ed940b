"""What a mission leaves behind: the record of a run and its score, both JSON-able pydantic models.

`run.model_dump_json()` writes a record and `Run.model_validate_json(…)` reads it again, so a finished run can
be drawn, filmed and replayed without driving it anew.
"""

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from brakepoint.messages import Detection, Light, Order, SignClass


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Ending(StrEnum):
    """Why a run ended."""

    END_OF_TRACK = "end_of_track"
    DERAILED = "derailed"
    STALLED = "stalled"
    TIME_LIMIT = "time_limit"
    TRAIN_LOST = "train_lost"
    """Live only: the train itself broke down, and nobody knows any more where it is."""


class Tick(_Record):
    """One step of the control loop, `1 / CONTROL_RATE_HZ` after the one before.

    Attributes:
        time_s: Seconds since the start.
        position_cm: Where the train was when the order was given.
        speed_cm_s: How fast it was.
        braking: Whether its brake was on.
        light: What its headlight did.
        frame_number: Number of the feed's frame that the camera showed.
        detections: What the detector saw; None when there was no frame.
        order: What the autopilot wanted from there on.
    """

    time_s: float
    position_cm: float
    speed_cm_s: float
    braking: bool
    light: Light
    frame_number: int
    detections: tuple[Detection, ...] | None
    order: Order


class Run(_Record):
    """Everything that happened in one run, tick by tick.

    Attributes:
        format: Name and version of this schema.
        feed: Name of the feed.
        ending: Why it ended.
        ticks: At least one, in order.
    """

    format: Literal["brakepoint-run/1"] = "brakepoint-run/1"
    feed: str
    ending: Ending
    ticks: tuple[Tick, ...] = Field(min_length=1)

    @property
    def order_changes(self) -> list[Tick]:
        """The ticks at which the order's meaning or light changed, the first one included."""
        changes: list[Tick] = []
        for tick in self.ticks:
            last = changes[-1].order if changes else None
            if last is None or (tick.order.meaning, tick.order.light) != (last.meaning, last.light):
                changes.append(tick)
        return changes


class SignFault(StrEnum):
    """What was wrong at a sign. Texts: `score.fault.{value}`."""

    NOT_REACHED = "not_reached"
    NOT_STOPPED = "not_stopped"
    STOPPED_TOO_EARLY = "stopped_too_early"
    STOPPED_TOO_LATE = "stopped_too_late"
    TOO_FAST_AT_SIGN = "too_fast_at_sign"
    TOO_FAST_BEHIND = "too_fast_behind"
    SHORT_WAIT = "short_wait"
    NO_BLINK = "no_blink"


SLOPPY = frozenset({SignFault.SHORT_WAIT, SignFault.NO_BLINK})
"""Faults that leave a sign obeyed in the main thing."""


class SignOutcome(_Record):
    """How one sign that counts was answered.

    Attributes:
        id: The `TruthSign` that it is.
        kind: Which plate.
        sign_class: What it orders.
        at_cm: Where along the track.
        obeyed: Whether the main thing was done.
        faults: What was wrong; may hold sloppy details of an obeyed sign.
        stopped_at_cm: Where the train rested for a `DangerAhead`, if it did.
    """

    id: int
    kind: str
    sign_class: SignClass
    at_cm: float
    obeyed: bool
    faults: tuple[SignFault, ...] = ()
    stopped_at_cm: float | None = None


class MomentKind(StrEnum):
    """What went wrong first. Texts: `score.moment.{value}`."""

    SIGN = "sign"
    FALSE_STOP = "false_stop"
    OVERSPEED = "overspeed"
    DERAILED = "derailed"
    STALLED = "stalled"
    TIME_LIMIT = "time_limit"
    TRAIN_LOST = "train_lost"


class Moment(_Record):
    """The first moment where things went wrong.

    Attributes:
        kind: What happened.
        time_s: When.
        position_cm: Where.
        sign_id: The sign concerned, if any.
    """

    kind: MomentKind
    time_s: float
    position_cm: float
    sign_id: int | None = None


class Lost(_Record):
    """Whose fault the lost points were: an autopilot with perfect eyes would have lost `control` alone."""

    perception: float = 0.0
    control: float = 0.0


class Score(_Record):
    """What a run was worth, by the rules of the line.

    Attributes:
        feed: Name of the feed.
        accomplished: The end of the track was reached on the rails and every sign was obeyed.
        score: 0 to 100.
        distance_cm: Distance covered.
        signs: Every sign that counts, in the order of the track.
        false_stops: How often the train came to rest where no sign asks for it.
        overspeed_s: Time above the speed that a low-speed stretch allows.
        dawdling_s: Time below full speed where no sign asks for it.
        derailed: Whether it left the rails.
        penalties: Points taken off, by the name of the rule; they may add up to more than 100.
        lost: The points lost, by whose fault; filled by `split_lost`.
        first_wrong: The first moment where things went wrong; None if nothing did.
    """

    feed: str
    accomplished: bool
    score: float = Field(ge=0, le=100)
    distance_cm: float
    signs: tuple[SignOutcome, ...]
    false_stops: int
    overspeed_s: float
    dawdling_s: float
    derailed: bool
    penalties: dict[str, float]
    lost: Lost = Lost()
    first_wrong: Moment | None = None
