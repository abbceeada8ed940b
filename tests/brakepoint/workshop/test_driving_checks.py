"""The checks of step 6 at their limits: what is barely right passes, what is barely wrong does not."""

from types import SimpleNamespace

import pytest

from brakepoint.locomotive import braking_distance_cm
from brakepoint.rules import STOP_ZONE_CM
from brakepoint.workshop.checks import step6_autopilot
from brakepoint.workshop.checks.step6_autopilot import DISTANCE_ERROR, check_braking, check_distance
from brakepoint.workshop.verdicts import Wrong
from solutions import step6_autopilot as solution

AIM_CM = solution.STOP_BEFORE_CM


@pytest.mark.parametrize(("share", "is_right"), [(0.99, True), (-0.99, True), (1.01, False), (-1.01, False)])
def test_a_distance_may_be_wrong_by_one_percent(share, is_right, monkeypatch):
    monkeypatch.setattr(step6_autopilot, "must_use_constants", lambda *_: None)
    monkeypatch.setattr(step6_autopilot, "_must_drive", lambda *_: None)

    def locate(item):
        place = solution.locate(item)
        return place._replace(ahead_cm=place.ahead_cm * (1 + share * DISTANCE_ERROR))

    lab = SimpleNamespace(Place=solution.Place, locate=locate)
    if is_right:
        check_distance(lab)
    else:
        with pytest.raises(Wrong, match="distance"):
            check_distance(lab)


def lab_that_rests(before_cm: float) -> SimpleNamespace:
    """A lab that brakes as soon as its train would come to rest at most that far before the sign."""

    def must_stop(danger, memory, state):
        rest_cm = danger.position_cm - state.position_cm - braking_distance_cm(state.speed_cm_s)
        return rest_cm <= before_cm

    return SimpleNamespace(
        Sign=solution.Sign, Memory=solution.Memory, STOP_BEFORE_CM=AIM_CM, must_stop=must_stop
    )


def rests_at(before_cm: float, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A lab whose train comes to rest exactly that far before the sign, whatever its speed."""

    def places(speed_cm_s: float) -> list[float]:
        return [100.0, 300.0 - braking_distance_cm(speed_cm_s) - before_cm]

    monkeypatch.setattr(step6_autopilot, "_places", places)
    return lab_that_rests(before_cm + 0.001)


@pytest.mark.parametrize("before_cm", [AIM_CM - 0.99, AIM_CM, AIM_CM + 2.0])
def test_a_rest_where_the_code_behind_the_gap_aims_is_right(before_cm, monkeypatch):
    check_braking(rests_at(before_cm, monkeypatch))


@pytest.mark.parametrize("before_cm", [0.01, AIM_CM - 1.01, AIM_CM + 5.0, STOP_ZONE_CM - 0.01])
def test_a_rest_elsewhere_in_the_stop_zone_is_reported_as_another_place(before_cm, monkeypatch):
    with pytest.raises(Wrong) as caught:
        check_braking(rests_at(before_cm, monkeypatch))

    assert caught.value.key == "check.step6.braking.other_place"


@pytest.mark.parametrize(
    ("before_cm", "mistake"), [(-0.5, "too_late"), (-3.0, "too_late"), (STOP_ZONE_CM + 0.5, "too_early")]
)
def test_a_rest_after_the_sign_or_before_its_zone_is_reported_as_what_it_is(before_cm, mistake, monkeypatch):
    with pytest.raises(Wrong) as caught:
        check_braking(rests_at(before_cm, monkeypatch))

    assert caught.value.key == f"check.step6.braking.{mistake}"


def test_a_brake_that_is_never_applied_is_reported():
    lab = SimpleNamespace(Sign=solution.Sign, Memory=solution.Memory, must_stop=lambda *_: False)
    with pytest.raises(Wrong) as caught:
        check_braking(lab)

    assert caught.value.key == "check.step6.braking.never"
