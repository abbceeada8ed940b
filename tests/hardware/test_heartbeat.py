"""The heartbeat: what the driver writes, and how long the guard has missed it."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from brakepoint.errors import UserError
from hardware.heartbeat import BEAT_S, SILENCE_S, VARIABLE, Heartbeat, Watch, heartbeat_path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "train.hub"


def test_five_beats_may_be_missed_and_that_is_a_second() -> None:
    assert pytest.approx(5 * BEAT_S) == SILENCE_S == 1


def test_a_beat_holds_the_address_and_a_farewell_is_nothing_to_guard(file: Path) -> None:
    heart, watch = Heartbeat(file), Watch(file)
    heart.end()
    assert watch.silent_for_s(1) is None
    assert watch.address == ""
    heart.beat("AA:BB")
    assert watch.silent_for_s(2) == 0
    assert watch.address == "AA:BB"
    heart.end()

    assert watch.silent_for_s(3) is None
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_file_that_vanishes_is_a_silence_and_its_hub_is_remembered(file: Path) -> None:
    heart, watch = Heartbeat(file), Watch(file)
    heart.beat("AA:BB")
    watch.silent_for_s(10)
    file.unlink()

    assert [watch.silent_for_s(now) for now in (10.5, 11.5, 99)] == [0.5, 1.5, 89]
    assert watch.address == "AA:BB"
    heart.beat("AA:CC")
    assert watch.silent_for_s(100) == 0
    assert watch.address == "AA:CC"


def test_a_folder_that_vanishes_is_made_again_by_the_next_beat(tmp_path: Path) -> None:
    file = tmp_path / "gone" / "with" / "the session"
    heart, watch = Heartbeat(file), Watch(file)
    for now in (1, 2):
        heart.beat("AA:BB")
        assert watch.silent_for_s(now) == 0
        shutil.rmtree(tmp_path / "gone")
        assert watch.silent_for_s(now + 0.5) == 0.5


def test_what_is_not_a_sign_of_life_is_a_silence(file: Path) -> None:
    watch = Watch(file)
    Heartbeat(file).beat("AA:BB")
    watch.silent_for_s(1)
    file.write_bytes(b"\xff\xfe")

    assert watch.silent_for_s(3) == 2
    assert watch.address == "AA:BB"


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
        file.unlink()
        assert watch.silent_for_s(now + 1) == 1


def test_the_file_outlives_the_session_and_is_the_users_own_unless_a_setting_says_where(
    monkeypatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BRAKEPOINT_HUB_HEARTBEAT", str(tmp_path / "here"))
    assert heartbeat_path() == tmp_path / "here"
    monkeypatch.delenv("BRAKEPOINT_HUB_HEARTBEAT")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert heartbeat_path() == Path(tempfile.gettempdir()) / f"brakepoint-{os.getuid()}" / "hub"


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for temporary files, and no setting."""
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_nobody_else_may_look_into_the_default_folder(temporary: Path) -> None:
    folder = heartbeat_path().parent

    assert folder.stat().st_mode & 0o777 == 0o700
    assert heartbeat_path() == folder / "hub"


def test_the_default_folder_of_another_user_is_refused(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = os.getuid() + 1
    (temporary / f"brakepoint-{user}").mkdir()
    monkeypatch.setattr(os, "getuid", lambda: user)

    with pytest.raises(UserError, match=VARIABLE):
        heartbeat_path()


@pytest.mark.parametrize("target", ["there", "nowhere"])
def test_a_link_in_place_of_the_default_folder_is_refused(temporary: Path, target: str) -> None:
    (temporary / "there").mkdir()
    (temporary / f"brakepoint-{os.getuid()}").symlink_to(temporary / target)

    with pytest.raises(UserError, match=VARIABLE):
        heartbeat_path()


def test_a_temporary_folder_that_cannot_be_written_to_is_the_beats_concern(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(temporary / "gone"))

    assert heartbeat_path() == temporary / "gone" / f"brakepoint-{os.getuid()}" / "hub"
