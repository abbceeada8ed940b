"""A room in one file, and the same room on another machine."""

import errno
import random
import re
import shutil
import tarfile
from pathlib import Path

import pytest
from room_day import KIT, describe, room_now, upload

from brakepoint import extras
from brakepoint.cli import run
from brakepoint.room import backup, files
from brakepoint.room.parcel import SUBMISSION_KEY
from brakepoint.room.stores import open_store

pytestmark = pytest.mark.usefixtures("small_kit")


def test_a_backup_is_its_owners_alone_holds_the_hidden_feed_and_not_what_the_kit_brings_back(
    small, tmp_path, monkeypatch, short_feed, capsys
) -> None:
    private = tmp_path / "private"
    private.mkdir()
    for path in (short_feed, short_feed.with_suffix(".json")):
        shutil.copy(path, private / f"hidden{path.suffix}")
    shutil.copytree(private, private / "final")
    (private / "final" / "hidden.mp4").write_bytes(b"of the final")
    with Path("room.yaml").open("a") as file:
        file.write(f"hidden_feed: {private / 'hidden.mp4'}\nfinal_feed: {private / 'final' / 'hidden.mp4'}\n")
    saved = tmp_path / "spring.backup"
    for _ in range(2):
        assert run(["room", "backup", str(saved)]) == 0
    assert saved.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.glob("*.backup*")] == ["spring.backup"]

    assert run(["room", "restore", str(saved)]) == 2, "a room that is there is not overwritten"
    assert run(["room", "restore", str(saved), "--room", "other.yaml"]) == 2
    assert not Path("other.yaml").exists()

    before = {path.name for path in small.folder.iterdir()}
    shutil.rmtree(private)
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    assert run(["room", "restore", str(saved)]) == 0

    room = room_now()
    assert {path.name for path in room.folder.iterdir()} - {"hidden"} <= before
    assert room.folder.stat().st_mode & 0o777 == 0o700
    assert room.hidden_feed is not None and room.hidden_feed.read_bytes() == short_feed.read_bytes()
    assert room.hidden_feed.with_suffix(".json").is_file()
    assert room.final_feed is not None and room.final_feed.read_bytes() == b"of the final"
    assert set(open_store(room).objects("spring-anna")) == {SUBMISSION_KEY}
    assert (room.folder / "accounts.json").stat().st_mode & 0o777 == 0o600
    assert run(["room", "apply", "--yes"]) == 0
    assert set(KIT) < set(open_store(room).objects("spring-anna"))
    assert run(["room", "backup", str(saved)]) == 0, "and it can be saved again"
    assert [path.name for path in room.folder.parent.iterdir()] == ["spring"]


@pytest.mark.parametrize("damage", [b"", b"no archive", None])
def test_what_is_not_a_backup_makes_no_room(in_folder, capsys, damage) -> None:
    if damage is not None:
        Path("x.backup").write_bytes(damage)

    assert run(["room", "restore", "x.backup"]) == 2
    assert "x.backup" in capsys.readouterr().err
    assert not Path("runs").exists() and not Path("room.yaml").exists()


@pytest.mark.parametrize("member", [None, backup.FOLDER_NAME])
def test_an_archive_with_a_rooms_file_but_not_its_folder_makes_no_room(
    small, tmp_path, capsys, member
) -> None:
    with tarfile.open(tmp_path / "x.backup", "w:gz") as archive:
        for name in filter(None, (backup.ROOM_NAME, member)):
            archive.add("room.yaml", name)
    shutil.rmtree(small.folder)

    assert run(["room", "restore", str(tmp_path / "x.backup"), "--room", "other.yaml"]) == 2
    assert backup.FOLDER_NAME in capsys.readouterr().err
    assert not Path("other.yaml").exists() and list(small.folder.parent.iterdir()) == []


@pytest.mark.parametrize("named", [["room.yaml"], ["./room.yaml", "room.yaml"]])
def test_a_backup_never_replaces_the_rooms_file(small, capsys, named) -> None:
    before = Path("room.yaml").read_bytes()

    assert run(["room", "backup", *named]) == 2
    assert "spring.backup" in capsys.readouterr().err
    assert Path("room.yaml").read_bytes() == before


def test_a_room_of_which_only_a_record_was_begun_has_nothing_to_back_up(small_room, capsys) -> None:
    describe(("anna", "bela"), small_room.store.port)
    assert run(["room", "rescore", "anna"]) == 0
    capsys.readouterr()

    assert run(["room", "backup", "spring.backup"]) == 2
    assert "not complete" in capsys.readouterr().err
    assert not Path("spring.backup").exists()


def test_a_backup_is_never_part_of_the_next_one(small, capsys) -> None:
    inside = small.folder / "backups" / "spring.backup"

    assert run(["room", "backup", str(inside)]) == 2
    assert str(small.folder) in capsys.readouterr().err
    assert not inside.parent.exists()
    assert run(["room", "backup", str(small.folder.with_suffix(".backup"))]) == 0


def test_a_backup_is_reported_with_its_size(small, capsys) -> None:
    upload("anna", noise=random.Random(1).randbytes(2_340_000))

    assert run(["room", "backup", "spring.backup"]) == 0
    assert re.search(r"2\.[34] MB", capsys.readouterr().out)


@pytest.mark.parametrize("damage", ["cut", "hole"])
def test_a_damaged_backup_is_named_and_leaves_nothing(small, tmp_path, monkeypatch, capsys, damage) -> None:
    upload("anna", noise=random.Random(1).randbytes(100_000))
    saved = tmp_path / "spring.backup"
    assert run(["room", "backup", str(saved)]) == 0
    whole = saved.read_bytes()
    half = len(whole) // 2
    saved.write_bytes(whole[:half] if damage == "cut" else whole[:half] + b"\xff" * 999 + whole[half + 999 :])
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")

    assert run(["room", "restore", str(saved)]) == 2
    assert "spring.backup" in capsys.readouterr().err
    assert not Path("room.yaml").exists() and not any(Path().rglob("*.json"))


def test_a_restore_that_breaks_off_leaves_no_room(small, tmp_path, monkeypatch, capsys) -> None:
    saved = tmp_path / "spring.backup"
    assert run(["room", "backup", str(saved)]) == 0
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    monkeypatch.setattr(backup, "load_room", lambda file: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        backup.restore(saved, Path("room.yaml"))

    assert list(small.folder.parent.iterdir()) == []


def test_a_backup_that_breaks_off_leaves_the_one_before(small, monkeypatch) -> None:
    run(["room", "backup", "spring.backup"])
    before = Path("spring.backup").read_bytes()
    monkeypatch.setattr(backup, "_hidden", lambda room: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        backup.save(small, Path("room.yaml"), Path("spring.backup"))

    assert Path("spring.backup").read_bytes() == before
    assert not list(Path().glob("*.part*"))


def test_a_room_that_cannot_be_restored_leaves_nothing_in_the_way_of_the_next_try(
    small, tmp_path, monkeypatch
) -> None:
    saved = tmp_path / "spring.backup"
    assert run(["room", "backup", str(saved)]) == 0
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")

    def write(path: Path, content: str, mode: int = 0o644) -> None:
        if path.name == "room.yaml":
            raise OSError(errno.ENOSPC, "No space left on device")
        files.write(path, content, mode)

    with monkeypatch.context() as full:
        full.setattr(backup, "write", write)
        assert run(["room", "restore", str(saved)]) == 2
    assert not Path("room.yaml").exists() and not any(Path("runs/room").iterdir())
    assert run(["room", "restore", str(saved)]) == 0


def test_a_restored_room_needs_what_a_room_needs(in_folder, monkeypatch, capsys) -> None:
    monkeypatch.setitem(extras.EXTRAS, "room", ("no_such_package",))
    assert run(["room", "restore", "spring.backup"]) == 2
    assert extras.install_command("room") in capsys.readouterr().err.replace("\n", " ")
