"""The results of a mission: the record of a run and its score, both JSON-serialisable pydantic models.

`run.model_dump_json()` writes a record and `Run.model_validate_json(…)` reads a record, so a finished run can
be drawn, filmed and replayed without driving it again.
"""

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from brakepoint.messages import Detection, Light, Order, SignClass
from brakepoint.truth import FeedName


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Ending(StrEnum):
    """Why a run ended."""

    END_OF_TRACK = "end_of_track"
    DERAILED = "derailed"
    STALLED = "stalled"
    TIME_LIMIT = "time_limit"
    TRAIN_LOST = "train_lost"
    """Live only: the train itself failed, and its position is unknown."""


class Tick(_Record):
    """One step of the control loop, `1 / CONTROL_RATE_HZ` after the previous one.

    Attributes:
        time_s: Seconds since the start.
        position_cm: Position of the train when the order was given.
        speed_cm_s: Speed of the train.
        braking: Whether the train's brake was on.
        light: State of the headlight.
        frame_number: Number of the feed's frame that the camera showed.
        detections: What the detector saw; None when there was no frame.
        order: The autopilot's order from this tick.
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
    """The record of one run, tick by tick.

    Attributes:
        format: Name and version of this schema.
        feed: Name of the feed.
        ending: Why the run ended.
        ticks: At least one, in order.
    """

    format: Literal["brakepoint-run/1"] = "brakepoint-run/1"
    feed: FeedName
    ending: Ending
    ticks: tuple[Tick, ...] = Field(min_length=1)

    @property
    def order_changes(self) -> list[Tick]:
        """The ticks at which the order's meaning or light changed, including the first one."""
        changes: list[Tick] = []
        for tick in self.ticks:
            last = changes[-1].order if changes else None
            if last is None or (tick.order.meaning, tick.order.light) != (last.meaning, last.light):
                changes.append(tick)
        return changes


class SignFault(StrEnum):
    """A fault at a sign. Texts: `score.fault.{value}`."""

    NOT_REACHED = "not_reached"
    NOT_STOPPED = "not_stopped"
    STOPPED_TOO_EARLY = "stopped_too_early"
    STOPPED_TOO_LATE = "stopped_too_late"
    TOO_FAST_AT_SIGN = "too_fast_at_sign"
    TOO_FAST_BEHIND = "too_fast_behind"
    SHORT_WAIT = "short_wait"
    NO_BLINK = "no_blink"


SLOPPY = frozenset({SignFault.SHORT_WAIT, SignFault.NO_BLINK})
"""Minor faults: the sign still counts as obeyed."""


class SignOutcome(_Record):
    """How the train responded to one sign that counts.

    Attributes:
        id: Id of the `TruthSign`.
        kind: Kind of the plate.
        sign_class: Class of the sign.
        at_cm: Position along the track.
        obeyed: Whether the sign was obeyed, apart from minor faults.
        faults: The faults; even an obeyed sign may have minor ones.
        stopped_at_cm: Where the train stopped for a `DangerAhead`, if it did.
    """

    id: int
    kind: str
    sign_class: SignClass
    at_cm: float
    obeyed: bool
    faults: tuple[SignFault, ...] = ()
    stopped_at_cm: float | None = None


class MomentKind(StrEnum):
    """The kind of the first mistake. Texts: `score.moment.{value}`."""

    SIGN = "sign"
    FALSE_STOP = "false_stop"
    OVERSPEED = "overspeed"
    DERAILED = "derailed"
    STALLED = "stalled"
    TIME_LIMIT = "time_limit"
    TRAIN_LOST = "train_lost"


class Moment(_Record):
    """The first mistake of a run.

    Attributes:
        kind: Kind of the mistake.
        time_s: Seconds from the start of the run to the mistake.
        position_cm: Position of the train at that moment.
        sign_id: The sign concerned, if any.
    """

    kind: MomentKind
    time_s: float
    position_cm: float
    sign_id: int | None = None


class Penalty(StrEnum):
    """A rule by which points are taken off. Texts: `score.penalty.{value}`."""

    NOT_COVERED = "not_covered"
    DERAILED = "derailed"
    SIGN_DISOBEYED = "sign_disobeyed"
    SIGN_SLOPPY = "sign_sloppy"
    FALSE_STOP = "false_stop"
    OVERSPEED = "overspeed"
    DAWDLING = "dawdling"


class Lost(_Record):
    """Whose fault the lost points were: with perfect detections, only those of `control` would be lost."""

    perception: float = 0.0
    control: float = 0.0


class Score(_Record):
    """The score of a run, by the rules of the line.

    Attributes:
        feed: Name of the feed.
        accomplished: Whether the end of the track was reached on the rails and every sign was obeyed.
        score: The score, 0 to 100.
        distance_cm: Distance that the train covered.
        signs: Every sign that counts, in the order of the track.
        false_stops: How often the train stopped where no sign requires it.
        overspeed_s: Time above the speed that a low-speed stretch allows.
        dawdling_s: Time below full speed where no sign requires it.
        derailed: Whether the train left the rails.
        penalties: Points taken off, by rule; they may add up to more than 100.
        lost: The lost points, split by whose fault they were; filled in by `split_lost`.
        first_wrong: The first mistake; None if there was none.
    """

    feed: FeedName
    accomplished: bool
    score: float = Field(ge=0, le=100)
    distance_cm: float
    signs: tuple[SignOutcome, ...]
    false_stops: int
    overspeed_s: float
    dawdling_s: float
    derailed: bool
    penalties: dict[Penalty, float]
    lost: Lost = Lost()
    first_wrong: Moment | None = None
