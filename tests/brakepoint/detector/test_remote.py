"""A detector behind an address at which something other than a well-behaved endpoint answers."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("kserve")

from brakepoint.cli import run
from brakepoint.detector import Detector, remote
from brakepoint.errors import UserError

Answer = tuple[int, dict[str, str], bytes]
INPUT = {"name": "images", "datatype": "FP32", "shape": [1, 3, 64, 96]}
JSON = {"Content-Type": "application/json"}


class Odd(ThreadingHTTPServer):
    """Answers as a test sets: `describes` to questions about the model, `answers` to inferences."""

    describes: Answer
    answers: Answer
    never_ends = False

    def __init__(self) -> None:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.answer(server.describes)

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.answer(server.answers)

            def answer(self, answer: Answer) -> None:
                status, headers, body = answer
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
                with suppress(OSError):
                    while server.never_ends:
                        self.wfile.write(bytes(1000))

            def log_message(self, *args: object) -> None:
                """Logs nothing."""

        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@pytest.fixture
def odd(monkeypatch: pytest.MonkeyPatch) -> Iterator[Odd]:
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")
    server = Odd()
    server.describes, server.answers = describing(), answering()
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def describing(**field: object) -> Answer:
    return 200, JSON, json.dumps({"inputs": [INPUT | field]}).encode()


def answering(content: np.ndarray | None = None, datatype: str = "FP32") -> Answer:
    if content is None:
        content = np.zeros((1, 6, 4), np.float32)
    output = {
        "name": "output0",
        "shape": content.shape,
        "datatype": datatype,
        "parameters": {"binary_data_size": content.nbytes},
    }
    described = json.dumps({"model_name": "track", "id": "1", "outputs": [output]}).encode()
    return 200, {remote.HEADER_LENGTH: str(len(described))}, described + content.tobytes()


def test_an_endpoint_that_answers_as_it_should_is_a_detector(odd: Odd) -> None:
    assert Detector(odd.url).input_size_px == (96, 64)
    assert Detector(odd.url.replace("http", "HTTP")).input_size_px == (96, 64)


@pytest.mark.parametrize("url", ["http://[::1/track", "grpc://exa℀mple:8081"])
def test_an_address_that_is_none_is_reported_in_a_sentence(url: str) -> None:
    with pytest.raises(UserError) as caught:
        Detector(url)
    assert caught.value.key == "serving.error.endpoint"


@pytest.mark.parametrize(
    "described",
    [
        (200, {"Content-Type": "text/html"}, b"<html>Please log in</html>"),
        (200, JSON, b""),
        (200, JSON, b"null"),
        (200, JSON, b'{"inputs": []}'),
        (200, JSON, b'{"inputs": "\xff"}'),
        (200, JSON, b"[" * 100_000),
        describing(shape="wide"),
        describing(shape=None),
    ],
    ids=["page", "nothing", "null", "no input", "not UTF-8", "deep", "words", "no shape"],
)
def test_a_description_in_another_form_is_reported_in_a_sentence(odd: Odd, described: Answer) -> None:
    odd.describes = described

    with pytest.raises(UserError, match=r"answer does not follow the Open Inference Protocol\. Is"):
        Detector(odd.url)


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ({"shape": [-1, 3, -1, -1]}, r"\? × 3 × \? × \? of float32"),
        ({"shape": [1, 3, 10**6, 10**6]}, "1000000 of float32"),
        ({"shape": [1, 3, 0, 0]}, "0 × 0 of float32"),
        ({"shape": [1]}, "1 of float32"),
        ({"shape": [1, 1, 64, 96]}, "1 × 1 × 64 × 96"),
        ({"datatype": "UINT8"}, "96 of UINT8"),
    ],
    ids=["dynamic", "huge", "empty", "flat", "grey", "bytes"],
)
def test_an_endpoint_that_takes_something_other_than_a_picture_is_refused(
    odd: Odd, field: dict[str, Any], said: str
) -> None:
    odd.describes = describing(**field)

    with pytest.raises(UserError, match=f"^{odd.url} takes (.*){said}"):
        Detector(odd.url)


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ((200, JSON, b"{}"), "does not follow the Open Inference Protocol"),
        (answering(np.zeros((1, 6, 4), np.int8), "INT8"), "does not follow the Open Inference Protocol"),
        (answering(np.frombuffer(b"\4\0\0\0\1\2\3\4", np.uint8), "BYTES"), "does not follow"),
        (answering(np.full((1, 6, 4), np.nan, np.float32)), "^http://127.* not boxes and scores"),
        (answering(np.zeros((6, 4), np.float32)), "^http://127.* gives 6 × 4"),
        ((302, {"Location": "http://127.0.0.1:1/"}, b""), "302 Found"),
        ((500, {}, b"\x1b[31m"), "500 Internal Server Error"),
    ],
    ids=["not binary", "whole numbers", "text", "not numbers", "shape", "redirection", "failure"],
)
def test_an_odd_answer_is_reported_in_a_sentence(odd: Odd, answers: Answer, said: str) -> None:
    odd.answers = answers

    with pytest.raises(UserError, match=said):
        Detector(odd.url)


def test_the_command_that_evaluates_takes_an_address_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")
    assert run(["evaluate", "--images", str(tmp_path), "--detector", "http://127.0.0.1:1"]) == 2
    assert "http://127.0.0.1:1 does not answer" in capsys.readouterr().err


def limit_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "TIMEOUT_S", -1.0)


def limit_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "MESSAGE_MOST_BYTES", 100_000)


@pytest.mark.parametrize("limit", [limit_size, limit_time])
def test_an_answer_that_does_not_end_is_not_read_to_the_end(
    odd: Odd, monkeypatch: pytest.MonkeyPatch, limit: Callable[[pytest.MonkeyPatch], None]
) -> None:
    detector = Detector(odd.url)
    odd.never_ends = True
    limit(monkeypatch)

    with pytest.raises(UserError, match="its answer does not end"):
        detector.detect_image(np.zeros((64, 96, 3), np.uint8))
