"""The brokers that the live services are measured on."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from brakepoint.errors import UserError
from brakepoint.services.supervisor import free_port

READY_WITHIN_S = 10.0
LOOK_EVERY_S = 0.05
SETTINGS = "listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n"


@contextmanager
def brokers() -> Iterator[dict[str, str]]:
    """URLs of the embedded broker, an empty one, and of a Mosquitto on this machine, where that is installed.

    Raises:
        UserError: Mosquitto is there, but does not start.
    """
    executable = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
    with ExitStack() as opened:
        urls = {"amqtt": ""}
        if executable:
            urls["Mosquitto"] = opened.enter_context(_mosquitto(executable))
        yield urls


@contextmanager
def _mosquitto(executable: str) -> Iterator[str]:
    """As deploy/mosquitto has it, but without TLS and passwords."""
    port = free_port()
    with TemporaryDirectory() as folder:
        settings = Path(folder) / "mosquitto.conf"
        settings.write_text(SETTINGS.format(port=port), encoding="utf-8")
        log = settings.with_suffix(".log")
        with log.open("w") as said:
            process = subprocess.Popen([executable, "-c", settings], stdout=said, stderr=said)
        try:
            until = time.monotonic() + READY_WITHIN_S
            while socket.socket().connect_ex(("127.0.0.1", port)):
                if process.poll() is not None or time.monotonic() > until:
                    raise UserError("bench.compare.no_broker", why=log.read_text(encoding="utf-8"))
                time.sleep(LOOK_EVERY_S)
            yield f"mqtt://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()
