"""The sign of life: what the driver leaves, and how long the guard has missed it."""

import os
import tempfile
from pathlib import Path

import pytest

from hardware.heartbeat import BEAT_S, SILENCE_S, Heartbeat, Watch, heartbeat_path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "train.hub"


def test_five_beats_may_be_missed_and_that_is_a_second() -> None:
    assert pytest.approx(5 * BEAT_S) == SILENCE_S == 1


def test_a_beat_holds_the_address_and_nothing_is_left_at_the_end(file: Path) -> None:
    heart, watch = Heartbeat(file), Watch(file)
    heart.end()
    heart.beat("AA:BB")
    assert watch.address() == "AA:BB"
    heart.end()

    assert watch.address() == ""
    assert list(file.parent.iterdir()) == []


def test_only_the_clock_of_the_one_who_watches_counts(file: Path) -> None:
    heart, watch = Heartbeat(file), Watch(file)
    assert watch.silent_for_s(10) is None
    heart.beat("AA:BB")
    os.utime(file, (5, 5))
    assert [watch.silent_for_s(now) for now in (20, 21.5)] == [0, 1.5]
    os.utime(file, (4, 4))
    assert [watch.silent_for_s(now) for now in (22, 22.5)] == [0, 0.5]


def test_a_file_that_was_gone_is_a_new_one_though_its_time_is_the_same(file: Path) -> None:
    heart, watch = Heartbeat(file), Watch(file)
    for now in (20, 30):
        heart.beat("AA:BB")
        os.utime(file, (5, 5))
        assert watch.silent_for_s(now) == 0
        heart.end()
        assert watch.silent_for_s(now + 1) is None


def test_the_file_is_the_users_own_unless_a_setting_says_where(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BRAKEPOINT_HUB_HEARTBEAT", str(tmp_path / "here"))
    assert heartbeat_path() == tmp_path / "here"
    monkeypatch.delenv("BRAKEPOINT_HUB_HEARTBEAT")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert heartbeat_path() == tmp_path / f"brakepoint-{os.getuid()}.hub"
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert heartbeat_path().parent == Path(tempfile.gettempdir())
