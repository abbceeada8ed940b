"""A clone with Git configured as on Windows has the same bytes as here."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = (
    "tests/system/require",
    "labs/step1_dataset.py",
    "dataset/stills/annotations.json",
    "videos/track-stop.mp4",
)
WHO = ("-c", "user.name=Test", "-c", "user.email=test@example.org")


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """A repository with some of the kit's files, since a kit from an archive is not one."""
    folder = tmp_path / "origin"
    git(tmp_path, "init", "-q", str(folder))
    for file in (".gitattributes", *FILES):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / file, folder / file)
    git(folder, "add", ".")
    git(folder, *WHO, "commit", "-q", "-m", "The kit")
    return folder


def test_git_that_writes_crlf_leaves_every_file_as_it_is(origin: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--config", "core.autocrlf=true", str(origin), str(clone))

    for file in FILES:
        assert (clone / file).read_bytes() == (ROOT / file).read_bytes(), file


@pytest.mark.parametrize("suffix", sorted({"jpg", "mp4", "onnx", "png", "pt", "webp"}))
def test_pictures_films_and_models_are_never_taken_for_text(suffix: str, origin: Path) -> None:
    assert git(origin, "check-attr", "text", f"x.{suffix}").endswith("text: unset\n")
