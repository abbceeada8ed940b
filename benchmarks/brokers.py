"""The brokers on which the live services are measured."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from brakepoint.errors import UserError
from brakepoint.sockets import LOCALHOST, answers, free_port

MOSQUITTO = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
"""Path of the executable, if installed; Debian installs it in a folder that only root's PATH contains."""
READY_WITHIN_S = 10.0
LOOK_EVERY_S = 0.05
SETTINGS = "listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n"
"""The settings of deploy/mosquitto, but without TLS and passwords."""


@contextmanager
def brokers() -> Iterator[dict[str, str]]:
    """URLs by broker: an empty one for the embedded broker, and Mosquitto's, if it is installed here.

    Raises:
        UserError: Mosquitto is installed, but failed to start.
    """
    urls = {"amqtt": ""}
    with ExitStack() as opened:
        if MOSQUITTO:
            port, folder = free_port(), opened.enter_context(TemporaryDirectory())
            opened.enter_context(running_mosquitto(Path(folder), SETTINGS.format(port=port), port))
            urls["Mosquitto"] = f"mqtt://{LOCALHOST}:{port}"
        yield urls


@contextmanager
def running_mosquitto(folder: Path, settings: str, *ports: int) -> Iterator[None]:
    """Runs Mosquitto until the context ends.

    Args:
        folder: Receives Mosquitto's settings and its log.
        settings: Content of `mosquitto.conf`.
        ports: The ports on which Mosquitto listens with these settings.

    Raises:
        UserError: Mosquitto failed to start.
    """
    assert MOSQUITTO, "mosquitto is missing: make test-system installs it as root"
    file, log = folder / "mosquitto.conf", folder / "mosquitto.log"
    file.write_text(settings, encoding="utf-8")
    with log.open("w") as said:
        process = subprocess.Popen([MOSQUITTO, "-c", file], stdout=said, stderr=said)
    try:
        until = time.monotonic() + READY_WITHIN_S
        while not all(answers(LOCALHOST, port) for port in ports):
            if process.poll() is not None or time.monotonic() > until:
                raise UserError("bench.compare.no_broker", why=log.read_text(encoding="utf-8"))
            time.sleep(LOOK_EVERY_S)
        yield
    finally:
        process.terminate()
        process.wait()
