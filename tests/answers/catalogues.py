"""The recorded data: right answers in other styles, and mutants that are also right."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from brakepoint.course import Step

HERE = Path(__file__).parent


def styles(step: Step, exercise: str) -> dict[str, str]:
    """Right answers to an exercise, by the name of their style."""
    found: dict[str, str] = _styles(step.number)[exercise]
    return found


def equivalents(step: Step, exercise: str) -> dict[tuple[str, str], str]:
    """Why a mutant is also right, by the code before and after the change."""
    return {
        (entry["before"], entry["after"]): entry["reason"]
        for entry in _equivalent()
        if (entry["step"], entry["exercise"]) == (step.number, exercise)
    }


@cache
def _styles(number: int) -> dict[str, dict[str, str]]:
    return tomllib.loads((HERE / f"styles_step{number}.toml").read_text(encoding="utf-8"))


@cache
def _equivalent() -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = tomllib.loads((HERE / "equivalent.toml").read_text("utf-8"))["equivalent"]
    return entries
