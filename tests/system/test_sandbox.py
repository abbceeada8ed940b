"""Submissions are scored in a sandbox: honest work as at home, tampered work as failed, without harm."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx_models import raw_output, save_constant_model

from brakepoint.detector import SHIPPED_MODEL, Detector
from brakepoint.feeds import find_feed
from brakepoint.mission.loop import run_mission
from brakepoint.mission.scoring import score_run
from brakepoint.room import submission
from brakepoint.room.memory_groups import children
from brakepoint.room.outcomes import Failure, Scores, SubmissionOutcome
from brakepoint.room.sandbox import Sandbox, require_sandbox
from brakepoint.room.submission import AUTOPILOT_LIMITS, Submission, score
from brakepoint.truth import load_truth
from solutions import step6_autopilot
from stubs.printing_hub import PrintingHub
from stubs.recorded_camera import RecordedCamera

AUTOPILOT = Path(step6_autopilot.__file__).read_bytes()
ROOT = Path(__file__).parents[2]
NAMES = "{0: 'DangerAhead', 1: 'SpeedLimit'}"


@pytest.fixture
def hidden(short_feed: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(submission, "EVALUATED_FRAMES", 4)
    require_sandbox(short_feed)
    return short_feed


@pytest.fixture
def model(tmp_path: Path) -> bytes:
    """A model that sees nothing, for autopilots that do not get far."""
    return save_constant_model(tmp_path / "blind.onnx", raw_output(), names=NAMES).read_bytes()


def judged(model: bytes, autopilot: bytes, feed: Path, folder: Path) -> SubmissionOutcome:
    return score(Submission(model, autopilot), feed, folder / "submission")


def step_that(*lines: str) -> bytes:
    """An autopilot whose step runs some code before it drives on."""
    body = "".join(f"    {line}\n" for line in lines)
    return (
        b"from brakepoint.messages import Order, OrderKind, Reason\n\n"
        b"def step(memory, detections, state, now):\n" + body.encode() + b"    return memory, "
        b"Order(kind=OrderKind.LOW_SPEED, reason=Reason.CLEAR, at=now)\n"
    )


def test_honest_work_is_worth_as_much_as_at_home(tmp_path) -> None:
    feed = find_feed("track-stop")
    truth = load_truth(feed.with_suffix(".json"))
    camera = RecordedCamera(feed, truth, truth.seed)
    run = run_mission(
        camera, PrintingHub(None), Detector(SHIPPED_MODEL, threads=1), step6_autopilot.step, truth
    )
    outcome = judged(SHIPPED_MODEL.read_bytes(), AUTOPILOT, feed, tmp_path)

    assert outcome.reason is None, outcome.words()
    assert (outcome.score, outcome.accomplished) == (score_run(run, truth).score, True)
    assert outcome.map50 is not None and outcome.map50 > 0.5


TAMPERED = {
    "an endless loop": (step_that("while True: pass"), Failure.TOO_SLOW),
    "the network": (
        step_that("import socket", "socket.create_connection(('10.0.0.1', 80), timeout=1)"),
        Failure.NETWORK,
    ),
    "the network, quietly": (
        step_that(
            "import socket",
            "try: socket.create_connection(('10.0.0.1', 80), timeout=1)",
            "except BaseException: pass",
        ),
        Failure.NETWORK,
    ),
    "a fork bomb": (step_that("import os", "while True: os.fork()"), Failure.PROCESS),
    "another program": (step_that("import subprocess", "subprocess.run(['ls'])"), Failure.PROCESS),
    "all the memory": (step_that("everything = bytearray(8 << 30)"), Failure.MEMORY),
    "no order": (b"def step(*given): return 42", Failure.NO_ORDER),
    "an order of its own making": (
        step_that("return memory, Order.model_construct(kind='fly', reason='clear', at=now)"),
        Failure.NO_ORDER,
    ),
    "no autopilot": (b"x = 1", Failure.RAISED),
    "nonsense": (b"\x00\xff", Failure.RAISED),
    "an exit": (step_that("import sys", "sys.exit(0)"), Failure.RAISED),
    "a sudden exit": (step_that("import os", "os._exit(0)"), Failure.DIED),
    "a flood on its output": (
        step_that(
            "import os",
            "for fd in range(3, 20):",
            "    try: os.write(fd, b'x' * 1000)",
            "    except OSError: pass",
        ),
        Failure.NO_ORDER,
    ),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_a_tampered_autopilot_fails_with_its_reason(name, hidden, model, tmp_path) -> None:
    autopilot, reason = TAMPERED[name]
    outcome = judged(model, autopilot, hidden, tmp_path)

    assert (outcome.reason, outcome.score) == (reason, 0), outcome.detail
    assert outcome.words("en") and outcome.words("fr")


def test_an_attempt_to_read_the_hidden_feed_fails(hidden, model, tmp_path) -> None:
    autopilot = step_that(f"open({str(hidden)!r}, 'rb').read()")
    outcome = judged(model, autopilot, hidden, tmp_path)

    assert outcome.reason is Failure.FILE
    assert str(hidden) in outcome.detail


def test_the_walls_hold_where_the_tripwire_does_not_reach(hidden, model, tmp_path) -> None:
    """`ctypes` calls the kernel past Python: the feed is still not there, and nothing can be written."""
    outside = tmp_path / "written-from-inside"
    autopilot = step_that(
        "import ctypes, os",
        "c = ctypes.CDLL(None, use_errno=True)",
        "def failed(result): return f'{result}:{ctypes.get_errno()}'",
        f"feed = failed(c.open({str(hidden).encode()!r}, 0))",
        f"write = failed(c.open({str(outside).encode()!r}, 65, 438))",
        "fork = failed(c.fork())",
        "uid = failed(c.setuid(0))",
        "raise RuntimeError(f'feed {feed} write {write} fork {fork} uid {uid}')",
    )
    outcome = judged(model, autopilot, hidden, tmp_path)

    assert outcome.reason is Failure.RAISED
    assert "feed -1:2 write -1" in outcome.detail
    assert "fork -1:11 uid -1" in outcome.detail
    assert not outside.exists()


def test_nothing_of_the_instructors_environment_is_to_be_seen(hidden, model, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("BRAKEPOINT_ADMIN_SECRET", "the-secret")
    autopilot = step_that("import os", "raise RuntimeError(sorted(os.environ))")

    assert "ADMIN" not in judged(model, autopilot, hidden, tmp_path).detail


@pytest.mark.parametrize(
    ("names", "reason"),
    [("{0: 'Cat', 1: 'Dog'}", Failure.MODEL_CLASSES), (None, Failure.MODEL_UNFIT)],
)
def test_a_model_of_other_classes_fails(hidden, tmp_path, names, reason) -> None:
    metadata = {"names": names} if names else {}
    model = save_constant_model(tmp_path / "other.onnx", raw_output(), **metadata).read_bytes()

    assert judged(model, AUTOPILOT, hidden, tmp_path).reason is reason


def test_a_model_with_a_loop_inside_is_not_even_loaded(hidden, tmp_path) -> None:
    condition = helper.make_tensor_value_info("again", TensorProto.BOOL, [])
    count = helper.make_tensor_value_info("count", TensorProto.INT64, [])
    body = helper.make_graph(
        [helper.make_node("Identity", ["again"], ["go_on"])],
        "for_ever",
        [count, condition],
        [helper.make_tensor_value_info("go_on", TensorProto.BOOL, [])],
    )
    graph = helper.make_graph(
        [helper.make_node("Loop", ["", "yes"], [], body=body)],
        "endless",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, (1, 3, 64, 96))],
        [],
        [onnx.numpy_helper.from_array(np.array(True), "yes")],
    )
    endless = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])

    outcome = judged(endless.SerializeToString(), AUTOPILOT, hidden, tmp_path)
    assert (outcome.reason, outcome.detail) == (Failure.MODEL_OPERATORS, "Loop")


def test_a_file_that_is_not_a_model_fails(hidden, tmp_path) -> None:
    assert judged(b"no model", AUTOPILOT, hidden, tmp_path).reason is Failure.MODEL_UNFIT


def test_nothing_of_a_cage_is_left_when_it_is_closed(tmp_path) -> None:
    autopilot = tmp_path / "step6_autopilot.py"
    autopilot.write_bytes(step_that("pass"))
    sandbox = Sandbox("autopilot", autopilot, AUTOPILOT_LIMITS)
    process = sandbox._process.pid
    started = children(process)
    sandbox.close()

    assert started
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_a_signal_to_all_that_the_instructor_runs_writes_no_wrong_failure(hidden, model, tmp_path) -> None:
    settings = f"name: spring\nattendees: 1\nhidden_feed: {hidden}\nmap50_min: 0\n"
    (tmp_path / "room.yaml").write_text(settings)
    folder = tmp_path / "runs/room/spring/store/spring-seat-01/room"
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(model)
    (folder / "step6_autopilot.py").write_bytes(step_that("import time", "time.sleep(4)"))
    command = [sys.executable, "-m", "brakepoint", "room", "score", "--watch"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    scoring_process = subprocess.Popen(command, cwd=tmp_path, env=environment, start_new_session=True)
    try:
        until = time.monotonic() + 120
        while len(children(scoring_process.pid)) < 2:  # Two sandboxes.
            assert time.monotonic() < until and scoring_process.poll() is None
            time.sleep(0.05)
        os.killpg(scoring_process.pid, signal.SIGTERM)
        assert scoring_process.wait(60) == 0
    finally:
        scoring_process.kill()

    assert Scores.load(tmp_path / "runs/room/spring").marks == {}


def test_no_kernel_memory_outside_every_limit_is_left_to_take(hidden, model, tmp_path) -> None:
    """Each of these once took 3 GB under a limit of 1 GB."""
    for lines in (
        ("import os", "kept = [os.memfd_create('m') for _ in range(3000)]"),
        ("import mmap", "kept = [mmap.mmap(-1, 1 << 28) for _ in range(12)]"),
    ):
        outcome = judged(model, step_that(*lines), hidden, tmp_path)
        assert outcome.reason in (Failure.RAISED, Failure.MEMORY)
