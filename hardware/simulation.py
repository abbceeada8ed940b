"""Simulates how a train and a camera may really behave, whatever the kit assumes; no radio, no pictures."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from brakepoint.locomotive import BRAKING_CM_S2, DEAD_POWER, LAG_S, SPEED_PER_POWER, Motion
from brakepoint.messages import Detection, Detections, Order, TrainState
from brakepoint.mission.loop import Step, decide, find_ending, make_tick
from brakepoint.mission.records import Run, Tick
from brakepoint.ports import Hub
from brakepoint.rules import CONTROL_RATE_HZ
from brakepoint.scenery.geometry import visible_signs
from brakepoint.scenery.scenario import Scenario
from brakepoint.train_file import RECORDED, Drive
from brakepoint.truth import VISIBLE_HEIGHT_MIN_PX, VISIBLE_MIN, CameraModel, GroundTruth
from hardware.lwp3 import BRAKE
from hardware.reckoning import Reckoning

FRESH_VOLTS = 9.0
"""Voltage of six new batteries, at which the default train is as fast as assumed."""
BOX_NOISE_PX = 0.5
"""Error of each edge of a box: one standard deviation."""
BESIDE_CM = 7.0
"""Distance to the right of the track at which an owner puts a plate."""


@dataclass(frozen=True)
class World:
    """The true figures of a train, whatever its hub assumes.

    Attributes:
        speed: Speed relative to the default train, as a factor.
        volts: Voltage of the train's batteries.
        lag_s: Time for 63 % of a change of speed.
        braking_cm_s2: Deceleration of the motor's brake.
        camera: The train's camera; its picture has as many pixels as the recorded one.
        latency_s: Age of a picture on arrival.
    """

    speed: float = 1.0
    volts: float = FRESH_VOLTS
    lag_s: float = LAG_S
    braking_cm_s2: float = BRAKING_CM_S2
    camera: CameraModel = RECORDED
    latency_s: float = 0.0

    def speed_cm_s(self, motor: int) -> float:
        """The steady speed at a power in percent: the motor's speed depends on power times voltage."""
        power = motor * self.volts / FRESH_VOLTS
        return self.speed * max(power - DEAD_POWER, 0) * SPEED_PER_POWER


class TrueTrain:
    """Moves like a train in the given world, according to its motor's settings.

    Attributes:
        motor: Power in percent, or `BRAKE`.
        motion: Position and speed of the train.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.motor, self.motion = BRAKE, Motion()
        self._now = 0.0
        self._past: deque[tuple[float, float]] = deque(maxlen=30 * CONTROL_RATE_HZ)

    def at(self, now: float) -> Motion:
        """Moves the train up to a time."""
        seconds, self._now = max(now - self._now, 0.0), max(now, self._now)
        if self.motor == BRAKE:
            self.motion = self.motion.braked(seconds, self._world.braking_cm_s2)
        else:
            target = self._world.speed_cm_s(self.motor)
            self.motion = self.motion.drawn_to(target, seconds, self._world.lag_s)
        self._past.append((self._now, self.motion.position_cm))
        return self.motion

    def pictured_at_cm(self, now: float) -> float:
        """Where the train was when the picture that arrives now was taken."""
        times, places = zip(*self._past, strict=True)
        return float(np.interp(now - self._world.latency_s, times, places))


class Lookout:
    """A detector's view of a scenario, computed from geometry, in the frames of the given world's camera.

    Args:
        scenario: The signs and their places.
        world: The world with the camera.
        focal_px: The camera's focal length as assumed by the kit, which determines the scaling to the
            recorded camera's.
        seed: Seed of the errors of the boxes.
    """

    def __init__(self, scenario: Scenario, world: World, focal_px: float, seed: int = 0) -> None:
        self.scenario, self._camera = scenario, world.camera
        self._scale = RECORDED.focal_px / focal_px
        self._random = np.random.default_rng(seed)
        self._frame_id = 0

    def look(self, position_cm: float, now: float) -> Detections:
        """The detections from a place, in a picture that arrives now."""
        self._frame_id += 1
        number = max(round(position_cm / self.scenario.spacing_cm), 0)
        items = []
        for sign in _seen(self.scenario, number, self._camera):
            box = np.array(sign.box) + self._random.normal(0, BOX_NOISE_PX, 4)
            lowest_px = min(1.0, self._scale) * (box[3] - box[1])
            if sign.sign_class is None or sign.visible < VISIBLE_MIN or lowest_px < VISIBLE_HEIGHT_MIN_PX:
                continue
            middle = np.array([RECORDED.width_px, RECORDED.height_px] * 2) / 2
            framed = np.clip(middle + self._scale * (box - middle), 0, 2 * middle)
            if framed[2] - framed[0] > 1 and framed[3] - framed[1] > 1:
                items.append(
                    Detection(sign_class=sign.sign_class, confidence=1.0, box=tuple(framed.tolist()))
                )
        return Detections(
            frame_id=self._frame_id, captured_at=now, picture_hash=str(self._frame_id), items=tuple(items)
        )


@cache
def _seen(scenario: Scenario, number: int, camera: CameraModel) -> tuple:  # type: ignore[type-arg]
    return visible_signs(scenario, number, model=camera)


class ReckoningHub:
    """The train's hub without the radio: the true train obeys the reckoning's motor settings immediately.

    Args:
        train: The true train.
        world: The world with the train's batteries.
        drive: The figures that the hub assumes.
    """

    is_simulated = True

    def __init__(self, train: TrueTrain, world: World, drive: Drive) -> None:
        self._train, self._volts = train, world.volts
        self._reckoning = Reckoning(drive)

    @property
    def volts(self) -> float:
        """The voltage that the hub reports."""
        return self._volts

    def fit(self, drive: Drive) -> None:
        """Uses another drive."""
        self._reckoning.fit(drive)

    def apply(self, order: Order) -> None:
        """Follows an order."""
        self._reckoning.follow(order)
        self._train.motor = self._reckoning.settings.motor

    def state(self, now: float) -> TrainState:
        """Updates the reckoning, and moves the train."""
        self._train.at(now)
        self._reckoning.measured(self._volts)
        self._reckoning.at(now)
        self._train.motor = self._reckoning.settings.motor
        return self._reckoning.state

    def close(self) -> None:
        """Does nothing: there is nothing to release."""


def true_run(
    truth: GroundTruth,
    train: TrueTrain,
    hub: Hub,
    look: Callable[[float, float], Detections],
    step: Step,
) -> Run:
    """Drives a line; the autopilot receives the hub's reckoning, and the record contains the truth.

    Args:
        truth: Ground truth of the line.
        train: The true train.
        hub: The train's hub.
        look: Returns the detections from a given place at a given time.
        step: The autopilot.
    """
    memory, ticks, ending = None, list[Tick](), None
    while ending is None:
        now = len(ticks) / CONTROL_RATE_HZ
        state = hub.state(now)
        detections = look(train.pictured_at_cm(now), now)
        memory, order = decide(step, memory, detections, state, now)
        hub.apply(order)
        true = state.model_copy(
            update={"position_cm": train.motion.position_cm, "speed_cm_s": train.motion.speed_cm_s}
        )
        ticks.append(make_tick(true, now, detections, order, truth))
        ending = find_ending(ticks, truth)
    return Run(feed=truth.feed, ending=ending, ticks=tuple(ticks))


def straight(signs: dict[str, float]) -> Scenario:
    """A straight with plates beside it: kind → position along the track."""
    placed = [
        {"kind": kind, "at_cm": at_cm, "offset_cm": BESIDE_CM, "tilt_deg": 0, "turn_deg": 0}
        for kind, at_cm in signs.items()
    ]
    return Scenario.model_validate(
        {
            "name": "bench",
            "seed": 1,
            "light": "day",
            "spacing_cm": 0.5,
            "track": [{"straight_cm": 250}],
            "signs": placed,
        }
    )
