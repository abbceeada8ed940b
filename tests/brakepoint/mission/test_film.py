"""The film shows every tick of the run in real time, and then the score."""

from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from driving import feed, never_brakes
from recordings import record

from brakepoint.errors import UserError
from brakepoint.messages import Detection, Reason, SignClass
from brakepoint.mission import film
from brakepoint.mission.film import (
    BAD,
    CLOSING_S,
    GOOD,
    INK,
    PICTURE_PX,
    Artist,
    _draw_verdict,
    _poster_tick,
    draw_detections,
    make_film,
    pictures,
    still,
    telling_tick,
)
from brakepoint.mission.records import Moment, MomentKind
from brakepoint.rules import CONTROL_RATE_HZ
from brakepoint.truth import load_truth

GREY = np.full((480, 640, 3), 90, np.uint8)


def test_a_film_lasts_as_long_as_the_run_and_a_moment_more(short_feed: Path, tmp_path: Path):
    recording = record(load_truth(short_feed.with_suffix(".json")))
    make_film(recording, short_feed, tmp_path / "film.mp4")

    with av.open(str(tmp_path / "film.mp4")) as film:
        stream = film.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.average_rate == CONTROL_RATE_HZ
        count = sum(1 for _ in film.decode(stream))
    assert count == len(recording.run.ticks) + round(CLOSING_S * CONTROL_RATE_HZ)


def test_a_film_shows_what_was_drawn_in_its_colours(short_feed: Path, tmp_path: Path):
    recording = record(load_truth(short_feed.with_suffix(".json")))
    make_film(recording, short_feed, tmp_path / "film.mp4")

    drawn = Artist(recording).frame(next(pictures(short_feed, [0])), recording.run.ticks[0])
    shown = next(pictures(tmp_path / "film.mp4", [0]))
    assert np.abs(shown.astype(int) - drawn).mean() < 4


def test_the_poster_shows_the_moment_that_tells_most(short_feed: Path, tmp_path: Path):
    recording = record(load_truth(short_feed.with_suffix(".json")))
    make_film(recording, short_feed, tmp_path / "film.mp4")

    poster = cv2.imread(str(tmp_path / "film.jpg"))
    tick = next(tick for tick in recording.run.ticks if tick.order.sign is not None and tick.detections)
    shown = Artist(recording).frame(next(pictures(short_feed, [tick.frame_number])), tick)
    assert poster is not None and poster.shape == shown.shape
    assert np.abs(poster.astype(int) - shown).mean() < 5


def test_a_poster_shows_the_first_mistake_if_there_was_one():
    wrong = record(feed("track-stop"), never_brakes)
    first_wrong = wrong.mission.first_wrong

    assert first_wrong is not None and _poster_tick(wrong).time_s == first_wrong.time_s


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("track-stop-and-slowdown", Reason.DANGER_STOP),
        ("track-stop", Reason.DANGER_STOP),
        ("track-slowdown", Reason.SPEED_LIMIT),
    ],
)
def test_a_poster_shows_a_stop_rather_than_another_sign_and_both_while_they_are_seen(name, reason):
    recording = record(feed(name))
    tick = _poster_tick(recording)

    assert (tick.order.reason, tick.order.sign is not None) == (reason, True)
    assert tick.detections
    before = [one for one in recording.run.ticks if one.time_s < tick.time_s and one.order.reason is reason]
    assert not [one for one in before if one.detections and one.order.sign is not None], "it is the first"


def test_a_poster_of_a_line_without_signs_shows_its_middle():
    recording = record(feed("track-empty"))
    ticks = recording.run.ticks

    assert _poster_tick(recording) is ticks[len(ticks) // 2]


def test_each_picture_comes_when_it_is_asked_for_and_as_often(short_feed: Path):
    first, again, later = (picture.copy() for picture in pictures(short_feed, [3, 3, 20]))

    assert (first == again).all()
    assert (first != later).any()


@pytest.mark.parametrize("numbers", [[0, 100_000]])
def test_a_video_that_ends_too_early_is_refused(short_feed: Path, numbers: list[int]):
    with pytest.raises(UserError, match=r"short\.mp4"):
        list(pictures(short_feed, numbers))


def test_a_missing_video_is_refused(tmp_path: Path):
    with pytest.raises(UserError, match="nowhere"):
        next(pictures(tmp_path / "nowhere.mp4", [0]))


@pytest.mark.parametrize(
    "box", [(300, 200, 340, 240), (0, 0, 30, 30), (620, 460, 640, 480), (-5, -5, 700, 500), (10, 10, 11, 11)]
)
def test_a_box_is_drawn_wherever_it_lies(box: tuple[float, float, float, float]):
    picture = GREY.copy()
    draw_detections(picture, [Detection(sign_class=SignClass.SPEED_LIMIT, confidence=0.9, box=box)])

    assert (picture != GREY).any()


def test_the_language_of_a_film_is_the_readers(short_feed: Path, monkeypatch: pytest.MonkeyPatch):
    recording = record(load_truth(short_feed.with_suffix(".json")))
    tick = recording.run.ticks[-1]
    strips = []
    for lang in ("en", "fr"):
        monkeypatch.setenv("BRAKEPOINT_LANG", lang)
        strips.append(Artist(recording).frame(GREY, tick)[PICTURE_PX:])

    assert (strips[0] != strips[1]).any()


def test_the_still_of_a_sign_that_was_passed_shows_the_sign(short_feed: Path):
    truth = load_truth(short_feed.with_suffix(".json"))
    recording = record(truth, never_brakes)
    first_wrong = recording.mission.first_wrong
    assert first_wrong is not None
    assert first_wrong.sign_id is not None

    assert still(recording, truth, short_feed).startswith(b"\xff\xd8")


@pytest.mark.parametrize(
    ("detected", "is_missed"),
    [("the sign", False), ("nothing", True), ("another class", True), ("another place", True)],
)
def test_a_sign_is_marked_as_missed_unless_its_class_was_detected_around_it(
    short_feed: Path, monkeypatch: pytest.MonkeyPatch, detected: str, is_missed: bool
):
    truth = load_truth(short_feed.with_suffix(".json"))
    recording = record(truth, never_brakes)
    first_wrong = recording.mission.first_wrong
    assert first_wrong is not None
    tick = telling_tick(recording.run, first_wrong, truth)
    (sign,) = truth.perfect_detections(tick.frame_number)
    left, top, right, bottom = sign.box
    items = {
        "the sign": (sign,),
        "nothing": (),
        "another class": (sign.model_copy(update={"sign_class": SignClass.SPEED_LIMIT}),),
        "another place": (sign.model_copy(update={"box": (right + 1, top, 2 * right - left, bottom)}),),
    }
    marked: list[Detection] = []
    monkeypatch.setattr(
        film, "telling_tick", lambda *_: tick.model_copy(update={"detections": items[detected]})
    )
    monkeypatch.setattr(film, "_draw_missed", lambda _, missed: marked.append(missed))

    still(recording, truth, short_feed)
    assert marked == [sign] * is_missed


def test_a_false_stop_is_shown_by_the_last_picture_of_what_the_train_stopped_for(short_feed: Path):
    truth = load_truth(short_feed.with_suffix(".json"))
    run = record(truth).run
    *before, shown = run.ticks[
        : 1 + next(n for n, tick in enumerate(run.ticks) if tick.order.sign is not None)
    ]
    assert shown.detections
    other = shown.detections[0].model_copy(update={"sign_class": SignClass.SPEED_LIMIT})
    after = [shown.model_copy(update={"detections": seen}) for seen in (None, (), (other,), None)]
    false_stop = Moment(
        kind=MomentKind.FALSE_STOP, time_s=shown.time_s, position_cm=shown.position_cm, sign_id=None
    )

    cut = run.model_copy(update={"ticks": (*before, shown, *after)})
    assert telling_tick(cut, false_stop, truth) is shown


@pytest.mark.parametrize(("obeyed", "colour", "middle"), [(True, GOOD, GOOD), (False, BAD, INK)])
def test_a_sign_that_was_obeyed_gets_an_open_tick_on_green_and_another_a_cross_on_red(obeyed, colour, middle):
    canvas = np.zeros((41, 41, 3), np.uint8)
    _draw_verdict(canvas, obeyed, (20, 20))

    assert tuple(canvas[15, 20]) == colour
    assert canvas[19, 19] == pytest.approx(middle, abs=10), (
        "a tick is open above, where the strokes of a cross meet"
    )
