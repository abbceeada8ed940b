"""A network behind an endpoint of the Open Inference Protocol, whose input and output are processed here.

Because only tensors are transferred, a detector behind an endpoint returns exactly what a local one would.
"""

import json
import time
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

import numpy as np

from brakepoint import extras
from brakepoint.detector.metadata import input_size_px
from brakepoint.errors import UserError
from brakepoint.messages import SignClass
from brakepoint.models import MODEL_NAME
from brakepoint.proxies import LOOPBACK
from brakepoint.texts import text

SCHEMES = ("grpc", "grpcs", "http", "https")
TIMEOUT_S = 30.0
"""Longest time for a whole answer."""
MESSAGE_MOST_BYTES = 32 * 2**20
FLOAT = "FP32"
"""The protocol's name for float32, in which a network's picture is sent."""
HEADER_LENGTH = "inference-header-content-length"
"""Header with the length of the JSON before the binary tensors."""


class Client(Protocol):
    """A client of the protocol, over gRPC or REST."""

    def describe(self, model: str) -> tuple[str, str, list[int]]:
        """Returns name, datatype and shape of a model's input."""

    def ask(self, request: Any) -> Any:
        """Sends an `InferRequest`, and returns the `InferResponse`."""


def remote_runtime(url: str) -> "RemoteRuntime | None":
    """The runtime behind a URL; None for anything that isn't a URL."""
    scheme, separator, _ = url.partition("://")
    return RemoteRuntime(url) if separator and scheme.lower() in SCHEMES else None


class RemoteRuntime:
    """Runs the network on an endpoint.

    Args:
        url: For instance `grpc://127.0.0.1:8081` or `https://host/MODEL`; by default the model is `track`.

    Attributes:
        metadata: The assumed metadata: the protocol does not transfer the classes, so they are those of
            `SignClass`, in order.
        input_size_px: `(width, height)` of the picture that the network expects.
        takes_smaller: False: an endpoint takes pictures of one size.

    Raises:
        UserError: The extra `serving` is not installed, or no such network answers at this URL.
    """

    metadata: Mapping[str, str] = {"names": repr([str(name) for name in SignClass])}
    takes_smaller = False

    def __init__(self, url: str) -> None:
        extras.require("serving")
        try:
            parts = urlsplit(url)
        except ValueError as error:
            raise UserError("serving.error.endpoint", url=url, why=error) from error
        self._url, self._model = url, parts.path.strip("/") or MODEL_NAME
        with _Told(url):
            is_grpc, encrypted = parts.scheme.startswith("grpc"), parts.scheme.endswith("s")
            is_here = parts.hostname in LOOPBACK
            self._client: Client = (
                GrpcClient(parts.netloc, encrypted, is_here)
                if is_grpc
                else RestClient(f"{parts.scheme}://{parts.netloc}", is_here)
            )
            self._input, datatype, shape = self._client.describe(self._model)
        known = [side if side >= 0 else None for side in shape]
        self.input_size_px = input_size_px(known, "float32" if datatype == FLOAT else datatype, {}, url)

    def infer(self, tensor: np.ndarray) -> np.ndarray:
        """See `Runtime.infer`."""
        from kserve import InferInput, InferRequest

        with _Told(self._url):
            sent = InferInput(self._input, list(tensor.shape), FLOAT)
            sent.set_data_from_numpy(tensor)
            request = InferRequest(self._model, [sent], parameters={"binary_data_output": True})
            answer = np.asarray(self._client.ask(request).outputs[0].as_numpy())
            if answer.dtype.kind != "f":
                raise TypeError(f"the output is {answer.dtype}")
            return answer


class GrpcClient:
    """A client over gRPC.

    Args:
        address: `host:port`.
        encrypted: Whether the endpoint requires TLS.
        is_here: Whether the endpoint is on this machine, so that no proxy is used.
    """

    def __init__(self, address: str, encrypted: bool, is_here: bool) -> None:
        import grpc
        from kserve.protocol.grpc.grpc_predict_v2_pb2_grpc import GRPCInferenceServiceStub

        options = [
            ("grpc.max_receive_message_length", MESSAGE_MOST_BYTES),
            ("grpc.max_send_message_length", MESSAGE_MOST_BYTES),
            ("grpc.enable_http_proxy", int(not is_here)),
        ]
        self._channel = (
            grpc.secure_channel(address, grpc.ssl_channel_credentials(), options)
            if encrypted
            else grpc.insecure_channel(address, options)
        )
        self._stub = GRPCInferenceServiceStub(self._channel)

    def describe(self, model: str) -> tuple[str, str, list[int]]:
        """See `Client.describe`."""
        from kserve.protocol.grpc.grpc_predict_v2_pb2 import ModelMetadataRequest

        taken = self._stub.ModelMetadata(ModelMetadataRequest(name=model), timeout=TIMEOUT_S).inputs[0]
        return taken.name, taken.datatype, list(taken.shape)

    def ask(self, request: Any) -> Any:
        """See `Client.ask`."""
        from kserve import InferResponse

        request.parameters = None  # gRPC answers in binary anyway.
        return InferResponse.from_grpc(self._stub.ModelInfer(request.to_grpc(), timeout=TIMEOUT_S))


class RestClient:
    """A client over REST, with binary tensors.

    Args:
        base: `http://host:port`.
        is_here: Whether the endpoint is on this machine, so that no proxy is used.
    """

    def __init__(self, base: str, is_here: bool) -> None:
        import httpx

        # With an explicit transport, httpx ignores proxies, for which packages may be missing.
        direct = httpx.HTTPTransport() if is_here else None
        self._http = httpx.Client(base_url=base, timeout=TIMEOUT_S, transport=direct)

    def describe(self, model: str) -> tuple[str, str, list[int]]:
        """See `Client.describe`."""
        content, _ = self._asked("GET", f"/v2/models/{model}")
        taken = json.loads(content)["inputs"][0]
        return str(taken["name"]), str(taken["datatype"]), [int(side) for side in taken["shape"]]

    def ask(self, request: Any) -> Any:
        """See `Client.ask`."""
        from kserve import InferResponse

        body, json_length = request.to_rest()
        headers = {"Content-Type": "application/octet-stream", HEADER_LENGTH: str(json_length)}
        path = f"/v2/models/{request.model_name}/infer"
        content, said = self._asked("POST", path, content=body, headers=headers)
        return InferResponse.from_bytes(content, int(said[HEADER_LENGTH]))

    def _asked(self, method: str, path: str, **sent: Any) -> tuple[bytes, Mapping[str, str]]:
        """Body and headers of an answer, which must end in time: httpx limits only the pauses in it."""
        import httpx

        ends_at, body = time.monotonic() + TIMEOUT_S, bytearray()
        with self._http.stream(method, path, **sent) as answer:
            answer.raise_for_status()
            for part in answer.iter_bytes():
                body += part
                if len(body) > MESSAGE_MOST_BYTES or time.monotonic() > ends_at:
                    raise httpx.ReadTimeout(text("serving.error.endless"))
        return bytes(body), answer.headers


UNUSUAL = (LookupError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)
"""Exceptions of code that reads an answer in a form other than the protocol's."""


class _Told:
    """Turns any client error into one line: gRPC, HTTP and sockets each have their own exceptions."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __enter__(self) -> None:
        """Does nothing."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Converts the exception."""
        if isinstance(error, Exception):
            detail = getattr(error, "details", None)
            said = str(detail()) if callable(detail) else str(error)
            why = said.splitlines()[0].rstrip(".") if said else type(error).__name__
            if isinstance(error, UNUSUAL):
                why = text("serving.error.unusual")
            raise UserError("serving.error.endpoint", url=self._url, why=why) from error
