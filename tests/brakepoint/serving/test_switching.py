"""Another version takes over while requests come in."""

import threading
from collections import Counter
from pathlib import Path

import numpy as np
from onnx_models import NAMES, raw_output, save_constant_model

from brakepoint.cli import run
from brakepoint.detector.remote import RemoteRuntime
from brakepoint.registry.bucket import Registry
from brakepoint.serving.process import serving
from brakepoint.store import Connection
from brakepoint.store.embedded import serve_s3

TENSOR = np.zeros((1, 3, 64, 96), np.float32)
SEEN_WITHIN_S = 60
"""Wide, for machines that are busy; a quiet one needs a second or two."""


def model(folder: Path, number: int) -> Path:
    """A model whose answer is its number."""
    sign = (1.0, 2.0, 9.0, 9.0, number / 10, 0.0)
    return save_constant_model(folder / f"{number}.onnx", raw_output(sign), names=NAMES)


class Asking(threading.Thread):
    """Sends requests without a pause, and counts the answers of each version."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self._runtime = RemoteRuntime(url)
        self.over, self.failed = threading.Event(), ""
        self.answers: Counter[int] = Counter()
        self._heard = threading.Condition()

    def run(self) -> None:
        while not self.over.is_set():
            try:
                number = round(10 * float(self._runtime.infer(TENSOR)[0, 4].max()))
            except Exception as error:
                self.failed = str(error)
                return
            with self._heard:
                self.answers[number] += 1
                self._heard.notify_all()

    def wait_for(self, number: int) -> None:
        """Waits until a version answers a new request."""
        with self._heard:
            before = self.answers[number]
            assert self._heard.wait_for(lambda: self.answers[number] > before, SEEN_WITHIN_S), self.failed


def test_no_request_is_lost_while_versions_are_promoted_and_rolled_back(tmp_path, monkeypatch) -> None:
    with serve_s3(tmp_path / "s3") as (endpoint, key, secret):
        registry = Registry(Connection(endpoint, "brakepoint", key, secret))
        registry.promote(registry.publish(model(tmp_path, 1)).number)
        registry.publish(model(tmp_path, 2))
        variables = {
            "BRAKEPOINT_LANG": "en",
            "AWS_S3_ENDPOINT": endpoint,
            "AWS_S3_BUCKET": "brakepoint",
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret,
        }
        monkeypatch.chdir(tmp_path)
        with serving("s3://", **variables) as server:
            asking = [Asking(f"grpc://{server.grpc}"), Asking(f"http://{server.rest}")]
            for thread in asking:
                thread.start()
            for change, answers in (
                (lambda: None, 1),
                (lambda: registry.promote(2), 2),
                (registry.rollback, 1),
                (lambda: registry.promote(2), 2),
            ):
                change()
                for thread in asking:
                    thread.wait_for(answers)
            registry.publish(model(tmp_path, 3))
            broken = Connection(endpoint, "brakepoint", key, secret).client
            broken.put_object(Bucket="brakepoint", Key="models/track/3/model.onnx", Body=b"broken")
            pointer = b'{"history": [2, 3]}'  # As if the model had been damaged after its promotion.
            broken.put_object(Bucket="brakepoint", Key="models/track/production.json", Body=pointer)
            assert "Version 2 now answers" in "".join(server.said.readline() for _ in range(3))
            for thread in asking:
                thread.wait_for(2)
                thread.over.set()
                thread.join()
            assert [thread.failed for thread in asking] == ["", ""]
            assert all(set(thread.answers) == {1, 2} for thread in asking)


def test_an_empty_registry_is_reported(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AWS_S3_ENDPOINT", raising=False)

    assert run(["--lang", "en", "serve", "s3://"]) == 2
    assert "No model is in production" in capsys.readouterr().err
