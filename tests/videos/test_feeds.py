"""The committed feeds comply with the kit's rules, and match their scenarios."""

import hashlib

import av
import pytest

from brakepoint.feeds import COURSE_FEEDS, find_feed
from brakepoint.scenery.geometry import synthetic_truth, truth_signs
from brakepoint.scenery.scenario import SCENARIOS_DIR, load_scenario
from brakepoint.track import Curve
from brakepoint.truth import GroundTruth, load_truth

MIB = 2**20
ROUNDED = 0.011
"""Another processor may round the last of two decimals the other way."""


def truth_of(name: str) -> GroundTruth:
    return load_truth(find_feed(name).with_suffix(".json"))


@pytest.mark.parametrize("name", COURSE_FEEDS)
def test_a_feed_has_a_frame_every_two_centimetres_over_four_metres_and_ends_in_a_curve(name):
    truth = truth_of(name)

    assert truth.spacing_cm <= 2
    assert truth.length_cm >= 400
    assert isinstance(truth.track[-1], Curve)


@pytest.mark.parametrize("name", COURSE_FEEDS)
def test_a_feed_is_the_h264_video_that_its_ground_truth_belongs_to(name):
    video, truth = find_feed(name), truth_of(name)

    assert video.stat().st_size < 8 * MIB
    assert hashlib.sha256(video.read_bytes()).hexdigest() == truth.video_sha256
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert (stream.width, stream.height) == (truth.camera.width_px, truth.camera.height_px)
        assert stream.frames == len(truth.frames)


@pytest.mark.parametrize("name", COURSE_FEEDS)
def test_a_feed_shows_its_scenario(name):
    truth, scenario = truth_of(name), load_scenario(SCENARIOS_DIR / f"{name}.yaml")

    assert truth.track == scenario.track
    assert truth.signs == truth_signs(scenario)
    assert truth.seed == scenario.seed
    assert f"{name}.yaml" in truth.command


@pytest.mark.parametrize("name", COURSE_FEEDS)
def test_a_sign_is_where_geometry_puts_it_today_and_its_box_is_smaller_only_where_something_hides_it(name):
    computed = synthetic_truth(load_scenario(SCENARIOS_DIR / f"{name}.yaml"))
    for rendered, free in zip(truth_of(name).frames, computed.frames, strict=True):
        assert rendered.position_cm == free.position_cm
        whole = {sign.id: sign for sign in free.signs}
        for sign in rendered.signs:
            alone = whole[sign.id]
            assert (sign.kind, sign.sign_class) == (alone.kind, alone.sign_class)
            assert sign.distance_cm == pytest.approx(alone.distance_cm, abs=ROUNDED)
            assert sign.visible <= alone.visible
            outwards = [edge - bound for edge, bound in zip(sign.box, alone.box, strict=True)]
            assert min(outwards[:2]) >= -ROUNDED and max(outwards[2:]) <= ROUNDED
            if sign.visible == alone.visible:  # At most a point of its outline is hidden.
                assert sign.box == pytest.approx(alone.box, abs=0.2)


@pytest.mark.parametrize("name", COURSE_FEEDS)
def test_no_sign_shows_above_the_rows_that_are_looked_at(name):
    truth = truth_of(name)

    assert truth.camera.signs_from_px > 0
    for frame in truth.frames:
        assert all(sign.box[1] >= truth.camera.signs_from_px for sign in frame.signs)


@pytest.mark.parametrize("name", COURSE_FEEDS[1:])
def test_every_sign_that_counts_is_to_be_seen_well_before_it_is_reached(name):
    truth = truth_of(name)
    for sign in truth.signs:
        if sign.counts:
            first = next(
                frame.position_cm
                for number, frame in enumerate(truth.frames)
                if any(seen.id == sign.id for seen in frame.signs)
                and sum(item.sign_class is sign.sign_class for item in truth.perfect_detections(number))
            )
            assert sign.at_cm - first > 50
