"""This file also makes pytest put this folder on the path: tests share `driving` and `strategies`."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from pseudo_language import PSEUDO, add_to

from brakepoint import texts

pytest_plugins = ["fake_bluez"]

# Machines are shared and runners slow: how long an example takes says nothing about the code.
settings.register_profile("brakepoint", deadline=None)
settings.register_profile("soak", deadline=None, max_examples=10_000)
settings.load_profile("brakepoint")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # As in a background job of a shell script.
    signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # As under nohup.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

ENDING = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
"""The signals that commands handle while they run."""

GIVING_WAY = 10
"""The nice value of a process that leaves the processor to tests in real time."""


TOGETHER = (
    "tests/radio/test_mission_by_radio.py",
    "tests/solutions/test_step3_training.py",
    "tests/system/test_docs_site.py",
    "tests/system/test_interrupted.py",
    "tests/test_wheel.py",
)
"""Files whose tests share something that takes a long time to create: one worker runs them all."""
LONG = (
    "tests/system/test_footage.py",
    "tests/system/test_torch_notebooks.py",
    "tests/system/test_installed.py",
    "tests/system/test_forty_hand_ins.py",
)
"""Files with tests of a minute or more. They come first: at the end, other workers would wait for them."""
LIVE_AT_ONCE = 2
"""This many tests in real time run at once, however many workers there are; each takes half of a core."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Shares tests out one by one, except those that belong together, and those in real time.

    The marker `xdist_group` would have the same effect, but xdist 3.8 loses it under pytest 9.2.
    """
    from xdist.scheduler import LoadScopeScheduling

    root: Path = config.rootpath
    files = {path.relative_to(root).as_posix(): path for path in sorted((root / "tests").rglob("test_*.py"))}
    live = [name for name, path in files.items() if "mark.live" in path.read_text(encoding="utf-8")]
    together = {name: name for name in TOGETHER}
    together |= {name: f"live {number % LIVE_AT_ONCE}" for number, name in enumerate(live)}

    class OneByOne(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return together.get(file_of(nodeid), nodeid)

    return OneByOne(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Runs the tests in real time first, and then the long ones."""
    items.sort(key=lambda item: (item.get_closest_marker("live") is None, file_of(item.nodeid) not in LONG))


def file_of(nodeid: str) -> str:
    return nodeid.partition("::")[0]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Lowers the priority of workers with other tests, in favour of the services of a live test."""
    if "PYTEST_XDIST_WORKER" in os.environ and item.get_closest_marker("live") is None and os.nice(0) == 0:
        os.nice(GIVING_WAY)


@pytest.fixture(autouse=True)
def own_environment() -> Iterator[None]:
    """Restores the environment and signal handlers after each test, since commands change both."""
    before = dict(os.environ)
    handlers = {number: signal.getsignal(number) for number in ENDING}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)
    for name in os.environ.keys() - before.keys():
        del os.environ[name]
    os.environ.update(before)


@pytest.fixture(scope="session")
def short_feed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The video of a short feed with one danger that counts, with its ground truth beside it."""
    from recordings import make_feed

    return make_feed(tmp_path_factory.mktemp("videos"))


@pytest.fixture
def pseudo_language(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A third language, defined only by its catalogue."""
    folder = tmp_path / "texts"
    shutil.copytree(str(texts.FOLDER), folder)
    add_to(folder)
    monkeypatch.setattr(texts, "FOLDER", folder)
    texts.catalogue.cache_clear()
    yield PSEUDO
    monkeypatch.undo()
    texts.catalogue.cache_clear()
