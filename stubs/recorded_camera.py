"""A recorded feed in place of a real camera: it follows the train."""

import hashlib
from collections.abc import Generator
from pathlib import Path

import av
import cv2
import numpy as np

from brakepoint.errors import UserError
from brakepoint.feeds import find_feed
from brakepoint.messages import Frame, TrainState
from brakepoint.truth import CameraModel, GroundTruth, load_truth

SIZE_PX = CameraModel().width_px, CameraModel().height_px
"""Size of every recorded picture: film and autopilots are made for it."""
EXPOSURE_S = 1 / 60
"""How long the shutter is open, as indoors."""
BLUR_DEPTH_CM = 40.0
"""Distance at which the blur is correct: nearer objects are blurred too little, farther ones too much."""
NOISE_SIGMA = 2.5
"""Standard deviation of the sensor's noise, in grey levels of 255."""
NOISE_SPARE_PX = 256
"""The noise is drawn once, this much larger than a frame; each capture uses a different part of it."""


class RecordedCamera:
    """Shows the frame of a feed at the train's position.

    A frame is decoded when the train reaches it and then discarded, so memory does not grow with the feed.
    The train never reverses, and neither does the video.

    Args:
        video: An mp4.
        truth: Ground truth of the video.
        seed: Seed of the sensor's noise.

    Raises:
        UserError: The video is missing or damaged, its pictures have the wrong size, or the ground truth is
            that of another video.
    """

    def __init__(self, video: Path, truth: GroundTruth, seed: int = 0) -> None:
        self._video, self._truth = video, truth
        self._container = _open(video, truth)
        self._frames = self._decode()
        self._number = -1
        self._image: np.ndarray = np.zeros((0, 0, 3), np.uint8)
        self._random = np.random.default_rng(seed)
        self._brighter, self._darker = self._draw_noise()
        self._frame_id = 0

    def read(self, train_state: TrainState) -> Frame:
        """Captures the view at the train's position, blurred by its speed.

        Raises:
            UserError: The video ends too early, or cannot be decoded.
        """
        self._go_to(self._truth.frame_at(train_state.position_cm))
        self._frame_id += 1
        image = self._noisy(_blurred(self._image, train_state.speed_cm_s))
        signs_from_px = self._truth.camera.signs_from_px
        return Frame(self._frame_id, train_state.at, train_state.position_cm, image, signs_from_px)

    def close(self) -> None:
        """Closes the video; may be called twice."""
        self._frames.close()
        self._container.close()

    def _go_to(self, number: int) -> None:
        while self._number < number:
            frame = next(self._frames, None)
            if frame is None:
                raise UserError("feed.damaged", path=self._video)
            self._number += 1
            if self._number == number:
                self._image = self._picture(frame)

    def _picture(self, frame: av.VideoFrame) -> np.ndarray:
        """The picture of a frame; a file that was joined from several may have frames of different sizes."""
        if (frame.width, frame.height) != SIZE_PX:
            raise UserError("feed.damaged", path=self._video)
        return frame.to_ndarray(format="bgr24")

    def _decode(self) -> Generator[av.VideoFrame, None, None]:
        try:
            yield from self._container.decode(video=0)
        except av.FFmpegError as error:
            raise UserError("feed.damaged", path=self._video) from error

    def _draw_noise(self) -> tuple[np.ndarray, np.ndarray]:
        """The noise as two pictures, one to add and one to subtract, with which OpenCV is fastest."""
        camera = self._truth.camera
        shape = (camera.height_px + NOISE_SPARE_PX, camera.width_px + NOISE_SPARE_PX, 3)
        noise = np.rint(self._random.standard_normal(shape, np.float32) * NOISE_SIGMA)
        return noise.clip(0, 255).astype(np.uint8), (-noise).clip(0, 255).astype(np.uint8)

    def _noisy(self, image: np.ndarray) -> np.ndarray:
        top, left = self._random.integers(0, NOISE_SPARE_PX, 2)
        part = np.s_[top : top + image.shape[0], left : left + image.shape[1]]
        return cv2.subtract(cv2.add(image, self._brighter[part]), self._darker[part])


def _open(video: Path, truth: GroundTruth) -> av.container.InputContainer:
    """Opens a video, and checks that the ground truth belongs to it."""
    if not video.is_file():
        raise UserError("feed.missing", path=video, feeds="–")
    if truth.feed != video.stem:
        raise UserError("feed.other_truth", path=video, other=truth.feed)
    try:
        container = av.open(str(video))
        stream = container.streams.video[0]
    except (av.FFmpegError, IndexError) as error:
        raise UserError("feed.damaged", path=video) from error
    expected = len(truth.frames)
    if stream.frames not in (0, expected):  # Some containers do not give the number of frames.
        raise UserError("feed.frame_count", path=video, found=stream.frames, expected=expected)
    if truth.video_sha256 and hashlib.sha256(video.read_bytes()).hexdigest() != truth.video_sha256:
        raise UserError("feed.changed", path=video)
    for width, height in ((stream.width, stream.height), (truth.camera.width_px, truth.camera.height_px)):
        if (width, height) != SIZE_PX:
            found, wanted = f"{width} × {height}", "{} × {}".format(*SIZE_PX)
            raise UserError("feed.size", path=video, found=found, wanted=wanted)
    # One thread decodes fast enough, and each further one would hold its own frames.
    stream.thread_type, stream.codec_context.thread_count = "NONE", 1
    return container


def _blurred(image: np.ndarray, speed_cm_s: float) -> np.ndarray:
    """Blurs a picture radially, as driving does: the mean of four zooms, computed by averaging twice."""
    zoom = speed_cm_s * EXPOSURE_S / BLUR_DEPTH_CM
    for part in (1 / 3, 2 / 3):
        cut_y, cut_x = (round(part * zoom * size / 2) for size in image.shape[:2])
        if cut_x:
            inner = image[cut_y : image.shape[0] - cut_y, cut_x : image.shape[1] - cut_x]
            image = cv2.addWeighted(image, 0.5, cv2.resize(inner, image.shape[1::-1]), 0.5, 0)
    return image


def open_camera(rest: str, seed: int = 0) -> RecordedCamera:
    """Opens the feed for the URI `video:{rest}`.

    Args:
        rest: Name of a feed in `videos/`, or path to an mp4 with its ground truth beside it.
        seed: Seed of the sensor's noise.

    Raises:
        UserError: There is no such feed, or the feed is damaged.
    """
    video = find_feed(rest)
    return RecordedCamera(video, load_truth(video.with_suffix(".json")), seed)
