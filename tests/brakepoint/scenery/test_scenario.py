import json
import math
from itertools import pairwise

import pytest

from brakepoint.errors import UserError
from brakepoint.feeds import COURSE_FEEDS
from brakepoint.rules import FULL_SPEED_CM_S, LOW_SPEED_STRETCH_CM
from brakepoint.scenery.artwork import PLATES
from brakepoint.scenery.geometry import truth_signs
from brakepoint.scenery.scenario import SCENARIOS_DIR, load_scenario
from brakepoint.track import Curve

GOOD = "name: x\ntrack: [{straight_cm: 100}]\n"


@pytest.fixture
def scenario_file(tmp_path):
    def write(content: str | bytes):
        path = tmp_path / "x.yaml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.fixture(params=COURSE_FEEDS)
def scenario(request):
    return load_scenario(SCENARIOS_DIR / f"{request.param}.yaml")


def test_a_feed_is_at_least_four_metres_at_two_centimetres(scenario):
    assert scenario.line.length_cm >= 400
    assert scenario.spacing_cm <= 2


@pytest.mark.parametrize("name", COURSE_FEEDS)
def test_a_copied_scenario_has_a_feed_of_its_own_name(name, tmp_path):
    copy = tmp_path / "my-line.yaml"
    copy.write_bytes((SCENARIOS_DIR / f"{name}.yaml").read_bytes())

    assert load_scenario(SCENARIOS_DIR / f"{name}.yaml").name == name
    assert load_scenario(copy).name == "my-line"


def test_a_scenario_may_say_another_name_than_its_file(scenario_file):
    assert load_scenario(scenario_file(GOOD.replace("name: x", "name: y"))).name == "y"


@pytest.mark.parametrize("name", ["My line", "Ma-ligne", "-line", "a" * 62, "line\n", ""])
def test_a_name_that_no_feed_can_have_is_answered_with_an_example(name, tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text(f"name: {json.dumps(name)}\ntrack: [{{straight_cm: 100}}]\n")

    with pytest.raises(UserError, match="as in my-line"):
        load_scenario(path)


@pytest.mark.parametrize("name", ["a", "0-line", "a" * 61])
def test_names_of_small_letters_digits_and_dashes_are_good(name, scenario_file):
    assert load_scenario(scenario_file(GOOD.replace("name: x", f"name: {json.dumps(name)}"))).name == name


def test_a_feed_ends_in_a_curve_that_its_last_sign_makes_safe(scenario):
    last = scenario.track[-1]
    assert isinstance(last, Curve)
    counting = [sign.at_cm for sign in truth_signs(scenario) if sign.counts]
    if scenario.name == "track-empty":
        assert not counting
        assert last.speed_max_cm_s > FULL_SPEED_CM_S
    else:
        assert last.speed_max_cm_s < FULL_SPEED_CM_S
        begin, end, _ = scenario.line.spans()[-1]
        assert max(counting) < begin
        assert max(counting) + LOW_SPEED_STRETCH_CM >= end


def test_only_the_last_curve_asks_for_low_speed(scenario):
    assert all(piece.speed_max_cm_s > FULL_SPEED_CM_S for piece in scenario.track[:-1])


def test_signs_that_count_are_far_enough_apart(scenario):
    places = sorted(sign.at_cm for sign in truth_signs(scenario) if sign.counts)

    assert all(after - before >= 110 for before, after in pairwise(places))


def test_a_track_keeps_its_distance_from_itself(scenario):
    places = [scenario.line.pose(cm) for cm in range(0, int(scenario.line.length_cm), 5)]

    assert all(math.dist(a[:2], b[:2]) > 30 for i, a in enumerate(places) for b in places[i + 10 :])


def test_every_plate_can_stand_in_a_scenario(scenario_file):
    signs = "".join(f"  - {{kind: {kind}, at_cm: {2 * place}}}\n" for place, kind in enumerate(PLATES))

    assert len(load_scenario(scenario_file(GOOD + "signs:\n" + signs)).signs) == len(PLATES)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "named fields"),
        ("name: [", "YAML"),
        ("name: x\n\ttrack: 1", "line 2"),
        ("name: x\nseed: 1\ntrack: []\nseed: 2", "line 4: seed: × 2"),
        (b"\xff\xfe\x00name", "x.yaml"),
        ("name: x", "track"),
        ("name: ../x\ntrack: [{straight_cm: 100}]", "name"),
        ("name: x\ntrack: [{straight_cm: .inf}]", "straight_cm"),
        ("name: x\ntrack: [{straight_cm: 5}]", "5 cm"),
        (GOOD + "signs: [{kind: dragon, at_cm: 5}]", "dragon"),
        (GOOD + "signs: [{kind: stop, at_cm: 500}]", "500"),
        (GOOD + "signs: [{kind: stop, at_cm: -1}]", "at_cm"),
        (GOOD + "signs: [{kind: stop, at_cm: 5, offset_cm: -7}]", "offset_cm"),
        (GOOD + "signs: [{kind: stop, at_cm: 5, colour: red}]", "colour"),
        (GOOD + "clutter: 2", "clutter"),
        ("track: [{straight_cm: 100}, {straight_cm: -1}]", "track #2.straight.straight_cm"),
        (
            "track: [{straight_cm: 100}, {curve: left, radius_cm: 5, angle_deg: 90}]",
            "track #2.curve.radius_cm",
        ),
        (
            "track: [{straight_cm: 100}, {curve: up, radius_cm: 50, angle_deg: 90}]",
            "track #2.curve.curve: one of",
        ),
        ("track: [{curve: left, straight_cm: 100}]", "track #1.curve.radius_cm: this field is missing"),
        ("track: [{length_cm: 100}]", "track #1.straight.straight_cm: this field is missing"),
        ("track: [100]", "track #1.straight: named fields"),
        (GOOD + "signs: [{kind: stop, at_cm: 50}, {kind: parking, at_cm: 51}]", "signs stop and parking"),
        (GOOD + "signs: [{kind: stop, at_cm: 50}, {kind: stop, at_cm: 50}]", "the same spot, at 50 cm"),
    ],
)
def test_a_wrong_scenario_is_answered_in_one_line_that_says_what_is_wrong(scenario_file, content, said):
    with pytest.raises(UserError) as caught:
        load_scenario(scenario_file(content))

    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_signs_across_the_track_from_each_other_stand_on_two_spots(scenario_file):
    signs = "signs: [{kind: stop, at_cm: 50}, {kind: stop, at_cm: 50, side: left}]"
    assert len(load_scenario(scenario_file(GOOD + signs)).signs) == 2


def test_a_scenario_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UserError, match="nothing"):
        load_scenario(tmp_path / "nothing.yaml")
