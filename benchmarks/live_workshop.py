"""The way of the public workshop, to compare with: base64 in JSON, and a Python loop over 8,400 rows.

python -m benchmarks.live_workshop BROKER_URL MODEL.onnx
"""

import base64
import json
import sys
import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.live_yolov8n import SIZE_PX
from brakepoint.services.bus import parse_broker

IMAGES, ANSWERS = "workshop/images", "workshop/answers"
CONFIDENCE_MIN, OVERLAP_MAX = 0.95, 0.45
"""So high that random weights find about as few signs as trained ones."""
READY = b"ready"


def pack(image: np.ndarray, captured_at: float) -> str:
    """A frame as JSON: its JPEG as base64."""
    _, jpeg = cv2.imencode(".jpg", image)
    return json.dumps({"captured_at": captured_at, "image": base64.b64encode(jpeg.tobytes()).decode()})


def look(session: Any, image: np.ndarray) -> list[dict[str, Any]]:
    """What is to be seen in a picture, row by row of the network's answer."""
    side = max(image.shape[:2])
    square = np.zeros((side, side, 3), np.uint8)
    square[: image.shape[0], : image.shape[1]] = image
    blob = cv2.dnn.blobFromImage(square, 1 / 255, (SIZE_PX, SIZE_PX), swapRB=True)
    rows = session.run(None, {"images": blob})[0][0].T
    boxes, scores, classes = [], [], []
    for row in rows:
        row_scores = row[4:]
        best = int(row_scores.argmax())
        if row_scores[best] >= CONFIDENCE_MIN:
            x, y, width, height = row[:4]
            boxes.append([float(x - width / 2), float(y - height / 2), float(width), float(height)])
            scores.append(float(row_scores[best]))
            classes.append(best)
    kept = cv2.dnn.NMSBoxes(boxes, scores, CONFIDENCE_MIN, OVERLAP_MAX)
    return [{"class": classes[i], "score": scores[i], "box": boxes[i]} for i in kept]


def main(url: str, model: Path) -> None:
    """Answers every picture until it is ended."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    client = mqtt.Client(CallbackAPIVersion.VERSION2)

    def hear(_client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        said = json.loads(message.payload)
        jpeg = np.frombuffer(base64.b64decode(said["image"]), np.uint8)
        found = look(session, cv2.imdecode(jpeg, cv2.IMREAD_COLOR))
        client.publish(ANSWERS, json.dumps({"captured_at": said["captured_at"], "found": found}))

    def greet(*_: object) -> None:
        client.subscribe(IMAGES)
        client.publish(ANSWERS, READY)

    client.on_connect = greet
    client.message_callback_add(IMAGES, hear)
    broker = parse_broker(url)
    client.connect(broker.host, broker.port)
    client.loop_start()
    threading.Event().wait()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
