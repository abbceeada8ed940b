"""A disk that is full in the middle: the command reports it in one line, and existing files are kept."""

import contextlib
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from labelled_pictures import write_picture

from brakepoint import course
from brakepoint.cli import run, workshop
from brakepoint.course import find_step
from brakepoint.files import put_in_place, whole_file, whole_folder, write_whole
from brakepoint.mission.report import FORMAT, REPORT_NAME
from brakepoint.room import files as room_files
from brakepoint.scenery.scenario import Scenario
from brakepoint.track import Straight
from brakepoint.training import progress as progress_of_training
from brakepoint.training.session import WholePath
from brakepoint.truth import TruthFrame
from brakepoint.workshop import artefacts, progress
from footage import render

STEP = find_step("1")


@contextmanager
def no_file_larger_than(size_bytes: int) -> Iterator[None]:
    """Makes the kernel refuse larger files, in this process and its children.

    Python keeps no compiled modules meanwhile: before 3.12.8, it does not notice that it wrote only a part of
    one, and every later import of that module fails.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "dont_write_bytecode", True)
        patch.setenv("PYTHONDONTWRITEBYTECODE", "1")
        resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_module_that_is_first_imported_on_the_full_disk_can_be_imported_later(tmp_path: Path) -> None:
    (tmp_path / "large.py").write_text(f"text = {'x' * 5000!r}\n")
    load = partial(subprocess.run, [sys.executable, "-c", "import large"], cwd=tmp_path, check=True)

    with no_file_larger_than(1500):
        load()

    load()


def everything_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def desk(tmp_path: Path, short_feed: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An attendee's folder, with labelled pictures and a feed in it."""
    for path in (short_feed, short_feed.with_suffix(".json")):
        (tmp_path / f"short{path.suffix}").symlink_to(path)
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


def put_run(folder: Path) -> None:
    (folder / "out").mkdir()
    (folder / "out" / REPORT_NAME).write_text(f'{{"format": "{FORMAT}1", "missions": [{{"feed": "short"}}]}}')
    for name in ("index.html", "short.mp4"):
        (folder / "out" / name).write_text("of the run before")


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
    "mission": (["mission", "--feed", "short.mp4", "--detector", "oracle", "--out", "out"], put_run),
    "synth": (
        ["synth", "--count", "2", "--out", "out", "--steps", "solutions", "--workers", "1"],
        ["synth", "--count", "1", "--out", "out", "--steps", "solutions", "--workers", "1"],
    ),
    "reset": (["reset", "1"], put_lab),
    "catch-up": (["catch-up", "1"], put_dataset),
}
"""By name: what is tried on the full disk, and what was done before, a command or something by hand."""


@pytest.mark.parametrize(
    ("name", "size_bytes"),
    [
        *((name, size) for name in ("dataset", "reset", "catch-up") for size in (0, 20, 1500)),
        *((name, 20) for name in ("evaluate", "hint")),
        *((name, 1500) for name in ("mission", "synth")),
    ],
)
def test_a_full_disk_is_reported_and_what_was_there_stays(
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


def test_of_two_who_write_a_file_at_the_same_time_each_writes_a_whole_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, write_bytes, seen = tmp_path / "a.png", Path.write_bytes, []

    def write_slowly(self: Path, content: bytes) -> int:
        monkeypatch.undo()
        write_bytes(self, content[:3])
        write_whole(path, b"of the other")
        seen.append(path.read_bytes())
        return write_bytes(self, content)

    monkeypatch.setattr(Path, "write_bytes", write_slowly)
    write_whole(path, b"of the one")
    with whole_file(path) as one, whole_file(path) as other:
        other.write_bytes(b"of another writer")
        one.write_bytes(b"of a writer")

    assert seen == [b"of the other"]
    assert everything_in(tmp_path) == {"a.png": b"of a writer"}


def test_a_private_file_is_whole_or_as_before(tmp_path: Path) -> None:
    room_files.write(tmp_path / "a", "before", room_files.PRIVATE)

    with no_file_larger_than(3), pytest.raises(OSError):
        room_files.write(tmp_path / "a", "after", room_files.PRIVATE)

    assert everything_in(tmp_path) == {"a": b"before"}


def full_from(turn: int) -> contextlib.AbstractContextManager[None]:
    """The second time the disk is full."""
    return no_file_larger_than(500) if turn == 2 else contextlib.nullcontext()


def write_checkpoint(folder: Path, turn: int, _: pytest.MonkeyPatch) -> None:
    with full_from(turn):
        WholePath(folder / "last.pt").write_bytes(bytes([turn]) * 999)


def write_scores(folder: Path, turn: int, _: pytest.MonkeyPatch) -> None:
    with full_from(turn):
        room_files.write(folder / "scores.json", f"{turn}" * 999)


def draw_curves(folder: Path, turn: int, _: pytest.MonkeyPatch) -> None:
    columns = [*progress_of_training.LOSSES, *progress_of_training.SCORES]
    (folder.parent / "results.csv").write_text(f"epoch,{','.join(columns)}\n1{f',0.{turn}' * len(columns)}\n")
    with full_from(turn):
        progress_of_training.draw_curves(folder.parent / "results.csv", folder / "curves.png")


def render_feed(folder: Path, seed: int, patch: pytest.MonkeyPatch) -> None:
    scenario = Scenario(name="tiny", track=(Straight(straight_cm=50),), spacing_cm=10.0, seed=seed)
    patch.setattr(render, "WORK_DIR", folder.parent / "frames")
    frames = tuple(TruthFrame(position_cm=10.0 * number, signs=()) for number in range(scenario.frame_count))
    patch.setattr(render, "_truth_frames", lambda of: frames)
    render.frames_folder(scenario).mkdir(parents=True, exist_ok=True)
    for number in range(scenario.frame_count):
        noise = np.random.default_rng(number).integers(0, 255, (384, 512, 3)).astype(np.uint8)
        cv2.imwrite(str(render.frame_file(scenario, number)), noise)
    with full_from(seed):
        render._write_feed(Path("tiny.yaml"), scenario, folder)


WRITERS: dict[str, Callable[[Path, int, pytest.MonkeyPatch], object]] = {
    "the curves of a training": draw_curves,
    "a checkpoint": write_checkpoint,
    "a feed": render_feed,
    "a file of a room": write_scores,
}
"""What writes a file in another way than by `write_whole`; each a second time with another content."""


@pytest.mark.parametrize("name", WRITERS)
def test_what_cannot_be_written_whole_is_as_before(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "place"
    folder.mkdir()
    WRITERS[name](folder, 1, monkeypatch)
    there = everything_in(folder)

    with pytest.raises(OSError):
        WRITERS[name](folder, 2, monkeypatch)

    assert there
    assert everything_in(folder) == there
    WRITERS[name](folder, 1, monkeypatch)


def test_a_file_that_something_else_writes_is_replaced_once_it_is_whole(tmp_path: Path) -> None:
    for content in (b"one", b"two"):
        with whole_file(tmp_path / "a.png") as part:
            assert part.suffix == ".png"
            part.write_bytes(content)
            assert not (tmp_path / "a.png").exists() or (tmp_path / "a.png").read_bytes() == b"one"

    assert everything_in(tmp_path) == {"a.png": b"two"}


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


def test_a_place_that_is_not_a_folder_is_reported(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (desk / "out").write_bytes(b"mine")

    assert run(["dataset", "--from", "own", "--out", "out", "--steps", "solutions"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert (desk / "out").read_bytes() == b"mine"
