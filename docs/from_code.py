"""Writes parts of the site from the code when the site is built: `<!-- from the code: NAME -->`.

Each writer takes an argument, if it needs one, and returns Markdown. Texts from docstrings are in English in
every language; texts from `brakepoint/texts` are in the reader's language.
"""

import ast
import inspect
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import get_args, get_type_hints

import typer
from pydantic import BaseModel

from brakepoint import messages, rules, truth
from brakepoint.cli import build_app
from brakepoint.course import ROOT
from brakepoint.mission import records, report
from brakepoint.services import ServiceSettings
from brakepoint.services.metrics import METRICS
from brakepoint.workshop.tables import code, plain, table

ATTRIBUTE = re.compile(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", re.MULTILINE)


def commands() -> str:
    """Every command with its options."""
    return "\n".join(_commands("brakepoint", typer.main.get_command(build_app())))


def _commands(name: str, command: object) -> Iterable[str]:
    for word, below in getattr(command, "commands", {}).items():
        full = f"{name} {word}"
        heading = "###" if getattr(below, "commands", None) is None and full.count(" ") > 1 else "##"
        yield f"{heading} {full} {{ #{full.replace(' ', '-')} }}\n\n{below.help}\n"
        rows = [
            (
                code(", ".join(option.opts) if option.opts[0].startswith("-") else option.name.upper()),
                plain(option.help or ""),
                _default(option.default),
            )
            for option in below.params
            if option.name != "help"
        ]
        if rows:
            yield table("option", rows)
        yield from _commands(full, below)


def _default(value: object) -> str:
    if callable(value) or value is None or value is False or value is ...:
        return ""
    if isinstance(value, Path | str) and Path(value).is_relative_to(ROOT):
        value = Path(value).relative_to(ROOT)
    return code(value)


def models(group: str) -> str:
    """The fields of the messages, or of the files that the kit writes."""
    return "\n".join(
        f"### {model.__name__}\n\n{_first_line(model)}\n\n" + table("field", _fields(model))
        for model in GROUPS[group]
    )


GROUPS: dict[str, tuple[type[BaseModel], ...]] = {
    "messages": (
        messages.Detection,
        messages.Detections,
        messages.Order,
        messages.GivenOrder,
        messages.TrainState,
        messages.Wish,
        messages.Control,
        messages.MissionState,
        messages.Status,
    ),
    "report": (
        report.Report,
        report.Mission,
        records.Score,
        records.SignOutcome,
        records.Lost,
        records.Moment,
        report.OrderChange,
    ),
    "recording": (report.Recording, records.Run, records.Tick),
    "truth": (
        truth.GroundTruth,
        truth.CameraModel,
        truth.TruthSign,
        truth.TruthFrame,
        truth.VisibleSign,
    ),
}


def _first_line(thing: object) -> str:
    return (inspect.getdoc(thing) or "").split("\n\n")[0]


def _meanings(thing: type) -> dict[str, str]:
    """The attributes' meanings, from the docstrings of a class and its base classes."""
    said: dict[str, str] = {}
    for each in reversed(thing.__mro__):
        said |= dict(ATTRIBUTE.findall(inspect.cleandoc(each.__doc__ or "").partition("Attributes:")[2]))
    return said


def _fields(model: type[BaseModel]) -> Iterable[Sequence[str]]:
    meanings, kinds = _meanings(model), get_type_hints(model)
    for name in model.model_fields:
        kind = kinds[name]
        words = kind.__name__ if isinstance(kind, type) and not get_args(kind) else str(kind)
        words = re.sub(r"\b(?:\w+\.)+(\w+)", r"\1", words).replace("NoneType", "None")
        yield code(name), code(words), plain(meanings.get(name, "")).replace("\\`", "`")


def metrics() -> str:
    """Every metric of the services."""
    rows = []
    for metric in METRICS:
        for family in metric.describe():
            name = f"{family.name}_total" if family.type == "counter" else family.name
            rows.append((code(name), family.type, ", ".join(metric._labelnames), family.documentation))
    return table("metric", rows)


def settings() -> str:
    """The services' settings in the environment."""
    meanings = _meanings(ServiceSettings)
    rows = [
        (code(f"BRAKEPOINT_{field.name.upper()}"), meanings[field.name], code(field.default))
        for field in fields(ServiceSettings)
    ]
    return table("variable", rows)


def line_rules() -> str:
    """The constants for scoring a run."""
    body = ast.parse(Path(rules.__file__).read_text(encoding="utf-8")).body
    rows = []
    for assignment, said in zip(body, [*body[1:], None], strict=True):
        if not isinstance(assignment, ast.Assign) or not isinstance(assignment.targets[0], ast.Name):
            continue
        name = assignment.targets[0].id
        meaning = ""
        if isinstance(said, ast.Expr) and isinstance(said.value, ast.Constant):
            meaning = str(said.value.value)
        value = getattr(rules, name)
        if isinstance(value, dict):
            value = [f"{key} {each}" for key, each in value.items()]
        shown = ", ".join(map(str, value)) if isinstance(value, list | tuple) else value
        rows.append((code(name), code(shown), meaning))
    return table("rule", rows)


WRITERS: dict[str, Callable[..., str]] = {
    "commands": commands,
    "models": models,
    "metrics": metrics,
    "settings": settings,
    "rules": line_rules,
}
