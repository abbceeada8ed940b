"""Whatever bytes come out of a sandbox, they become an answer or a failure, in clean text."""

import json
import struct
import subprocess
import threading
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brakepoint.room import sandbox
from brakepoint.room.outcomes import DETAIL_CHARACTERS, Failed, Failure
from brakepoint.room.sandbox import ANSWER_MAX_BYTES, Aborted, Sandbox
from brakepoint.room.submission import AUTOPILOT_LIMITS

READY = struct.pack("!I", 2) + b"{}"
QUICK = replace(AUTOPILOT_LIMITS, answer_s=0.2, total_s=20.0)


def frame(content: bytes) -> bytes:
    return struct.pack("!I", len(content)) + content


@pytest.fixture
def cage(tmp_path: Path, monkeypatch) -> Callable[..., Sandbox]:
    """Makes a sandbox that answers everything with these bytes, and then ends or falls silent."""
    popen = subprocess.Popen

    def make(said: bytes, then: str = "", limits=QUICK, stopping=None) -> Sandbox:
        (tmp_path / "said").write_bytes(said)
        shell = ["sh", "-c", f"cat {tmp_path / 'said'}; {then or 'cat >/dev/null'}"]
        monkeypatch.setattr(sandbox.subprocess, "Popen", lambda command, **how: popen(shell, **how))
        return Sandbox("autopilot", tmp_path / "said", limits, stopping)

    monkeypatch.setattr(sandbox, "new_group", lambda limit_mb: None)
    monkeypatch.setattr(sandbox, "_walls", lambda handed_in: [])
    monkeypatch.setattr(sandbox, "_filter", lambda: nullcontext(([], ())))
    monkeypatch.setattr(sandbox, "STOP_ARRIVES_S", 0.0)
    return make


ANSWERS = {
    "nothing": (b"", Failure.TOO_SLOW),
    "half a length": (b"\0\0", Failure.TOO_SLOW),
    "half an answer": (struct.pack("!I", 10) + b"{}", Failure.TOO_SLOW),
    "one byte too many": (frame(b"[" * (ANSWER_MAX_BYTES + 1)), Failure.NO_ORDER),
    "four gigabytes": (b"\xff\xff\xff\xff", Failure.NO_ORDER),
    "no letters": (frame(b"\xff\xfe"), Failure.NO_ORDER),
    "no object": (frame(b"[1]"), Failure.NO_ORDER),
    "a number": (frame(b"7"), Failure.NO_ORDER),
    "brackets without end": (frame(b"[" * 200_000), Failure.NO_ORDER),
    "digits without end": (frame(b'{"order": ' + b"9" * 100_000 + b"}"), Failure.NO_ORDER),
    "a reason that is a list": (frame(b'{"reason": ["raised"]}'), Failure.DIED),
    "a reason that is a number": (frame(b'{"reason": 7}'), Failure.DIED),
    "a reason of its own": (frame(b'{"reason": "won"}'), Failure.DIED),
    "half a character": (frame(b'{"reason": "raised", "detail": "\\ud800"}'), Failure.RAISED),
    "a cleared screen": (frame(b'{"reason": "raised", "detail": "\\u001b[2J"}'), Failure.RAISED),
    "words in brackets": (
        frame(b'{"reason":"raised","detail":' + b"[" * 900 + b"]" * 900 + b"}"),
        Failure.RAISED,
    ),
    "words that are a number": (frame(b'{"reason": "raised", "detail": 7}'), Failure.RAISED),
    "a book": (frame(json.dumps({"reason": "raised", "detail": "x" * 200_000}).encode()), Failure.RAISED),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_hostile_answer_is_a_failure_of_its_own(cage, name) -> None:
    said, reason = ANSWERS[name]
    with cage(READY + said) as opened, pytest.raises(Failed) as failed:
        opened.ask(b"")

    assert failed.value.reason is reason
    assert failed.value.detail.isprintable() and len(failed.value.detail) <= DETAIL_CHARACTERS


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.binary(max_size=200).map(frame)
    | st.recursive(
        st.none() | st.floats() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ).map(lambda said: frame(json.dumps({"reason": said, "detail": said}).encode()))
)
def test_no_bytes_at_all_are_more_than_an_answer_or_a_failure(cage, said) -> None:
    with cage(READY + said) as opened:
        try:
            assert isinstance(opened.ask(b""), dict)
        except Failed as failed:
            assert failed.detail.isprintable()


def test_the_longest_answer_is_taken(cage) -> None:
    answer = b'{"x": "' + b"y" * (ANSWER_MAX_BYTES - 9) + b'"}'
    with cage(READY + frame(answer)) as opened:
        assert len(opened.ask(b"")["x"]) == ANSWER_MAX_BYTES - 9


def test_who_ends_without_a_word_has_died(cage) -> None:
    with cage(READY, then="exit 0") as opened, pytest.raises(Failed) as failed:
        opened.ask(b"")
    assert failed.value.reason is Failure.DIED


def test_who_ends_because_all_is_to_stop_has_not_failed(cage) -> None:
    stopping = threading.Event()
    with cage(READY, then="exit 0", stopping=stopping) as opened:
        stopping.set()
        with pytest.raises(Aborted):
            opened.ask(b"")


def test_who_is_waited_for_when_all_is_to_stop_is_waited_for_no_longer(cage) -> None:
    stopping = threading.Event()
    with cage(READY, limits=replace(QUICK, answer_s=30.0), stopping=stopping) as opened:
        threading.Timer(0.05, stopping.set).start()
        with pytest.raises(Aborted):
            opened.ask(b"")


def test_whose_time_is_used_up_has_taken_too_long_altogether(cage) -> None:
    limits = replace(QUICK, answer_s=30.0, total_s=0.3)
    with cage(READY, limits=limits) as opened, pytest.raises(Failed) as failed:
        opened.ask(b"")

    assert (failed.value.reason, failed.value.detail) == (Failure.TOO_LONG, "0.3 s")


def test_who_holds_more_than_allowed_is_ended(cage) -> None:
    limits = replace(QUICK, answer_s=30.0, held_mb=0)
    with cage(READY, limits=limits) as opened, pytest.raises(Failed) as failed:
        opened.ask(b"")

    assert failed.value.reason is Failure.MEMORY


def test_a_process_that_the_kernel_killed_for_its_memory_is_reported_as_such(cage, monkeypatch) -> None:
    closed: list[bool] = []
    group: Any = type(
        "Group",
        (),
        {
            "has_overflowed": True,
            "entering": lambda _, command: command,
            "close": lambda _: closed.append(True),
        },
    )()
    monkeypatch.setattr(sandbox, "new_group", lambda limit_mb: group)
    with cage(READY, then="exit 0") as opened, pytest.raises(Failed) as failed:
        opened.ask(b"")

    assert failed.value.reason is Failure.MEMORY and closed == [True]
