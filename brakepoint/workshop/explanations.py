"""Explanations of passed exercises: why this answer is right, what another would cost, and an alternative.

The texts are in `brakepoint/texts/explanations.toml`; their figures are here, and tests recompute them.
"""

import ast
from functools import cache
from math import factorial
from typing import Any

from brakepoint.course import Step, find_step
from brakepoint.delivery.credentials import RANDOM_BYTES
from brakepoint.locomotive import braking_distance_cm
from brakepoint.messages import SignClass
from brakepoint.rules import CONTROL_RATE_HZ, FULL_SPEED_CM_S, PENALTY_FALSE_STOP, PLATE_HEIGHT_CM
from brakepoint.texts import text
from brakepoint.workshop.artefacts import SYNTHETIC_PICTURES

PARTS = ("why", "cost", "other")

PAGE_OBJECTS = 1000
"""S3's own limit for the number of objects in one answer."""
STILL_WIDTH_PX = 640
TENSOR_NUMBERS = 3 * 608 * 800
"""Number of values in the network's input: `input` of `brakepoint/models/track.onnx`."""
TRACK_PICTURES = 300
"""The number of pictures in the example of the hint and the explanation."""
ROOM = 40
"""Number of attendees of the room in the instructor's guide."""

MEASURED = {
    "stills": 120,
    "half_read": 0,
    "leaked": 24,
    "held_out": 24,
    "edge_percent": 22,
    "hidden": 5,
    "labelled": 40,
    "no_danger_points": 40,
    "two_signs": 152,
    "full_frames": 229,
    "base64_kb": 48,
    "base_settings": 3,
    "edge_pods": 6,
    "other_pods": 6,
    "delivery_tasks": 9,
    "architectures": 2,
    "after_training": 3,
    "cached": 3,
}
"""Counts and results of runs with the kit's own files. `test_explanations.py` repeats these measurements."""
RECORDED = {
    "flat_map50": 0.13,
    "photographed_map50": 0.51,
    "epoch_minutes": 10,
    "found_at_07": 91,
    "photographs": 32,
    "false_alarms": 3,
    "false_alarms_at_06": 4,
    "training_minutes": 4,
    "track_before": 0.54,
    "track_after": 0.97,
    "road_before": 0.91,
}
"""From `brakepoint/models/README.md` and docs/en/decisions.md, which give the commands."""


@cache
def figures() -> dict[str, float]:
    """Every figure in the explanations, by its name in the catalogue."""
    synthetic, training, autopilot = (constants(find_step(number)) for number in ("2", "3", "6"))
    empty, distractors, road = synthetic["EMPTY_SHARE"], synthetic["DISTRACTOR_SHARE"], training["ROAD_SHARE"]
    too_few = round(TRACK_PICTURES * road)
    track_gain = RECORDED["track_after"] - RECORDED["track_before"]
    orders = factorial(3)
    derived = {
        "page_objects": PAGE_OBJECTS,
        "pictures": SYNTHETIC_PICTURES,
        "beyond_page": SYNTHETIC_PICTURES - PAGE_OBJECTS,
        "pixels_a_percent": STILL_WIDTH_PX / 100,
        "corner_iou": 0.25 / (2 - 0.25),
        "short_iou": (9 / 10) ** 2,
        "visible_percent": round(synthetic["VISIBLE_LEAST"] * 100),
        "distractor_percent": round((empty + (1 - empty) * distractors) * 100),
        "empty_pictures": round(SYNTHETIC_PICTURES * empty),
        "roads_too_few": too_few,
        "roads_right": round(TRACK_PICTURES * road / (1 - road)),
        "share_too_low": round(too_few / (TRACK_PICTURES + too_few) * 100),
        "road_percent": round(road * 100),
        "track_gain": track_gain,
        "road_unnoticed": RECORDED["road_before"] - track_gain,
        "secret_keys": len(constants(find_step("4"))["S3_KEYS"]),
        "tensor_mb": TENSOR_NUMBERS * 4 / 1e6,
        "tensor_millions": TENSOR_NUMBERS / 1e6,
        "orders": orders,
        "wrong_orders": orders - 1,
        "frames_a_second": CONTROL_RATE_HZ,
        "frame_age_s": autopilot["FRAME_AGE_MAX_S"],
        "inverted_cm": PLATE_HEIGHT_CM[SignClass.DANGER_AHEAD] ** 2 / 100,
        "false_stop_points": round(PENALTY_FALSE_STOP),
        "braking_cm": braking_distance_cm(FULL_SPEED_CM_S),
        "aim_cm": autopilot["STOP_BEFORE_CM"],
        "too_far_cm": braking_distance_cm(FULL_SPEED_CM_S) - autopilot["STOP_BEFORE_CM"],
        "blind_cm": FULL_SPEED_CM_S * autopilot["FRAME_AGE_MAX_S"],
        "hops_a_second": CONTROL_RATE_HZ / 2,
        "good_frames": autopilot["GOOD_FRAMES"],
        "more_cores": ROOM * 0.5,
        "token_bits": RANDOM_BYTES * 8,
    }
    return derived | MEASURED | RECORDED


def constants(step: Step) -> dict[str, Any]:
    """The literal constants of a step's solution, which isn't imported because that is slow."""
    found = {}
    for node in ast.parse(step.solution.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            try:
                found[node.targets[0].id] = ast.literal_eval(node.value)
            except ValueError:
                continue  # The value isn't a literal.
    return found


def explain(step: Step, exercise: str, lang: str | None = None) -> list[str]:
    """The explanation of a passed exercise, in three paragraphs.

    Args:
        step: The exercise's step.
        exercise: The exercise's name.
        lang: Language; by default the reader's.
    """
    return [
        text(
            f"workshop.explained.{part}",
            lang,
            words=text(f"explain.{step.name}.{exercise}.{part}", lang, **figures()),
        )
        for part in PARTS
    ]
