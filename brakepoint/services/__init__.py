"""The services of the live train, each in its own process.

    Camera ──frame──▶ detector ──detections──▶ autopilot ──order──▶ controller ──link──▶ train
       ▲                                           ▲                                      │
       └───────────────────────────── state ◀──────┴──────────────────────────────────────┘

The services communicate over MQTT (`brakepoint.services.bus`), and the monitor listens to all messages. The
train is not on the broker: it is at the other end of a link that takes the place of the radio, and brakes
when the link is silent.
"""

import importlib
import os
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import partial

import typer
from pydantic import TypeAdapter, ValidationError

from brakepoint import extras
from brakepoint.adapters import SIMULATED_HUB
from brakepoint.errors import UserError
from brakepoint.messages import FEED_NAME_MAX, FeedName
from brakepoint.sockets import PORT_MAX, is_host_name
from brakepoint.systems import on_end_of_parent, stop_event
from brakepoint.texts import text

SERVICES = {
    "broker": "brakepoint.services.broker",
    "train": "brakepoint.services.train_side",
    "controller": "brakepoint.services.controller",
    "capture": "brakepoint.services.capture",
    "detector": "brakepoint.services.detector",
    "autopilot": "brakepoint.services.autopilot",
    "monitor": "brakepoint.monitor.service",
}
"""The services in the order of their start: name, and the module with their `run(settings, stopping)`."""
CLIENTS = tuple(name for name in SERVICES if name != "broker")
"""Every service except the broker itself."""
DEFAULT_BROKER = "mqtt://127.0.0.1:1883"
"""The default broker of a service that is started alone."""
DEFAULT_LINK = "127.0.0.1:18831"
"""The default address of the train's side for a controller that is started alone."""
RECORDED = "video:"
ORPHAN_STOPS_WITHIN_S = 4.0
PIXELS_MAX = 4_000_000
"""Pictures that claim more pixels are not decoded: a small file can require a great deal of memory."""


@dataclass(frozen=True)
class ServiceSettings:
    """The settings of a service, which can also be set through `BRAKEPOINT_{NAME}` in the environment.

    Attributes:
        broker: URL of the MQTT broker; empty for the embedded one.
        ca: File with the CA certificate for an `mqtts://` broker; empty for the system's certificates.
        certificate: File with this client's certificate, for a broker that requires one.
        key: File with the key of that certificate.
        train_id: Name of the train, and namespace of its topics. A detector may serve several trains:
            `a,b,c`.
        camera: URI of the camera; empty for the recorded one, which plays the feed.
        hub: URI of the train's hub.
        feed: The first feed.
        detector: Path to an ONNX model, or `oracle`.
        steps: Source of the autopilot: `solutions` or `labs`.
        link: Address of the train's side, `host:port`; empty to let the supervisor start it.
        page: Address of the monitor, `host:port`.
        token: Required to press the monitor's buttons; empty if everyone may.
        metrics: Address at which `/metrics` is served, `host:port`; port 0 for any free port.
    """

    broker: str = ""
    ca: str = ""
    certificate: str = ""
    key: str = ""
    train_id: str = "train-1"
    camera: str = ""
    hub: str = SIMULATED_HUB
    feed: str = "track-stop"
    detector: str = ""
    steps: str = ""
    link: str = ""
    page: str = "127.0.0.1:8000"
    token: str = ""
    metrics: str = "127.0.0.1:0"

    @property
    def of_each_train(self) -> list["ServiceSettings"]:
        """The settings for each train that is served."""
        return [replace(self, train_id=name.strip()) for name in self.train_id.split(",")]

    @property
    def is_recorded(self) -> bool:
        """Whether the camera shows recorded feeds, one of which is chosen for each run."""
        return not self.camera or self.camera.startswith(RECORDED)

    @property
    def shown(self) -> str:
        """What the camera shows first: a feed, or the URI of a real camera.

        Raises:
            UserError: The messages between the services cannot name it.
        """
        shown = self.camera.removeprefix(RECORDED) or self.feed
        try:
            return TypeAdapter(FeedName).validate_python(shown)
        except ValidationError as error:
            raise UserError("live.error.shown", shown=shown, most=FEED_NAME_MAX) from error

    def environment(self) -> dict[str, str]:
        """The settings as environment variables, for `given`; a command line would reveal the password."""
        return {_variable(field.name): str(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def given(cls, **options: str) -> "ServiceSettings":
        """Settings from non-empty options, then the environment, then the defaults."""
        said = {field.name: os.environ.get(_variable(field.name), "") for field in fields(cls)}
        said |= {name: value for name, value in options.items() if value}
        return cls(**{name: value for name, value in said.items() if value})


Run = Callable[[ServiceSettings, threading.Event], None]
"""Does the work of a service until it is stopped."""


def _variable(name: str) -> str:
    return f"BRAKEPOINT_{name.upper()}"


def address(host_and_port: str) -> tuple[str, int]:
    """Splits `host:port`; the port is at most `PORT_MAX`.

    Raises:
        UserError: The text is not in this format.
    """
    host, _, port = host_and_port.rpartition(":")
    if not is_host_name(host) or not re.fullmatch("[0-9]{1,5}", port) or int(port) > PORT_MAX:
        raise UserError("live.error.address", address=host_and_port)
    return host, int(port)


def run_service(name: str, settings: ServiceSettings, run: Run | None = None) -> None:
    """Runs one service in this process until SIGTERM or Ctrl-C.

    Args:
        name: Name of the service.
        settings: Settings of the service.
        run: Function that does the service's work; by default the one in the service's module.

    Raises:
        UserError: There is no such service, or something that it needs is missing or invalid.
    """
    if name not in SERVICES:
        raise UserError("live.error.service", name=name, services=", ".join(SERVICES))
    extras.require("live")
    broker, link = settings.broker or DEFAULT_BROKER, settings.link or DEFAULT_LINK
    settings = replace(settings, broker=broker, link=link)
    os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(PIXELS_MAX))
    stopping = stop_event()
    on_end_of_parent(partial(_end_as_orphan, stopping))
    from brakepoint.services.metrics import offer_metrics

    tell("metrics", url=offer_metrics(*address(settings.metrics)))
    (run or importlib.import_module(SERVICES[name]).run)(settings, stopping)


def _end_as_orphan(stopping: threading.Event) -> None:
    stopping.set()
    time.sleep(ORPHAN_STOPS_WITHIN_S)
    os._exit(1)  # The service's loop hangs, and nothing else will end it.


def tell(key: str, **values: object) -> None:
    """Logs the text `live.log.{key}` for a person."""
    typer.echo(text(f"live.log.{key}", None, **values))
