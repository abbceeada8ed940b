"""The checks of step 6: each stage is tested with examples first, then by driving a feed."""

import copy
import math
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from brakepoint.course import find_step
from brakepoint.errors import UserError
from brakepoint.locomotive import STOPPING_LIMIT_CM, braking_distance_cm
from brakepoint.messages import Detection, Light, Reason
from brakepoint.mission.loop import is_answer
from brakepoint.mission.scoring import score_run
from brakepoint.rules import CONTROL_RATE_HZ, PLATE_HEIGHT_CM, STOP_ZONE_CM
from brakepoint.workshop.checks.answers import kind, replaced
from brakepoint.workshop.checks.constants import must_use_constants
from brakepoint.workshop.checks.driving import drive, feed
from brakepoint.workshop.checks.exam import exam
from brakepoint.workshop.checks.situations import (
    CAMERA,
    DANGER,
    LIMIT,
    Lab,
    frame_of,
    memory_of,
    seen,
    sign_of,
    signs_after,
    state_at,
)
from brakepoint.workshop.labs import untouched
from brakepoint.workshop.verdicts import Wrong

DISTANCE_ERROR = 0.01
PRECISE_CM = 1.0
PLACES = (
    (DANGER, 40.0),
    (LIMIT, 40.0),
    (DANGER, 20.0),
    (LIMIT, 80.0),
    (DANGER, 12.3),
    (LIMIT, 160.0),
)
"""Signs, and how far away they are."""
SCORE_LEAST = 90
KEPT = ("signs", "stopping", "rest_since", "frame_count", "last_frame")
"""Fields of the memory that a fault does not change."""
FAULTS = {Reason.NO_FRAMES, Reason.FROZEN_FRAMES, Reason.NO_TRAIN_STATE}


def check_distance(lab: Lab) -> None:
    """The distance follows from the box's height; then the train slows in time for a limit."""
    for sign_class, distance_cm in PLACES:
        item = seen(sign_class, distance_cm)
        place = lab.locate(item)
        if not isinstance(place, lab.Place):
            raise Wrong("step6.distance.no_place", found=kind(place))
        found = float(place.ahead_cm)
        if abs(found - distance_cm) <= DISTANCE_ERROR * distance_cm:
            continue
        plate_cm, focal_px = PLATE_HEIGHT_CM[sign_class], CAMERA.focal_px
        mistakes = {
            "constant": float(lab.locate(seen(sign_class, distance_cm / 2)).ahead_cm),
            "inverted": plate_cm * item.height_px / focal_px,
            "width": focal_px * plate_cm / item.width_px,
            "no_plate": focal_px / item.height_px,
            "other_plate": focal_px * (sum(PLATE_HEIGHT_CM.values()) - plate_cm) / item.height_px,
            "rounded": math.floor(focal_px * plate_cm / item.height_px),
        }
        name = next((name for name, wrong in mistakes.items() if math.isclose(found, wrong)), "other")
        raise Wrong(f"step6.distance.{name}", expected=f"{distance_cm:g}", found=round(found, 2))
    must_use_constants(lab, "distance")
    _must_drive(lab, "track-slowdown", "distance")


def check_every(lab: Lab) -> None:
    """Every detection that is confident enough and at the height of a sign is considered."""
    two = (seen(LIMIT, 60.0, lateral_cm=-7), seen(DANGER, 30.0))
    for items in (two, two[::-1]):
        _must_see_all(lab, items)
    for confidence in (0.2, lab.CONFIDENCE_MIN - 0.01):
        if signs_after(lab, (seen(DANGER, 30.0, confidence=confidence),)):
            raise Wrong("step6.every.unsure", percent=round(100 * confidence))
    if not signs_after(lab, (seen(DANGER, 30.0, confidence=lab.CONFIDENCE_MIN),)):
        raise Wrong("step6.every.exactly_sure", percent=round(100 * lab.CONFIDENCE_MIN))
    on_the_wall = seen(DANGER, 60.0, higher_cm=15)
    if signs_after(lab, (on_the_wall,)):
        raise Wrong("step6.every.on_the_wall")
    if signs_after(lab, (seen(DANGER, 60.0, higher_cm=-4),)):
        raise Wrong("step6.every.too_low")
    if len(signs_after(lab, (seen(DANGER, 30.0, confidence=0.2), on_the_wall, *two))) != len(two):
        raise Wrong("step6.every.gives_up")
    if len(signs_after(lab, (seen(LIMIT, 30.0), seen(LIMIT, 110.0)))) != 2:
        raise Wrong("step6.every.one_of_a_class")
    _must_see_all(lab, (*two, seen(LIMIT, 100.0, lateral_cm=40)))
    sighting = frame_of(1, 10.0, (seen(DANGER, 30.0),))
    memory = lab.look(replace(lab.Memory(), frame_count=1), sighting, state_at(0.0, 0.0))
    (sign,) = memory.signs
    if not math.isclose(sign.weight, lab.placed(sighting.items[0], 0.0)[0].weight):
        raise Wrong("step6.every.used_up")
    unsure = frame_of(2, 10.0, (seen(DANGER, 31.0, confidence=0.2),))
    corrected = lab.look(replace(memory, frame_count=2), unsure, state_at(0.0, 0.0))
    if corrected.signs[0].position_cm <= sign.position_cm:
        raise Wrong("step6.every.loses")
    must_use_constants(lab, "every")


def _must_see_all(lab: Lab, items: tuple[Detection, ...]) -> None:
    if (found := len(signs_after(lab, items))) != len(items):
        raise Wrong("step6.every.not_all", count=len(items), found=found)


def check_debounce(lab: Lab) -> None:
    """A sign is confirmed after three sightings in eight frames, however they are spread."""
    cases = {
        "at_once": ((1,), False),
        "too_early": ((1, 2), False),
        "too_late": ((1, 2, 3), True),
        "flicker": ((1, 4, 8), True),
        "sliding": ((1, 7, 9, 10), True),
        "never_forgets": ((1, 10, 19), False),
        "window": ((1, 4, 9), False),
        "same_frame": ((5, 5, 5), False),
        "doubts": ((1, 2, 3, 20), True),
    }
    remembered: dict[tuple[int, ...], object] = {}
    for name, (frames, believed) in cases.items():
        sign = lab.Sign(LIMIT, 50.0, 1.0, 7.0, True)
        for frame in frames:
            given, before = sign, copy.copy(sign)
            sign = lab.confirm(given, frame)
            if not isinstance(sign, lab.Sign):
                raise Wrong("step6.debounce.nothing", found=kind(sign))
            if given != before:
                raise Wrong("step6.changed", name="sign")
        if bool(sign.confirmed) is not believed:
            raise Wrong(f"step6.debounce.{name}", times=lab.SEEN_TIMES, frames=lab.SEEN_FRAMES)
        if frames[-1] not in sign.frames:
            raise Wrong("step6.debounce.newest", found=frames[-1])
        remembered[frames] = sign.frames
    for frames, found in remembered.items():
        wanted = sorted({frame for frame in frames if frame > frames[-1] - lab.SEEN_FRAMES})
        if not isinstance(found, tuple) or sorted(found) != wanted:
            shown = {"seen": _listed(frames), "expected": _listed(wanted), "found": str(found)}
            raise Wrong("step6.debounce.frames", **shown)
    known = replace(sign_of(lab, DANGER, 50.0), done=True, unseen_from_cm=3.0)
    again = lab.confirm(known, 4)
    for name, value in vars(known).items():
        if name not in ("frames", "confirmed") and getattr(again, name) != value:
            raise Wrong("step6.debounce.forgets", name=name)
    must_use_constants(lab, "debounce")


def check_braking(lab: Lab) -> None:
    """The train brakes early enough to stop before the sign, and not much earlier."""
    rests = {speed: _rests_cm(lab, speed) for speed in (20.0, 50.0)}
    for speed, rests_cm in rests.items():
        if rests_cm is None:
            raise Wrong("step6.braking.never", speed=round(speed))
        if rests_cm < 0:
            raise Wrong("step6.braking.too_late", speed=round(speed), off=round(-rests_cm))
        if rests_cm > STOP_ZONE_CM:
            raise Wrong("step6.braking.too_early", speed=round(speed), off=round(rests_cm), zone=STOP_ZONE_CM)
    for speed, rests_cm in rests.items():
        late_cm = (rests_cm or 0) - lab.STOP_BEFORE_CM
        if not -PRECISE_CM <= late_cm <= speed / CONTROL_RATE_HZ + PRECISE_CM:
            values = {"found": round(rests_cm or 0), "wanted": round(lab.STOP_BEFORE_CM)}
            raise Wrong("step6.braking.other_place", speed=round(speed), **values)
    for at_cm in (290.0, 305.0):
        if not lab.must_stop(_danger(lab), lab.Memory(), state_at(at_cm, 50.0)):
            raise Wrong("step6.braking.seen_late")


def _rests_cm(lab: Lab, speed_cm_s: float) -> float | None:
    """How far before a danger a train that brakes on `must_stop` stops; None if it never brakes."""
    for at_cm in _places(speed_cm_s):
        if lab.must_stop(_danger(lab), lab.Memory(), state_at(at_cm, speed_cm_s)):
            return 300.0 - at_cm - braking_distance_cm(speed_cm_s)
    return None


def check_priority(lab: Lab) -> None:
    """The train stops for a danger whatever else happens, and only when it is time to stop."""
    _check_decisions(lab)
    for name in ("track-stop", "track-stop-and-slowdown", "track-full"):
        _must_drive(lab, name, "priority")


def _check_decisions(lab: Lab) -> None:
    """The order is right in the situations that matter."""
    memory = memory_of(lab, sign_of(lab, DANGER, 30.0), sign_of(lab, LIMIT, 40.0))
    now = 10.05
    answer = lab.drive(memory, state_at(15.0, 20.0), now)
    if not is_answer(answer) or not isinstance(answer[0], lab.Memory):
        raise Wrong("step6.priority.form", found=kind(answer))
    after, order = answer
    as_stop_says = (order.sign, order.light, order.at, after.stopping) == (DANGER, Light.BLINK, now, True)
    if order.reason is Reason.DANGER_STOP and not as_stop_says:
        raise Wrong("step6.priority.own_stop")
    if order.sign is not DANGER:
        raise Wrong("step6.priority.limit_first")
    if order.reason is not Reason.DANGER_STOP:
        raise Wrong("step6.priority.no_stop", found=str(order.kind))
    _, order = lab.drive(memory, state_at(20.0, 50.0), now)
    if order.reason is not Reason.DANGER_STOP:
        raise Wrong("step6.priority.no_stop", found=str(order.kind))
    far = memory_of(lab, sign_of(lab, DANGER, 200.0))
    for memory, speed in ((far, 20.0), (replace(far, stopping=True), 0.0)):
        _, order = lab.drive(memory, state_at(120.0, speed), now)
        if order.reason is Reason.DANGER_STOP:
            raise Wrong("step6.priority.at_once", distance=80)
        if order.reason is not Reason.DANGER_APPROACH:
            raise Wrong("step6.priority.no_danger", found=str(order.reason))
    try:
        _, order = lab.drive(far, state_at(230.0, 20.0), now)
    except (AttributeError, TypeError) as error:
        raise Wrong("step6.priority.none", what=f"{type(error).__name__}: {error}") from None
    if order.reason is Reason.DANGER_STOP:
        raise Wrong("step6.priority.passed", distance=30)


def check_failsafe(lab: Lab) -> None:
    """Every reason not to drive is detected: no frames, old or frozen frames, no report from the train."""
    memory = replace(lab.Memory(), frame_count=9, last_frame=frame_of(9, 10.0), good_frames=9, fault=None)
    unseen = replace(memory, frame_count=0, last_frame=None, good_frames=0)
    old = state_at(0.0, 50.0)
    cases = (
        ("false_alarm", memory, old, 10.1, None),
        ("no_state", memory, None, 10.1, Reason.NO_TRAIN_STATE),
        ("old_state", replace(memory, last_frame=frame_of(1, 11.0)), old, 11.0, Reason.NO_TRAIN_STATE),
        ("no_frame", unseen, old, 10.1, Reason.NO_FRAMES),
        ("old_frame", memory, old.model_copy(update={"at": 10.45}), 10.45, Reason.NO_FRAMES),
        ("frozen", replace(memory, frozen_s=lab.FROZEN_S), old, 10.1, Reason.FROZEN_FRAMES),
        ("future", replace(memory, last_frame=frame_of(1, 70.0)), old, 10.1, Reason.NO_FRAMES),
        ("future_state", memory, old.model_copy(update={"at": 70.0}), 10.1, Reason.NO_TRAIN_STATE),
        ("not_yet_old", replace(memory, last_frame=frame_of(1, 10.4)), old, 10.4, None),
        ("not_yet_old", replace(memory, last_frame=frame_of(1, 10.0)), old, 10.25, None),
        ("not_yet_old", replace(memory, last_frame=frame_of(1, 10.5)), old, 10.5, None),
        ("near_future", replace(memory, last_frame=frame_of(1, 10.3)), old, 10.1, None),
        ("near_future", memory, old.model_copy(update={"at": 10.5}), 10.1, None),
        ("not_yet_frozen", replace(memory, frozen_s=0.8 * lab.FROZEN_S), old, 10.1, None),
        ("order", unseen, None, 10.1, Reason.NO_TRAIN_STATE),
        ("order", replace(memory, frozen_s=1.0), old, 11.0, Reason.NO_TRAIN_STATE),
        ("order", replace(memory, frozen_s=1.0), old, 10.45, Reason.NO_FRAMES),
    )
    for name, remembered, state, now, expected in cases:
        found = lab.find_fault(remembered, state, now)
        if found is not expected:
            raise Wrong(f"step6.failsafe.{name}", found=str(found), expected=str(expected))
    with replaced(lab, FRAME_AGE_MAX_S=0.25):
        found = lab.find_fault(memory, old, 10.25)
    if found is not None:
        raise Wrong("step6.failsafe.not_yet_old", found=str(found))
    must_use_constants(lab, "failsafe")


def check_exam(lab: Lab) -> None:
    """Whatever breaks, the train stops in time and stays at rest until everything works again."""
    _must_return_memory(lab)
    for outcome in exam(lab):
        if not outcome.passed:
            values = {"found": round(outcome.rolled_cm), "most": round(STOPPING_LIMIT_CM)}
            raise Wrong(f"step6.exam.{outcome.fault}", frames=lab.GOOD_FRAMES, **values)
    _check_recovery(lab)


def _must_return_memory(lab: Lab) -> None:
    """`watch` returns a memory, with and without a fault."""
    for state, good_frames in ((None, 0), (state_at(0.0, 50.0), 0), (state_at(0.0, 50.0), 9)):
        given = replace(lab.Memory(), last_frame=frame_of(1, 10.0), good_frames=good_frames)
        before = copy.copy(given)
        found = lab.watch(given, None, state, 10.1)
        if not isinstance(found, lab.Memory):
            raise Wrong("step6.exam.no_memory", found=kind(found))
        if given != before:
            raise Wrong("step6.changed", name="memory")


def _check_recovery(lab: Lab) -> None:
    """The memory contains the reason for the current fault, which is over after enough good frames."""
    _must_return_memory(lab)
    state, memory = (
        state_at(0.0, 50.0),
        replace(lab.Memory(), last_frame=frame_of(1, 10.0), fault=Reason.NO_FRAMES),
    )
    frozen = lab.watch(replace(memory, frozen_s=1.0, good_frames=9), None, state, 10.1)
    if frozen.fault is not Reason.FROZEN_FRAMES:
        raise Wrong("step6.exam.stale", found=str(frozen.fault), expected=str(Reason.FROZEN_FRAMES))
    if frozen.good_frames != 0:
        raise Wrong("step6.exam.count", found=frozen.good_frames)
    stopping = replace(
        memory, frame_count=9, signs=(sign_of(lab, DANGER, 30.0),), stopping=True, rest_since=9.0
    )
    for good_frames, now in ((9, 11.0), (lab.GOOD_FRAMES, 10.1), (0, 10.1)):
        before = replace(stopping, good_frames=good_frames)
        after = lab.watch(before, None, state, now)
        for name in KEPT:
            if getattr(after, name) != getattr(before, name):
                raise Wrong("step6.exam.forgets", name=name)
    for before in (Reason.NO_FRAMES, Reason.STARTING):
        for good_frames, fault in ((lab.GOOD_FRAMES - 1, before), (lab.GOOD_FRAMES, None)):
            found = lab.watch(replace(memory, good_frames=good_frames, fault=before), None, state, 10.1).fault
            if found is not fault:
                name = "too_late" if fault is None else "too_soon" if before is memory.fault else "starts"
                raise Wrong(f"step6.exam.{name}", good=good_frames, frames=lab.GOOD_FRAMES)
    must_use_constants(lab, "exam")


def _must_drive(lab: Lab, feed_name: str, exercise: str) -> None:
    """Drives a feed; the mission must be accomplished, with a good score and without a fault at any sign."""
    try:
        run = drive(lab, feed_name)
    except UserError:
        _must_be_right_alone(lab, exercise)
        raise
    result = score_run(run, feed(feed_name))
    at_fault = [outcome for outcome in result.signs if outcome.faults]
    if result.accomplished and result.score >= SCORE_LEAST and not at_fault:
        return
    _must_be_right_alone(lab, exercise)
    values = {"feed": feed_name, "score": result.score, "least": SCORE_LEAST}
    if result.derailed:
        raise Wrong(f"step6.{exercise}.derailed", **values, at=round(result.distance_cm))
    if run.ticks[-1].order.reason in FAULTS:
        raise Wrong("step6.drive.fault", **values, found=str(run.ticks[-1].order.reason))
    if at_fault:
        first = at_fault[0]
        raise Wrong(f"step6.drive.{first.faults[0]}", **values, at=round(first.at_cm))
    raise Wrong("step6.drive.score", **values, stops=result.false_stops)


def _must_be_right_alone(lab: Lab, exercise: str) -> None:
    """Looks for the cause of a bad run in the later gaps that are filled in: these affect the run, too."""
    step = find_step("6")
    waiting = untouched(step, Path(lab.__file__))
    for later in step.exercises[step.exercises.index(exercise) + 1 :]:
        if later not in waiting:
            try:
                ALONE[later](lab)
            except Wrong as wrong:
                wrong.exercise = later
                raise
            except Exception:  # The run itself has shown where it failed.
                continue


ALONE = {
    "every": check_every,
    "debounce": check_debounce,
    "braking": check_braking,
    "priority": _check_decisions,
    "failsafe": check_failsafe,
    "exam": _check_recovery,
}
"""The part of each check that drives no train."""


def _danger(lab: Lab) -> Any:
    """A danger at 300 cm."""
    return sign_of(lab, DANGER, 300.0)


def _places(speed_cm_s: float) -> list[float]:
    """Position of the train at each step of the control loop, up to 20 cm past a sign at 300 cm."""
    step_cm = speed_cm_s / CONTROL_RATE_HZ
    return [100.0 + step_cm * tick for tick in range(round(220.0 / step_cm))]


def _listed(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, numbers))
