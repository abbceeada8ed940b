"""Scenarios that hypothesis makes up: counting signs in any order, distractors between, gentle curves."""

from hypothesis import strategies as st

from brakepoint.scenery.scenario import Scenario, ScenarioSign
from brakepoint.track import Curve, Straight

COUNTING = ("danger-exclamation", "danger-children", "danger-train", "danger-worker", "limit-30", "limit-50")
DISTRACTORS = ("stop", "no-entry", "parking", "bus-stop", "crossing", "no-horn")
GENTLE_CM, TIGHT_CM = 83.2, 32.0
FIRST_CM, LAST_CM = 75.0, 25.0

turns = st.sampled_from(("left", "right"))


def _counting(kind: str, at_cm: float) -> st.SearchStrategy[ScenarioSign]:
    return st.builds(
        ScenarioSign, kind=st.just(kind), at_cm=st.just(at_cm), side=turns, offset_cm=st.floats(6, 8)
    )


def _distractor(at_cm: float) -> st.SearchStrategy[ScenarioSign]:
    fronts = st.tuples(st.sampled_from(DISTRACTORS), st.just(True))
    backs = st.tuples(st.sampled_from(COUNTING), st.just(False))
    return st.builds(
        lambda sign, side, offset: ScenarioSign(
            kind=sign[0], facing=sign[1], at_cm=at_cm, side=side, offset_cm=offset
        ),
        fronts | backs,
        turns,
        st.floats(6, 9),
    )


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    """A scenario that a train must be able to drive, its last sign before a tight curve."""
    kinds = draw(st.lists(st.sampled_from(COUNTING), min_size=1, max_size=4))
    gaps = draw(st.lists(st.floats(110, 220), min_size=len(kinds) - 1, max_size=len(kinds) - 1))
    places = [FIRST_CM]
    for gap in gaps:
        places.append(places[-1] + gap)
    signs = [draw(_counting(kind, at)) for kind, at in zip(kinds, places, strict=True)]
    signs += [draw(_distractor(at + 40)) for at in places[:-1] if draw(st.booleans())]
    turn = draw(turns)
    return Scenario(
        name="made-up",
        seed=draw(st.integers(0, 2**32 - 1)),
        track=(*_gentle(draw, places[-1] + LAST_CM), Curve(curve=turn, radius_cm=TIGHT_CM, angle_deg=80)),
        signs=tuple(signs),
    )


def _gentle(draw: st.DrawFn, length_cm: float) -> list[Straight | Curve]:
    """Straights and gentle curves of a total length; the last piece is a straight."""
    pieces: list[Straight | Curve] = []
    left_cm = length_cm
    while left_cm > 180 and draw(st.booleans()):
        curve = Curve(curve=draw(turns), radius_cm=GENTLE_CM, angle_deg=draw(st.floats(10, 35)))
        straight = Straight(straight_cm=draw(st.floats(40, 80)))
        pieces += [straight, curve]
        left_cm -= straight.length_cm + curve.length_cm
    return [*pieces, Straight(straight_cm=left_cm)]
