"""The `tensorrt` runtime, with an ONNX Runtime that claims to have TensorRT and records its options."""

import sys
import types
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from onnx_models import raw_output

from brakepoint.cli import run as run_command
from brakepoint.detector import Detector, engines
from brakepoint.detector.engines import COMPLETE, UNKNOWN, Engine
from brakepoint.detector.runtime import CPU, TENSORRT
from brakepoint.errors import UserError

CUDA = "CUDAExecutionProvider"
RAW = raw_output((10, 10, 30, 30, 0.9, 0.1))


class FakeOnnxRuntime(types.ModuleType):
    """ONNX Runtime on the CPU that claims to be a Jetson's build.

    Attributes:
        asked_for: The providers of the last session with TensorRT.
        settings: Its options.
        builds: How many engines were built.
        fails: Is raised by the next sessions with TensorRT, one by each.
    """

    def __init__(self, available=(TENSORRT, CUDA, CPU), chosen=TENSORRT):
        super().__init__("onnxruntime")
        self.__spec__ = onnxruntime.__spec__
        self.available, self.chosen = list(available), chosen
        self.asked_for = self.settings = self.enable_fallback = None
        self.builds, self.fails = 0, []
        self.SessionOptions = onnxruntime.SessionOptions
        self.__version__ = "1.23.0"

    def get_available_providers(self):
        return self.available

    def InferenceSession(self, path, options, providers, enable_fallback=1):  # noqa: N802
        session = onnxruntime.InferenceSession(path, providers=[CPU])
        if providers == [CPU]:
            return session
        self.asked_for, self.settings, self.enable_fallback = providers, options, enable_fallback
        folder = Path(providers[0][1]["trt_engine_cache_path"])
        if self.fails:
            (folder / "half.engine").touch()
            raise self.fails.pop(0)
        if not (folder / "made.engine").exists():
            (folder / "made.engine").touch()
            self.builds += 1
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


def cache(tmp_path) -> list[Path]:
    return sorted((tmp_path / "engines").iterdir())


def test_tensorrt_is_asked_for_and_nothing_to_fall_back_to(make_model, jetson):
    fake = jetson()
    Detector(make_model(RAW), runtime="tensorrt")

    assert [name for name, _ in fake.asked_for] == [TENSORRT]
    assert fake.settings.get_session_config_entry("session.disable_cpu_ep_fallback") == "1"
    assert fake.enable_fallback == 0


def test_engine_and_timings_are_kept_in_a_folder_of_their_own(make_model, jetson, tmp_path):
    fake = jetson()
    Detector(make_model(RAW), runtime="tensorrt")
    options, (folder,) = fake.asked_for[0][1], cache(tmp_path)

    assert options["trt_engine_cache_path"] == options["trt_timing_cache_path"] == str(folder)
    assert options["trt_engine_cache_enable"] == options["trt_timing_cache_enable"] == "1"
    assert options["trt_fp16_enable"] == "1"


def test_an_engine_is_of_one_model_one_runtime_one_tensorrt_and_one_gpu(make_model, monkeypatch):
    one, other = make_model(RAW), make_model(RAW / 2, name="other.onnx")
    monkeypatch.setattr(engines, "tensorrt_version", lambda: "10.3.0")
    monkeypatch.setattr(engines, "gpu_name", lambda: "Orin 8.7")
    first = Engine(one, "1.23.0")
    folders = [first.folder, Engine(other, "1.23.0").folder, Engine(one, "1.24.0").folder]
    monkeypatch.setattr(engines, "tensorrt_version", lambda: "10.7.0")
    folders.append(Engine(one, "1.23.0").folder)
    monkeypatch.setattr(engines, "tensorrt_version", lambda: "10.3.0")
    assert Engine(one, "1.23.0").folder == first.folder
    monkeypatch.setattr(engines, "gpu_name", lambda: "Orin Nano 8.7")
    folders.append(Engine(one, "1.23.0").folder)

    assert len({*folders}) == 5
    assert first.made_of["tensorrt"] == "10.3.0" and first.made_of["gpu"] == "Orin 8.7"


class Library(types.SimpleNamespace):
    """A library of the machine, by its functions."""


@pytest.mark.parametrize(("number", "version"), [(8601, "8.6.1"), (100300, "10.3.0"), (101203, "10.12.3")])
def test_the_library_says_its_version(monkeypatch, number, version):
    monkeypatch.setattr("ctypes.CDLL", lambda name: Library(getInferLibVersion=lambda: number))

    assert engines.tensorrt_version.__wrapped__() == version


def test_a_machine_without_the_libraries_has_neither_version_nor_gpu(monkeypatch):
    def missing(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr("ctypes.CDLL", missing)

    assert engines.tensorrt_version.__wrapped__() == engines.gpu_name.__wrapped__() == UNKNOWN


@pytest.mark.parametrize(("status", "name"), [(0, "Orin 8.7"), (100, UNKNOWN)])
def test_the_driver_names_the_gpu(monkeypatch, status, name):
    def get_name(buffer, size, device) -> int:
        buffer.value = b"Orin"
        return 0

    def get_capability(major, minor, device) -> int:
        major._obj.value, minor._obj.value = 8, 7
        return 0

    driver = Library(
        cuInit=lambda flags: status,
        cuDeviceGet=lambda device, number: 0,
        cuDeviceGetName=get_name,
        cuDeviceComputeCapability=get_capability,
    )
    monkeypatch.setattr("ctypes.CDLL", lambda library: driver)

    assert engines.gpu_name.__wrapped__() == name


def test_the_first_build_is_said_and_the_next_start_is_quiet(make_model, jetson, capsys, tmp_path):
    fake = jetson()
    model = make_model(RAW)
    Detector(model, runtime="tensorrt")
    first = capsys.readouterr().err
    Detector(model, runtime="tensorrt")

    assert str(cache(tmp_path)[0]) in first
    assert capsys.readouterr().err == ""
    assert fake.builds == 1


def test_a_build_that_was_broken_off_is_begun_again(make_model, jetson, tmp_path):
    fake = jetson()
    model = make_model(RAW)
    fake.fails = [KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        Detector(model, runtime="tensorrt")
    (folder,) = cache(tmp_path)
    assert not (folder / COMPLETE).exists()
    Detector(model, runtime="tensorrt")

    assert sorted(path.name for path in folder.iterdir()) == [COMPLETE, "made.engine"]


def test_an_engine_that_cannot_be_used_is_built_again_and_not_blamed_on_the_model(
    make_model, jetson, capsys, tmp_path
):
    fake = jetson()
    model = make_model(RAW)
    Detector(model, runtime="tensorrt")
    fake.fails = [RuntimeError("could not deserialize engine")]
    Detector(model, runtime="tensorrt")

    assert fake.builds == 2
    assert "being rebuilt" in capsys.readouterr().err
    assert sorted(path.name for path in cache(tmp_path)[0].iterdir()) == [COMPLETE, "made.engine"]


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ("out of memory", "error.tensorrt_failed"),
        ("nodes assigned to CPU, but fallback to CPU EP has been disabled", "error.tensorrt_partly"),
    ],
)
def test_a_failed_build_is_not_blamed_on_a_sound_model(make_model, jetson, said, key):
    fake = jetson()
    fake.fails = [RuntimeError(said)]
    with pytest.raises(UserError) as caught:
        Detector(make_model(RAW), runtime="tensorrt")

    assert caught.value.key == key


def test_a_file_that_is_not_a_model_is_said_to_be_none(jetson, tmp_path):
    jetson()
    model = tmp_path / "no.onnx"
    model.write_bytes(b"nothing")
    with pytest.raises(UserError) as caught:
        Detector(model, runtime="tensorrt")

    assert caught.value.key == "error.model_unreadable"


def test_an_engine_is_prepared_by_a_command(make_model, jetson, capsys):
    fake = jetson()
    model = make_model(RAW)

    assert run_command(["--lang", "en", "model", "prepare", str(model)]) == 0
    assert fake.builds == 1
    assert "is ready" in capsys.readouterr().out


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
    model = make_model(RAW, input_shape=(1, 3, "height", "width"), imgsz="[64, 96]")

    assert Detector(model).runtime.takes_smaller
    assert not Detector(model, runtime="tensorrt").runtime.takes_smaller
