"""The checks of step 5: valid and invalid requests as a server receives them, and a client of the broker."""

import base64
import json
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from kserve import InferInput, InferRequest
from kserve.errors import InvalidInput
from kserve.protocol.infer_type import RequestedOutput

from brakepoint.errors import UserError
from brakepoint.messages import Detection, SignClass
from brakepoint.models import SHIPPED_MODEL
from brakepoint.serving import BOXES, CLASSES, PICTURE, SCORES, TENSOR
from brakepoint.texts import catalogue
from brakepoint.workshop.checks.answers import replaced
from brakepoint.workshop.checks.lookout import judge
from brakepoint.workshop.verdicts import Wrong

Lab = Any
"""The attendee's module."""

SHAPE = [1, 3, 4, 6]
ARRAY = np.arange(72, dtype=np.float32).reshape(SHAPE)
CONTENT = b"\xff\xd8\xff\xe0 not text \xff\xd9" * 6
"""Longer than what some encoders of base64 put into one line."""
OWN_ANSWERS = 1
"""Number of calls by `Served` itself, for the shape of the output, which do not warm a detector up."""
SIGNS = (
    Detection(sign_class=SignClass.SPEED_LIMIT, confidence=0.375, box=(10.25, 20.0, 30.5, 50.0)),
    Detection(sign_class=SignClass.DANGER_AHEAD, confidence=0.8125, box=(100.0, 5.75, 140.0, 45.5)),
)


def check_tensor(lab: Lab) -> None:
    """Valid tensors are accepted, and invalid ones rejected."""
    found = lab.read_tensor(_request(ARRAY), SHAPE)
    if not isinstance(found, np.ndarray) or found.shape != ARRAY.shape or not np.array_equal(found, ARRAY):
        raise Wrong("step5.tensor.content", found=_kind(found))
    if found.dtype != ARRAY.dtype:
        raise Wrong("step5.tensor.converted", found=str(found.dtype))
    bad = (
        ("datatype", _request(ARRAY.astype(np.float64), "FP64")),
        ("datatype", _request(ARRAY.astype(np.int32), "INT32")),
        ("shape", _request(np.ascontiguousarray(ARRAY[..., :5]))),
        ("shape", _request(np.ascontiguousarray(ARRAY[:, :, :3]))),
        ("shape", _request(np.ascontiguousarray(ARRAY[:, :1]))),
        ("transposed", _request(np.ascontiguousarray(ARRAY.swapaxes(2, 3)))),
        ("batch", _request(np.concatenate([ARRAY, ARRAY]))),
        ("rank", _request(ARRAY[0])),
        ("missing", _request(ARRAY, name="other")),
    )
    for name, request in bad:
        key = f"step5.tensor.{name}"
        _must_refuse(partial(lab.read_tensor, request, SHAPE), key, datatype=request.inputs[0].datatype)
    mixed = _request(ARRAY, name="other")
    mixed.inputs += _request(ARRAY + 1).inputs
    if not np.array_equal(lab.read_tensor(mixed, SHAPE), ARRAY + 1):
        raise Wrong("step5.tensor.by_name", name=TENSOR)


def check_switch(lab: Lab) -> None:
    """The new version is ready before it serves, and the old version stays if the new one is broken."""
    engine = lab.Engine(SHIPPED_MODEL, "old")
    answers: list[tuple[object, str]] = []
    load = lab.Detector

    def watched(*model: Any, **settings: Any) -> Any:
        """A detector that records each answer, and which version was being served at that moment."""
        detector = load(*model, **settings)
        infer = detector.runtime.infer

        def noted(tensor: np.ndarray) -> Any:
            answers.append((detector, engine.served.version))
            return infer(tensor)

        detector.runtime.infer = noted
        return detector

    with replaced(lab, Detector=watched):
        engine.switch(SHIPPED_MODEL, "new")
    if engine.served.version != "new":
        raise Wrong("step5.switch.nothing", found=engine.served.version)
    so_far = len(answers)
    engine.served.infer(np.zeros(engine.served.input_shape, np.float32))
    before = [version for detector, version in answers[:so_far] if detector is answers[-1][0]]
    if len(before) <= OWN_ANSWERS:
        raise Wrong("step5.switch.cold")
    if before.count("old") <= OWN_ANSWERS:
        raise Wrong("step5.switch.too_soon")
    with tempfile.TemporaryDirectory() as folder:
        broken = Path(folder) / "broken.onnx"
        broken.write_bytes(b"no model")
        try:
            engine.switch(broken, "broken")
        except UserError:
            pass
        else:
            raise Wrong("step5.switch.swallowed")
    if engine.served is None or engine.served.version != "new":
        raise Wrong("step5.switch.half")


def check_request(lab: Lab) -> None:
    """The picture is sent as text in one element."""
    body = lab.request_body(CONTENT)
    try:
        (one,) = body["inputs"]
        name, shape, datatype, data = one["name"], list(one["shape"]), one["datatype"], one["data"]
    except (KeyError, TypeError, ValueError):
        raise Wrong("step5.request.form", found=str(body)[:80]) from None
    if (name, datatype) != (PICTURE, "BYTES"):
        raise Wrong("step5.request.name", found=f"{name}, {datatype}")
    if shape != [1] or not isinstance(data, list) or len(data) != 1:
        raise Wrong("step5.request.one_element")
    if not isinstance(data[0], str):
        raise Wrong("step5.request.no_text", found=_kind(data[0]))
    if data[0] != base64.b64encode(CONTENT).decode():
        raise Wrong("step5.request.no_base64")
    try:
        json.dumps(body)
    except TypeError as error:
        raise Wrong("step5.request.no_json", why=str(error)) from None


def check_boxes(lab: Lab) -> None:
    """Detections are decoded unchanged, whatever the order of the outputs."""
    for signs in (SIGNS, SIGNS[:1], ()):
        outputs = [
            {"name": CLASSES, "shape": [len(signs)], "data": [str(sign.sign_class) for sign in signs]},
            {"name": BOXES, "shape": [len(signs), 4], "data": [side for sign in signs for side in sign.box]},
            {"name": SCORES, "shape": [len(signs)], "data": [sign.confidence for sign in signs]},
        ]
        for ordered in (outputs, outputs[::-1]):
            found = lab.read_answer({"outputs": ordered})
            if not isinstance(found, tuple | list):
                raise Wrong("step5.boxes.type", found=_kind(found))
            if len(found) != len(signs):
                raise Wrong("step5.boxes.count", found=len(found), expected=len(signs))
            for item in found:
                if not isinstance(item, Detection):
                    raise Wrong("step5.boxes.type", found=_kind(item))
            for number, (one, sign) in enumerate(zip(found, signs, strict=True), 1):
                if one != sign:
                    raise Wrong("step5.boxes.content", number=number, found=_told(one), expected=_told(sign))


def check_lookout(lab: Lab) -> None:
    """The lookout reports its status, hears only the detector's, and stops the train without a detector."""
    judge(lab.lookout)


def _request(
    array: np.ndarray,
    datatype: str = "FP32",
    name: str = TENSOR,
    request_id: str | None = None,
    parameters: dict[str, Any] | None = None,
    outputs: list[RequestedOutput] | None = None,
) -> InferRequest:
    field = InferInput(name, list(array.shape), datatype)
    field.set_data_from_numpy(array)
    return InferRequest(
        "track", [field], request_id=request_id, parameters=parameters, request_outputs=outputs
    )


def _must_refuse(ask: Callable[[], object], key: str, **values: str) -> None:
    try:
        ask()
    except InvalidInput as error:
        if error.reason in catalogue() or not str(error.reason).strip():
            raise Wrong("step5.tensor.key", found=error.reason) from None
        return
    except ValueError:
        raise Wrong("step5.refuse") from None
    raise Wrong(key, **values)


def _told(sign: Detection) -> str:
    return f"{sign.sign_class} {sign.confidence} {sign.box}"


def _kind(answer: object) -> str:
    return "None" if answer is None else type(answer).__name__
