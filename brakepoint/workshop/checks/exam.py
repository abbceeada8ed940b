"""The exam of step 6: something breaks while the train is driving, on the virtual clock.

Each fault wraps a working camera, detector or hub. The train itself has the usual watchdog, so the train
brakes when the autopilot falls silent.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from brakepoint.adapters import SIMULATED_HUB, open_hub
from brakepoint.locomotive import STOPPING_LIMIT_CM
from brakepoint.messages import (
    Detection,
    Detections,
    Frame,
    Light,
    Order,
    OrderKind,
    Reason,
    SignClass,
    TrainState,
)
from brakepoint.mission.loop import FrameDetector, OracleDetector, PlainCamera, run_mission
from brakepoint.mission.records import Run, Score
from brakepoint.mission.scoring import score_run
from brakepoint.rules import CONTROL_RATE_HZ, WATCHDOG_S
from brakepoint.texts import text
from brakepoint.truth import GroundTruth
from brakepoint.workshop.checks.driving import feed

BREAKS_AT_S = 3.0
"""When the fault occurs: the train is at full speed by then."""
WATCHED_S = 6.0
"""Time after the fault at which the train must still be where it stopped."""
STUTTER_S = 0.4
"""Time between two pictures of a stuttering camera: each arrives when the previous one is too old."""
MENDED_AFTER_S = 1.0
GHOST_EVERY = 30
"""Number of frames from one false alarm to the next."""


class BreakingCamera(PlainCamera):
    """Shows pictures until it breaks.

    Args:
        shows: Returns whether there is a picture, given the seconds since the fault; before the fault there
            always is one.
        freezes: Whether all pictures since the fault are the same.
    """

    def __init__(self, shows: Callable[[float], bool], freezes: bool = False) -> None:
        super().__init__()
        self._shows, self._freezes = shows, freezes

    def read(self, train_state: TrainState) -> Frame | None:  # type: ignore[override]
        """Captures a picture, or fails."""
        frame, broken_s = super().read(train_state), train_state.at - BREAKS_AT_S
        if broken_s < 0:
            return frame
        if not self._shows(broken_s):
            return None
        image = np.zeros((4, 4, 3), np.uint8) if self._freezes else frame.image
        return replace(frame, image=image)


class FlickeringDetector:
    """Misses every second frame, and occasionally sees a danger that isn't there.

    Args:
        truth: Ground truth of the feed.
    """

    def __init__(self, truth: GroundTruth) -> None:
        self._oracle = OracleDetector(truth)

    def detect(self, frame: Frame) -> Detections:
        """Returns the true detections, or fewer, or more."""
        seen = self._oracle.detect(frame)
        if frame.frame_id % GHOST_EVERY == 0:
            ghost = Detection(sign_class=SignClass.DANGER_AHEAD, confidence=0.9, box=(380, 220, 410, 252))
            return seen.model_copy(update={"items": (ghost,)})
        return seen if frame.frame_id % 2 else seen.model_copy(update={"items": ()})


class BreakingHub:
    """A train with its watchdog, whose radio may fail in either direction.

    Args:
        tells: Whether the train's reports still arrive after the fault.
        hears: Whether orders still reach the train after the fault.
    """

    is_simulated = True

    def __init__(self, tells: bool = True, hears: bool = True) -> None:
        self._hub, self._tells, self._hears = open_hub(SIMULATED_HUB, out=None), tells, hears
        self._heard_at: float | None = None
        self._now = 0.0
        self._last: TrainState | None = None

    def state(self, now: float) -> TrainState:
        """Moves the train up to now; the watchdog brakes at its exact time."""
        self._now = now
        if self._heard_at is not None and now > self._heard_at + WATCHDOG_S:
            bites_at = self._heard_at + WATCHDOG_S
            self._hub.state(bites_at)
            brake = Order(kind=OrderKind.BRAKE, reason=Reason.NO_ORDERS, light=Light.BLINK, at=bites_at)
            self._hub.apply(brake)
        return self._hub.state(now)

    def told(self, state: TrainState | None) -> TrainState | None:
        """The state that the autopilot receives: the last report if the train can no longer be heard."""
        if self._tells or self._now < BREAKS_AT_S:
            self._last = state
        return self._last

    def apply(self, order: Order) -> None:
        """Carries an order out if it arrives."""
        if self._hears or self._now < BREAKS_AT_S:
            self._heard_at = self._now
            self._hub.apply(order)

    def close(self) -> None:
        """Does nothing: there is nothing to release."""


@dataclass(frozen=True)
class FaultOutcome:
    """The train's result for one fault.

    Attributes:
        fault: The fault.
        rolled_cm: Distance covered within `WATCHED_S` after the fault.
        passed: Whether this is what a safe train does.
    """

    fault: str
    rolled_cm: float
    passed: bool

    def __str__(self) -> str:
        """A line for the report."""
        mark = "✓" if self.passed else "✗"
        return f"{mark} {self.rolled_cm:6.1f} cm  {text(f'notebook.exam.{self.fault}')}"


def stops(
    fault: str, lab: Any, camera: PlainCamera | None = None, hub: BreakingHub | None = None
) -> FaultOutcome:
    """Drives until something fails for good: the train must stop within the limit, and stay at rest."""
    run = _drive(lab, "track-empty", camera, hub)
    watched = [tick for tick in run.ticks if BREAKS_AT_S <= tick.time_s <= BREAKS_AT_S + WATCHED_S]
    rolled_cm = watched[-1].position_cm - watched[0].position_cm
    return FaultOutcome(fault, rolled_cm, rolled_cm <= STOPPING_LIMIT_CM)


def exam(lab: Any) -> list[FaultOutcome]:
    """Tests an autopilot with every fault."""
    mended = _score(lab, "track-empty", BreakingCamera(lambda broken_s: broken_s > MENDED_AFTER_S))
    restarted = _score(lab, "track-empty", crashes=True)
    flickering = _score(lab, "track-stop", detector=FlickeringDetector(feed("track-stop")))
    return [
        stops("frozen", lab, BreakingCamera(lambda broken_s: True, freezes=True)),
        stops("blind", lab, BreakingCamera(lambda broken_s: False)),
        stops("stutter", lab, BreakingCamera(_stutters)),
        stops("lost_train", lab, hub=BreakingHub(tells=False)),
        stops("silent", lab, hub=BreakingHub(hears=False)),
        FaultOutcome("never_recovers", mended.distance_cm, mended.accomplished),
        FaultOutcome("crash", restarted.distance_cm, restarted.accomplished),
        FaultOutcome(
            "flicker", flickering.distance_cm, flickering.accomplished and flickering.false_stops == 0
        ),
    ]


def _stutters(broken_s: float) -> bool:
    """Whether a stuttering camera shows a picture at this tick."""
    return round(broken_s * CONTROL_RATE_HZ) % round(STUTTER_S * CONTROL_RATE_HZ) == 0


def _drive(
    lab: Any,
    name: str,
    camera: PlainCamera | None = None,
    hub: BreakingHub | None = None,
    detector: FrameDetector | None = None,
    crashes: bool = False,
) -> Run:
    truth, train = feed(name), hub or BreakingHub()

    def step(memory: Any, seen: Detections | None, state: TrainState | None, now: float) -> tuple[Any, Order]:
        if crashes and 0 <= now - BREAKS_AT_S < MENDED_AFTER_S:
            return None, Order(kind=OrderKind.BRAKE, reason=Reason.NO_ORDERS, light=Light.BLINK, at=now)
        answer: tuple[Any, Order] = lab.step(memory, seen, train.told(state), now)
        return answer

    return run_mission(camera or PlainCamera(), train, detector or OracleDetector(truth), step, truth)


def _score(lab: Any, name: str, *args: Any, **broken: Any) -> Score:
    return score_run(_drive(lab, name, *args, **broken), feed(name))
