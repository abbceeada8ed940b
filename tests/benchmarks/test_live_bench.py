import numpy as np
import onnx
import onnxruntime
import pytest

from benchmarks.live_compare import measure_ours
from benchmarks.live_trains import measure_trains
from benchmarks.live_workshop import look
from benchmarks.live_yolov8n import SIZE_PX, save_model
from benchmarks.pictures import take_pictures
from brakepoint.services import ServiceSettings

pytestmark = pytest.mark.live

YOLOV8N_WEIGHTS = 3.2e6
"""As published for 80 classes: https://docs.ultralytics.com/models/yolov8/."""


def test_the_network_to_compare_with_is_as_large_as_the_real_one(tmp_path):
    path = tmp_path / "deep" / "yolov8n.onnx"
    save_model(path)
    weights = sum(np.prod(each.dims) for each in onnx.load(path).graph.initializer)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])

    assert weights == pytest.approx(YOLOV8N_WEIGHTS, rel=0.02)
    assert session.get_inputs()[0].shape == [1, 3, SIZE_PX, SIZE_PX]
    assert session.get_outputs()[0].shape == [1, 84, 8400]
    assert isinstance(look(session, np.zeros((480, 640, 3), np.uint8)), list)


def test_one_frame_at_a_time_is_answered_by_an_order():
    found = measure_ours(take_pictures("track-stop"), ServiceSettings(detector="oracle"), frames=4)

    assert found.frames_per_s > 0
    assert 0 < found.latency_median_ms <= found.latency_p95_ms


@pytest.mark.parametrize("replicas", [1, 2])
def test_a_detector_and_its_replicas_serve_several_trains(replicas):
    served = measure_trains("track-stop", "oracle", trains=3, seconds=3.0, replicas=replicas)

    assert (served.trains, served.replicas) == (3, replicas)
    assert served.frames_per_train_s > 0
    assert served.detector_mb > 1 and served.broker_mb is not None and served.broker_mb > 1
