"""What options accept, and what they are by default: none of it changes unnoticed."""

from collections.abc import Iterator
from typing import Any

import typer

from brakepoint.cli import build_app
from brakepoint.cores import available_cores

NUMBERS = {
    "replay --speed": (None, None, 1.0),
    "evaluate --confidence": (0, 1, 0.25),
    "evaluate --least-px": (0, None, 0),
    "synth --count": (None, None, 1000),
    "synth --seed": (0, None, 0),
    "base-model --pictures": (1, None, 30000),
    "base-model --epochs": (1, None, 5),
    "track-model --pictures": (6, None, 24000),
    "track-model --epochs": (1, None, 2),
    "train --epochs": (1, None, 3),
    "train --learning-rate": (1e-06, 1, 0.002),
    "train --seed": (0, None, 0),
    "serve --rest-port": (1, 65535, 8080),
    "serve --grpc-port": (1, 65535, 8081),
    "model promote number": (1, None, None),
    "footage stills --scenes": (1, None, 20),
    "footage stills --seed": (0, None, 1),
    "footage cutouts --views": (1, 99, 16),
    "footage cutouts --seed": (0, None, 1),
    "hub calibrate --apart": (20, 1000, 60.0),
    "camera calibrate --beside": (-30, 30, 7.0),
    "camera calibrate --square": (0.1, 20, 2.0),
    "pipeline run --epochs": (1, None, 3),
    "pipeline run --pictures": (1, None, 1000),
    "pipeline run --seed": (0, None, 0),
    "pipeline run --least": (0, 1, 0.5),
    "pipeline run --tolerance": (0, 1, 0.01),
    "pipeline submit --epochs": (1, None, 3),
    "pipeline submit --pictures": (1, None, 1000),
    "pipeline submit --seed": (0, None, 0),
    "pipeline submit --least": (0, 1, 0.5),
    "pipeline submit --tolerance": (0, 1, 0.01),
}
"""Least, greatest and default value of each option, or argument, that is a number."""


ON = {"room souvenirs --films"}
"""The only switches that are on unless one says otherwise."""


def options() -> Iterator[tuple[str, Any]]:
    """Each option and argument of each command, by what is typed."""

    def of(command: Any, path: str) -> Iterator[tuple[str, Any]]:
        for each in command.params:
            yield f"{path} {each.opts[0]}", each
        for name, below in getattr(command, "commands", {}).items():
            yield from of(below, f"{path} {name}".strip())

    return of(typer.main.get_command(build_app()), "")


def test_no_range_and_no_default_of_a_number_changes_unnoticed() -> None:
    found = {
        typed: values
        for typed, each in options()
        if each.type_descriptor.annotation in (int, float)
        and (values := (each.min, each.max, each.default)) != (None, None, None)
    }

    assert found == NUMBERS | {"synth --workers": (None, None, available_cores())}


def test_a_switch_is_off_unless_one_says_so() -> None:
    assert {typed for typed, each in options() if each.default is True} == ON
