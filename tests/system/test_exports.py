"""What ultralytics exports to ONNX is read as the network means it, or refused."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from ultralytics import YOLO
from ultralytics.nn.tasks import yaml_model_load
from ultralytics.utils import YAML

from brakepoint.detector import Detector
from brakepoint.detector.boxes import intersection_over_union
from brakepoint.detector.letterbox import fill_tensor
from brakepoint.errors import UserError
from brakepoint.messages import SignClass

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning")

NAMES = dict(enumerate(map(str, SignClass)))
HEIGHT_PX, WIDTH_PX = 192, 256


@pytest.fixture
def untrained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Creates a network for two classes with random weights, from its configuration."""

    monkeypatch.chdir(tmp_path)  # There ultralytics leaves what it exports.

    def make(name: str) -> Any:
        config = tmp_path / f"{name}.yaml"
        YAML.save(config, yaml_model_load(f"{name}.yaml") | {"nc": len(NAMES)})
        model = YOLO(config)
        model.model.names = NAMES
        return model

    return make


def exported(model: Any, **options: Any) -> Path:
    return Path(model.export(format="onnx", imgsz=(HEIGHT_PX, WIDTH_PX), verbose=False, **options))


def scene() -> np.ndarray:
    """A picture in which even a network without training sees something."""
    noise = np.random.default_rng(4).integers(0, 255, (HEIGHT_PX, WIDTH_PX, 3), np.uint8)
    return np.asarray(cv2.GaussianBlur(noise, (0, 0), 5))


def surest_raw(network: torch.nn.Module, picture: np.ndarray) -> tuple[float, list[float]]:
    """Score and corners of the network's most confident box."""
    tensor = np.zeros((1, 3, *picture.shape[:2]), np.float32)
    fill_tensor(picture, tensor)
    with torch.inference_mode():
        boxes = network.eval()(torch.from_numpy(tensor))[0][0].numpy()
    best = int(boxes[4:].max(axis=0).argmax())
    x, y, width, height = boxes[:4, best]
    return float(boxes[4:, best].max()), [x - width / 2, y - height / 2, x + width / 2, y + height / 2]


@pytest.mark.parametrize(
    ("name", "options", "rows"),
    [
        ("yolo11n", {}, HEIGHT_PX),
        ("yolo11n", {"dynamic": True}, 96),
        ("yolov8n-p6", {"dynamic": True}, 128),
        ("yolo26n", {"opset": 12}, HEIGHT_PX),
    ],
)
def test_the_surest_box_is_the_networks_own(name, options, rows, untrained) -> None:
    model, picture = untrained(name), scene()[:rows]
    detector = Detector(exported(model, **options))
    found = detector.detect_image(picture, 1e-9, low=True)[0]
    score, corners = surest_raw(model.model.fuse(), picture)
    clipped = np.clip([corners], 0, [WIDTH_PX, rows] * 2)

    assert found.confidence == pytest.approx(score, rel=1e-3)
    assert intersection_over_union(np.array([found.box]), clipped)[0, 0] > 0.99


def test_a_network_that_suppresses_double_boxes_itself_is_read_end_to_end(untrained) -> None:
    detector = Detector(exported(untrained("yolo26n"), nms=False))
    assert detector.runtime.metadata["end2end"] == "True"
    assert detector.detect_image(scene(), 1e-9)


@pytest.mark.parametrize(
    ("name", "options", "key"),
    [
        ("yolo11n-seg", {}, "error.model_output"),
        ("yolo11n-obb", {}, "error.model_output"),
        ("yolo11n-cls", {}, "error.model_output"),
        ("yolo11n", {"batch": 2}, "error.model_input"),
    ],
)
def test_what_is_not_a_detector_of_one_picture_is_refused(name, options, key, untrained) -> None:
    with pytest.raises(UserError) as caught:
        Detector(exported(untrained(name), **options))
    assert caught.value.key == key
