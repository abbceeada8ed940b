"""Worker processes: their results, and what happens to them when something goes wrong."""

import os
import signal
import subprocess
import sys
import threading
from functools import partial
from multiprocessing.synchronize import SemLock
from pathlib import Path

import pytest
from pseudo_terminal import terminal

from brakepoint.errors import UserError
from brakepoint.workers import can_share, spread, uninterrupted

PROGRAM = """
import sys, time
from functools import partial
from brakepoint.workers import spread

def work(ballast, number):
    print("works", flush=True)
    time.sleep(600)

if __name__ == "__main__":
    from brakepoint.cli.usage import status_of

    def run():
        print("begins", flush=True)
        with spread(partial(work, b"x" * 1_000_000), range(50), 2) as done:
            list(done)

    sys.exit(status_of(run))
"""


def twice(number: int) -> int:
    return 2 * number


def process_of(number: int) -> int:
    return os.getpid()


def refuse(number: int) -> int:
    raise UserError("steps.missing", module=str(number), source="x")


def die(number: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return number


@pytest.fixture
def program(tmp_path: Path) -> list[str]:
    path = tmp_path / "program.py"
    path.write_text(PROGRAM, encoding="utf-8")
    return [sys.executable, str(path)]


def test_every_item_is_worked_on_once_in_several_processes() -> None:
    with spread(twice, range(20), 2) as done:
        assert sorted(done) == [2 * number for number in range(20)]


@pytest.mark.parametrize(("items", "workers"), [(range(5), 1), (range(1), 4), (range(0), 4)])
def test_no_process_is_started_where_none_helps(items: range, workers: int) -> None:
    with spread(process_of, items, workers) as done:
        assert list(done) == [os.getpid()] * len(items)


def test_two_items_are_worth_other_processes() -> None:
    with spread(process_of, range(2), 2) as done:
        assert os.getpid() not in set(done)


@pytest.mark.parametrize("error", [OSError(30, "Read-only file system"), PermissionError(13, "x")])
def test_where_processes_can_share_nothing_one_does_all_the_work(monkeypatch, error: OSError) -> None:
    def refuse_semaphore(*arguments: object, **options: object) -> None:
        raise error

    assert can_share()
    monkeypatch.setattr(SemLock, "__init__", refuse_semaphore)

    assert not can_share()
    with spread(process_of, range(9), 2) as done:
        assert list(done) == [os.getpid()] * 9


def test_what_goes_wrong_with_an_item_is_reported_as_it_is() -> None:
    with pytest.raises(UserError) as caught, spread(refuse, range(9), 2) as done:
        list(done)
    assert caught.value.key == "steps.missing"


def test_a_worker_that_is_killed_is_reported_and_nobody_waits_for_it() -> None:
    with pytest.raises(UserError) as caught, spread(die, range(9), 2) as done:
        list(done)
    assert caught.value.key == "workers.died"


def test_work_that_cannot_be_handed_to_another_process_is_refused_at_once() -> None:
    with pytest.raises((AttributeError, TypeError)), spread(lambda number: number, range(9), 2):
        pytest.fail("it was handed out")


@pytest.mark.parametrize("moment", ["begins", "works"])
def test_ctrl_c_on_a_terminal_ends_all_of_them_quietly(program, tmp_path, moment: str) -> None:
    with terminal(program, tmp_path) as opened:
        opened.wait_for(moment)
        opened.press()
        assert opened.end() == 130
        assert "Traceback" not in opened.said
        assert "Interrupted" in opened.said


def test_workers_end_with_the_one_that_started_them_even_if_it_is_killed(program, tmp_path) -> None:
    with terminal(program, tmp_path) as opened:
        opened.wait_for(lambda said: said.count("works") == 2)
        opened.process.kill()
        assert opened.end() == 128 + signal.SIGKILL


def raised_within() -> list[str]:
    told = []
    try:
        with uninterrupted():
            signal.raise_signal(signal.SIGINT)
            told.append("went on")
    except KeyboardInterrupt:
        told.append("interrupted")
    return told


def test_ctrl_c_is_put_off_and_not_lost() -> None:
    before = signal.getsignal(signal.SIGINT)

    assert raised_within() == ["went on", "interrupted"]
    assert signal.getsignal(signal.SIGINT) is before
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_without_ctrl_c_nothing_happens() -> None:
    with uninterrupted():
        pass
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


SAY_BLOCKED = "import signal; print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ()))"


def test_a_process_that_starts_in_between_never_gets_ctrl_c_also_from_another_thread() -> None:
    said: list[str] = []

    def start() -> None:
        with uninterrupted():
            started = partial(subprocess.run, capture_output=True, text=True, check=True)
            said.append(started([sys.executable, "-c", SAY_BLOCKED]).stdout.strip())

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    start()
    assert said == ["True", "True"]
