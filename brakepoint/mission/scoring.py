"""Scores the record of a run by the rules of the line. Pure: a record and a ground truth in, a score out."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from brakepoint.messages import Light
from brakepoint.mission.records import (
    SLOPPY,
    Ending,
    Lost,
    Moment,
    MomentKind,
    Penalty,
    Run,
    Score,
    SignFault,
    SignOutcome,
    Tick,
)
from brakepoint.rules import (
    APPROACH_CM,
    AT_REST_CM_S,
    CONTROL_RATE_HZ,
    DANGER_WAIT_S,
    DAWDLING_BELOW,
    FULL_SPEED_CM_S,
    LOW_SPEED_CM_S,
    LOW_SPEED_STRETCH_CM,
    PASSING_CM,
    PATIENCE_S,
    PENALTY_DAWDLING_PER_S,
    PENALTY_DERAILED,
    PENALTY_FALSE_STOP,
    PENALTY_OVERSPEED_PER_S,
    PENALTY_PER_PERCENT_NOT_COVERED,
    PENALTY_SIGN_DISOBEYED,
    PENALTY_SIGN_SLOPPY,
    SLACK_S,
    SPEED_TOLERANCE,
    SPEEDING_UP_CM,
    STOP_SIGNS,
    STOP_ZONE_CM,
)
from brakepoint.truth import GroundTruth, TruthSign

TICK_S = 1 / CONTROL_RATE_HZ
LOW_SPEED_KEPT_CM_S = LOW_SPEED_CM_S * SPEED_TOLERANCE


@dataclass(frozen=True)
class Rest:
    """A period in which the train stood still.

    Attributes:
        ticks: The ticks of the period, at least one.
        first: Whether the train had not moved before.
    """

    ticks: tuple[Tick, ...]
    first: bool

    @property
    def at_cm(self) -> float:
        """Position of the train."""
        return self.ticks[0].position_cm

    @property
    def seconds(self) -> float:
        """Duration of the period."""
        return len(self.ticks) * TICK_S

    @property
    def waited(self) -> bool:
        """Whether the period is long enough for the stop at a danger."""
        return self.seconds >= DANGER_WAIT_S - SLACK_S

    @property
    def blinked(self) -> bool:
        """Whether the headlight blinked for at least half of the period."""
        return 2 * sum(tick.light is Light.BLINK for tick in self.ticks) >= len(self.ticks)


def score_run(run: Run, truth: GroundTruth, full_speed_cm_s: float = FULL_SPEED_CM_S) -> Score:
    """Scores a run; `split_lost` determines whose fault each lost point was.

    Args:
        run: The record.
        truth: Ground truth of the line.
        full_speed_cm_s: Full speed of the train, so that a real train's weak motor does not count as
            dawdling.
    """
    signs = sorted((sign for sign in truth.signs if sign.counts), key=lambda sign: sign.at_cm)
    rests = list(_rests(run.ticks))
    outcomes = [_outcome(sign, run, rests) for sign in signs]
    stops = [rest for rest in rests if _is_false_stop(rest, rests, signs)]
    speeding = [tick for tick in run.ticks if any(_speeds_behind(tick, sign) for sign in signs)]
    distance_cm = min(run.ticks[-1].position_cm, truth.length_cm)
    dawdling_s = _dawdling_s(run, rests, signs, full_speed_cm_s)
    derailed = run.ending is Ending.DERAILED
    disobeyed = [outcome for outcome in outcomes if _costs(outcome)]
    sloppy = [outcome for outcome in outcomes if outcome.obeyed and outcome.faults]
    penalties = {
        Penalty.NOT_COVERED: 100 * (1 - distance_cm / truth.length_cm) * PENALTY_PER_PERCENT_NOT_COVERED,
        Penalty.DERAILED: derailed * PENALTY_DERAILED,
        Penalty.SIGN_DISOBEYED: len(disobeyed) * PENALTY_SIGN_DISOBEYED,
        Penalty.SIGN_SLOPPY: len(sloppy) * PENALTY_SIGN_SLOPPY,
        Penalty.FALSE_STOP: len(stops) * PENALTY_FALSE_STOP,
        Penalty.OVERSPEED: len(speeding) * TICK_S * PENALTY_OVERSPEED_PER_S,
        Penalty.DAWDLING: dawdling_s * PENALTY_DAWDLING_PER_S,
    }
    return Score(
        feed=run.feed,
        accomplished=run.ending is Ending.END_OF_TRACK and all(outcome.obeyed for outcome in outcomes),
        score=round(max(100 - sum(penalties.values()), 0.0), 1),
        distance_cm=round(distance_cm, 1),
        signs=tuple(outcomes),
        false_stops=len(stops),
        overspeed_s=round(len(speeding) * TICK_S, 2),
        dawdling_s=round(dawdling_s, 2),
        derailed=derailed,
        penalties={name: round(points, 1) for name, points in penalties.items()},
        first_wrong=_first_wrong(run, outcomes, stops, speeding),
    )


def split_lost(score: Score, oracle: Score) -> Score:
    """Splits the lost points: the autopilot's share is what it also loses with perfect detections.

    Args:
        score: Score of the run with the real detector.
        oracle: Score of the same autopilot's run with perfect detections.
    """
    lost = 100 - score.score
    control = min(100 - oracle.score, lost)
    return score.model_copy(
        update={"lost": Lost(perception=round(lost - control, 1), control=round(control, 1))}
    )


def _rests(ticks: tuple[Tick, ...]) -> Iterator[Rest]:
    moved = False
    for at_rest, group in groupby(ticks, key=lambda tick: tick.speed_cm_s < AT_REST_CM_S):
        if at_rest:
            yield Rest(tuple(group), first=not moved)
        else:
            moved = True


def _is_stop_for(rest: Rest, sign: TruthSign) -> bool:
    """Whether a stop may be intended for a sign, in the right place or not."""
    return sign.sign_class in STOP_SIGNS and -PASSING_CM <= sign.at_cm - rest.at_cm <= APPROACH_CM


def _in_stop_zone(rest: Rest, sign: TruthSign) -> bool:
    return _is_stop_for(rest, sign) and 0 <= sign.at_cm - rest.at_cm <= STOP_ZONE_CM


def _is_false_stop(rest: Rest, rests: list[Rest], signs: list[TruthSign]) -> bool:
    """Whether no sign requires the stop: no sign is near, or the train has already waited at the sign."""
    if rest.first:
        return False
    earlier = rests[: rests.index(rest)]
    return not any(
        _is_stop_for(rest, sign) and not any(_in_stop_zone(other, sign) and other.waited for other in earlier)
        for sign in signs
    )


def _speeds_behind(tick: Tick, sign: TruthSign) -> bool:
    """Whether a tick is too fast for the low-speed stretch that begins at a sign."""
    behind_cm = tick.position_cm - sign.at_cm
    return 0 <= behind_cm <= LOW_SPEED_STRETCH_CM and tick.speed_cm_s > LOW_SPEED_KEPT_CM_S


def _outcome(sign: TruthSign, run: Run, rests: list[Rest]) -> SignOutcome:
    """How the train responded to a sign."""
    assert sign.sign_class is not None
    faults: list[SignFault] = []
    stop: Rest | None = None
    asks_for_stop = sign.sign_class in STOP_SIGNS
    if asks_for_stop:
        stop, faults = _judge_stop(sign, [rest for rest in rests if _is_stop_for(rest, sign)])
    passed = next((tick for tick in run.ticks if tick.position_cm >= sign.at_cm), None)
    if passed is None:
        faults = [SignFault.NOT_REACHED]
    elif not asks_for_stop and passed.speed_cm_s > LOW_SPEED_KEPT_CM_S:
        faults.append(SignFault.TOO_FAST_AT_SIGN)
    if sum(_speeds_behind(tick, sign) for tick in run.ticks) * TICK_S > SLACK_S:
        faults.append(SignFault.TOO_FAST_BEHIND)
    return SignOutcome(
        id=sign.id,
        kind=sign.kind,
        sign_class=sign.sign_class,
        at_cm=sign.at_cm,
        obeyed=SLOPPY.issuperset(faults),
        faults=tuple(faults),
        stopped_at_cm=stop.at_cm if stop else None,
    )


def _judge_stop(sign: TruthSign, stops: list[Rest]) -> tuple[Rest | None, list[SignFault]]:
    """The stop for a danger, and its faults."""
    if not stops:
        return None, [SignFault.NOT_STOPPED]
    inside = [rest for rest in stops if _in_stop_zone(rest, sign)]
    if not inside:
        late = stops[-1].at_cm > sign.at_cm
        return stops[-1], [SignFault.STOPPED_TOO_LATE if late else SignFault.STOPPED_TOO_EARLY]
    longest = max(inside, key=lambda rest: len(rest.ticks))
    faults = {SignFault.SHORT_WAIT: not longest.waited, SignFault.NO_BLINK: not longest.blinked}
    return longest, [fault for fault, wrong in faults.items() if wrong]


def _costs(outcome: SignOutcome) -> bool:
    """Whether a sign was disobeyed; a sign that was never reached costs only the distance."""
    return not outcome.obeyed and SignFault.NOT_REACHED not in outcome.faults


def _dawdling_s(run: Run, rests: list[Rest], signs: list[TruthSign], full_speed_cm_s: float) -> float:
    """Time below full speed where no sign requires it, and excessive waiting at a danger."""
    excused = [(-1.0, SPEEDING_UP_CM)]
    excused += [
        (sign.at_cm - APPROACH_CM, sign.at_cm + LOW_SPEED_STRETCH_CM + SPEEDING_UP_CM) for sign in signs
    ]

    def is_excused(position_cm: float) -> bool:
        return any(begin <= position_cm <= end for begin, end in excused)

    slow = sum(
        tick.speed_cm_s < DAWDLING_BELOW * full_speed_cm_s and not is_excused(tick.position_cm)
        for tick in run.ticks
    )
    long_rests = (rest.seconds - DANGER_WAIT_S - PATIENCE_S for rest in rests if is_excused(rest.at_cm))
    return slow * TICK_S + sum(max(seconds, 0.0) for seconds in long_rests)


def _first_wrong(
    run: Run, outcomes: list[SignOutcome], stops: list[Rest], speeding: list[Tick]
) -> Moment | None:
    """The first mistake; of several at the same time, the one closest to the cause."""
    moments = [
        _moment(MomentKind.SIGN, _fault_tick(run, sign), sign.id) for sign in outcomes if _is_wrong(sign)
    ]
    moments += [_moment(MomentKind.FALSE_STOP, stop.ticks[0]) for stop in stops]
    moments += [_moment(MomentKind.OVERSPEED, tick) for tick in speeding[:1]]
    if run.ending is not Ending.END_OF_TRACK:
        moments.append(_moment(MomentKind(run.ending), _end_tick(run)))
    return min(moments, key=lambda moment: moment.time_s, default=None)


def _is_wrong(outcome: SignOutcome) -> bool:
    return bool(outcome.faults) and SignFault.NOT_REACHED not in outcome.faults


def _fault_tick(run: Run, outcome: SignOutcome) -> Tick:
    """The tick at which a sign was disobeyed: in its stretch, or else where the train passed it."""
    passed = next(tick for tick in run.ticks if tick.position_cm >= outcome.at_cm)
    if outcome.faults == (SignFault.TOO_FAST_BEHIND,):
        return next(
            tick
            for tick in run.ticks
            if tick.position_cm >= outcome.at_cm and tick.speed_cm_s > LOW_SPEED_KEPT_CM_S
        )
    return passed


def _end_tick(run: Run) -> Tick:
    """The tick at which a run ended; for a stalled train, the tick at which it came to rest for good."""
    if run.ending is not Ending.STALLED:
        return run.ticks[-1]
    moving = [i for i, tick in enumerate(run.ticks) if tick.speed_cm_s >= AT_REST_CM_S]
    return run.ticks[moving[-1] + 1 if moving else 0]


def _moment(kind: MomentKind, tick: Tick, sign_id: int | None = None) -> Moment:
    return Moment(kind=kind, time_s=tick.time_s, position_cm=tick.position_cm, sign_id=sign_id)
