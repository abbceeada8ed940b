"""The checks of step 3: nothing is trained; decisions around training are tested with a few numbers."""

import math
from typing import Any

import numpy as np

from brakepoint.workshop.checks.answers import kind, not_decisions, replaced
from brakepoint.workshop.verdicts import Wrong
from brakepoint.worlds import World

Lab = Any
"""The attendee's module."""

CORRECT = (1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 0, 1, 1)
"""Whether each of 17 detections is right, most confident first.

Precision falls below 0.9 at the fourth detection and has recovered at the tenth; the eleventh is the last one
at which precision is at least 0.9.
"""
LAST_GOOD = 10
EXACTLY = 1 / 16
"""A share that is exact in floating point."""


def check_mix(lab: Lab) -> None:
    """Pictures of roads make up the specified share of all pictures."""
    for track in (302, 901, 0):
        found, share = lab.road_pictures(track), lab.ROAD_SHARE
        if not isinstance(found, int | np.integer):
            raise Wrong("step3.mix.type", found=kind(found))
        mistakes = {
            "of_track": round(track * share),
            "upside_down": round(track / share),
            "all": track,
            "rest": round(track * (1 - share)),
            "other_way": round(track * (1 - share) / share),
            "cut": int(track * share / (1 - share)),
            "up": math.ceil(track * share / (1 - share)),
            "total": round(track / (1 - share)),
        }
        if found != round(track * share / (1 - share)):
            name = next((name for name, wrong in mistakes.items() if found == wrong), "other")
            values = {"track": track, "found": int(found), "percent": round(100 * share)}
            actual = round(100 * found / (found + track)) if found + track else 0
            raise Wrong(f"step3.mix.{name}", actual=actual, **values)


def check_stop(lab: Lab) -> None:
    """A training run ends after `patience` epochs without a new best score."""
    cases = (
        ("rising", [0.1, 0.2, 0.3], 2, False),
        ("impatient", [0.1, 0.3, 0.2], 2, False),
        ("first", [0.3], 2, False),
        ("first", [0.1, 0.2], 2, False),
        ("impatient", [0.5, 0.1, 0.2], 3, False),
        ("never", [0.1, 0.4, 0.3, 0.2, 0.2, 0.1], 2, True),
        ("late", [0.1, 0.3, 0.2, 0.2], 2, True),
        ("best", [0.5, 0.1, 0.2, 0.3], 3, True),
        ("best", [0.5, 0.1, 0.2, 0.3], 2, True),
        ("new_best", [0.3, 0.2, 0.4, 0.35], 2, False),
        ("small_gain", [0.3, 0.2, 0.3004, 0.25], 2, False),
        ("small_gain", [0.3, 0.1, 0.32], 2, False),
        ("equal", [0.3, 0.3, 0.3], 2, True),
    )
    answers = [lab.should_stop(list(scores), patience) for _, scores, patience, stops in cases if stops]
    if found := not_decisions(answers):
        raise Wrong("step3.stop.type", found=found)
    for name, scores, patience, expected in cases:
        shown = ", ".join(f"{score:.4f}".removesuffix("00") for score in scores)
        try:
            answer = lab.should_stop(list(scores), patience)
        except (IndexError, ValueError):
            if len(scores) > patience:
                raise
            raise Wrong("step3.stop.first_crashes", scores=shown, patience=patience) from None
        if bool(answer) is not expected:
            raise Wrong(f"step3.stop.{name}", scores=shown, patience=patience)


def check_threshold(lab: Lab) -> None:
    """Recall is as high as possible while precision is sufficient."""
    confidences = np.round(np.linspace(0.95, 0.3, len(CORRECT)), 4)
    correct = np.array(CORRECT, bool)
    found = lab.choose_confidence(confidences.copy(), correct.copy())
    if not isinstance(found, float | np.floating):
        raise Wrong("step3.threshold.type", found=kind(found))
    expected = confidences[LAST_GOOD]
    mistakes = {
        "surest": (confidences[0], 1.0),
        "first_drop": (confidences[2], confidences[3]),
        "recall": (_first(confidences, np.cumsum(correct) / correct.sum() >= lab.PRECISION_LEAST),),
        "one_too_far": (confidences[LAST_GOOD + 1],),
        "all": (confidences[-1],),
    }
    if abs(found - expected) > 1e-6:
        if found in (round(expected, 1), round(expected, 2), round(expected, 3)):
            raise Wrong("step3.threshold.rounded", found=float(found), expected=float(expected))
        name = next(
            (n for n, wrong in mistakes.items() if any(abs(found - w) < 1e-6 for w in wrong)), "other"
        )
        sure = correct[confidences >= found]
        precision = round(100 * sure.mean()) if len(sure) else 0
        values = {
            "precision": precision,
            "right": int(sure.sum()),
            "best": int(correct[: LAST_GOOD + 1].sum()),
        }
        shown = {"found": round(float(found), 2), "expected": round(float(expected), 2)}
        raise Wrong(f"step3.threshold.{name}", percent=round(100 * lab.PRECISION_LEAST), **values, **shown)
    _check_exact_threshold(lab)
    _check_insufficient_threshold(lab)
    _check_no_threshold(lab, confidences)
    ties, right = np.array([0.9, 0.8, 0.8, 0.8]), np.array([True, True, False, False])
    if (found := lab.choose_confidence(ties.copy(), right.copy())) != ties[0]:
        values = {"found": round(float(found), 2), "expected": ties[0].item()}
        raise Wrong("step3.threshold.ties", percent=round(100 * right.mean()), **values)


def _check_no_threshold(lab: Lab, confidences: np.ndarray) -> None:
    """Without sufficient precision, or any detection, no confidence is good enough."""
    wrong, half = np.zeros(len(CORRECT), bool), np.array([False, True])
    cases = (
        ("none", confidences, wrong),
        ("half", confidences[:2], half),
        ("empty", confidences[:0], wrong[:0]),
    )
    for name, given, correct in cases:
        try:
            nothing = lab.choose_confidence(given.copy(), correct.copy())
        except (IndexError, ValueError):
            raise Wrong(f"step3.threshold.{name}_crashes") from None
        if not isinstance(nothing, float | int | np.number):
            raise Wrong("step3.threshold.type", found=kind(nothing))
        if nothing != 1.0:
            raise Wrong(f"step3.threshold.{name}", found=round(float(nothing), 2))


def _check_exact_threshold(lab: Lab) -> None:
    """Nine of ten detections are right, and the second one is wrong: the precision is exactly sufficient."""
    confidences, correct = np.round(np.linspace(0.9, 0.45, 10), 2), np.arange(10) != 1
    if (found := lab.choose_confidence(confidences.copy(), correct.copy())) != confidences[-1]:
        values = {"found": round(float(found), 2), "expected": round(float(confidences[-1]), 2)}
        raise Wrong("step3.threshold.exact", percent=round(100 * lab.PRECISION_LEAST), **values)


def _check_insufficient_threshold(lab: Lab) -> None:
    """Seven of eight detections are right, and the last one is wrong: 87.5 percent is less than 90."""
    confidences, correct = np.round(np.linspace(0.9, 0.55, 8), 2), np.arange(8) != 7
    if (found := lab.choose_confidence(confidences.copy(), correct.copy())) != confidences[-2]:
        values = {"found": round(float(found), 2), "expected": round(float(confidences[-2]), 2)}
        raise Wrong("step3.threshold.not_enough", percent=round(100 * lab.PRECISION_LEAST), **values)


def check_gate(lab: Lab) -> None:
    """A model is better if it improves on the track and forgets little about the roads."""
    cases = (
        ("refused", (0.9, 0.82), (0.3, 0.82), True),
        ("not_better", (0.2, 0.9), (0.3, 0.8), False),
        ("same", (0.3, 0.8), (0.3, 0.8), False),
        ("forgot", (0.95, 0.75), (0.3, 0.82), False),
        ("forgot", (0.95, 0.766), (0.3, 0.82), False),
        ("not_better", (0.2, 0.95), (0.3, 0.8), False),
        ("not_better", (0.28, 0.9), (0.3, 0.8), False),
        ("other_world", (0.7, 0.82), (0.3, 0.82), True),
        ("strict", (0.9, 0.775), (0.3, 0.82), True),
        ("strict", (0.32, 0.78), (0.3, 0.82), True),
        ("gained", (0.9, 0.95), (0.3, 0.82), True),
        ("small_gain", (0.304, 0.82), (0.3, 0.82), True),
    )
    answers = [lab.is_better(_worlds(*new), _worlds(*base)) for _, new, base, better in cases if better]
    if found := not_decisions(answers):
        raise Wrong("step3.gate.type", found=found)
    for name, new, base, expected in cases:
        answer = lab.is_better(dict(reversed(_worlds(*new).items())), _worlds(*base))
        if bool(answer) is not expected:
            if name == "refused" and lab.is_better(_worlds(*base), _worlds(*new)):
                name = "inverted"
            values = {"new_track": new[0], "new_road": new[1], "base_track": base[0], "base_road": base[1]}
            raise Wrong(f"step3.gate.{name}", most=lab.FORGETTING_MOST, **values)
    with replaced(lab, FORGETTING_MOST=EXACTLY):
        exactly = lab.is_better(_worlds(0.9, 0.75 - EXACTLY), _worlds(0.3, 0.75))
    with replaced(lab, FORGETTING_MOST=2 * EXACTLY):
        within = lab.is_better(_worlds(0.9, 0.75 - EXACTLY), _worlds(0.3, 0.75))
    if within and not exactly:
        raise Wrong("step3.gate.exact")


def _worlds(track: float, road: float) -> dict[World, float]:
    return {World.TRACK: track, World.ROAD: road}


def _first(confidences: np.ndarray, good: np.ndarray) -> float:
    return float(confidences[np.flatnonzero(good)[0]])
