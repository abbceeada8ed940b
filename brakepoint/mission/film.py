"""The annotated film of a run: what the train saw, what was detected, and what was ordered.

Below the picture a strip shows speed, order, reason, position, and the line with its signs, which get a tick
or a cross as they are passed. The film is drawn from a recording, so a run can be filmed long after it was
driven.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import av
import cv2
import numpy as np

from brakepoint.drawing import BOLD, REGULAR, WHITE, bgr, text_width, write
from brakepoint.errors import UserError
from brakepoint.look import (
    ORDER_COLOURS,
    SIGN_LOOKS,
    SignLook,
    order_text,
    points,
    reason_text,
    sign_text,
)
from brakepoint.messages import Detection, Light, OrderKind, Reason, SignClass
from brakepoint.mission.records import Moment, MomentKind, Run, Tick
from brakepoint.mission.report import Recording
from brakepoint.rules import CONTROL_RATE_HZ, FULL_SPEED_CM_S, LOW_SPEED_CM_S
from brakepoint.texts import number, text
from brakepoint.truth import GroundTruth

WIDTH_PX, PICTURE_PX, STRIP_PX = 640, 480, 96
ENCODER: dict[str, object] = {
    "preset": "superfast",
    "crf": "24",
    "x264-params": "mbtree=1:rc-lookahead=5:b-adapt=0",
}
"""Settings that need half the processor time of `veryfast`, for the same quality at about the same size."""
CLOSING_S = 2.5
"""How long the film stays on the last frame, over which it shows the score."""
SPEED_SCALE_CM_S = 1.2 * FULL_SPEED_CM_S
MARGIN_PX = 18
LINE_Y = PICTURE_PX + 77

BLINK_S = 0.5
GOOD_LOOK = 0.9
"""A sign of which this share is visible can be recognised by eye."""

NIGHT, RAIL, GREY, INK = map(bgr, ("#10151c", "#3a4552", "#98a5b3", "#16191d"))
GOOD, BAD, LAMP = map(bgr, ("#3ecf8e", "#ff5d62", "#ffe9a3"))


def draw_detections(picture: np.ndarray, detections: Iterable[Detection]) -> None:
    """Draws boxes with class and confidence onto a picture."""
    for detection in detections:
        look = SIGN_LOOKS[detection.sign_class]
        colour = bgr(look.colour)
        edges = np.array(detection.box).clip(2, (WIDTH_PX - 3, PICTURE_PX - 3) * 2)
        left, top, right, bottom = edges.round().astype(int).tolist()
        cv2.rectangle(picture, (left - 2, top - 2), (right + 2, bottom + 2), INK, 4, cv2.LINE_AA)
        cv2.rectangle(picture, (left - 2, top - 2), (right + 2, bottom + 2), colour, 2, cv2.LINE_AA)
        label = f"{sign_text(detection.sign_class)} {number(detection.confidence, 2)}"
        width = text_width(label, 14, BOLD) + 12
        x = min(max(left - 3, 0), WIDTH_PX - width)
        y = top - 4 if top >= 26 else min(bottom + 24, PICTURE_PX)
        cv2.rectangle(picture, (x, y - 20), (x + width, y), colour, -1)
        write(picture, label, (x + 6, y - 5), 14, INK if look.is_bright else WHITE, BOLD)


class Artist:
    """Draws the frames of one recording's film.

    Args:
        recording: The run to film.
    """

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self._verdicts = {outcome.id: outcome for outcome in recording.mission.signs}
        self._strip = self._blank_strip()

    def frame(self, picture: np.ndarray, tick: Tick) -> np.ndarray:
        """One frame of the film: the picture with its boxes, and the strip below."""
        canvas = np.empty((PICTURE_PX + STRIP_PX, WIDTH_PX, 3), np.uint8)
        canvas[:PICTURE_PX] = picture
        canvas[PICTURE_PX:] = self._strip
        draw_detections(canvas[:PICTURE_PX], tick.detections or ())
        self._draw_speed(canvas, tick)
        self._draw_order(canvas, tick)
        self._draw_line(canvas, tick)
        return canvas

    def closing(self, frame: np.ndarray) -> np.ndarray:
        """The last frame, dimmed, with the score over it."""
        canvas = frame.copy()
        canvas[:PICTURE_PX] = (canvas[:PICTURE_PX] * 0.35).astype(np.uint8)
        mission, middle = self.recording.mission, WIDTH_PX // 2
        colour = GOOD if mission.accomplished else BAD
        write(canvas, points(mission.score), (middle, 240), 110, colour, BOLD, "center")
        write(canvas, text("film.of_100"), (middle, 275), 20, GREY, REGULAR, "center")
        verdict = text("film.accomplished") if mission.accomplished else text("film.failed")
        write(canvas, verdict, (middle, 330), 30, WHITE, BOLD, "center")
        return canvas

    def _x(self, position_cm: float) -> int:
        share = min(max(position_cm / self.recording.length_cm, 0.0), 1.0)
        return round(MARGIN_PX + share * (WIDTH_PX - 2 * MARGIN_PX))

    def _blank_strip(self) -> np.ndarray:
        """The parts that are the same in every frame: the labels, the line and its distractors."""
        canvas = np.full((PICTURE_PX + STRIP_PX, WIDTH_PX, 3), NIGHT, np.uint8)
        write(canvas, text("unit.cm_s"), (74, PICTURE_PX + 38), 14, GREY)
        for speed in (LOW_SPEED_CM_S, FULL_SPEED_CM_S):
            x = MARGIN_PX + round(120 * speed / SPEED_SCALE_CM_S)
            cv2.line(canvas, (x, PICTURE_PX + 46), (x, PICTURE_PX + 56), RAIL, 1)
        cv2.line(canvas, (MARGIN_PX, LINE_Y), (WIDTH_PX - MARGIN_PX, LINE_Y), RAIL, 4, cv2.LINE_AA)
        for sign in self.recording.signs:
            if not sign.counts:
                cv2.circle(canvas, (self._x(sign.at_cm), LINE_Y), 3, GREY, -1, cv2.LINE_AA)
        return canvas[PICTURE_PX:]

    def _draw_speed(self, canvas: np.ndarray, tick: Tick) -> None:
        write(canvas, number(tick.speed_cm_s), (68, PICTURE_PX + 38), 36, WHITE, BOLD, "right")
        end = MARGIN_PX + round(120 * min(tick.speed_cm_s / SPEED_SCALE_CM_S, 1.0))
        top, bottom = PICTURE_PX + 49, PICTURE_PX + 54
        cv2.rectangle(canvas, (MARGIN_PX, top), (MARGIN_PX + 120, bottom), RAIL, -1)
        cv2.rectangle(canvas, (MARGIN_PX, top), (end, bottom), bgr(ORDER_COLOURS[tick.order.kind]), -1)

    def _draw_order(self, canvas: np.ndarray, tick: Tick) -> None:
        colour = bgr(ORDER_COLOURS[tick.order.kind])
        cv2.rectangle(canvas, (168, PICTURE_PX + 14), (173, PICTURE_PX + 54), colour, -1)
        write(canvas, order_text(tick.order.kind), (186, PICTURE_PX + 33), 22, WHITE, BOLD)
        write(canvas, reason_text(tick.order.reason), (186, PICTURE_PX + 53), 14, GREY)
        right = WIDTH_PX - MARGIN_PX
        place = f"{number(tick.position_cm)} {text('unit.cm')}"
        write(canvas, place, (right, PICTURE_PX + 33), 18, WHITE, BOLD, "right")
        write(canvas, f"{number(tick.time_s, 1)} s", (right, PICTURE_PX + 53), 14, GREY, REGULAR, "right")

    def _draw_line(self, canvas: np.ndarray, tick: Tick) -> None:
        train = self._x(tick.position_cm)
        cv2.line(canvas, (MARGIN_PX, LINE_Y), (train, LINE_Y), GREY, 4, cv2.LINE_AA)
        for sign in self.recording.signs:
            if sign.counts and sign.sign_class is not None:
                passed = tick.position_cm > sign.at_cm and sign.id in self._verdicts
                obeyed = passed and self._verdicts[sign.id].obeyed
                _draw_glyph(canvas, SIGN_LOOKS[sign.sign_class], (self._x(sign.at_cm), LINE_Y))
                if passed:
                    _draw_verdict(canvas, obeyed, (self._x(sign.at_cm) + 10, LINE_Y + 8))
        colour = bgr(ORDER_COLOURS[tick.order.kind])
        cv2.rectangle(canvas, (train - 9, LINE_Y - 5), (train + 9, LINE_Y + 5), INK, -1, cv2.LINE_AA)
        cv2.rectangle(canvas, (train - 8, LINE_Y - 4), (train + 8, LINE_Y + 4), WHITE, -1, cv2.LINE_AA)
        if tick.order.kind is not OrderKind.FULL_SPEED:
            cv2.rectangle(canvas, (train - 8, LINE_Y - 4), (train - 4, LINE_Y + 4), colour, -1)
        if tick.light is Light.ON or (tick.light is Light.BLINK and tick.time_s % BLINK_S < BLINK_S / 2):
            cv2.circle(canvas, (train + 13, LINE_Y), 3, LAMP, -1, cv2.LINE_AA)


def _draw_glyph(canvas: np.ndarray, look: SignLook, at: tuple[int, int]) -> None:
    """Draws a small triangle, ring or disc, according to the sign's shape."""
    x, y = at
    colour = bgr(look.colour)
    match look.shape:
        case "triangle":
            corners = np.array([(x, y - 9), (x + 9, y + 7), (x - 9, y + 7)])
            cv2.fillPoly(canvas, [corners], colour, cv2.LINE_AA)
            cv2.polylines(canvas, [corners], True, INK, 2, cv2.LINE_AA)
        case "ring":
            cv2.circle(canvas, at, 8, WHITE, -1, cv2.LINE_AA)
            cv2.circle(canvas, at, 7, colour, 3, cv2.LINE_AA)
        case "disc":
            cv2.circle(canvas, at, 8, colour, -1, cv2.LINE_AA)
            cv2.circle(canvas, at, 8, INK, 2, cv2.LINE_AA)


def _draw_verdict(canvas: np.ndarray, obeyed: bool, at: tuple[int, int]) -> None:
    x, y = at
    cv2.circle(canvas, at, 7, GOOD if obeyed else BAD, -1, cv2.LINE_AA)
    strokes = [[(x - 3, y), (x - 1, y + 3), (x + 3, y - 3)]]
    if not obeyed:
        strokes = [[(x - 3, y - 3), (x + 3, y + 3)], [(x - 3, y + 3), (x + 3, y - 3)]]
    cv2.polylines(canvas, [np.array(stroke) for stroke in strokes], False, INK, 2, cv2.LINE_AA)


def pictures(video: Path, frame_numbers: Iterable[int]) -> Iterator[np.ndarray]:
    """The pictures of a feed with these numbers, which must not decrease; each picture is decoded once.

    Raises:
        UserError: The video is missing, or ends too early.
    """
    try:
        with av.open(str(video)) as container:
            container.streams.video[0].thread_type = "NONE"  # Each thread would hold its own frames.
            decoded = enumerate(container.decode(video=0))
            number_now = -1
            picture: np.ndarray = np.empty(0)
            for wanted in frame_numbers:
                while number_now < wanted:
                    number_now, frame = next(decoded)
                    if number_now == wanted:
                        picture = frame.to_ndarray(format="bgr24")
                yield picture
    except (OSError, StopIteration, av.FFmpegError) as error:
        raise UserError("mission.error.video", path=video, why=error) from error


def make_film(recording: Recording, video: Path, path: Path) -> None:
    """Films a recording, and writes its poster, a JPEG of the same name, beside the film.

    Args:
        recording: The run.
        video: The feed that was driven.
        path: The mp4 to write.
    """
    artist, ticks = Artist(recording), recording.run.ticks
    poster = _poster_tick(recording)
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=CONTROL_RATE_HZ)
        stream.width, stream.height, stream.pix_fmt = WIDTH_PX, PICTURE_PX + STRIP_PX, "yuv420p"
        stream.options = ENCODER
        stream.codec_context.thread_count = 1
        frame: np.ndarray = np.empty(0)
        for picture, tick in zip(pictures(video, (tick.frame_number for tick in ticks)), ticks, strict=True):
            frame = artist.frame(picture, tick)
            if tick is poster:
                path.with_suffix(".jpg").write_bytes(_jpeg(frame))
            container.mux(stream.encode(_video_frame(frame)))
        closing = artist.closing(frame)
        for _ in range(round(CLOSING_S * CONTROL_RATE_HZ)):
            container.mux(stream.encode(_video_frame(closing)))
        container.mux(stream.encode())


def _video_frame(frame: np.ndarray) -> av.VideoFrame:
    """A frame in the encoder's own format, to which OpenCV converts twice as fast as the encoder would."""
    planes: np.ndarray = cv2.cvtColor(frame, cv2.COLOR_BGR2YUV_I420)
    return av.VideoFrame.from_ndarray(planes, format="yuv420p")


def still(recording: Recording, truth: GroundTruth, video: Path) -> bytes:
    """A JPEG of a run's first mistake, with the detected and the missed signs.

    For a disobeyed sign, the picture is the last good view of the sign: at the moment of the mistake, the
    sign itself is behind the train.
    """
    assert recording.mission.first_wrong is not None
    tick = telling_tick(recording.run, recording.mission.first_wrong, truth)
    picture = next(pictures(video, [tick.frame_number])).copy()
    draw_detections(picture, tick.detections or ())
    for sign in truth.perfect_detections(tick.frame_number):
        seen = (other for other in tick.detections or () if other.sign_class is sign.sign_class)
        if not any(_is_around(other, sign) for other in seen):
            _draw_missed(picture, sign)
    return _jpeg(picture)


def _jpeg(picture: np.ndarray) -> bytes:
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes()


def _poster_tick(recording: Recording) -> Tick:
    """The most informative tick: the first mistake, else a danger stop or another sign, else the middle."""
    ticks, wrong = recording.run.ticks, recording.mission.first_wrong
    if wrong is not None:
        return next((tick for tick in ticks if tick.time_s >= wrong.time_s), ticks[-1])
    heeded = [tick for tick in ticks if tick.order.sign is not None and tick.detections]
    stops = [tick for tick in heeded if tick.order.reason is Reason.DANGER_STOP]
    return (stops or heeded or ticks[len(ticks) // 2 :])[0]


def telling_tick(run: Run, moment: Moment, truth: GroundTruth) -> Tick:
    """The most informative tick about a mistake.

    For a mistake at a sign, this tick has the last good view of the sign; for an unnecessary stop, it has the
    last view of what the train stopped for.
    """
    before = [tick for tick in run.ticks if tick.time_s <= moment.time_s]
    if moment.kind is MomentKind.FALSE_STOP:
        telling = (tick for tick in reversed(before) if _shows(tick, before[-1].order.sign))
    else:
        telling = (tick for tick in reversed(before) if _is_good_look(tick, moment.sign_id, truth))
    return next(telling, before[-1])


def _shows(tick: Tick, sign_class: SignClass | None) -> bool:
    return any(item.sign_class is sign_class for item in tick.detections or ())


def _is_good_look(tick: Tick, sign_id: int | None, truth: GroundTruth) -> bool:
    signs = truth.frames[tick.frame_number].signs
    return any(sign.id == sign_id and sign.visible >= GOOD_LOOK for sign in signs)


def _is_around(detection: Detection, sign: Detection) -> bool:
    """Whether a detection contains the centre of a sign."""
    left, top, right, bottom = detection.box
    middle_y = (sign.box[1] + sign.box[3]) / 2
    return left <= sign.centre_x_px <= right and top <= middle_y <= bottom


def _draw_missed(picture: np.ndarray, sign: Detection) -> None:
    left, top, right, bottom = (round(edge) for edge in sign.box)
    for x in range(left - 3, right + 4, 8):
        for y in (top - 3, bottom + 3):
            cv2.line(picture, (x, y), (min(x + 4, right + 3), y), WHITE, 2)
    for y in range(top - 3, bottom + 4, 8):
        for x in (left - 3, right + 3):
            cv2.line(picture, (x, y), (x, min(y + 4, bottom + 3)), WHITE, 2)
    write(picture, text("film.missed"), ((left + right) // 2, bottom + 22), 14, WHITE, BOLD, "center")
