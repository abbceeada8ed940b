"""What runs inside the sandbox: `python -m brakepoint.room.sandboxed ROLE FILE LIMITS`.

The process communicates over standard input and output, which nothing else may use. bubblewrap and the kernel
provide the isolation; the tripwire here only gives a clear message about what was attempted.
"""

import contextlib
import errno
import json
import os
import resource
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from brakepoint.room.outcomes import Failed, Failure
from brakepoint.room.sandbox import KIT, LENGTH, WORK, SandboxLimits

NOBODY = 65534
PROCESS_EVENTS = {
    "os.exec",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.system",
    "pty.spawn",
    "subprocess.Popen",
}
FILE_EVENTS = {"open", "os.listdir", "os.scandir", "glob.glob", "os.mkdir", "os.remove", "os.rename"}
OPEN_FILES_MAX = 64
"""Each open file may hold memory that is not charged to any process: up to 1 MB for a pipe."""
MB = 1024 * 1024

Answer = Callable[[bytes], dict[str, Any]]


def main() -> None:
    """Drops all privileges, gets ready, and answers requests until there are no more."""
    role, path, written = sys.argv[1:]
    limits = SandboxLimits(**json.loads(written))
    asking, answering = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    _limit(limits)
    try:
        with _explained():
            if role == "autopilot":
                _lay_tripwire(answering)
            answer = {"autopilot": _autopilot, "detector": _detector}[role](Path(path))
            _say(answering, {})
            for message in _messages(asking):
                _say(answering, answer(message))
    except Failed as failed:
        _say(answering, {"reason": failed.reason.value, "detail": failed.detail})


def _limit(limits: SandboxLimits) -> None:
    """Sets limits that code inside cannot raise again."""
    for kind, most in (
        (resource.RLIMIT_AS, limits.memory_mb * MB),
        (resource.RLIMIT_CPU, limits.cpu_s),
        (resource.RLIMIT_NPROC, limits.processes),
        (resource.RLIMIT_FSIZE, MB),
        (resource.RLIMIT_NOFILE, OPEN_FILES_MAX),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
        (resource.RLIMIT_SIGPENDING, OPEN_FILES_MAX),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """Turns every failure into an answer with one of the known reasons."""
    try:
        yield
    except Failed:
        raise
    except MemoryError:
        raise Failed(Failure.MEMORY) from None
    except BlockingIOError as error:
        raise Failed(Failure.PROCESS if error.errno == errno.EAGAIN else Failure.RAISED, str(error)) from None
    except BaseException as error:  # SystemExit and KeyboardInterrupt are treated like any other exception.
        raise Failed(Failure.RAISED, f"{type(error).__name__}: {error}") from None


def _messages(stream: BinaryIO) -> Iterator[bytes]:
    while header := stream.read(LENGTH.size):
        yield stream.read(LENGTH.unpack(header)[0])


def _say(stream: BinaryIO, answer: dict[str, Any]) -> None:
    content = json.dumps(answer).encode()
    stream.write(LENGTH.pack(len(content)) + content)
    stream.flush()


def _autopilot(path: Path) -> Answer:
    """Loads an autopilot, whose memory stays inside the sandbox."""
    from brakepoint.messages import Detections, Order, TrainState
    from brakepoint.workshop.examination import load_module

    module = load_module(path)
    memory: Any = None

    def answer(message: bytes) -> dict[str, Any]:
        nonlocal memory
        asked = json.loads(message)
        detections = Detections.model_validate(asked["detections"]) if asked["detections"] else None
        given = module.step(memory, detections, TrainState.model_validate(asked["state"]), asked["now"])
        if not (isinstance(given, tuple) and len(given) == 2 and isinstance(given[1], Order)):
            raise Failed(Failure.NO_ORDER, type(given).__name__)
        memory, order = given
        return {"order": order.model_dump(mode="json")}

    return answer


def _lay_tripwire(answering: BinaryIO) -> None:
    """Ends an autopilot that accesses something forbidden, even if it catches the exception."""
    allowed = (sys.prefix, sys.base_prefix, str(KIT), str(WORK))

    def trip(reason: Failure, what: str) -> None:
        _say(answering, {"reason": reason.value, "detail": what})
        os._exit(1)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event.startswith("socket."):
            trip(Failure.NETWORK, event)
        if event in PROCESS_EVENTS:
            trip(Failure.PROCESS, event)
        if event in FILE_EVENTS and arguments and isinstance(arguments[0], str | bytes | os.PathLike):
            wanted = os.path.normpath(Path("/", os.fsdecode(arguments[0])))
            if not wanted.startswith(allowed):
                trip(Failure.FILE, wanted)

    sys.addaudithook(hook)


def _detector(path: Path) -> Answer:
    """Checks a model before loading it, and returns the detections for each picture."""
    import numpy as np

    from brakepoint.detector import Detector
    from brakepoint.errors import UserError
    from brakepoint.evaluation.mean_average_precision import CONFIDENCE_MIN
    from brakepoint.room.model_check import check_model

    check_model(path)
    try:
        detector = Detector(path, threads=1)
    except UserError as error:
        reason = Failure.MODEL_CLASSES if error.key == "error.model_classes" else Failure.MODEL_UNFIT
        raise Failed(reason, str(error)) from None

    def answer(message: bytes) -> dict[str, Any]:
        height, width, everything = (int(number) for number in message[:12].split(b","))
        image = np.frombuffer(message[12:], np.uint8).reshape(height, width, 3)
        confidence = CONFIDENCE_MIN if everything else None
        items = detector.detect_image(image, confidence, low=True)
        return {"items": [item.model_dump(mode="json") for item in items]}

    return answer


if __name__ == "__main__":
    main()
