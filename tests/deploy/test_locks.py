"""The contents of images are locked with hashes, and an outdated lock is detected."""

import importlib.util
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
NAMES = list(tomllib.loads((ROOT / "deploy" / "images" / "images.toml").read_text("utf-8")))
IMAGE = {"python_version": "3.11", "python_full_version": "3.11.7"}


@pytest.fixture
def locks(monkeypatch):
    monkeypatch.chdir(ROOT)
    spec = importlib.util.spec_from_file_location("make_locks", ROOT / "locks" / "make.py")
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


def versions(lock: str) -> set[tuple[str, str]]:
    """The packages of a lock as in an image; of each version, the part that all its builds share."""
    pins = [Requirement(line.removesuffix("\\")) for line in lock.splitlines() if line[:1].isalnum()]
    held = [pin for pin in pins if pin.marker is None or pin.marker.evaluate(IMAGE)]
    return {(pin.name, str(pin.specifier).partition("+")[0]) for pin in held}


@pytest.mark.parametrize("name", NAMES)
def test_a_lock_is_of_today_s_requirements(name: str, locks) -> None:
    assert lock_of(name).startswith(locks.lock_header(name)), f"the lock of {name} is stale: run make locks"


@pytest.mark.parametrize("name", NAMES)
def test_a_lock_holds_what_the_image_asks_for_and_a_hash_of_each_file(name: str, locks) -> None:
    entries = pinned(lock_of(name))
    asked = {canonicalize_name(Requirement(words).name) for words in locks.requirements(name)}

    assert asked <= entries.keys()
    assert not [package for package, hashes in entries.items() if not hashes]


@pytest.mark.parametrize("name", NAMES)
def test_an_image_holds_the_versions_that_the_tests_ran_with(name: str) -> None:
    tested = versions((ROOT / "locks" / "constraints.txt").read_text("utf-8"))

    assert versions(lock_of(name)) <= tested


@pytest.mark.parametrize("name", NAMES)
def test_an_image_has_the_opencv_without_windows_and_no_other(name: str) -> None:
    packages = {package for package, _ in versions(lock_of(name))}

    assert {"opencv-python-headless", "opencv-python"} & packages == {"opencv-python-headless"}


def test_a_lock_is_stale_as_soon_as_a_requirement_is_another(locks, monkeypatch) -> None:
    before = locks.lock_header("edge")
    asked = locks.requirements("edge")
    monkeypatch.setattr(locks, "requirements", lambda name: [*asked, "another-package"])

    assert locks.lock_header("edge") != before


def test_there_is_a_lock_for_each_image_and_a_stage_to_build_it() -> None:
    containerfile = (ROOT / "deploy/images/Containerfile").read_text("utf-8")
    stages = re.findall(r"^FROM (?:kit|pipeline) AS ([\w-]+)$", containerfile, re.MULTILINE)

    stages.remove("jetson")  # It is built on the lock of `edge`, with wheels that PyPI does not have.
    assert {file.stem for file in (ROOT / "deploy/images/locks").iterdir()} == set(NAMES) == set(stages)


def test_only_pytorch_without_cuda_is_sought_in_an_index_of_its_own(locks, monkeypatch) -> None:
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setenv("BRAKEPOINT_TORCH_INDEX", "https://torch.example/whl/cpu/")
    sought = {name: locks.torch_found_at(image) for name, image in locks.images().items()}

    found_at = ["--find-links", "https://torch.example/whl/cpu/torch/"]
    assert sought == {name: found_at if "torch==2.13.0+cpu" in lock_of(name) else [] for name in NAMES}
