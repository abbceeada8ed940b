"""The endpoint, called by third-party clients, and with nonsense."""

import asyncio
import base64
import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import cv2
import httpx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kserve import InferenceGRPCClient, InferenceRESTClient, InferInput, InferRequest, RESTConfig
from onnx_models import NAMES, raw_output, save_constant_model

from brakepoint.cli import run
from brakepoint.detector import Detector
from brakepoint.errors import UserError
from brakepoint.messages import Frame, SignClass
from brakepoint.serving import BOXES, CLASSES, JPEG_MODEL, PICTURE, SCORES, TENSOR, TENSOR_MODEL
from brakepoint.serving.limits import BODY_MOST_BYTES
from brakepoint.serving.process import Endpoint, serving
from solutions.step5_serving import read_answer, request_body

ENGLISH = {"BRAKEPOINT_LANG": "en", "BRAKEPOINT_THREADS": "1"}
SHAPE = [1, 3, 64, 96]
SIGNS = ((10.0, 20.0, 40.0, 50.0, 0.9, 0.1), (60.0, 10.0, 80.0, 30.0, 0.2, 0.8))
IMAGE = np.random.default_rng(0).integers(0, 255, (64, 96, 3), np.uint8)
JPEG = cv2.imencode(".jpg", IMAGE)[1].tobytes()
TENSOR_DATA = np.random.default_rng(0).random(SHAPE, np.float32)


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("model") / "small.onnx"
    return save_constant_model(path, raw_output(*SIGNS), SHAPE, names=NAMES)


@pytest.fixture(scope="module")
def server(model) -> Iterator[Endpoint]:
    with serving(str(model), **ENGLISH) as served:
        yield served


def post(server: Endpoint, path: str, body: bytes, **headers: str) -> tuple[int, bytes]:
    request = Request(f"http://{server.rest}{path}", body, {"Content-Type": "application/json", **headers})
    try:
        with urlopen(request, timeout=60) as answer:
            return answer.status, answer.read()
    except HTTPError as error:
        return error.code, error.read()


def get(server: Endpoint, path: str) -> bytes:
    with urlopen(f"http://{server.rest}{path}", timeout=60) as answer:
        return answer.read()


@pytest.mark.parametrize("kind", ["grpc", "http"])
def test_triton_s_client_gets_tensors_and_boxes(server, tmp_path, kind: str) -> None:
    (tmp_path / "picture.jpg").write_bytes(JPEG)
    address = server.grpc if kind == "grpc" else server.rest

    told = triton("ask", kind, address, str(tmp_path / "picture.jpg"))

    np.testing.assert_array_equal(told["output0"], raw_output(*SIGNS))
    np.testing.assert_allclose(told["boxes"], [sign[:4] for sign in SIGNS])
    np.testing.assert_allclose(told["scores"], [0.9, 0.8])
    assert told["classes"] == ["DangerAhead", "SpeedLimit"]


def triton(*arguments: str) -> dict:
    """tritonclient's answer; it and kserve define the same messages, so one process cannot import both."""
    command = [sys.executable, str(Path(__file__).parents[2] / "triton_clients.py"), *arguments]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def test_kserve_s_own_clients_get_the_network_s_output(server) -> None:
    def request() -> InferRequest:
        field = InferInput(TENSOR, SHAPE, "FP32")
        field.set_data_from_numpy(TENSOR_DATA)
        return InferRequest(TENSOR_MODEL, [field])

    async def ask() -> list:
        rest = InferenceRESTClient(RESTConfig(protocol="v2", timeout=60))
        remote = InferenceGRPCClient(server.grpc)
        base = f"http://{server.rest}"
        answers = [await rest.infer(base, request(), model_name=TENSOR_MODEL), await remote.infer(request())]
        await rest.close()
        await remote.close()
        return answers

    for answer in asyncio.run(ask()):
        np.testing.assert_array_equal(answer.outputs[0].as_numpy(), raw_output(*SIGNS))


def test_json_is_enough_to_ask_about_a_picture(server) -> None:
    status, body = post(server, f"/v2/models/{JPEG_MODEL}/infer", json.dumps(request_body(JPEG)).encode())

    assert status == 200
    found = read_answer(json.loads(body))
    assert [item.sign_class for item in found] == [SignClass.DANGER_AHEAD, SignClass.SPEED_LIMIT]
    assert json.loads(body)["model_version"] == "small"


def test_health_metadata_and_metrics_are_there(server) -> None:
    post(server, f"/v2/models/{JPEG_MODEL}/infer", json.dumps(request_body(JPEG)).encode())

    assert json.loads(get(server, "/v2/health/ready")) == {"ready": True}
    assert json.loads(get(server, f"/v2/models/{TENSOR_MODEL}"))["inputs"][0]["shape"] == SHAPE
    assert f'request_predict_seconds_count{{model_name="{JPEG_MODEL}"}}'.encode() in get(server, "/metrics")


def test_each_model_describes_its_outputs(server) -> None:
    described = {
        name: [
            (output["name"], output["datatype"], output["shape"])
            for output in json.loads(get(server, f"/v2/models/{name}"))["outputs"]
        ]
        for name in (TENSOR_MODEL, JPEG_MODEL)
    }

    assert described == {
        TENSOR_MODEL: [("output0", "FP32", list(raw_output(*SIGNS).shape))],
        JPEG_MODEL: [(BOXES, "FP32", [-1, 4]), (SCORES, "FP32", [-1]), (CLASSES, "BYTES", [-1])],
    }


def test_it_listens_on_this_machine_only(server) -> None:
    listening = Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]
    ports = {f"{int(address.rpartition(':')[2]):04X}" for address in (server.rest, server.grpc)}
    hosts = {line.split()[1].split(":")[0] for line in listening if line.split()[1].split(":")[1] in ports}

    assert hosts == {"0100007F"}


@pytest.mark.parametrize("kind", ["grpc", "http"])
def test_a_detector_behind_an_endpoint_finds_what_the_same_one_here_finds(server, model, kind: str) -> None:
    address = server.grpc if kind == "grpc" else server.rest
    remote = Detector(f"{kind}://{address}")
    picture = cv2.resize(IMAGE, (200, 100))

    assert remote.detect(Frame(1, 0.0, 0.0, picture)) == Detector(model).detect(Frame(1, 0.0, 0.0, picture))
    assert Detector(f"{kind}://{address}/{TENSOR_MODEL}").input_size_px == (96, 64)


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:9", "socks5://127.0.0.1:9", "http://[broken"])
@pytest.mark.parametrize("kind", ["grpc", "http"])
def test_no_proxy_comes_between_a_detector_and_an_endpoint_of_this_machine(
    server, monkeypatch, kind: str, proxy: str
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "grpc_proxy"):
        monkeypatch.setenv(name, proxy)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    address = server.grpc if kind == "grpc" else server.rest

    assert Detector(f"{kind}://{address}").input_size_px == (96, 64)


@pytest.mark.parametrize("url", ["grpc://127.0.0.1:9", "http://127.0.0.1:9"])
def test_an_endpoint_that_is_not_there_is_reported(url: str) -> None:
    with pytest.raises(UserError) as caught:
        Detector(url)

    assert caught.value.key == "serving.error.endpoint"


def test_a_model_that_is_not_there_is_reported(server) -> None:
    with pytest.raises(UserError) as caught:
        Detector(f"grpc://{server.grpc}/nobody")

    assert "nobody" in str(caught.value)


def field(**other: object) -> dict:
    zeros = np.zeros(SHAPE).ravel().tolist()
    return {"name": TENSOR, "shape": SHAPE, "datatype": "FP32", "data": zeros, **other}


def picture(content: bytes) -> bytes:
    data = [base64.b64encode(content).decode()]
    inputs = [{"name": PICTURE, "shape": [1], "datatype": "BYTES", "data": data}]
    return json.dumps({"inputs": inputs}).encode()


def as_json(*inputs: object) -> bytes:
    return json.dumps({"inputs": inputs}).encode()


TENSOR_PATH, JPEG_PATH = f"/v2/models/{TENSOR_MODEL}/infer", f"/v2/models/{JPEG_MODEL}/infer"
HUGE_JPEG = JPEG.replace(bytes([0, 64, 0, 96]), bytes([255, 255, 255, 255]))
BAD = {
    "wrong shape": (TENSOR_PATH, as_json(field(shape=[1, 3, 64, 95])), 400, "shape"),
    "shape that does not fit the data": (TENSOR_PATH, as_json(field(data=[1.0])), 400, "data"),
    "wrong type": (TENSOR_PATH, as_json(field(datatype="INT64")), 400, "FP32"),
    "unknown type": (TENSOR_PATH, as_json(field(datatype="COLOUR")), 400, "FP32"),
    "words for numbers": (TENSOR_PATH, as_json(field(data=["a"] * 18432)), 400, "data"),
    "missing input": (TENSOR_PATH, as_json(field(name="picture")), 400, "missing"),
    "no inputs": (TENSOR_PATH, as_json(), 400, "missing"),
    "nothing": (TENSOR_PATH, b"{}", 400, "inputs"),
    "malformed JSON": (TENSOR_PATH, b'{"inputs": [', 400, "JSON"),
    "truncated JPEG": (JPEG_PATH, picture(JPEG[: len(JPEG) // 2]), 400, "cut short"),
    "no JPEG": (JPEG_PATH, picture(b"GIF89a"), 400, "JPEG"),
    "JPEG that claims to be huge": (JPEG_PATH, picture(HUGE_JPEG), 400, "JPEG"),
    "no base64": (JPEG_PATH, picture(b"").replace(b'[""]', b'["\xc3\xa9"]'), 400, "base64"),
    "picture of numbers": (JPEG_PATH, as_json(field(name=PICTURE)), 400, "BYTES"),
    "two pictures": (
        JPEG_PATH,
        as_json({"name": PICTURE, "shape": [2], "datatype": "BYTES", "data": ["", ""]}),
        400,
        "shape",
    ),
    "unknown model": ("/v2/models/nobody/infer", as_json(field()), 404, "nobody"),
    "unknown version": (f"/v2/models/{TENSOR_MODEL}/versions/7/infer", as_json(field()), 404, "version"),
    "picture that is a number": (
        JPEG_PATH,
        as_json({"name": PICTURE, "shape": [1], "datatype": "BYTES", "data": [5]}),
        400,
        "data",
    ),
    "half a character in a name": (TENSOR_PATH, as_json(field(name="\ud800")), 400, "Unicode"),
    "half a character in an id": (
        JPEG_PATH,
        b'{"id": "\\ud800", ' + picture(JPEG).removeprefix(b"{"),
        400,
        "Unicode",
    ),
    "not UTF-8": (TENSOR_PATH, b'{"inputs": "\xff"}', 400, "Protocol"),
    "path that is not there": ("/v2/models/generate/it", b"{}", 404, "inference"),
    "wrong method": ("/v2/health/live", b"{}", 405, "inference"),
    "unload": (f"/v2/repository/models/{TENSOR_MODEL}/unload", b"", 400, "promote"),
    "old protocol": (f"/v1/models/{TENSOR_MODEL}:predict", b'{"instances": []}', 400, "Open Inference"),
    "100 MB": (TENSOR_PATH, bytes(100_000_000), 413, "MB"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_request_gets_the_protocol_s_error_and_one_clear_line(server, name: str) -> None:
    path, body, expected, word = BAD[name]

    status, answer = post(server, path, body)

    assert status == expected
    told = json.loads(answer)["error"]
    assert word in told
    assert "\n" not in told
    assert json.loads(get(server, "/v2/health/ready")) == {"ready": True}


BINARY = {"name": TENSOR, "shape": SHAPE, "datatype": "FP32", "parameters": {"binary_data_size": 73728}}


@pytest.mark.parametrize(
    ("described", "sent_bytes"),
    [
        ({"inputs": [BINARY]}, 73732),
        ({"inputs": [BINARY | {"parameters": {"binary_data_size": 73732}}]}, 73728),
        ({"inputs": [BINARY | {"parameters": {"binary_data_size": -4}}]}, 73728),
        ({"inputs": [BINARY | {"shape": None}]}, 73728),
        ({"inputs": [BINARY], "id": 5}, 73728),
        ({"inputs": [BINARY], "parameters": [1]}, 73728),
    ],
    ids=["too much data", "too little data", "less than nothing", "no shape", "id", "parameters"],
)
def test_a_binary_request_is_examined_like_one_in_json(server, described: dict, sent_bytes: int) -> None:
    content = json.dumps(described).encode()
    binary = {
        "Inference-Header-Content-Length": str(len(content)),
        "Content-Type": "application/octet-stream",
    }

    status, answer = post(server, TENSOR_PATH, content + bytes(sent_bytes), **binary)

    assert (status, list(json.loads(answer))) == (400, ["error"])


def test_grpc_has_codes_of_its_own(server) -> None:
    assert triton("err", "grpc", server.grpc, "") == {
        "wrong shape": "StatusCode.INVALID_ARGUMENT",
        "wrong type": "StatusCode.INVALID_ARGUMENT",
        "missing input": "StatusCode.INVALID_ARGUMENT",
        "truncated JPEG": "StatusCode.INVALID_ARGUMENT",
        "unknown model": "StatusCode.NOT_FOUND",
        "100 MB": "StatusCode.RESOURCE_EXHAUSTED",
    }


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
names = st.sampled_from([TENSOR, PICTURE, ""]) | anything
shapes = st.sampled_from([SHAPE, [1], [-1], [0], [2**62, 2]]) | anything
types = st.sampled_from(["FP32", "BYTES", "FP16", "INT8", "BOOL", "x"]) | anything
sizes = st.fixed_dictionaries({"binary_data_size": st.integers(-5, 80) | anything})
fields = st.fixed_dictionaries(
    {"name": names, "shape": shapes, "datatype": types}, optional={"data": anything, "parameters": sizes}
)
bodies = st.one_of(
    st.fixed_dictionaries(
        {"inputs": st.lists(fields | anything, max_size=3) | anything},
        optional={"id": anything, "parameters": anything, "outputs": anything},
    ),
    anything,
)
headers = st.sampled_from(
    [
        {},
        {"Content-Type": "application/octet-stream"},
        {"ce-id": "1"},
        {"ce-specversion": "1.0", "ce-type": "x"},
    ]
)


@settings(max_examples=500, suppress_health_check=list(HealthCheck))
@given(
    path=st.sampled_from([TENSOR_PATH, JPEG_PATH, f"/v1/models/{TENSOR_MODEL}:predict"]),
    body=bodies,
    tail=st.binary(max_size=80),
    said=st.none() | st.integers(-3, 200) | st.text("0123456789-x", max_size=4),
    others=headers,
)
def test_no_nonsense_breaks_it(
    server, path: str, body: object, tail: bytes, said: object, others: dict
) -> None:
    content = json.dumps(body).encode()
    binary = {} if said is None else {"Inference-Header-Content-Length": str(said)}

    status, answer = post(server, path, content + (tail if binary else b""), **binary, **others)

    assert 400 <= status < 500, (status, answer)


def test_nonsense_leaves_nothing_in_memory(server) -> None:
    def megabytes() -> float:
        pages = int(Path(f"/proc/{server.process.pid}/statm").read_text("ascii").split()[1])
        return pages * resource.getpagesize() / 2**20

    def nonsense(times: int) -> None:
        for _ in range(times):
            for name in ("truncated JPEG", "wrong shape", "missing input", "malformed JSON"):
                path, body, expected, _word = BAD[name]
                assert post(server, path, body)[0] == expected
            assert post(server, TENSOR_PATH, bytes(BODY_MOST_BYTES // 4))[0] == 400

    found = []
    for _ in range(12):
        nonsense(10)
        found.append(megabytes())

    # Python collects what is held for a moment only now and then, from 3.13 on less often.
    assert min(found[6:]) - max(found[:6]) < 20, found


def test_a_large_request_that_does_not_declare_its_size_is_refused_too(server) -> None:
    chunks = (bytes(2**20) for _ in range(100))

    assert httpx.post(f"http://{server.rest}{TENSOR_PATH}", content=chunks, timeout=60).status_code == 413


def test_a_port_that_is_taken_is_reported(server, model, capsys) -> None:
    port = server.rest.rpartition(":")[2]

    assert run(["--lang", "en", "serve", str(model), "--rest-port", port]) == 2
    assert "in use" in capsys.readouterr().err


def test_a_model_that_is_not_there_is_one_line(tmp_path, capsys) -> None:
    assert run(["serve", str(tmp_path / "none.onnx")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
