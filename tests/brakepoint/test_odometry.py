"""The position is corrected by detections, on random tracks, and only by plausible ones."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brakepoint.messages import Light, SignClass, TrainState
from brakepoint.odometry import SCALE_BOUNDS, UNSEEN_CM, Odometry, Sighting, observe
from brakepoint.track import Curve, Straight, Track

FOCAL_PX, PLATE_CM = 460.0, 1.95
STEP_S = 1 / 15


def state(position_cm: float, speed_cm_s: float) -> TrainState:
    return TrainState(
        at=0, position_cm=position_cm, speed_cm_s=speed_cm_s, power=50, braking=False, light=Light.ON
    )


def random_track(random: np.random.Generator) -> Track:
    pieces: list = [Straight(straight_cm=60)]
    while Track(pieces).length_cm < 400:
        if random.random() < 0.5:
            pieces.append(Straight(straight_cm=float(random.uniform(20, 90))))
        else:
            side = "left" if random.random() < 0.5 else "right"
            pieces.append(
                Curve(
                    curve=side,
                    radius_cm=float(random.uniform(32, 120)),
                    angle_deg=float(random.uniform(10, 60)),
                )
            )
    return Track(pieces)


class Ride:
    """A train that is faster or slower than it reckons, on a random track with signs beside it."""

    def __init__(self, seed: int, scale: float, noise_px: float = 0.6, latency_s: float = 0.0) -> None:
        self.random = np.random.default_rng(seed)
        self.track = random_track(self.random)
        self.signs = [
            (at + float(self.random.uniform(-15, 15)), float(self.random.choice([-7.0, 7.0])))
            for at in range(60, int(self.track.length_cm), 70)
        ]
        self.scale, self.noise_px, self.latency_s = scale, noise_px, latency_s

    def seen(self, at_cm: float) -> list[Sighting]:
        here = self.track.pose(at_cm)
        found = []
        for sign_cm, offset_cm in self.signs:
            place = self.track.pose(sign_cm).beside(offset_cm)
            east, north = place.x_cm - here.x_cm, place.y_cm - here.y_cm
            ahead = east * math.cos(here.heading) + north * math.sin(here.heading)
            right = east * math.sin(here.heading) - north * math.cos(here.heading)
            if ahead < 10 or abs(right) > 0.65 * ahead or ahead > 75:
                continue
            height_px = FOCAL_PX * PLATE_CM / ahead + float(self.random.normal(0, self.noise_px))
            depth = FOCAL_PX * PLATE_CM / height_px
            towards = 1 / math.hypot(1, right / ahead)
            found.append(Sighting(SignClass.DANGER_AHEAD, depth / towards, towards, height_px))
        return found

    def drive(self, speed_cm_s: float = 30.0, false_alarms: float = 0.0) -> tuple[Odometry, float, float]:
        """The final estimate, the true position, and the reckoned one."""
        known, true_cm, reckoned_cm = Odometry.at_the_start(), 0.0, 0.0
        while true_cm < self.track.length_cm - 30:
            true_cm += self.scale * speed_cm_s * STEP_S
            reckoned_cm += speed_cm_s * STEP_S
            seen = self.seen(true_cm - self.scale * speed_cm_s * self.latency_s)
            if self.random.random() < false_alarms:
                away = float(self.random.uniform(10, 75))
                seen.append(Sighting(SignClass.DANGER_AHEAD, away, 1.0, FOCAL_PX * PLATE_CM / away))
            known = observe(known, state(reckoned_cm, speed_cm_s), seen, self.latency_s)
        return known, true_cm, reckoned_cm


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.8, 1.25))
def test_on_a_random_track_signs_put_speed_and_position_right(seed, scale):
    known, true_cm, reckoned_cm = Ride(seed, scale).drive()

    assert known.scale == pytest.approx(scale, abs=0.06)
    assert abs(known.position_cm - true_cm) <= 0.06 * true_cm + 0.3 * abs(reckoned_cm - true_cm)


def test_over_many_tracks_the_correction_takes_most_of_the_error_away():
    left, before = [], []
    for seed in range(20):
        known, true_cm, reckoned_cm = Ride(seed, 0.85 if seed % 2 else 1.15).drive()
        left.append(abs(known.position_cm - true_cm))
        before.append(abs(reckoned_cm - true_cm))

    assert np.mean(left) < 0.35 * np.mean(before)


def test_a_late_picture_is_not_a_slow_train():
    known, _, _ = Ride(3, 1.0, latency_s=0.2).drive()

    assert known.scale == pytest.approx(1.0, abs=0.04)


def test_false_alarms_do_not_take_the_train_elsewhere():
    known, true_cm, _ = Ride(5, 1.0).drive(false_alarms=0.1)

    assert known.position_cm == pytest.approx(true_cm, rel=0.06)


@given(st.lists(st.floats(5, 200), min_size=1, max_size=60))
def test_whatever_is_seen_the_factor_stays_within_its_bounds_and_the_train_never_goes_back(distances):
    known, last_cm = Odometry.at_the_start(), 0.0
    for step, away_cm in enumerate(distances, start=1):
        sighting = Sighting(SignClass.SPEED_LIMIT, away_cm, 1.0, FOCAL_PX * PLATE_CM / away_cm)
        known = observe(known, state(2.0 * step, 30.0), [sighting])
        assert SCALE_BOUNDS[0] <= known.scale <= SCALE_BOUNDS[1]
        assert known.position_cm >= last_cm
        assert np.linalg.eigvalsh(known.covariance).min() > -1e-9
        last_cm = known.position_cm


def test_without_a_sign_the_train_is_where_it_reckons_to_be():
    known = Odometry.at_the_start()
    for position_cm in (12.0, 20.0, 35.0):
        known = observe(known, state(position_cm, 30.0), [])

    assert known.correct(state(35.0, 30.0)) == state(35.0, 30.0)


def test_a_train_that_stands_learns_nothing():
    known = observe(Odometry.at_the_start(), state(0.0, 0.0), [])
    for away_cm in (40.0, 30.0, 20.0):
        known = observe(known, state(0.0, 0.0), [Sighting(SignClass.DANGER_AHEAD, away_cm, 1.0, 30.0)])

    assert (known.scale, known.signs) == (1.0, ())


def test_a_sign_out_of_sight_is_forgotten():
    known = observe(Odometry.at_the_start(), state(0, 30), [])
    known = observe(known, state(1, 30), [Sighting(SignClass.DANGER_AHEAD, 40.0, 1.0, 22.0)])
    near = observe(known, state(1 + UNSEEN_CM, 30), [])
    far = observe(known, state(2 + UNSEEN_CM, 30), [])

    assert (len(near.signs), len(far.signs)) == (1, 0)
    assert len(far.mean) == 1


def test_two_classes_are_two_signs_and_what_is_known_is_never_changed():
    known = observe(Odometry.at_the_start(), state(0, 30), [])
    seen = [Sighting(sign, 40.0, 1.0, 22.0) for sign in SignClass]
    both = observe(known, state(1, 30), seen)

    assert [sign.sign_class for sign in both.signs] == list(SignClass)
    assert len(known.mean) == 1
    assert observe(known, state(1, 30), seen).mean.tolist() == both.mean.tolist()
