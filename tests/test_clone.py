"""A clone with Git configured as on Windows has the same bytes as here."""

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


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


def test_git_that_writes_crlf_leaves_every_file_as_it_is(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "init", "-q", str(clone))
    git(clone, "config", "core.autocrlf", "true")
    git(clone, "fetch", "-q", "--depth", "1", str(ROOT), "HEAD")
    (clone / ".git" / "info" / "attributes").write_bytes((ROOT / ".gitattributes").read_bytes())
    git(clone, "checkout", "-q", "FETCH_HEAD", "--", *FILES)

    for file in FILES:
        assert (clone / file).read_bytes() == (ROOT / file).read_bytes(), file


@pytest.mark.parametrize("suffix", sorted({"jpg", "mp4", "onnx", "png", "pt", "webp"}))
def test_pictures_films_and_models_are_never_taken_for_text(suffix: str) -> None:
    assert git(ROOT, "check-attr", "text", f"x.{suffix}").endswith("text: unset\n")
