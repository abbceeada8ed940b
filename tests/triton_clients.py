"""Prints an endpoint's answer to tritonclient: `triton_clients.py ask|err grpc|http ADDRESS JPEG`."""

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from tritonclient.utils import InferenceServerException

SHAPE = [1, 3, 64, 96]
TENSOR_DATA = np.random.default_rng(0).random(SHAPE, np.float32)
BAD: dict[str, tuple[Any, ...]] = {
    "wrong shape": ("track", "images", [1, 3, 64, 95], "FP32", TENSOR_DATA[..., :-1]),
    "wrong type": ("track", "images", SHAPE, "FP64", TENSOR_DATA.astype(np.float64)),
    "missing input": ("track", "other", SHAPE, "FP32", TENSOR_DATA),
    "truncated JPEG": ("track-jpeg", "picture", [1], "BYTES", np.array([b"\xff\xd8\xff\xda"], np.object_)),
    "unknown model": ("nobody", "images", SHAPE, "FP32", TENSOR_DATA),
    "100 MB": ("track", "images", [100_000_000], "UINT8", np.zeros(100_000_000, np.uint8)),
}


def main() -> None:
    what, kind, address, jpeg = sys.argv[1:]
    protocol = importlib.import_module(f"tritonclient.{kind}")
    client = protocol.InferenceServerClient(address)

    def infer(model: str, name: str, shape: list[int], datatype: str, data: np.ndarray):
        sent = protocol.InferInput(name, shape, datatype)
        sent.set_data_from_numpy(np.ascontiguousarray(data))
        return client.infer(model, [sent])

    told: dict[str, object] = {}
    if what == "ask":
        assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("track")
        told["output0"] = infer("track", "images", SHAPE, "FP32", TENSOR_DATA).as_numpy("output0").tolist()
        content = np.array([Path(jpeg).read_bytes()], np.object_)
        answer = infer("track-jpeg", "picture", [1], "BYTES", content)
        told |= {name: answer.as_numpy(name).tolist() for name in ("boxes", "scores")}
        told["classes"] = [name.decode() for name in answer.as_numpy("classes")]
    else:
        for name, request in BAD.items():
            try:
                infer(*request)
            except InferenceServerException as error:
                told[name] = error.status()
    sys.stdout.write(json.dumps(told))


main()
