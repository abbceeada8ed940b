"""A disk that is full in the middle: the command says so in one line, and what was there before stays."""

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from labelled_pictures import write_picture

from brakepoint import course
from brakepoint.cli import run, workshop
from brakepoint.course import find_step
from brakepoint.files import put_in_place, whole_folder, write_whole
from brakepoint.room import files as room_files
from brakepoint.workshop import artefacts, progress

STEP = find_step("1")


@contextmanager
def no_file_larger_than(size_bytes: int) -> Iterator[None]:
    """Has the kernel refuse to write more into any file, in this process and those that it starts."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def everything_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An attendee's folder, with labelled pictures in it."""
    monkeypatch.setattr(course, "LABS_DIR", tmp_path / "labs")
    monkeypatch.setattr(workshop, "BACKUPS_DIR", tmp_path / "labs" / "backups")
    monkeypatch.setattr(progress, "PROGRESS_PATH", tmp_path / "progress.json")
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")
    monkeypatch.chdir(tmp_path)
    for name in "ab":
        write_picture(tmp_path / f"own/images/{name}.jpg")
        (tmp_path / "own/labels").mkdir(exist_ok=True)
        (tmp_path / f"own/labels/{name}.txt").write_text("1 0.5 0.5 0.2 0.4\n")
    return tmp_path


def put_lab(folder: Path) -> None:
    (folder / "labs").mkdir(exist_ok=True)
    (folder / "labs" / "step1_dataset.py").write_text("# all my work\n")


def put_dataset(folder: Path) -> None:
    put_lab(folder)
    (folder / "runs/dataset/train").mkdir(parents=True)
    (folder / "runs/dataset/train/mine.txt").write_text("mine")


COMMANDS: dict[str, tuple[list[str], list[str] | Callable[[Path], None]]] = {
    "dataset": (
        ["dataset", "--from", "own", "--out", "out", "--steps", "solutions"],
        ["dataset", "--from", "own", "--out", "out", "--steps", "solutions"],
    ),
    "evaluate": (
        ["evaluate", "--images", "own", "--detector", "model.onnx", "--sheet", "out/sheet.png"],
        [
            "evaluate",
            "--images",
            "own",
            "--detector",
            "model.onnx",
            "--sheet",
            "out/sheet.png",
            "--confidence",
            "0.9",
        ],
    ),
    "hint": (["hint", "1"], ["hint", "1"]),
    "reset": (["reset", "1"], put_lab),
    "catch-up": (["catch-up", "1"], put_dataset),
}
"""By name: what is tried on the full disk, and what was done before, a command or something by hand."""


@pytest.mark.parametrize(
    ("name", "size_bytes"),
    [
        *((name, size) for name in ("dataset", "reset", "catch-up") for size in (0, 20, 1500)),
        *((name, 20) for name in ("evaluate", "hint")),
    ],
)
def test_a_full_disk_is_told_and_what_was_there_stays(
    name: str,
    size_bytes: int,
    desk: Path,
    make_model: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    make_model(np.zeros((1, 6, 40), np.float32))
    monkeypatch.setitem(artefacts.INSTALLERS, STEP.name, (desk / "runs/dataset", install_little))
    tried, before = COMMANDS[name]
    if callable(before):
        before(desk)
    else:
        run(before)
    there = everything_in(desk)
    capsys.readouterr()

    with no_file_larger_than(size_bytes):
        status = run(tried)

    said = capsys.readouterr().err
    assert status == 2
    assert said.strip().count("\n") == 0
    assert "disk is full" in said or "cannot be written" in said
    assert everything_in(desk).items() >= there.items()
    assert not list(desk.rglob("*.part"))


def install_little(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "small.txt").write_bytes(bytes(10))
    (folder / "large.txt").write_bytes(bytes(3000))


def test_an_interrupted_command_leaves_what_was_there(
    desk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = COMMANDS["dataset"][0]
    assert run(command) == 0
    there = everything_in(desk)

    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("brakepoint.store.building.shutil.copy2", interrupted)

    assert run(command) == 130
    assert everything_in(desk) == there


def test_a_file_is_whole_or_as_before(tmp_path: Path) -> None:
    path = tmp_path / "a"
    write_whole(path, b"before")

    with no_file_larger_than(3), pytest.raises(OSError):
        write_whole(path, b"after")

    assert everything_in(tmp_path) == {"a": b"before"}


def test_a_private_file_is_whole_or_as_before(tmp_path: Path) -> None:
    room_files.write(tmp_path / "a", "before", room_files.PRIVATE)

    with no_file_larger_than(3), pytest.raises(OSError):
        room_files.write(tmp_path / "a", "after", room_files.PRIVATE)

    assert everything_in(tmp_path) == {"a": b"before"}


def test_a_folder_is_replaced_whole(tmp_path: Path) -> None:
    with whole_folder(tmp_path / "a") as folder:
        (folder / "one").write_bytes(b"1")
    with whole_folder(tmp_path / "a") as folder:
        (folder / "two").write_bytes(b"2")

    assert everything_in(tmp_path) == {"a/two": b"2"}
    with pytest.raises(ZeroDivisionError), whole_folder(tmp_path / "a") as folder:
        (folder / "three").write_bytes(bytes(1 // 0))
    assert everything_in(tmp_path) == {"a/two": b"2"}


def test_what_cannot_be_put_in_place_leaves_the_place_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "place").write_bytes(b"before")

    with pytest.raises(FileNotFoundError):
        put_in_place(tmp_path / "nothing", tmp_path / "place", tmp_path / "aside")

    assert everything_in(tmp_path) == {"place": b"before"}


def test_a_place_that_is_not_a_folder_is_told(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (desk / "out").write_bytes(b"mine")

    assert run(["dataset", "--from", "own", "--out", "out", "--steps", "solutions"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert (desk / "out").read_bytes() == b"mine"
