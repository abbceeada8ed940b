"""The detector: an ONNX model that turns a frame into detections, without torch."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from brakepoint.detector.decode import decode, non_maximum_suppression
from brakepoint.detector.layout import check_numbers, find_layout
from brakepoint.detector.letterbox import Letterbox, fill_tensor
from brakepoint.detector.metadata import class_names, stride_px
from brakepoint.detector.remote import remote_runtime
from brakepoint.detector.runtime import Runtime, first_answer, load_runtime
from brakepoint.messages import Detection, Detections, Frame, picture_hash
from brakepoint.models import SHIPPED_MODEL

__all__ = ["SHIPPED_MODEL", "Detector", "look_at"]


def look_at(frame: Frame, detect_image: Callable[[np.ndarray], tuple[Detection, ...]]) -> Detections:
    """Finds the signs in a frame by looking at the part of it in which signs may show.

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
    """Finds signs in pictures. The same picture always gives the same detections.

    One object serves one thread.

    Args:
        model_path: An ONNX model that ultralytics exported, in either of its output layouts; or the URL of an
            endpoint that serves one, for instance `grpc://127.0.0.1:8081`.
        confidence: Detections less sure than this are dropped; 0 to 1.
        iou: Two detections of one class overlap at most so much; 0 to 1.
        runtime: `openvino`, `onnxruntime` or `tensorrt`; by default what `BRAKEPOINT_RUNTIME` says, else the
            first.
        threads: Threads of the runtime; by default what `BRAKEPOINT_THREADS` says, else as many as there are
            cores.
        half: Whether OpenVINO may compute in half precision where the processor can. That takes two thirds of
            the time, and makes confidences differ by machine.

    Attributes:
        confidence: As above.
        classes: The model's classes by class id.
        input_size_px: `(width, height)` of the model's input; frames of any size are letterboxed to it.
        runtime: What runs the network.

    Raises:
        UserError: The model is missing, unreadable, without metadata, of other classes, or not a detector of
            pictures; or the runtime is unknown or not installed; or the endpoint does not answer.

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
        path = self._path = Path(model_path)
        self.confidence = confidence
        self._iou = iou
        remote = remote_runtime(str(model_path))
        self.runtime: Runtime = remote or load_runtime(path, runtime, threads, half)
        self.classes = class_names(self.runtime.metadata, path)
        self.input_size_px = self.runtime.input_size_px
        self._tensors: dict[tuple[int, int], np.ndarray] = {}
        self._stride_px = stride_px(self.runtime.metadata) if self.runtime.takes_lower else None
        output = first_answer(self.runtime, self._tensor(self.input_size_px), path)
        self._layout = find_layout(output, len(self.classes), self.runtime.metadata, path)

    def detect(self, frame: Frame) -> Detections:
        """Finds the signs in a frame, with the confidence that the detector was made with."""
        return look_at(frame, partial(self.detect_image, low=True))

    def detect_image(
        self, image: np.ndarray, confidence: float | None = None, low: bool = False
    ) -> tuple[Detection, ...]:
        """Finds the signs in a picture.

        Args:
            image: `(height, width, 3)` uint8, blue-green-red, of any size.
            confidence: By default the one that the detector was made with.
            low: Whether the input is only as high as the picture needs, if the network allows that. Each new
                height is compiled once, so this is for cameras, whose pictures are all alike.

        Returns:
            At most 300, surest first, with boxes in pixels of the picture.

        Raises:
            UserError: The model's numbers are no boxes and scores.
        """
        least = self.confidence if confidence is None else confidence
        size_px = image.shape[1], image.shape[0]
        letterbox = Letterbox.fit(size_px, self.input_size_px, self._stride_px if low else None)
        tensor = self._tensor(letterbox.input_size_px)
        fill_tensor(letterbox.apply(image), tensor)
        output = self.runtime.infer(tensor)
        check_numbers(output, self._layout, self._path)
        candidates = decode(output, self._layout, len(self.classes), least)
        kept = non_maximum_suppression(candidates, self._iou)
        boxes = letterbox.to_frame(kept.boxes)
        has_area = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
        return tuple(
            Detection(sign_class=self.classes[class_id], confidence=min(score, 1.0), box=tuple(box))
            for box, score, class_id in zip(
                boxes[has_area].tolist(),
                kept.scores[has_area].tolist(),
                kept.class_ids[has_area],
                strict=True,
            )
        )

    def _tensor(self, input_size_px: tuple[int, int]) -> np.ndarray:
        """The input of that width and height, made once."""
        if input_size_px not in self._tensors:
            width, height = input_size_px
            self._tensors[input_size_px] = np.zeros((1, 3, height, width), np.float32)
        return self._tensors[input_size_px]
