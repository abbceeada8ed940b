"""Runs the containers of an overlay as processes on this machine, and drives a mission with them."""

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from brakepoint.delivery.containers import Container, containers, on_this_machine
from brakepoint.delivery.credentials import BROKER_SECRET, Secrets, make_secrets
from brakepoint.delivery.rendering import Manifest, of_kind
from brakepoint.errors import UserError
from brakepoint.feeds import find_feed
from brakepoint.mission.drive import News, TellProgress
from brakepoint.mission.records import Run
from brakepoint.services import ServiceSettings
from brakepoint.services.bus import Bus
from brakepoint.services.live_mission import start, stop, watch
from brakepoint.services.service_loop import HEARTBEAT_VARIABLE
from brakepoint.services.supervisor import OnLine, Supervisor
from brakepoint.services.topics import DETECTIONS, MISSION, ORDERS, STATE
from brakepoint.sockets import free_port
from brakepoint.truth import load_truth

BROKER = "broker"
ENTRY_POINT = ("-m", "brakepoint", "service")
"""Entry point of the image `edge`, after its Python (deploy/images/Containerfile)."""

Launch = Callable[[Container], tuple[list[str], dict[str, str]]]
"""Returns the command line and environment of the image's entry point for a container."""


def entry_point(steps: str, model: str) -> Launch:
    """Emulates the image `edge` with this Python.

    Args:
        steps: Source of the steps in the image.
        model: Path of the model in the image.
    """

    def launch(container: Container) -> tuple[list[str], dict[str, str]]:
        image = {
            "BRAKEPOINT_STEPS": steps,
            "BRAKEPOINT_DETECTOR": model,
            "BRAKEPOINT_RUNTIME": "onnxruntime",
        }
        environment = {**os.environ, **image, **container.environment}
        environment.pop(HEARTBEAT_VARIABLE, None)  # There is no kubelet to check it here,
        environment["BRAKEPOINT_METRICS"] = ServiceSettings.metrics  # and no Prometheus outside this machine.
        return [sys.executable, *ENTRY_POINT, *container.args], environment

    return launch


class Pods(Supervisor):
    """Runs every container of an overlay as processes for the duration of a `with` block.

    Args:
        manifests: The rendered overlay.
        launch: Determines how the kit's own image is run.
        tell: Receives the containers' output.

    Raises:
        UserError: A container refers to a missing object, or does not become ready.
    """

    def __init__(self, manifests: list[Manifest], launch: Launch, tell: OnLine) -> None:
        secrets = make_secrets()
        ports = {service["metadata"]["name"]: free_port() for service in of_kind(manifests, "Service")}
        made = on_this_machine(containers(manifests, secrets), manifests, ports)
        self._containers = {container.name: container for container in made}
        self._launch = launch
        self._folder = tempfile.TemporaryDirectory()
        settings = self._seen_by_a_person(secrets, ports)
        names = sorted(self._containers, key=lambda name: name != BROKER)
        super().__init__(settings, names, tell)

    def _seen_by_a_person(self, secrets: Secrets, ports: dict[str, int]) -> ServiceSettings:
        """Settings for a person who watches and presses buttons, with the monitor's account on the broker."""
        for name in (BROKER, "capture"):
            if name not in self._containers:
                raise UserError("delivery.error.no_pod", pod=name)
        url = secrets[BROKER_SECRET]["monitor"].rpartition("@")[0]
        told = self._containers["capture"].environment
        return ServiceSettings(
            broker=f"{url}@127.0.0.1:{ports[BROKER]}",
            feed=told.get("BRAKEPOINT_FEED", ServiceSettings.feed),
            train_id=told.get("BRAKEPOINT_TRAIN_ID", ServiceSettings.train_id),
        )

    def launch(self, name: str) -> tuple[list[str], dict[str, str]]:
        """The command line and the environment of a container."""
        container = self._containers[name]
        if not container.command:
            return self._launch(container)
        program = _find_program(container.command[0])
        if program is None and name == BROKER:  # Any broker will do on one machine.
            command = [sys.executable, *ENTRY_POINT, BROKER]
            return command, {**os.environ, "BRAKEPOINT_BROKER": self.settings.broker}
        if program is None:
            raise UserError("delivery.error.no_program", pod=name, program=container.command[0])
        words = [program, *container.command[1:], *container.args]
        return self._with_files(container, words), {**os.environ, **container.environment}

    def _with_files(self, container: Container, words: list[str]) -> list[str]:
        """Writes mounted files to a separate folder, and adapts the command line."""
        root = Path(self._folder.name) / container.name
        moved = {path: str(root / path.lstrip("/")) for path in container.files}

        for path, content in container.files.items():
            place = Path(moved[path])
            place.parent.mkdir(parents=True, exist_ok=True)
            place.touch(mode=0o600)
            place.write_text(with_places(content, moved), encoding="utf-8")
        return [with_places(word, moved) for word in words]

    def stop(self) -> None:
        """Stops every container and deletes the containers' files. May be called twice."""
        super().stop()
        self._folder.cleanup()


def with_places(text: str, places: dict[str, str]) -> str:
    """Replaces paths in a string, the longest first: one path may begin with another.

    Args:
        text: The string.
        places: New path for each old path.
    """
    if not places:  # An empty pattern would match everywhere.
        return text
    longest_first = sorted(places, key=len, reverse=True)
    return re.sub("|".join(map(re.escape, longest_first)), lambda found: places[found[0]], text)


def _find_program(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path="/usr/local/sbin:/usr/sbin:/sbin")


def drive(pods: AbstractContextManager[Pods], tell: TellProgress) -> Run:
    """Starts the containers, drives the feed of the overlay once, and stops them.

    Args:
        pods: The deployed pods.
        tell: Called with the train's progress.

    Raises:
        UserError: A container does not become ready, or the run does not end.
    """
    with pods as running:
        settings = running.settings
        truth = load_truth(find_feed(settings.feed).with_suffix(".json"))
        with Bus(settings, "", (DETECTIONS, ORDERS, STATE, MISSION)) as bus:
            mission = start(bus, settings.feed)
            referee = watch(bus, truth, mission, News(settings.feed, truth.length_cm, tell))
            stop(bus)
    return referee.run
