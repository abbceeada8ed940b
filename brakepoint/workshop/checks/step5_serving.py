"""The checks of step 5: valid and invalid requests as a server receives them, and a client of the broker."""

import base64
import copy
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from kserve import InferInput, InferRequest
from kserve.errors import InvalidInput
from kserve.protocol.infer_type import RequestedOutput
from pydantic import ValidationError

from brakepoint.detector import Detector
from brakepoint.errors import UserError
from brakepoint.messages import Detection, SignClass
from brakepoint.models import SHIPPED_MODEL
from brakepoint.serving import BOXES, CLASSES, PICTURE, SCORES, TENSOR
from brakepoint.serving.engine import Served
from brakepoint.texts import catalogue
from brakepoint.validation import first_fault
from brakepoint.workshop.checks.answers import kind
from brakepoint.workshop.checks.lookout import judge
from brakepoint.workshop.verdicts import Wrong

Lab = Any
"""The attendee's module."""

SHAPE = [1, 3, 4, 6]
ARRAY = np.arange(72, dtype=np.float32).reshape(SHAPE)
CONTENT = b"\xff\xd8\xff\xe0 not text \xff\xd9" * 7
"""Longer than one line of some base64 encoders, and padded with = in base64."""
OTHER_CONTENT = CONTENT[::-1]
OWN_ANSWERS = 1
"""Number of calls by `Served` itself, for the shape of the output, which do not warm a detector up."""
SIGNS = (
    Detection(sign_class=SignClass.SPEED_LIMIT, confidence=0.375, box=(-1.5, 20.03125, 30.5, 50.0)),
    Detection(sign_class=SignClass.DANGER_AHEAD, confidence=0.8125, box=(100.0, 5.75, 140.0, 45.5)),
    Detection(sign_class=SignClass.SPEED_LIMIT, confidence=0.0625, box=(60.5, 40.0, 70.0, 52.0)),
)
"""Two signs of a class, not sorted by any of their numbers: only the given order is right."""


def check_tensor(lab: Lab) -> None:
    """Valid tensors are accepted, and invalid ones rejected."""
    found = _accepted(lab, _request(ARRAY), "refused")
    if not isinstance(found, np.ndarray) or found.shape != ARRAY.shape or not np.array_equal(found, ARRAY):
        raise Wrong("step5.tensor.content", found=_kind(found), expected=str(ARRAY.shape))
    if found.dtype != ARRAY.dtype:
        raise Wrong("step5.tensor.converted", found=str(found.dtype))
    bad = (
        ("datatype", _request(ARRAY.astype(np.float64), "FP64")),
        ("datatype", _request(ARRAY.astype(np.float16), "FP16")),
        ("datatype", _request(ARRAY.astype(np.int32), "INT32")),
        ("datatype", _request(ARRAY.astype(np.uint8), "UINT8")),
        ("shape", _request(np.ascontiguousarray(ARRAY[..., :5]))),
        ("shape", _request(np.ascontiguousarray(ARRAY[:, :, :3]))),
        ("shape", _request(np.ascontiguousarray(ARRAY[:, :1]))),
        ("shape", _request(np.concatenate([ARRAY, ARRAY], axis=3))),
        ("transposed", _request(np.ascontiguousarray(ARRAY.swapaxes(2, 3)))),
        ("batch", _request(np.concatenate([ARRAY, ARRAY]))),
        ("rank", _request(ARRAY[0])),
        ("rank", _request(np.ascontiguousarray(ARRAY[..., 0]))),
        ("rank", _request(ARRAY[..., None])),
        ("missing", _request(ARRAY, name="other")),
        ("data", InferRequest("track", [InferInput(TENSOR, SHAPE, "FP32", data=[0.5] * 5)])),
    )
    for name, request in bad:
        field = request.inputs[0]
        values = {"datatype": field.datatype, "count": len(field.shape)}
        _must_refuse(partial(lab.read_tensor, request, SHAPE), f"step5.tensor.{name}", **values)
    mixed = _request(ARRAY, name="other")
    mixed.inputs += _request(ARRAY + 1).inputs
    if not np.array_equal(_accepted(lab, mixed, "others"), ARRAY + 1):
        raise Wrong("step5.tensor.by_name", name=TENSOR)


def check_switch(lab: Lab) -> None:
    """The new version is ready before it serves, and the old version stays if the new one is broken."""
    engine = lab.Engine(SHIPPED_MODEL, "old")
    old = _served(engine, "old")
    answers: list[tuple[object, object]] = []
    with _watched(answers, lambda: getattr(getattr(engine, "served", None), "version", None)):
        engine.switch(SHIPPED_MODEL, "new")
        if old.version != "old":
            raise Wrong("step5.switch.in_place")
        new, so_far = _served(engine, "new"), len(answers)
        new.infer(np.zeros(new.input_shape, np.float32))
    before = [version for detector, version in answers[:so_far] if detector is answers[-1][0]]
    if len(before) <= OWN_ANSWERS:
        raise Wrong("step5.switch.cold")
    if None in before:
        raise Wrong("step5.switch.nobody")
    if before.count("old") <= OWN_ANSWERS or "new" in before:
        raise Wrong("step5.switch.too_soon")
    with tempfile.TemporaryDirectory() as folder:
        broken = Path(folder) / "broken.onnx"
        broken.write_bytes(b"no model")
        try:
            engine.switch(broken, "broken")
        except UserError:
            pass
        except Exception as error:
            raise Wrong("step5.switch.other_error", what=_what(error)) from None
        else:
            raise Wrong("step5.switch.swallowed")
    if getattr(engine, "served", None) is not new or new.version != "new":
        raise Wrong("step5.switch.half")


@contextmanager
def _watched(answers: list[tuple[object, object]], version: Callable[[], object]) -> Iterator[None]:
    """Records each answer of detectors created within the context, and the version served at that moment."""
    make = Detector.__init__

    def made(detector: Detector, *model: Any, **settings: Any) -> None:
        make(detector, *model, **settings)
        infer = detector.runtime.infer

        def noted(tensor: np.ndarray) -> Any:
            answers.append((detector, version()))
            return infer(tensor)

        detector.runtime.infer = noted  # type: ignore[method-assign]

    with patch.object(Detector, "__init__", made):
        yield


def _served(engine: Any, version: str) -> Served:
    """What the engine serves, which must be this version."""
    served = getattr(engine, "served", None)
    if not isinstance(served, Served):
        raise Wrong("step5.switch.no_version", found=_kind(served))
    if served.version != version:
        key = "nothing" if served.version == "old" else "name"
        raise Wrong(f"step5.switch.{key}", found=served.version, expected=version)
    return served


def check_request(lab: Lab) -> None:
    """The picture is sent as text in one element."""
    body = lab.request_body(CONTENT)
    _judge_body(body, CONTENT)
    try:
        _judge_body(lab.request_body(OTHER_CONTENT), OTHER_CONTENT)
        _judge_body(body, CONTENT)
    except Wrong:
        raise Wrong("step5.request.shared") from None


def _judge_body(body: Any, content: bytes) -> None:
    if isinstance(body, str | bytes):
        raise Wrong("step5.request.text", found=_kind(body))
    try:
        (one,) = body["inputs"]
        name, shape, datatype, data = one["name"], one["shape"], one["datatype"], one["data"]
    except (KeyError, TypeError, ValueError):
        raise Wrong("step5.request.form", found=str(body)[:80]) from None
    if (name, datatype) != (PICTURE, "BYTES"):
        raise Wrong("step5.request.name", found=f"{name}, {datatype}", name=PICTURE)
    if str(shape) not in ("[1]", "(1,)") or not isinstance(shape, list | tuple):
        raise Wrong("step5.request.shape", found=str(shape)[:40])
    if not isinstance(data, list | tuple) or len(data) != 1:
        raise Wrong("step5.request.one_element")
    if not isinstance(data[0], str):
        raise Wrong("step5.request.no_text", found=_kind(data[0]))
    if data[0] != base64.b64encode(content).decode():
        raise Wrong("step5.request.no_base64")
    try:
        json.dumps(body, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise Wrong("step5.request.no_json", why=str(error)) from None


def check_boxes(lab: Lab) -> None:
    """Detections are decoded unchanged, whatever the order of the outputs."""
    for signs in (SIGNS, SIGNS[:1], ()):
        outputs = [
            {"name": BOXES, "shape": [len(signs), 4], "data": [side for sign in signs for side in sign.box]},
            {"name": SCORES, "shape": [len(signs)], "data": [sign.confidence for sign in signs]},
            {"name": CLASSES, "shape": [len(signs)], "data": [str(sign.sign_class) for sign in signs]},
        ]
        boxes, scores, classes = outputs
        _judge_reading(lab, outputs, signs)
        for key, ordered in (
            ("again", outputs),
            ("order", [classes, scores, boxes]),
            ("order", [scores, classes, boxes]),
        ):
            try:
                _judge_reading(lab, ordered, signs)
            except Exception:
                raise Wrong(f"step5.boxes.{key}") from None


def _judge_reading(lab: Lab, outputs: list[dict[str, Any]], signs: tuple[Detection, ...]) -> None:
    """The outputs are read as these signs, and stay as they are."""
    body = {"outputs": list(outputs)}
    before = copy.deepcopy(body)
    try:
        found = lab.read_answer(body)
    except ValidationError as error:
        raise Wrong("step5.boxes.invalid", why=first_fault(error)) from None
    except Exception as error:
        if isinstance(error, KeyError) and error.args[0] in ("BOXES", "SCORES", "CLASSES"):
            raise Wrong("step5.boxes.quoted", name=error.args[0]) from None
        if signs or isinstance(error, NotImplementedError):
            raise
        raise Wrong("step5.boxes.none", what=_what(error)) from None
    if not isinstance(found, tuple | list):
        raise Wrong("step5.boxes.type", found=_kind(found))
    for item in found:
        if not isinstance(item, Detection):
            raise Wrong("step5.boxes.item", found=_kind(item))
    if len(found) != len(signs):
        raise Wrong("step5.boxes.count", found=len(found), expected=len(signs))
    for number, (one, sign) in enumerate(zip(found, signs, strict=True), 1):
        if one != sign:
            raise Wrong("step5.boxes.content", number=number, found=_told(one), expected=_told(sign))
    if body != before:
        raise Wrong("step5.boxes.changed")


def check_lookout(lab: Lab) -> None:
    """The lookout reports its status, hears only the detector's, and stops the train if no detector runs."""
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


def _accepted(lab: Lab, request: InferRequest, key: str) -> Any:
    """The answer to a good request."""
    try:
        return lab.read_tensor(request, SHAPE)
    except InvalidInput as error:
        raise Wrong(f"step5.tensor.{key}", why=str(error.reason), shape=str(SHAPE), name=TENSOR) from None


def _must_refuse(ask: Callable[[], object], key: str, **values: object) -> None:
    try:
        answer = ask()
    except InvalidInput as error:
        said = error.reason
        if not isinstance(said, str) or said in catalogue() or not said.strip():
            raise Wrong("step5.tensor.key", found=said) from None
        return
    except Exception as error:
        if key == "step5.tensor.data":
            raise Wrong(key) from None
        raise Wrong("step5.refuse", what=_what(error)) from None
    raise Wrong("step5.tensor.not_raised" if isinstance(answer, InvalidInput) else key, **values)


def _what(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _told(sign: Detection) -> str:
    return f"{sign.sign_class} {sign.confidence} {sign.box}"


def _kind(answer: object) -> str:
    shape = f" {answer.shape}" if isinstance(answer, np.ndarray) else ""
    return kind(answer) + shape
