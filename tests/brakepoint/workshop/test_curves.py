"""The curves of a model: how it learnt, and how sure it was of each sign as the train came nearer."""

from pathlib import Path

import pytest
from driving import drive, feed, score
from recordings import record

from brakepoint.messages import Detections, SignClass
from brakepoint.mission.loop import OracleDetector
from brakepoint.mission.report import Recording
from brakepoint.mission.scoring import score_run
from brakepoint.workshop.curves import FROM_CM, Chart, Line, approach, learning

FEED = "track-stop"


class Doubting:
    """Sees every sign with half the confidence, and gives all one class, or moves its boxes."""

    def __init__(self, truth, sign_class: SignClass = SignClass.DANGER_AHEAD, moved_px: float = 0.0):
        self._oracle, self._class, self._moved_px = OracleDetector(truth), sign_class, moved_px

    def detect(self, frame) -> Detections:
        seen = self._oracle.detect(frame)
        items = tuple(self._doubted(item) for item in seen.items)
        return seen.model_copy(update={"items": items})

    def _doubted(self, item):
        left, top, right, bottom = item.box
        box = left + self._moved_px, top, right + self._moved_px, bottom
        return item.model_copy(update={"confidence": 0.5, "sign_class": self._class, "box": box})


def driven(detector) -> Recording:
    truth = feed(FEED)
    run = drive(truth, detector=detector)
    return Recording.of(run, score_run(run, truth), score(truth), truth)


def shares(recording: Recording) -> set[float]:
    chart = approach(recording, feed(FEED))
    assert chart is not None
    return {share for line in chart.lines for _, share in line.places}


def test_each_sign_that_counts_has_a_line_from_afar_to_where_it_was_last_seen():
    recording = record(feed("track-slowdown"))
    chart = approach(recording, feed("track-slowdown"))

    assert chart is not None
    assert [line.sign for line in chart.lines] == [sign for sign in recording.signs if sign.counts]
    for line in chart.lines:
        distances = [distance for distance, _ in line.places]
        assert distances == sorted(distances, reverse=True)
        assert 60 < distances[0] <= FROM_CM
        assert 0 <= distances[-1] < 20


def test_a_line_is_as_high_as_the_detector_is_sure():
    assert shares(record(feed(FEED))) == {1.0}
    assert shares(driven(Doubting(feed(FEED)))) == {0.5}


@pytest.mark.parametrize("wrong", [{"sign_class": SignClass.SPEED_LIMIT}, {"moved_px": 40.0}])
def test_a_sign_of_another_class_or_elsewhere_is_not_found(wrong):
    assert shares(driven(Doubting(feed(FEED), **wrong))) == {0.0}


def test_a_line_of_another_feed_tells_nothing():
    recording = record(feed(FEED))
    other, short = feed("track-slowdown"), feed(FEED).model_copy(update={"frames": feed(FEED).frames[:3]})

    assert approach(recording, other) is None
    assert approach(recording, short) is None


def test_a_training_run_is_shown_epoch_by_epoch(tmp_path: Path):
    results = tmp_path / "results.csv"
    results.write_text("epoch, time, metrics/mAP50(B)\n1, 9, 0.25\n2, 9, 0.5\n3, 9, 0.75\n")
    chart = learning(results)

    assert chart is not None
    assert (chart.first, chart.last, chart.marks) == (1, 3, (1, 2, 3))
    assert chart.lines == (Line(((1, 0.25), (2, 0.5), (3, 0.75))),)


def test_of_a_long_training_not_every_epoch_is_written(tmp_path: Path):
    results = tmp_path / "results.csv"
    results.write_text("epoch,metrics/mAP50(B)\n" + "".join(f"{epoch},0.5\n" for epoch in range(1, 101)))
    chart = learning(results)

    assert chart is not None
    assert chart.marks[:2] == (1, 14)
    assert len(chart.marks) == 8


@pytest.mark.parametrize(
    "content", ["", "epoch\n1\n", "epoch,metrics/mAP50(B)\n1,?\n", "epoch,metrics/mAP50(B)\n1\n"]
)
def test_what_is_not_a_training_run_has_no_curve(tmp_path: Path, content: str):
    results = tmp_path / "results.csv"
    assert learning(results) is None

    results.write_text(content)
    assert learning(results) is None


def test_the_left_end_is_the_first_value_and_the_top_is_a_share_of_one():
    chart = Chart("approach", 100, 0, (100, 0), (Line(((100, 1.0), (50, 0.5), (0, 0.0))),))

    left, middle, right = chart.points(chart.lines[0]).split()
    assert left == f"{float(chart.left)},10.0"
    assert middle == f"{(chart.left + chart.right) / 2},{(10 + chart.base) / 2}"
    assert right == f"{float(chart.right)},{float(chart.base)}"


def test_a_single_epoch_is_in_the_middle():
    chart = Chart("learning", 1, 1, (1,), (Line(((1, 0.5),)),))

    assert chart.x(1) == (chart.left + chart.right) / 2


def test_a_coordinate_has_at_most_one_decimal():
    line = Line(tuple((value, value / 7) for value in range(7)))
    points = Chart("learning", 0, 6.3, (), (line,)).points(line)

    assert all(len(number.partition(".")[2]) <= 1 for place in points.split() for number in place.split(","))
