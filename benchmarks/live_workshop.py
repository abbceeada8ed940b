"""The public workshop's approach, for comparison: base64 in JSON, and a Python loop over 8,400 rows.

Camera ──image──▶ detector ──result──▶ rules ──command──▶ controller. As in the workshop, the result contains
the picture again, and only the first detection counts. The parts that are in Java and JavaScript in the
workshop are in Python here; the annotated pictures that the workshop sends to Kafka are omitted.

python -m benchmarks.live_workshop detector|rules BROKER_URL [MODEL.onnx]
"""

import base64
import json
import sys
import threading
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.live_yolov8n import SIZE_PX
from brakepoint.services.bus import parse_broker

IMAGES, RESULTS, COMMANDS = "workshop/images", "workshop/results", "workshop/commands"
CONFIDENCE_MIN, OVERLAP_MAX = 0.95, 0.45
"""So high that random weights find about as few signs as trained weights."""
NOTHING_SEEN = -1


def pack(image: np.ndarray, captured_at: float) -> str:
    """A frame as JSON: its JPEG as base64."""
    _, jpeg = cv2.imencode(".jpg", image)
    return json.dumps({"id": captured_at, "image": base64.b64encode(jpeg.tobytes()).decode()})


def look(session: Any, image: np.ndarray) -> list[dict[str, Any]]:
    """The detections in a picture, found by a loop over the rows of the network's output."""
    side = max(image.shape[:2])
    square = np.zeros((side, side, 3), np.uint8)
    square[: image.shape[0], : image.shape[1]] = image
    blob = cv2.dnn.blobFromImage(square, 1 / 255, (SIZE_PX, SIZE_PX), swapRB=True)
    rows = cv2.transpose(session.run(None, {"images": blob})[0][0])
    boxes, scores, classes = [], [], []
    for row in rows:
        _, score, _, (_, best) = cv2.minMaxLoc(row[4:])
        if score >= CONFIDENCE_MIN:
            x, y, width, height = row[:4]
            boxes.append([float(x - width / 2), float(y - height / 2), float(width), float(height)])
            scores.append(score)
            classes.append(best)
    kept = cv2.dnn.NMSBoxes(boxes, scores, CONFIDENCE_MIN, OVERLAP_MAX)
    return [{"class": classes[i], "score": scores[i], "box": boxes[i]} for i in kept]


def make_detector(model: str) -> Callable[[Any], Any]:
    """Converts an image to a result, with a network on ONNX Runtime with default settings."""
    import onnxruntime

    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])

    def detect(said: Any) -> Any:
        jpeg = np.frombuffer(base64.b64decode(said["image"]), np.uint8)
        image = cv2.imdecode(jpeg, cv2.IMREAD_COLOR)
        assert image is not None, "the camera sent something else than a picture"
        return {**said, "detections": look(session, image)}

    return detect


def command(said: Any) -> Any:
    """Converts a result to a command for the train: the class of the first detection."""
    seen = said["detections"]
    return {"id": said["id"], "command": seen[0]["class"] if seen else NOTHING_SEEN}


def answer(broker_url: str, hears: str, says: str, work: Callable[[Any], Any]) -> None:
    """Answers every message until the process is terminated."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2)

    def hear(_client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        client.publish(says, json.dumps(work(json.loads(message.payload))))

    client.message_callback_add(hears, hear)
    broker = parse_broker(broker_url)
    client.connect(broker.host, broker.port)
    client.subscribe(hears)
    client.loop_start()
    threading.Event().wait()


if __name__ == "__main__":
    role, url, *model = sys.argv[1:]
    if role == "detector":
        answer(url, IMAGES, RESULTS, make_detector(*model))
    answer(url, RESULTS, COMMANDS, command)
