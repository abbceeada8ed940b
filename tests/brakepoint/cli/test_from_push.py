"""What `brakepoint deploy --from-push` prints: the tasks, and the layers of the image that they pushed."""

from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table

from brakepoint.cli.from_push import _layers_table, _tasks_table
from brakepoint.cli.up import teller
from brakepoint.rollout.execution import Account, Done, Outcome
from brakepoint.rollout.store import Layer
from brakepoint.texts import text

IMAGE = "registry/room/train"
PRINTED = "cli.deploy.push"


def printed(table: Table) -> str:
    console = Console(width=200)
    with console.capture() as shown:
        console.print(table)
    return shown.get()


def columns(table: Table) -> dict[str, list[str]]:
    return {str(column.header): [str(cell) for cell in column.cells] for column in table.columns}


def test_each_layer_has_its_size_for_each_architecture() -> None:
    layers = {
        f"{IMAGE}@sha256:a": [Layer("FROM base", 30.0), Layer("COPY " + "x" * 80, 4.26)],
        f"{IMAGE}@sha256:b": [Layer("FROM base", 28.5), Layer("COPY " + "x" * 80, 4.0)],
    }
    listed = {"amd64": "sha256:a", "arm64": "sha256:b"}
    store: Any = SimpleNamespace(architectures=lambda _: listed, layers=layers.__getitem__)

    assert columns(_layers_table(store, f"{IMAGE}@sha256:list")) == {
        text(f"{PRINTED}.column.layer"): ["base", "COPY " + "x" * 55, "total"],
        "amd64 (MB)": ["30.0", "4.3", "34.3"],
        "arm64 (MB)": ["28.5", "4.0", "32.5"],
    }


def test_sizes_have_a_decimal_comma_in_french(monkeypatch) -> None:
    monkeypatch.setenv("BRAKEPOINT_LANG", "fr")
    store: Any = SimpleNamespace(
        architectures=lambda _: {"amd64": "sha256:a"}, layers=lambda _: [Layer("FROM base", 4.26)]
    )

    assert columns(_layers_table(store, IMAGE))["amd64 (MB)"] == ["4,3", "4,3"]


def test_a_task_shows_why_it_failed_or_else_the_last_line_of_its_log() -> None:
    place: Any = SimpleNamespace(last_words=lambda name: f"end of {name}")
    failed = Done(Outcome.FAILED, why="step sign: 1")
    done: Any = SimpleNamespace(
        accounts=[Account("clone", Done(Outcome.SUCCEEDED), 3.6), Account("sign", failed)]
    )

    outcomes = [text(f"{PRINTED}.outcome.{outcome}") for outcome in (Outcome.SUCCEEDED, Outcome.FAILED)]
    assert columns(_tasks_table(place, done)) == {
        text(f"{PRINTED}.column.task"): ["clone", "sign", "total"],
        text(f"{PRINTED}.column.outcome"): [f"[green]{outcomes[0]}[/]", f"[red]{outcomes[1]}[/]", ""],
        text(f"{PRINTED}.column.seconds"): ["4", "0", "4"],
        text(f"{PRINTED}.column.note"): ["end of clone", "step sign: 1", ""],
    }


LAST_WORDS = ("[notice] A new release of pip is available", "sh: [/usr/bin/env: not found]", "[red]loud[/]")


@pytest.mark.parametrize("words", LAST_WORDS)
def test_what_a_task_said_or_an_image_was_made_by_is_shown_as_it_is(words) -> None:
    place: Any = SimpleNamespace(last_words=lambda name: words)
    done: Any = SimpleNamespace(accounts=[Account("clone", Done(Outcome.SUCCEEDED))])
    store: Any = SimpleNamespace(
        architectures=lambda _: {"amd64": "sha256:a"},
        layers=lambda _: [Layer("FROM base", 1.0), Layer(words, 1.0)],
    )

    assert words in printed(_tasks_table(place, done))
    assert words in printed(_layers_table(store, f"{IMAGE}@sha256:list"))


def test_a_pod_that_only_an_overlay_knows_is_heard_like_the_kits_own() -> None:
    console = Console(width=200)
    with console.capture() as shown:
        for name in ("broker", "exporter"):
            teller(console)(name, "[/up]")

    assert [line.split() for line in shown.get().splitlines()] == [
        ["broker", "│", "[/up]"],
        ["exporter", "│", "[/up]"],
    ]
