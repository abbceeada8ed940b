import subprocess
import sys
from contextlib import closing
from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx_models import raw_output

from brakepoint.detector import SHIPPED_MODEL, Detector
from brakepoint.detector.runtime import OpenVinoRuntime
from brakepoint.detector.second_look import SHEET_PX
from brakepoint.errors import UserError
from brakepoint.feeds import find_feed
from brakepoint.messages import Frame, SignClass, picture_hash
from brakepoint.truth import load_truth
from stubs.printing_hub import PrintingHub
from stubs.recorded_camera import RecordedCamera

DANGER, LIMIT = SignClass.DANGER_AHEAD, SignClass.SPEED_LIMIT
NEAR = (10, 10, 30, 30, 0.9, 0.1)
NEAR_AGAIN = (11, 10, 31, 30, 0.8, 0.1)
FAR = (60, 20, 80, 50, 0.2, 0.7)
RAW = raw_output(NEAR, NEAR_AGAIN, FAR)
END_TO_END = np.zeros((1, 20, 6), np.float32)
END_TO_END[0, :2] = [(10, 10, 30, 30, 0.9, 0), (60, 20, 80, 50, 0.7, 1)]
GREY_PICTURE = np.full((64, 96, 3), 128, np.uint8)


def as_rows(detections):
    return [(item.sign_class, round(item.confidence, 3), *item.box) for item in detections]


@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
@pytest.mark.parametrize("output", [RAW, END_TO_END], ids=["raw", "end to end"])
def test_layouts_and_runtimes_agree(make_model, runtime, output):
    found = Detector(make_model(output), runtime=runtime).detect_image(GREY_PICTURE)
    assert as_rows(found) == [(DANGER, 0.9, 10, 10, 30, 30), (LIMIT, 0.7, 60, 20, 80, 50)]


@pytest.mark.parametrize("names", ["SpeedLimit DangerAhead", "speed-limit danger_ahead"])
def test_class_names_may_come_in_another_order_and_case(make_model, names):
    model = make_model(RAW, names=repr(dict(enumerate(names.split()))))
    assert [item.sign_class for item in Detector(model).detect_image(GREY_PICTURE)] == [LIMIT, DANGER]


def test_boxes_are_pixels_of_the_frame_whatever_its_size(make_model):
    found = Detector(make_model(RAW)).detect_image(np.zeros((128, 192, 3), np.uint8))
    assert found[0].box == (20, 20, 60, 60)


@pytest.mark.parametrize(
    "box", [(5, 40, 20, 60), (80, 2, 90, 8), (0, 0, 96, 64)], ids=["low left", "high right", "the whole"]
)
def test_a_box_anywhere_in_the_picture_is_kept_as_it_is(make_model, box):
    found = Detector(make_model(raw_output((*box, 0.9, 0.1)))).detect_image(GREY_PICTURE)
    assert [item.box for item in found] == [box]


@pytest.mark.parametrize("box", [(10, 10, 10, 30), (10, 10, 30, 10)], ids=["no width", "no height"])
def test_a_box_without_area_is_dropped(make_model, box):
    assert Detector(make_model(raw_output((*box, 0.9, 0.1)))).detect_image(GREY_PICTURE) == ()


def test_the_black_back_of_a_sign_is_dropped_however_sure_the_network_is(make_model):
    picture = GREY_PICTURE.copy()
    picture[10:30, 10:30] = 30
    assert as_rows(Detector(make_model(RAW)).detect_image(picture)) == [(LIMIT, 0.7, 60, 20, 80, 50)]


def test_what_is_in_the_margin_is_dropped(make_model):
    margin_only = raw_output((0, 0, 96, 8, 0.9, 0.0))
    wide = np.zeros((48, 96, 3), np.uint8)
    assert Detector(make_model(margin_only)).detect_image(wide) == ()


def test_confidence_may_be_lowered_for_evaluation(make_model):
    detector = Detector(make_model(raw_output(NEAR, (60, 20, 80, 50, 0.0, 0.002))))
    assert len(detector.detect_image(GREY_PICTURE)) == 1
    assert len(detector.detect_image(GREY_PICTURE, 0.001)) == 2


def test_a_model_of_open_size_takes_the_size_in_its_metadata(make_model):
    model = make_model(RAW, input_shape=("batch", 3, "height", "width"), imgsz="[64, 96]")
    for runtime in ("openvino", "onnxruntime"):
        assert Detector(model, runtime=runtime).input_size_px == (96, 64)


@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
@pytest.mark.parametrize(
    "names", ['{"1": "SpeedLimit", "0": "DangerAhead"}', '["DangerAhead", "SpeedLimit"]']
)
def test_class_names_may_be_written_in_json(make_model, names, runtime):
    assert Detector(make_model(RAW, names=names), runtime=runtime).classes == (DANGER, LIMIT)


@pytest.mark.parametrize(("stride", "height_px"), [("32", 96), ("64", 128), ("64.5", 96), ("no number", 96)])
def test_a_lower_picture_has_whole_strides_of_its_network(make_model, stride, height_px, monkeypatch):
    sure = raw_output(NEAR)  # An unsure detection would be examined again, in a picture of another size.
    model = make_model(sure, input_shape=(1, 3, "height", "width"), imgsz="[192, 192]", stride=stride)
    detector = Detector(model)
    infer, seen = detector.runtime.infer, []

    def watched(tensor):
        seen.append(tensor.shape)
        return infer(tensor)

    monkeypatch.setattr(detector.runtime, "infer", watched)
    detector.detect_image(np.zeros((70, 192, 3), np.uint8), low=True)

    assert seen == [(1, 3, height_px, 192)]


@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
def test_a_model_of_two_inputs_is_refused(tmp_path, runtime):
    pictures = [helper.make_tensor_value_info(name, TensorProto.FLOAT, (1, 3, 64, 96)) for name in "ab"]
    graph = helper.make_graph(
        [helper.make_node("Add", ["a", "b"], ["output0"])],
        "two",
        pictures,
        [helper.make_tensor_value_info("output0", TensorProto.FLOAT, (1, 3, 64, 96))],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.save(model, tmp_path / "two.onnx")
    with pytest.raises(UserError) as caught:
        Detector(tmp_path / "two.onnx", runtime=runtime)
    assert caught.value.key == "error.model_inputs"


@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
def test_a_model_that_cannot_be_run_is_reported_as_such(make_model, runtime):
    model = make_model(raw_output(NEAR), input_shape=(1, 3, 64, 96))
    loaded = onnx.load(model)
    loaded.graph.node[0].CopyFrom(helper.make_node("Reshape", ["answer", "shape"], ["output0"]))
    loaded.graph.initializer.append(numpy_helper.from_array(np.array([7, 7], np.int64), "shape"))
    onnx.save(loaded, model)
    with pytest.raises(UserError) as caught:
        Detector(model, runtime=runtime)
    assert caught.value.key == "error.model_unreadable"


@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
def test_a_model_of_open_size_that_takes_only_one_is_reported_as_such(make_model, runtime):
    model = make_model(raw_output(NEAR), input_shape=(1, 3, "height", "width"), imgsz="[64, 96]")
    loaded = onnx.load(model)
    loaded.graph.node[0].input[0] = "same"
    loaded.graph.node.insert(0, helper.make_node("Reshape", ["images", "size"], ["one"]))
    loaded.graph.node.insert(1, helper.make_node("ReduceMax", ["one"], ["most"], keepdims=0))
    loaded.graph.node.insert(2, helper.make_node("Mul", ["most", "zero"], ["nothing"]))
    loaded.graph.node.insert(3, helper.make_node("Add", ["answer", "nothing"], ["same"]))
    for name, value in (("size", np.array([1, 3, 64, 96], np.int64)), ("zero", np.zeros((), np.float32))):
        loaded.graph.initializer.append(numpy_helper.from_array(value, name))
    onnx.save(loaded, model)
    with pytest.raises(UserError) as caught:
        Detector(model, runtime=runtime)
    assert caught.value.key == "error.model_unreadable"


def test_the_network_is_ready_for_its_sizes_before_the_first_picture(make_model, monkeypatch):
    shown, infer = [], OpenVinoRuntime.infer

    def watched(self, tensor):
        shown.append(tensor.shape)
        return infer(self, tensor)

    monkeypatch.setattr(OpenVinoRuntime, "infer", watched)
    Detector(make_model(RAW, input_shape=(1, 3, "height", "width"), imgsz="[64, 96]"))
    assert shown == [(1, 3, 64, 96), (1, 3, SHEET_PX[1], SHEET_PX[0])]


def sequence(model: onnx.ModelProto) -> None:
    """The model gives a sequence of tensors."""
    model.graph.node[0].CopyFrom(helper.make_node("SequenceConstruct", ["answer"], ["output0"]))
    model.graph.output[0].CopyFrom(helper.make_tensor_sequence_value_info("output0", TensorProto.FLOAT, None))


def whole_numbers(model: onnx.ModelProto) -> None:
    """The model gives bytes, as after a quantisation that includes the output."""
    answer = numpy_helper.to_array(model.graph.initializer[0]).astype(np.int8)
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(answer, "answer"))
    model.graph.output[0].type.tensor_type.elem_type = TensorProto.INT8


@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
@pytest.mark.parametrize("change", [sequence, whole_numbers])
def test_a_model_whose_output_is_not_a_tensor_of_floats_is_refused(make_model, change, runtime):
    path = make_model(RAW)
    model = onnx.load(path)
    change(model)
    onnx.save(model, path)
    with pytest.raises(UserError) as caught:
        Detector(path, runtime=runtime)
    assert caught.value.key == "error.model_unreadable"


def test_detections_name_their_frame_and_its_picture(make_model):
    detections = Detector(make_model(RAW)).detect(Frame(7, 1.5, 30.0, GREY_PICTURE))
    assert (detections.frame_id, detections.captured_at, len(detections.items)) == (7, 1.5, 2)
    assert detections.picture_hash == picture_hash(GREY_PICTURE)


def test_only_the_rows_in_which_signs_may_show_are_looked_at(make_model):
    image = np.random.default_rng(1).integers(0, 256, (64, 96, 3), np.uint8)
    detector = Detector(make_model(RAW))
    expected = [
        (left, top + 32, right, bottom + 32)
        for left, top, right, bottom in (item.box for item in detector.detect_image(image[32:]))
    ]

    found = detector.detect(Frame(1, 0.0, 0.0, image, signs_from_px=32))
    assert [item.box for item in found.items] == expected != []
    assert found.picture_hash == picture_hash(image)


@pytest.fixture(scope="module")
def seen():
    """A frame of a feed in which signs are visible."""
    truth = load_truth(find_feed("track-full").with_suffix(".json"))
    with closing(RecordedCamera(find_feed("track-full"), truth)) as camera:
        return camera.read(PrintingHub(None).state(0.0).model_copy(update={"position_cm": 40.0}))


@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
def test_the_shipped_model_finds_in_fewer_rows_what_it_finds_in_all(seen, runtime):
    detector = Detector(SHIPPED_MODEL, confidence=0.5, runtime=runtime)
    whole, part = detector.detect(replace(seen, signs_from_px=0)).items, detector.detect(seen).items

    assert seen.signs_from_px > 0
    assert [item.sign_class for item in part] == [item.sign_class for item in whole] != []
    for one, other in zip(part, whole, strict=True):
        assert one.box == pytest.approx(other.box, abs=2)


def test_half_precision_finds_the_same(seen):
    half = Detector(SHIPPED_MODEL, confidence=0.5, half=True).detect(seen).items
    full = Detector(SHIPPED_MODEL, confidence=0.5).detect(seen).items

    assert [item.sign_class for item in half] == [item.sign_class for item in full] != []
    for one, other in zip(half, full, strict=True):
        assert one.box == pytest.approx(other.box, abs=1)
        assert one.confidence == pytest.approx(other.confidence, abs=0.05)


def test_one_pixel_changes_the_hash():
    other = GREY_PICTURE.copy()
    other[40, 50, 1] += 1
    assert picture_hash(other) != picture_hash(GREY_PICTURE)
    assert picture_hash(GREY_PICTURE[:, ::-1]) == picture_hash(GREY_PICTURE)


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"names": "{0: 'car', 1: 'bus'}"}, "error.model_classes"),
        ({"names": "{0: 'DangerAhead'}"}, "error.model_classes"),
        ({"names": "{1: 'DangerAhead', 2: 'SpeedLimit'}"}, "error.model_classes"),
        ({"names": "{0: 'DangerAhead', 1: 'DangerAhead'}"}, "error.model_classes"),
        ({"names": None}, "error.model_metadata"),
        ({"names": ""}, "error.model_metadata"),
        ({"names": "not Python"}, "error.model_metadata"),
        ({"names": f'{{"{"9" * 5000}": "DangerAhead", "1": "SpeedLimit"}}'}, "error.model_classes"),
        ({"names": "__import__('os')"}, "error.model_metadata"),
        ({"input_shape": (1, 1, 64, 96)}, "error.model_input"),
        ({"input_shape": (4, 3, 64, 96)}, "error.model_input"),
        ({"input_shape": (1, 3, "height", "width")}, "error.model_input"),
        (
            {"input_shape": (1, 3, "height", "width"), "imgsz": "[6400000, 6400000]"},
            "error.model_input",
        ),
        ({"input_shape": (1, 3, "height", "width"), "imgsz": "[True, True]"}, "error.model_input"),
        ({"names": "{0: 'DangerAhead', 1: 'danger_ahead'}"}, "error.model_classes"),
        ({"input_type": TensorProto.UINT8}, "error.model_input"),
    ],
)
@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
def test_a_model_that_the_train_cannot_use(make_model, options, key, runtime):
    with pytest.raises(UserError) as caught:
        Detector(make_model(RAW, **options), runtime=runtime)
    assert caught.value.key == key


@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
@pytest.mark.parametrize("content", [b"", b"not a model", b"<?xml version='1.0'?><net/>", bytes(500)])
def test_a_file_that_is_not_a_model(tmp_path, content, runtime):
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        Detector(path, runtime=runtime)
    assert caught.value.key in ("error.model_unreadable", "error.model_input", "error.model_metadata")


def test_a_missing_model(tmp_path):
    with pytest.raises(UserError) as caught:
        Detector(tmp_path / "model.onnx")
    assert caught.value.key == "error.model_missing"


def test_settings_choose_runtime_and_threads(make_model, monkeypatch):
    monkeypatch.setenv("BRAKEPOINT_RUNTIME", "onnxruntime")
    monkeypatch.setenv("BRAKEPOINT_THREADS", "1")
    assert type(Detector(make_model(RAW)).runtime).__name__ == "OnnxRuntime"


@pytest.mark.parametrize(
    ("variable", "key"),
    [("BRAKEPOINT_RUNTIME", "error.runtime_unknown"), ("BRAKEPOINT_THREADS", "error.threads_invalid")],
)
def test_a_wrong_setting(make_model, monkeypatch, variable, key):
    monkeypatch.setenv(variable, "many")
    with pytest.raises(UserError) as caught:
        Detector(make_model(RAW))
    assert caught.value.key == key


def test_importing_the_detector_loads_no_runtime():
    heavy = "{'torch', 'openvino', 'onnxruntime', 'cv2'}"
    code = f"import sys, brakepoint.detector; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
