"""A pytest plugin: tells coverage which test is running, and writes each duration to a file."""

import json
import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import coverage
import pytest

SECONDS_FILE = "MUTANTS_SECONDS"
"""The environment variable that names the file."""

seconds: dict[str, float] = defaultdict(float)
unfit: set[str] = set()
"""Failed or skipped: they say nothing of a change."""


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Attributes all lines that run from now on to this test."""
    measuring = coverage.Coverage.current()
    if measuring is not None:
        measuring.switch_context(item.nodeid)
    yield


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Adds up the durations of set-up, test and clean-up."""
    seconds[report.nodeid] += report.duration
    if not report.passed:
        unfit.add(report.nodeid)


def pytest_sessionfinish() -> None:
    """Writes the durations to the file."""
    fit = {test: took for test, took in seconds.items() if test not in unfit}
    Path(os.environ[SECONDS_FILE]).write_text(json.dumps(fit), encoding="utf-8")
