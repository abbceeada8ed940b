"""Runs KServe's REST and gRPC servers, robust against bad requests, and by default on this machine only.

KServe's own `ModelServer` listens on every address, lets anyone unload a model, and answers many client
errors with 500. Therefore this module assembles the parts of that server itself.
"""

import asyncio
import logging
import signal
import socket
import warnings
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from grpc import aio
from kserve import InferInput, InferRequest, Model, ModelRepository
from kserve.errors import InvalidInput, ModelNotFound
from kserve.logging import logger
from kserve.model_server import app
from kserve.protocol.dataplane import DataPlane
from kserve.protocol.grpc import grpc_predict_v2_pb2_grpc
from kserve.protocol.grpc.interceptors import ExceptionToStatusInterceptor
from kserve.protocol.grpc.servicer import InferenceServicer
from kserve.protocol.infer_type import RequestedOutput
from kserve.protocol.model_repository_extension import ModelRepositoryExtension
from kserve.protocol.rest.server import RESTServer
from kserve.protocol.rest.v2_datamodels import InferenceRequest
from starlette.exceptions import HTTPException

from brakepoint.detector.remote import HEADER_LENGTH
from brakepoint.errors import UserError
from brakepoint.serving.limits import BODY_MOST_BYTES, BodyLimit
from brakepoint.sockets import is_free
from brakepoint.texts import text

GRACE_S = 5
STARTED_LOOK_S = 0.02


class StrictDataPlane(DataPlane):
    """Treats everything wrong with a request as a client error."""

    def decode(self, body: Any, headers: Any, *rest: Any, **named: Any) -> Any:
        """See `DataPlane.decode`."""
        try:
            request, attributes = super().decode(body, headers, *rest, **named)
            if isinstance(request, InferRequest):
                _check_writable(request)
            return request, attributes
        except InvalidInput:
            raise
        except Exception as error:
            raise InvalidInput(text("serving.bad.request", why=type(error).__name__)) from error

    def decode_inference_request(self, body: Any, headers: Any, model_name: str) -> InferRequest:
        """Keeps binary tensors binary; KServe would convert each to a list of a million Python numbers."""
        if not isinstance(body, bytes) or HEADER_LENGTH not in headers:
            return super().decode_inference_request(body, headers, model_name)
        start = int(headers[HEADER_LENGTH])
        described = orjson.loads(body[:start])
        binary = ["data" not in field for field in described["inputs"]]
        described["inputs"] = [{"data": [], **field} for field in described["inputs"]]
        known = InferenceRequest.model_validate(described)
        inputs, contents = [], []
        for field, is_binary in zip(known.inputs, binary, strict=True):
            end = start + int((field.parameters or {}).get("binary_data_size", 0))
            inputs.append(
                InferInput(field.name, field.shape, field.datatype, None if is_binary else field.data)
            )
            contents.append(body[start:end] if is_binary else None)
            if not start <= end <= len(body):
                raise InvalidInput(
                    text("serving.bad.data", name=field.name, shape=field.shape, datatype=field.datatype)
                )
            start = end
        if start < len(body):
            raise InvalidInput(text("serving.bad.too_much", count=len(body) - start))
        return InferRequest(
            model_name,
            inputs,
            request_id=known.id,
            raw_inputs=contents,
            parameters=known.parameters,
            request_outputs=[RequestedOutput(one.name, one.parameters) for one in known.outputs or ()],
        )

    def encode(self, *arguments: Any, **named: Any) -> Any:
        """See `DataPlane.encode`."""
        try:
            return super().encode(*arguments, **named)
        except InvalidInput:
            raise
        except Exception as error:
            raise InvalidInput(text("serving.bad.request", why=type(error).__name__)) from error


def _check_writable(request: InferRequest) -> None:
    """Refuses half a character (a lone surrogate), which JSON may contain but no answer can repeat.

    Raises:
        UnicodeEncodeError: The request contains one.
    """
    for field in (request, *request.inputs, *(request.request_outputs or ())):
        for words in (getattr(field, name, None) for name in ("id", "name", "datatype")):
            str(words or "").encode()


class FixedRepository(ModelRepositoryExtension):
    """A repository whose models only the registry can switch, not the clients of the endpoint."""

    async def load(self, model_name: str) -> None:
        """Refuses: only the registry switches models."""
        raise InvalidInput(text("serving.bad.repository"))

    async def unload(self, model_name: str) -> None:
        """Refuses: only the registry switches models."""
        raise InvalidInput(text("serving.bad.repository"))


async def _refuse_malformed(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"] if part != "body")
    return JSONResponse({"error": text("serving.bad.body", where=where or "JSON", why=first["msg"])}, 400)


async def _refuse_unknown(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"error": text("serving.bad.not_offered")}, 404)


async def _refuse_http(_: Request, error: Exception) -> JSONResponse:
    """Answers an unknown path, a wrong method or an unreadable body in the protocol's form."""
    assert isinstance(error, HTTPException)
    is_path = error.status_code in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED)
    said = text("serving.bad.not_offered") if is_path else text("serving.bad.request", why=error.detail)
    return JSONResponse({"error": said}, error.status_code, error.headers)


class _ForUs(logging.Filter):
    """Keeps client errors out of the log: the response reports them."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, (InvalidInput, ModelNotFound, NotImplementedError))


def run(
    models: list[Model], host: str, rest_port: int, grpc_port: int, on_ready: Callable[[], object]
) -> None:
    """Serves until SIGTERM or Ctrl-C; pending requests are still answered.

    Args:
        models: Models that are ready to serve.
        host: Address to listen on.
        rest_port: Port for REST.
        grpc_port: Port for gRPC.
        on_ready: Called as soon as requests are answered.

    Raises:
        UserError: The host is unknown, or a port is in use.
        KeyboardInterrupt: Ctrl-C was pressed, and everything is closed.
    """
    try:
        socket.getaddrinfo(host, rest_port)
    except OSError:
        raise UserError("serving.error.host", host=host) from None
    if rest_port == grpc_port:
        raise UserError("serving.error.same_port", port=rest_port)
    for port in (rest_port, grpc_port):
        if not is_free(host, port):
            raise UserError("serving.error.port", host=host, port=port)
    logger.addFilter(_ForUs())
    warnings.filterwarnings("ignore", message="ORJSONResponse is deprecated")
    repository = ModelRepository()
    for model in models:
        repository.update(model)
    data_plane, extension = StrictDataPlane(model_registry=repository), FixedRepository(repository)
    rest = RESTServer(
        "kserve.model_server:app",
        data_plane,
        extension,
        rest_port,
        grace_period=GRACE_S,
        event_loop="asyncio",
    )
    rest.config.host = host
    rest.create_application()
    app.add_exception_handler(RequestValidationError, _refuse_malformed)
    app.add_exception_handler(NotImplementedError, _refuse_unknown)
    app.add_exception_handler(HTTPException, _refuse_http)
    app.add_middleware(BodyLimit)
    address = f"[{host}]:{grpc_port}" if ":" in host else f"{host}:{grpc_port}"
    if signal.SIGINT in asyncio.run(_serve(rest, data_plane, extension, address, on_ready)):
        raise KeyboardInterrupt


async def _serve(
    rest: RESTServer,
    data_plane: DataPlane,
    extension: FixedRepository,
    address: str,
    on_ready: Callable[[], object],
) -> list[int]:
    """Serves until a signal arrives, and returns the signal."""
    heard = _hear_signals(rest)
    limits = [
        ("grpc.max_receive_message_length", BODY_MOST_BYTES),
        ("grpc.max_send_message_length", BODY_MOST_BYTES),
        ("grpc.so_reuseport", 0),
    ]
    remote_calls = aio.server(interceptors=(ExceptionToStatusInterceptor(),), options=limits)
    grpc_predict_v2_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(
        InferenceServicer(data_plane, extension), remote_calls
    )
    remote_calls.add_insecure_port(address)
    await remote_calls.start()
    try:
        serving = asyncio.create_task(rest._server.serve())
        while not rest._server.started and not serving.done():
            await asyncio.sleep(STARTED_LOOK_S)
        if not heard:
            on_ready()
        await serving
    finally:
        await remote_calls.stop(GRACE_S)
    return heard


def _hear_signals(rest: RESTServer) -> list[int]:
    """Makes SIGINT and SIGTERM end the REST server from now on, whether it has started or not.

    Otherwise asyncio would cancel the task that is running at that moment, possibly the shutdown of the gRPC
    server, which would then not be awaited.

    Returns:
        A list that receives each signal.
    """
    heard: list[int] = []

    def hear(number: int) -> None:
        heard.append(number)
        rest._server.should_exit = True

    with suppress(NotImplementedError):  # Not available on native Windows.
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, hear, number)
    return heard
