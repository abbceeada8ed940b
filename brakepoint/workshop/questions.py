"""The open question of each step: one number to choose, measured with the learner's own code.

There is no right number: a gain in one figure is a loss in another.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import Any

import cv2
import numpy as np

from brakepoint.adapters import SIMULATED_HUB, open_hub
from brakepoint.course import LABS_DIR, SOLUTIONS_DIR, Step
from brakepoint.delivery.rendering import container_of, of_kind, render
from brakepoint.detector import SHIPPED_MODEL, Detector
from brakepoint.errors import UserError
from brakepoint.evaluation import Examined, examine, load_labels, read_picture
from brakepoint.evaluation.mean_average_precision import class_metrics, match_picture
from brakepoint.messages import Detection, Detections, Frame, SignClass
from brakepoint.mission.loop import OracleDetector, PlainCamera, run_mission
from brakepoint.mission.records import Score
from brakepoint.mission.scoring import score_run
from brakepoint.rules import CONTROL_RATE_HZ
from brakepoint.steps import load_step
from brakepoint.truth import GroundTruth
from brakepoint.workshop.artefacts import outcome_of
from brakepoint.workshop.checks.answers import replaced
from brakepoint.workshop.checks.driving import feed
from brakepoint.workshop.checks.quantities import amount
from brakepoint.workshop.measuring import judged_detections
from brakepoint.workshop.progress import Attempt
from brakepoint.workshop.quick import size

SPLITS, PAINTED, CANDIDATES, JOURNEYS = 20, 30, 2000, 10
"""Numbers of splits, painted pictures, simulated models, and lines driven for one attempt."""
IN_PRODUCTION = {"track": 0.9, "road": 0.8}
GAIN, CHANCE = 0.03, 0.02
"""Standard deviations of mAP50: of simulated models around production, and of a measurement around the truth.

The second standard deviation is that of a validation set of about twenty pictures.
"""
NODE_CORES = 8.0
"""Cores of a node that the trains share; the texts mention this number in words."""

Figures = dict[str, float]


@dataclass(frozen=True)
class Question:
    """An open question.

    Attributes:
        least: The lowest number that may be chosen.
        most: The highest number that may be chosen.
        more: The figures for which higher is better.
        less: The figures for which lower is better.
        measure: Takes the learner's module (or the folder of a step that isn't a module) and the number.
    """

    least: float
    most: float
    more: tuple[str, ...]
    less: tuple[str, ...]
    measure: Callable[[Any, float], Figures]


def attempt(step: Step, choice: float, source: str) -> Attempt:
    """Measures the effect of a choice.

    Args:
        step: The step with the question.
        choice: The number.
        source: Source of the measured code, `labs` or `solutions`.

    Raises:
        UserError: The number is out of range, or the step is not done yet.
    """
    question = QUESTIONS[step.name]
    if not question.least <= choice <= question.most:
        raise UserError("question.range", least=question.least, most=question.most)
    folder = LABS_DIR if source == "labs" else SOLUTIONS_DIR
    lab = folder / step.name if step.files else load_step(step.name, source)
    try:
        figures = question.measure(lab, choice)
    except NotImplementedError as error:
        raise UserError("question.not_yet", number=step.number) from error
    return Attempt(choice=choice, figures={name: round(float(value), 2) for name, value in figures.items()})


def unbeaten(question: Question, attempts: Sequence[Attempt]) -> list[Attempt]:
    """The Pareto-optimal attempts: no other attempt is as good in every figure and better in one."""

    def goods(one: Attempt) -> list[float]:
        gained = [one.figures[name] for name in question.more]
        return gained + [-one.figures[name] for name in question.less]

    def beats(other: Attempt, one: Attempt) -> bool:
        pairs = list(zip(goods(other), goods(one), strict=True))
        return all(a >= b for a, b in pairs) and any(a > b for a, b in pairs)

    return [one for one in attempts if not any(beats(other, one) for other in attempts)]


@cache
def _examined(folder: Path) -> tuple[Examined, ...]:
    detector = Detector(SHIPPED_MODEL)
    return tuple(one for part in ("train", "val") for one in examine(folder / part, detector))


def _examination(lab: Any, share: float) -> Figures:
    """Step 1: how much chance alone changes the result, and how many pictures are left for training."""
    matches = {one.path.name: one.match for one in _examined(outcome_of("1").resolve())}
    sides = [lab.split(sorted(matches), share, seed) for seed in range(SPLITS)]
    marks = [
        fmean(
            class_metrics([matches[name] for name in asked], sign_class, 0.0).ap50 or 0.0
            for sign_class in SignClass
        )
        for _, asked in sides
    ]
    return {"luck": 100 * (max(marks) - min(marks)), "lessons": fmean(len(training) for training, _ in sides)}


def _riddles(lab: Any, visible_least: float) -> Figures:
    """Step 2: how many signs there are to train on, and how many of these a good detector can find."""
    from brakepoint.synthesis import Materials
    from brakepoint.synthesis.cutouts import SHIPPED_CUTOUTS, load_cutouts

    materials, detector = Materials(cutouts=load_cutouts(SHIPPED_CUTOUTS)), Detector(SHIPPED_MODEL)
    signs = found = 0
    with replaced(lab, VISIBLE_LEAST=visible_least, CROWDED_SHARE=1.0, OCCLUDED_SHARE=1.0):
        for seed in range(size(PAINTED, quick=2)):
            picture = lab.paint_picture(np.random.default_rng(seed), materials)
            truths = [
                Detection(sign_class=one.sign_class, confidence=1, box=one.box) for one in picture.labels
            ]
            signs += len(truths)
            found += _hits(detector, picture.image, truths)
    return {"signs": signs, "found": _percent(found, signs)}


def _threshold(lab: Any, confidence: float) -> Figures:
    """Step 3: how many signs are found, and how many false alarms come with them."""
    confidences, correct, truths = judged_detections(outcome_of("3") / "model.onnx", outcome_of("1") / "val")
    right = correct[confidences >= confidence].astype(bool)
    return {"found": _percent(int(right.sum()), truths), "false_alarms": int((~right).sum())}


def _tolerance(lab: Any, tolerance: float) -> Figures:
    """Step 4: the share of better models that are rejected, and that of worse models that are published."""
    rng = np.random.default_rng(0)
    gains = rng.normal(0, GAIN, (size(CANDIDATES, quick=100), len(IN_PRODUCTION)))
    seen = gains + rng.normal(0, CHANCE, gains.shape)
    measured = [
        {
            world: before + gain
            for (world, before), gain in zip(IN_PRODUCTION.items(), row.tolist(), strict=True)
        }
        for row in seen
    ]
    passed = np.array([not lab.gate(new, IN_PRODUCTION, 0.0, tolerance) for new in measured])
    better, worse = (gains > 0).all(axis=1), (gains < 0).any(axis=1)
    return {"refused": 100 * np.mean(~passed[better]), "published": 100 * np.mean(passed[worse])}


def _compression(lab: Any, quality: float) -> Figures:
    """Step 5: how large a request is, and how many signs are still found in its picture."""
    from brakepoint.serving.pictures import decode_jpeg

    detector, signs, found, sizes = Detector(SHIPPED_MODEL), 0, 0, []
    for picture in load_labels(outcome_of("1") / "val"):
        image = read_picture(picture.path)
        jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, round(quality)])[1].tobytes()
        sizes.append(len(json.dumps(lab.request_body(jpeg))))
        truths = picture.truths(image.shape[1], image.shape[0])
        signs += len(truths)
        found += _hits(detector, decode_jpeg(jpeg), truths)
    return {"kilobytes": fmean(sizes) / 1000, "found": _percent(found, signs)}


class PoorEyes:
    """A detector in bad light: it has low confidence in signs, and often mistakes a distractor for a danger.

    Args:
        truth: Ground truth of the feed.
        seed: Seed of the confidences.
    """

    def __init__(self, truth: GroundTruth, seed: int) -> None:
        self._truth, self._oracle, self._rng = truth, OracleDetector(truth), np.random.default_rng(seed)

    def detect(self, frame: Frame) -> Detections:
        """Returns the true detections with lower confidence, and false ones."""
        seen = self._oracle.detect(frame)
        signs = [item.model_copy(update={"confidence": self._rng.beta(5, 2)}) for item in seen.items]
        mistaken = [
            Detection(sign_class=SignClass.DANGER_AHEAD, confidence=self._rng.beta(2.5, 3), box=sign.box)
            for sign in self._truth.frames[self._truth.frame_at(frame.position_cm)].signs
            if sign.sign_class is None and sign.visible > 0
        ]
        return seen.model_copy(update={"items": (*signs, *mistaken)})


def _belief(lab: Any, confidence: float) -> Figures:
    """Step 6: how many signs are obeyed, and how often the train stops for nothing."""
    scores: list[Score] = []
    truth = feed("track-full")
    with replaced(lab, CONFIDENCE_MIN=confidence):
        for seed in range(size(JOURNEYS, quick=1)):
            hub = open_hub(SIMULATED_HUB, out=None)
            run = run_mission(PlainCamera(), hub, PoorEyes(truth, seed), lab.step, truth)
            scores.append(score_run(run, truth))
    signs = [sign.obeyed for score in scores for sign in score.signs]
    return {
        "obeyed": _percent(sum(signs), len(signs)),
        "false_stops": fmean(score.false_stops for score in scores),
        "score": fmean(score.score for score in scores),
    }


def _cores(overlay: Path, cores: float) -> Figures:
    """Step 7: how many frames per second the detector manages, and how many trains fit on a node."""
    promised = {
        deployment["metadata"]["name"]: amount(
            "cpu", container_of(deployment)["resources"]["requests"]["cpu"]
        )
        for deployment in of_kind(render(overlay / "overlay"), "Deployment")
    }
    detector, image = Detector(SHIPPED_MODEL), np.zeros((480, 640, 3), np.uint8)
    detector.detect_image(image)
    before_s, times = time.process_time(), size(20, quick=2)
    for _ in range(times):
        detector.detect_image(image)
    frame_s = (time.process_time() - before_s) / times
    a_train = sum((promised | {"detector": cores}).values())
    return {"frames": min(cores / frame_s, CONTROL_RATE_HZ), "trains": NODE_CORES // a_train}


def _hits(detector: Detector, image: np.ndarray, truths: Sequence[Detection]) -> int:
    """The number of signs in a picture that the detector finds."""
    return int(match_picture(detector.detect_image(image), truths).correct[:, 0].sum())


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 0.0


QUESTIONS: dict[str, Question] = {
    "step1_dataset": Question(0.05, 0.9, ("lessons",), ("luck",), _examination),
    "step2_synthetic": Question(0.05, 1.0, ("signs", "found"), (), _riddles),
    "step3_training": Question(0.01, 0.99, ("found",), ("false_alarms",), _threshold),
    "step4_pipeline": Question(0.0, 0.2, (), ("refused", "published"), _tolerance),
    "step5_serving": Question(1, 100, ("found",), ("kilobytes",), _compression),
    "step6_autopilot": Question(0.05, 0.99, ("obeyed",), ("false_stops",), _belief),
    "step7_delivery": Question(0.05, 4.0, ("frames", "trains"), (), _cores),
}
"""Questions by step."""
