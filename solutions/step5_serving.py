"""Step 5: the model behind an endpoint that any standard client can use.

Two models support the Open Inference Protocol, over REST and gRPC. `track` takes the network's own tensor, as
in OpenVINO Model Server on a cluster. `track-jpeg` takes a JPEG and answers with boxes, so that clients need
to know nothing about networks. When another version is promoted, it takes over between two requests.

The services of a train talk over MQTT instead, through a broker. `lookout` is a small one: it stops the train
when the detector is gone.
"""

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np
from kserve import InferInput, InferRequest, InferResponse, Model
from kserve.errors import InvalidInput

from brakepoint.detector import Detector
from brakepoint.messages import TOPIC_ROOT, Action, Control, Detection, Health, SignClass, Status
from brakepoint.services.clock import CLOCK
from brakepoint.serving import (
    BOXES,
    CLASSES,
    JPEG_MODEL,
    PICTURE,
    SCORES,
    TENSOR,
    TENSOR_MODEL,
)
from brakepoint.serving.engine import Served, Worker, warm_up
from brakepoint.serving.pictures import decode_jpeg
from brakepoint.serving.tensors import find_input, make_output, to_array
from brakepoint.texts import text

if TYPE_CHECKING:
    from paho.mqtt.client import Client

LOOKOUT = "lookout"
"""The name of the service that watches the detector."""


def read_tensor(request: InferRequest, shape: list[int]) -> np.ndarray:
    """Reads the network's input from a request, and rejects anything else.

    Args:
        request: Its `inputs` each have `name`, `datatype` and `shape`; `find_input(request, name)` finds one,
            or raises InvalidInput itself.
        shape: Shape of the network's input, `[1, 3, height, width]`.

    Returns:
        `(1, 3, height, width)` float32: `to_array(input)` converts.

    Raises:
        InvalidInput: The input `TENSOR` is missing, is not `FP32`, or has another shape; `read_picture` below
            shows the texts for these errors.
    """
    # lab: tensor
    tensor = find_input(request, TENSOR)
    if tensor.datatype != "FP32":
        raise InvalidInput(text("serving.bad.datatype", name=TENSOR, wanted="FP32", found=tensor.datatype))
    if list(tensor.shape) != shape:
        raise InvalidInput(text("serving.bad.shape", name=TENSOR, wanted=shape, found=list(tensor.shape)))
    return to_array(tensor)
    # instead: raise NotImplementedError


def jpeg_bytes(value: bytes | str) -> bytes:
    """The JPEG in one element of an input: as it is, or decoded from base64 if the element is text.

    JSON does not support bytes: there the file is encoded in base64, and arrives as a `str`.

    Raises:
        InvalidInput: The text isn't base64.
    """
    if isinstance(value, bytes):
        return value
    try:
        return base64.b64decode(value, validate=True)
    except ValueError:
        raise InvalidInput(text("serving.bad.base64", name=PICTURE)) from None


def read_picture(request: InferRequest) -> np.ndarray:
    """Reads the picture from a request, `(height, width, 3)` uint8, blue-green-red.

    Raises:
        InvalidInput: The input `PICTURE` is missing, or isn't a single `BYTES` element with a complete JPEG.
    """
    field: InferInput = find_input(request, PICTURE)
    if field.datatype != "BYTES":
        raise InvalidInput(text("serving.bad.datatype", name=PICTURE, wanted="BYTES", found=field.datatype))
    if list(field.shape) not in ([1], [1, 1]):
        raise InvalidInput(text("serving.bad.shape", name=PICTURE, wanted=[1], found=list(field.shape)))
    return decode_jpeg(jpeg_bytes(to_array(field).flat[0]))


def answer(
    request: InferRequest, model_name: str, version: str, outputs: dict[str, np.ndarray]
) -> InferResponse:
    """Puts arrays into the protocol's response.

    Args:
        request: It may have an `id`, which the response repeats (otherwise a new one is generated); the
            response contains only its `request_outputs`, if any. Numbers are binary if it sets
            `use_binary_outputs`.
        model_name: Name of the model.
        version: Version of the model.
        outputs: The arrays by name. `make_output(request, name, array)` creates the protocol's output for
            each.
    """
    return InferResponse(
        response_id=request.id or str(uuid4()),
        model_name=model_name,
        model_version=version,
        infer_outputs=[make_output(request, name, array) for name, array in outputs.items()],
        use_binary_outputs=request.use_binary_outputs,
        requested_outputs=request.request_outputs,
    )


class Engine:
    """Holds the version being served.

    Args:
        model: The first ONNX model.
        version: The version's name in responses.

    Attributes:
        served: The version being served; reading it once gives a consistent version.
    """

    def __init__(self, model: Path, version: str) -> None:
        self.served: Served
        self.switch(model, version)

    def switch(self, model: Path, version: str) -> None:
        """Switches to another version.

        Requests keep arriving meanwhile, and must not be affected. Loading takes a second and may fail, and a
        model's first answer is slow. `Detector(model)` loads it, `warm_up(detector)` runs it a few times, and
        `Served(detector, version)` is a version.

        Args:
            model: The version's ONNX model.
            version: The version's name.

        Raises:
            UserError: The model cannot be loaded; the previous one then stays in service.
        """
        # lab: switch
        detector = Detector(model)
        warm_up(detector)
        self.served = Served(detector, version)
        # instead: raise NotImplementedError


class TensorModel(Model):
    """The network as it is: a tensor goes in, a tensor comes out."""

    def __init__(self, name: str, engine: Engine, worker: Worker) -> None:
        super().__init__(name)
        self._engine, self._worker = engine, worker
        self.ready = True

    async def predict(self, payload: Any, headers: Any = None, response_headers: Any = None) -> InferResponse:
        """Answers one request."""
        served = self._engine.served
        tensor = read_tensor(payload, served.input_shape)
        output = await self._worker.run(served.infer, tensor)
        return answer(payload, self.name, served.version, {served.output_name: output})

    async def get_input_types(self) -> list[dict[str, Any]]:
        """The protocol's metadata about the input."""
        return [{"name": TENSOR, "datatype": "FP32", "shape": self._engine.served.input_shape}]

    async def get_output_types(self) -> list[dict[str, Any]]:
        """The protocol's metadata about the output."""
        served = self._engine.served
        return [{"name": served.output_name, "datatype": "FP32", "shape": served.output_shape}]


class JpegModel(TensorModel):
    """The whole detector: a JPEG goes in, boxes come out."""

    async def predict(self, payload: Any, headers: Any = None, response_headers: Any = None) -> InferResponse:
        """Answers one request."""
        served = self._engine.served
        found = await self._worker.run(lambda: served.detect(read_picture(payload)))
        outputs = {
            BOXES: np.array([item.box for item in found], np.float32).reshape(-1, 4),
            SCORES: np.array([item.confidence for item in found], np.float32),
            CLASSES: np.array([item.sign_class.encode() for item in found], np.object_),
        }
        return answer(payload, self.name, served.version, outputs)

    async def get_input_types(self) -> list[dict[str, Any]]:
        """The protocol's metadata about the input."""
        return [{"name": PICTURE, "datatype": "BYTES", "shape": [1]}]

    async def get_output_types(self) -> list[dict[str, Any]]:
        """The protocol's metadata about the outputs."""
        return [
            {"name": BOXES, "datatype": "FP32", "shape": [-1, 4]},
            {"name": SCORES, "datatype": "FP32", "shape": [-1]},
            {"name": CLASSES, "datatype": "BYTES", "shape": [-1]},
        ]


def request_body(jpeg: bytes) -> dict[str, Any]:
    """The JSON request to the model `track-jpeg` for a picture.

    Args:
        jpeg: The file's bytes.

    Returns:
        `{"inputs": [one]}`, where `one` has `name` (`PICTURE`), `shape` (`[1]`), `datatype` (`"BYTES"`) and
        `data`, a list with one string: the file in base64.
    """
    # lab: request
    data = base64.b64encode(jpeg).decode()
    return {"inputs": [{"name": PICTURE, "shape": [1], "datatype": "BYTES", "data": [data]}]}
    # instead: raise NotImplementedError


def read_answer(body: dict[str, Any]) -> tuple[Detection, ...]:
    """Converts the JSON response to detections.

    Args:
        body: Its `outputs` each have `name`, `shape` and `data`, in any order. `data` is flat: that of
            `BOXES` contains left, top, right, bottom of the first sign, then of the second, and so on; that
            of `CLASSES` contains names, which `SignClass(name)` converts to classes.

    Returns:
        A `Detection(sign_class=…, confidence=…, box=…)` for each sign, in the order of the answer; `box` is a
        tuple of four numbers.
    """
    # lab: boxes
    data = {output["name"]: output["data"] for output in body["outputs"]}
    boxes = np.array(data[BOXES], float).reshape(-1, 4).tolist()
    return tuple(
        Detection(sign_class=SignClass(sign_class), confidence=score, box=tuple(box))
        for box, score, sign_class in zip(boxes, data[SCORES], data[CLASSES], strict=True)
    )
    # instead: raise NotImplementedError


def models(engine: Engine, worker: Worker) -> list[Model]:
    """Both models, which share one engine."""
    return [TensorModel(TENSOR_MODEL, engine, worker), JpegModel(JPEG_MODEL, engine, worker)]


def topic_of(train_id: str, name: str) -> str:
    """The full topic for a short topic name of a train, such as `control` or `status/capture`."""
    return f"{TOPIC_ROOT}/{train_id}/{name}"


def own_status(health: Health, at: float) -> str:
    """The lookout's status as it travels: the message, in JSON.

    Args:
        health: `Health.READY` or `Health.GONE`.
        at: When it is sent, from `CLOCK.now()`; 0 in a last will, which is written in advance.
    """
    return Status(service=LOOKOUT, health=health, at=at).model_dump_json()


def lookout(client: "Client", train_id: str) -> None:
    """Turns a client of the broker into the lookout, which stops the train when the detector is gone.

    Each service publishes its `Status`. A status whose health is `Health.GONE` is sent by a service as
    it ends, or by the broker: a client can leave it a *last will*, which the broker publishes when it loses
    the client.
    `Control(action=Action.STOP, at=…)` stops the train until a person starts it again.

    The client is a paho-mqtt client:

    - `client.subscribe(topic, qos=…)` and `client.publish(topic, payload, qos=…, retain=…)`. With `qos` 0 a
      message arrives at most once, with 1 at least once, with 2 exactly once, in twice as many packets. With
      `retain=True` the broker keeps the message for those who subscribe later.
    - `client.will_set(…)` takes the same arguments as `publish`, before the client is connected.
    - `client.on_connect = function`: `function(client, userdata, flags, reason_code, properties)` is called
      after each connection. The broker has then forgotten earlier subscriptions.
    - `client.message_callback_add(topic, function)`: `function(client, userdata, message)` is called for each
      message of that topic; with `client.on_message = function`, for all others. `message.topic` is text,
      `message.payload` bytes.

    The thread that carries the messages calls these functions: while one of them waits, no message travels.

    Args:
        client: The client, not connected yet. The caller connects and runs it, and reconnects it when needed.
        train_id: The train.
    """
    # lab: lookout
    own, watched = topic_of(train_id, f"status/{LOOKOUT}"), topic_of(train_id, "status/detector")

    def connected(client: Any, *_: Any) -> None:
        client.subscribe(watched, qos=1)
        client.publish(own, own_status(Health.READY, CLOCK.now()), qos=1, retain=True)

    def heard(client: Any, userdata: Any, message: Any) -> None:
        if Status.model_validate_json(message.payload).health is Health.GONE:
            stop = Control(action=Action.STOP, at=CLOCK.now())
            client.publish(topic_of(train_id, "control"), stop.model_dump_json(), qos=1)

    client.will_set(own, own_status(Health.GONE, 0), qos=1, retain=True)
    client.on_connect = connected
    client.message_callback_add(watched, heard)
    # instead: raise NotImplementedError
