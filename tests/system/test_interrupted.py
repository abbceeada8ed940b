"""Ctrl-C on a terminal, several times at random: each command ends quietly, with all its processes."""

import os
import random
import sys
from pathlib import Path

import pytest
from pseudo_terminal import interrupt_after

BRAKEPOINT = str(Path(sys.executable).with_name("brakepoint"))
TIMES = int(os.environ.get("INTERRUPTIONS", "3"))
"""Of each command; `make soak` interrupts each twenty times."""
COMMANDS: dict[str, tuple[float, tuple[str, ...]]] = {
    "dataset": (4.0, ("dataset",)),
    "synth": (6.0, ("synth", "--out", "made", "--count", "300")),
    "mission": (8.0, ("mission", "--feed", "track-stop")),
    "check": (4.0, ("check", "1")),
    "evaluate": (4.0, ("evaluate", "made")),
    "serve": (8.0, ("serve",)),
    "train": (20.0, ("train", "--data", "made")),
    "base-model": (8.0, ("base-model", "--pictures", "200")),
    "track-model": (12.0, ("track-model", "--pictures", "60")),
    "doctor": (2.0, ("doctor",)),
}
"""By name: the longest that is waited, and what is typed."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with data for evaluation and training."""
    from brakepoint.cli import run

    made = tmp_path_factory.mktemp("interrupted")
    assert run(["synth", "--out", str(made / "made"), "--count", "100"]) == 0
    return made


@pytest.mark.parametrize("name", COMMANDS)
def test_ctrl_c_ends_a_command_at_any_moment(folder, name: str) -> None:
    longest_s, words = COMMANDS[name]
    chance = random.Random(name)

    for _ in range(TIMES):
        delay_s = chance.uniform(0.1, longest_s)
        status, said = interrupt_after([BRAKEPOINT, *words], folder, delay_s)
        assert status in (0, 1, 2, 130), (delay_s, said)
        assert "Traceback" not in said and "Exception" not in said, (delay_s, said)


def test_the_live_train_is_not_said_to_be_ready_when_it_is_stopped_while_it_starts(folder) -> None:
    chance = random.Random("up")

    for _ in range(TIMES):
        delay_s = chance.uniform(0.1, 6.0)
        status, said = interrupt_after([BRAKEPOINT, "up"], folder, delay_s)
        _, pressed, after = said.partition("^C")
        assert pressed and "Everything is ready" not in after, (delay_s, said)
        assert status in (0, 130), (delay_s, said)
        assert "Traceback" not in said, (delay_s, said)
