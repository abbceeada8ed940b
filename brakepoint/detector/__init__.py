"""The detector: an ONNX model that turns a frame into detections, without torch."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from brakepoint.detector.backs import is_darker
from brakepoint.detector.decode import Candidates, decode, non_maximum_suppression
from brakepoint.detector.layout import check_numbers, find_layout
from brakepoint.detector.letterbox import Letterbox, fill_tensor
from brakepoint.detector.metadata import class_names, stride_px
from brakepoint.detector.noise import without_noise
from brakepoint.detector.remote import remote_runtime
from brakepoint.detector.runtime import Runtime, first_answer, load_runtime
from brakepoint.detector.second_look import SHEET_PX, UNSURE, SecondLook
from brakepoint.messages import Detection, Detections, Frame, picture_hash
from brakepoint.models import SHIPPED_MODEL

__all__ = ["SHIPPED_MODEL", "Detector", "look_at"]


def look_at(frame: Frame, detect_image: Callable[[np.ndarray], tuple[Detection, ...]]) -> Detections:
    """Finds the signs in a frame by examining the part in which signs may be visible.

    Args:
        frame: The frame.
        detect_image: Finds the signs in a picture of any size.
    """
    top_px = frame.signs_from_px
    items = detect_image(frame.image[top_px:])
    return Detections(
        frame_id=frame.frame_id,
        captured_at=frame.captured_at,
        picture_hash=picture_hash(frame.image),
        items=tuple(_moved_down(item, top_px) for item in items),
    )


def _moved_down(item: Detection, by_px: int) -> Detection:
    left, top, right, bottom = item.box
    return item.model_copy(update={"box": (left, top + by_px, right, bottom + by_px)})


class Detector:
    """Finds signs in pictures.

    A noisy picture is smoothed first (`noise`). Where the network is unsure of a detection, it is shown that
    detection again, enlarged (`second_look`). Black backs of signs are dropped (`backs`).
    The same picture always gives the same detections. An instance may be used by only one thread.

    Args:
        model_path: An ONNX model exported by ultralytics, in either of its output layouts; or the URL of an
            endpoint that serves one, for instance `grpc://127.0.0.1:8081`.
        confidence: Detections below this confidence are dropped; 0 to 1.
        iou: Largest overlap of two detections of one class; 0 to 1.
        runtime: `openvino`, `onnxruntime` or `tensorrt`; by default the value of `BRAKEPOINT_RUNTIME`, else
            the first.
        threads: Threads of the runtime; by default the value of `BRAKEPOINT_THREADS`, else the number of
            cores.
        half: Whether OpenVINO may compute in half precision where the processor supports it. Half precision
            takes a third less time, but confidences then differ between machines.

    Attributes:
        confidence: Detections below this confidence are dropped.
        classes: The model's classes by class id.
        input_size_px: `(width, height)` of the model's input; frames of any size are letterboxed to it.
        runtime: The runtime of the network.

    Raises:
        UserError: The model is missing or unreadable, has no metadata, has other classes, or is not a
            detector of pictures; or the runtime is unknown or not installed; or the endpoint does not answer.

    Example:
        >>> Detector(SHIPPED_MODEL).detect(frame).items
    """

    def __init__(
        self,
        model_path: Path | str,
        confidence: float = 0.25,
        iou: float = 0.5,
        runtime: str | None = None,
        threads: int | None = None,
        half: bool = False,
    ) -> None:
        self.confidence = confidence
        self._iou = iou
        remote = remote_runtime(str(model_path))
        path = self._path = str(model_path) if remote else Path(model_path)  # A path would shorten the `//`.
        self.runtime: Runtime = remote or load_runtime(Path(model_path), runtime, threads, half)
        self.classes = class_names(self.runtime.metadata, path)
        self.input_size_px = self.runtime.input_size_px
        self._tensors: dict[tuple[int, int], np.ndarray] = {}
        takes_smaller = self.runtime.takes_smaller
        self._stride_px = stride_px(self.runtime.metadata) if takes_smaller else None
        output = first_answer(self.runtime, self._tensor(self.input_size_px), path)
        self._layout = find_layout(output, len(self.classes), self.runtime.metadata, path)
        if takes_smaller:  # So that no frame waits for the compilation, or is the first to fail.
            first_answer(self.runtime, self._tensor(SHEET_PX), path)
        self._second_look = SecondLook(
            partial(self._find, confidence=UNSURE[0]),
            SHEET_PX if takes_smaller else self.input_size_px,
        )

    def detect(self, frame: Frame) -> Detections:
        """Finds the signs in a frame, with the detector's own confidence threshold."""
        return look_at(frame, partial(self.detect_image, low=True))

    def detect_image(
        self, image: np.ndarray, confidence: float | None = None, low: bool = False
    ) -> tuple[Detection, ...]:
        """Finds the signs in a picture.

        Args:
            image: `(height, width, 3)` uint8, blue-green-red, of any size.
            confidence: Threshold; by default the detector's own.
            low: Whether the input is only as high as the picture needs, if the network allows that. Each new
                height takes one compilation, so this is for cameras, whose pictures all have the same size.

        Returns:
            At most 300 detections, most confident first, with boxes in pixels of the picture.

        Raises:
            UserError: The model's output is not boxes and scores.
        """
        least = self.confidence if confidence is None else confidence
        image = without_noise(image)
        size_px = image.shape[1], image.shape[0]
        letterbox = Letterbox.fit(size_px, self.input_size_px, self._stride_px if low else None)
        found = self._find(letterbox.apply(image), min(least, UNSURE[0]))
        found = replace(found, boxes=letterbox.to_frame(found.boxes))
        found = self._second_look.examine(image, found, letterbox.scale)
        has_area = (found.boxes[:, 2:] > found.boxes[:, :2]).all(axis=1)
        found = non_maximum_suppression(found.select(has_area & (found.scores >= least)), self._iou)
        found = found.select(np.array([not is_darker(image, box) for box in found.boxes], bool))
        return tuple(
            Detection(sign_class=self.classes[class_id], confidence=min(score, 1.0), box=tuple(box))
            for box, score, class_id in zip(
                found.boxes.tolist(), found.scores.tolist(), found.class_ids, strict=True
            )
        )

    def _find(self, picture: np.ndarray, confidence: float) -> Candidates:
        """Finds the signs in a picture that has the size of an input; boxes are in its pixels."""
        tensor = self._tensor((picture.shape[1], picture.shape[0]))
        fill_tensor(picture, tensor)
        output = self.runtime.infer(tensor)
        check_numbers(output, self._layout, self._path)
        return non_maximum_suppression(decode(output, self._layout, len(self.classes), confidence), self._iou)

    def _tensor(self, input_size_px: tuple[int, int]) -> np.ndarray:
        """The input tensor of this width and height, created once."""
        if input_size_px not in self._tensors:
            width, height = input_size_px
            self._tensors[input_size_px] = np.zeros((1, 3, height, width), np.float32)
        return self._tensors[input_size_px]
