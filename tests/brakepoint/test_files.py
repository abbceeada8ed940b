"""Files below a folder are listed while others write and remove there; YAML is read, or refused."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from brakepoint.files import files_below, load_yaml, load_yaml_documents, size_mb

UPLOADS_AND_REMOVALS = """
import pathlib, shutil, sys
folder = pathlib.Path(sys.argv[1], "a")
print("at work", flush=True)
while True:
    (folder / "b" / "c").mkdir(parents=True)
    (folder / "b" / "c" / "part").write_bytes(b"12")
    shutil.rmtree(folder)
"""


@contextmanager
def others_at_work(folder: Path) -> Iterator[None]:
    """Another process uploads and removes files and folders as fast as it can."""
    command = [sys.executable, "-c", UPLOADS_AND_REMOVALS, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as other:
        try:
            assert other.stdout is not None and other.stdout.readline()
            yield
        finally:
            other.kill()


def test_what_vanishes_meanwhile_is_left_out_and_the_rest_is_there(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "model.onnx").write_bytes(b"12345")
    with others_at_work(tmp_path):
        for _ in range(3000):
            found = {path.name: status.st_size for path, status in files_below(tmp_path)}
            assert found.pop("model.onnx") == 5
            assert found.keys() <= {"part"}


def test_links_and_folders_are_not_files_and_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "secret").write_text("x")
    inside = tmp_path / "bucket"
    (inside / "folder").mkdir(parents=True)
    (inside / "folder" / "file").write_text("x")
    (inside / "link").symlink_to(tmp_path / "elsewhere")
    (inside / "file-link").symlink_to(tmp_path / "elsewhere" / "secret")

    assert [path for path, _ in files_below(inside)] == [inside / "folder" / "file"]


def test_a_folder_that_is_not_there_has_no_files(tmp_path: Path) -> None:
    assert not list(files_below(tmp_path / "nowhere"))


def test_the_size_of_a_folder_is_that_of_all_its_files_in_millions_of_bytes(tmp_path: Path) -> None:
    (tmp_path / "deeper").mkdir()
    (tmp_path / "a").write_bytes(b"x" * 1_500_000)
    (tmp_path / "deeper" / "b").write_bytes(b"x" * 500_000)

    assert size_mb(tmp_path) == 2.0


ALIASES_OF_ALIASES = "\n".join(
    ["a0: &a0 0", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9))]
)
"""Short, and more than a hundred million values."""


@pytest.mark.parametrize("read", [load_yaml, load_yaml_documents])
@pytest.mark.parametrize(
    "content",
    [
        "a: &a [*a]",
        "&a {b: {c: *a}}",
        ALIASES_OF_ALIASES,
        "2026-13-01",
        "? [1]\n: 2",
        "[" * 900 + "]" * 899,
        "a: b: c",
        "!!int x",
    ],
    ids=[
        "a list in itself",
        "a mapping in itself",
        "aliases of aliases",
        "a thirteenth month",
        "a list as key",
        "brackets",
        "two colons",
        "no number",
    ],
)
def test_whatever_is_wrong_with_yaml_is_an_error_of_yaml(read, content) -> None:
    with pytest.raises(yaml.YAMLError):
        read(content)


def test_an_alias_that_is_used_twice_is_no_fault() -> None:
    assert load_yaml("a: &a [1, 2]\nb: *a\nc: *a") == {name: [1, 2] for name in "abc"}
    assert load_yaml_documents("a: &a [1]\nb: *a\n---\n---\n2") == [{"a": [1], "b": [1]}, 2]
