"""What is in an image is written down to the hash, and a lock that was left behind is noticed."""

import importlib.util
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
NAMES = list(tomllib.loads((ROOT / "deploy" / "images" / "images.toml").read_text("utf-8")))


@pytest.fixture
def build(monkeypatch):
    monkeypatch.chdir(ROOT)
    spec = importlib.util.spec_from_file_location("build", ROOT / "deploy" / "images" / "build.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def lock_of(name: str) -> str:
    return (ROOT / "deploy" / "images" / "locks" / f"{name}.txt").read_text("utf-8")


def pinned(lock: str) -> dict[str, list[str]]:
    """The entries of a lock by package, each with its hashes."""
    entries = re.split(r"^(?=[a-z0-9])", lock, flags=re.MULTILINE)[1:]
    return {entry.partition("==")[0]: re.findall(r"--hash=sha256:[0-9a-f]{64}", entry) for entry in entries}


@pytest.mark.parametrize("name", NAMES)
def test_a_lock_is_of_today_s_requirements(name: str, build) -> None:
    assert lock_of(name).startswith(build.lock_header(name)), f"the lock of {name} is stale: run make locks"


@pytest.mark.parametrize("name", NAMES)
def test_a_lock_holds_what_the_image_asks_for_and_a_hash_of_each_file(name: str, build) -> None:
    entries = pinned(lock_of(name))
    asked = {canonicalize_name(Requirement(words).name) for words in build.requirements(name)}

    assert asked <= entries.keys()
    assert not [package for package, hashes in entries.items() if not hashes]


def test_a_lock_is_stale_as_soon_as_a_requirement_is_another(build, monkeypatch) -> None:
    before = build.lock_header("edge")
    asked = build.requirements("edge")
    monkeypatch.setattr(build, "requirements", lambda name: [*asked, "another-package"])

    assert build.lock_header("edge") != before


def test_there_is_a_lock_for_each_image_and_a_stage_to_build_it() -> None:
    containerfile = (ROOT / "deploy/images/Containerfile").read_text("utf-8")
    stages = re.findall(r"^FROM (?:kit|pipeline) AS ([\w-]+)$", containerfile, re.MULTILINE)

    assert {file.stem for file in (ROOT / "deploy/images/locks").iterdir()} == set(NAMES) == set(stages)
