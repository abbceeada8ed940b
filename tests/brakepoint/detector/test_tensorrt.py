"""The `tensorrt` runtime, with an ONNX Runtime that says it has TensorRT and notes what it is told."""

import sys
import types
from typing import Any

import numpy as np
import onnxruntime
import pytest
from onnx_models import raw_output

from brakepoint.detector import Detector
from brakepoint.detector.runtime import CPU, CUDA, TENSORRT, engine_cache
from brakepoint.errors import UserError

RAW = raw_output((10, 10, 30, 30, 0.9, 0.1))


class FakeOnnxRuntime(types.ModuleType):
    """ONNX Runtime on the CPU behind the face of a Jetson's build."""

    def __init__(self, available=(TENSORRT, CUDA, CPU), chosen=TENSORRT):
        super().__init__("onnxruntime")
        self.__spec__ = onnxruntime.__spec__
        self.available, self.chosen = list(available), chosen
        self.asked_for = None
        self.SessionOptions = onnxruntime.SessionOptions

    def get_available_providers(self):
        return self.available

    def InferenceSession(self, path, options, providers):  # noqa: N802
        self.asked_for = providers
        session = onnxruntime.InferenceSession(path, options, providers=[CPU])
        session.get_providers = lambda: [self.chosen, CPU]
        return session


@pytest.fixture
def jetson(monkeypatch, tmp_path):
    monkeypatch.setenv("BRAKEPOINT_ENGINE_CACHE", str(tmp_path / "engines"))

    def pretend(**what) -> FakeOnnxRuntime:
        fake = FakeOnnxRuntime(**what)
        monkeypatch.setitem(sys.modules, "onnxruntime", fake)
        return fake

    return pretend


def test_tensorrt_comes_first_then_cuda_then_the_cpu(make_model, jetson):
    fake = jetson()
    Detector(make_model(RAW), runtime="tensorrt")

    assert [one if isinstance(one, str) else one[0] for one in fake.asked_for] == [TENSORRT, CUDA, CPU]


def test_engine_and_timings_are_kept_in_a_folder_of_the_model(make_model, jetson):
    fake = jetson()
    model = make_model(RAW)
    Detector(model, runtime="tensorrt")
    options = fake.asked_for[0][1]

    assert options["trt_engine_cache_path"] == options["trt_timing_cache_path"] == str(engine_cache(model))
    assert options["trt_engine_cache_enable"] == options["trt_timing_cache_enable"] == "1"
    assert options["trt_fp16_enable"] == "1"
    assert engine_cache(model).is_dir()


def test_two_models_have_two_folders(make_model, jetson):
    one, other = make_model(RAW), make_model(RAW / 2, name="other.onnx")

    assert engine_cache(one) != engine_cache(other)


def test_the_first_build_is_said_and_the_next_start_is_quiet(make_model, jetson, capsys):
    jetson()
    model = make_model(RAW)
    Detector(model, runtime="tensorrt")
    first = capsys.readouterr().err
    (engine_cache(model) / "made.engine").touch()
    Detector(model, runtime="tensorrt")

    assert str(engine_cache(model)) in first
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("fallen_to", [CUDA, CPU])
def test_a_silent_fall_back_is_refused(make_model, jetson, fallen_to):
    jetson(chosen=fallen_to)
    with pytest.raises(UserError, match=fallen_to) as caught:
        Detector(make_model(RAW), runtime="tensorrt")
    assert caught.value.key == "error.tensorrt_fell_back"


def test_a_build_without_tensorrt_is_refused(make_model):
    with pytest.raises(UserError) as caught:
        Detector(make_model(RAW), runtime="tensorrt")
    assert caught.value.key == "error.no_tensorrt"


def test_it_finds_what_the_others_find(make_model, jetson):
    jetson()
    model, picture = make_model(RAW), np.full((64, 96, 3), 128, np.uint8)

    found = Detector(model, runtime="tensorrt").detect_image(picture)
    assert found == Detector(model, runtime="openvino").detect_image(picture)


def test_its_engine_is_for_one_shape_whatever_the_model_allows(make_model, jetson):
    jetson()
    model = make_model(RAW, input_shape=(1, 3, "height", 96), imgsz="[64, 96]")

    assert Detector(model).runtime.takes_lower
    assert not Detector(model, runtime="tensorrt").runtime.takes_lower


def test_a_failure_under_way_does_not_move_the_model_to_the_cpu(make_model, jetson):
    jetson()
    runtime: Any = Detector(make_model(RAW), runtime="tensorrt").runtime

    assert not runtime._session._enable_fallback
