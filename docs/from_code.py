"""The parts of the site that are written from the code when it is built: `<!-- from the code: NAME -->`.

Each writer takes an argument, if it needs one, and returns Markdown. What comes from docstrings is in English
in every language; what comes from `brakepoint/texts` is in the reader's.
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
from brakepoint.course import ROOT, Track, course, find_step, set_up_minutes
from brakepoint.mission import records, report
from brakepoint.services import ServiceSettings
from brakepoint.services.metrics import METRICS
from brakepoint.texts import text

HEADS = {
    "exercise": ("exercise", "track", "about", "todo"),
    "step": ("step", "core_minutes", "core", "minutes", "exercises"),
    "clock": ("minute", "clock", "begins", "late"),
    "option": ("option", "meaning", "default"),
    "field": ("field", "type", "meaning"),
    "metric": ("metric", "type", "labels", "meaning"),
    "variable": ("variable", "meaning", "default"),
    "rule": ("constant", "value", "meaning"),
}
"""The columns of each table: `docs.column.NAME` in the catalogue."""
BEGINS_H = 13
"""The hour at which the example of the clock begins."""
ATTRIBUTE = re.compile(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", re.MULTILINE)


def _table(kind: str, rows: Iterable[Sequence[object]]) -> str:
    def line(cells: Sequence[object]) -> str:
        return f"| {' | '.join(' '.join(str(cell).split()).replace('|', '&#124;') for cell in cells)} |"

    head = [text(f"docs.column.{column}") for column in HEADS[kind]]
    return "\n".join([line(head), line(["---"] * len(head)), *(line(row) for row in rows)]) + "\n"


def _code(words: object) -> str:
    return f"`{words}`" if str(words) else ""


def exercises(number: str) -> str:
    """The exercises of one step."""
    step = find_step(number)
    rows = [
        [_code(name), text(f"docs.track.{Track.CORE if name in step.core else 'further'}")]
        + [_plain(text(f"lab.{step.name}.{name}.{part}")) for part in ("title", "todo")]
        for name in step.exercises
    ]
    return _table("exercise", rows)


def _plain(words: str) -> str:
    """Keeps what is meant literally from being read as Markdown."""
    return re.sub(r"([\\`*_<\[])", r"\\\1", words)


def steps() -> str:
    """The steps of the course, with links to their pages."""
    rows = [
        (
            f"[{step.number}. {text(f'course.{step.name}.title')}](step{step.number}.md)",
            step.core_minutes,
            len(step.core),
            step.minutes,
            len(step.exercises),
        )
        for step in course()
    ]
    return _table("step", rows)


def clock(track: str) -> str:
    """When each step begins on a track, and what helps those who are not there by then."""
    beside = text("docs.clock.beside")
    rows = [(*_at(0), text("docs.clock.login"), beside)]
    minute = set_up_minutes()
    for step in course():
        name = text("workshop.step", number=step.number, title=text(f"course.{step.name}.title"))
        late = _code(f"brakepoint catch-up {step.number - 1}") if step.number > 1 else beside
        rows.append((*_at(minute), name, late))
        minute += step.minutes_of(Track(track))
    return _table("clock", [*rows, (*_at(minute), text("docs.clock.end"), "")])


def _at(minute: int) -> tuple[int, str]:
    """A minute of the day, and what the clock shows then."""
    hours, minutes = divmod(BEGINS_H * 60 + minute, 60)
    return minute, f"{hours}:{minutes:02}"


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
                _code(", ".join(option.opts) if option.opts[0].startswith("-") else option.name.upper()),
                _plain(option.help or ""),
                _default(option.default),
            )
            for option in below.params
            if option.name != "help"
        ]
        if rows:
            yield _table("option", rows)
        yield from _commands(full, below)


def _default(value: object) -> str:
    if callable(value) or value is None or value is False or value is ...:
        return ""
    if isinstance(value, Path | str) and Path(value).is_relative_to(ROOT):
        value = Path(value).relative_to(ROOT)
    return _code(value)


def models(group: str) -> str:
    """The fields of the messages, or of what is written to files."""
    return "\n".join(
        f"### {model.__name__}\n\n{_first_line(model)}\n\n" + _table("field", _fields(model))
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
    """What the docstrings of a class and of those above it say about its attributes."""
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
        yield _code(name), _code(words), _plain(meanings.get(name, "")).replace("\\`", "`")


def metrics() -> str:
    """Every metric of the services."""
    rows = []
    for metric in METRICS:
        for family in metric.describe():
            name = f"{family.name}_total" if family.type == "counter" else family.name
            rows.append((_code(name), family.type, ", ".join(metric._labelnames), family.documentation))
    return _table("metric", rows)


def settings() -> str:
    """What the services are told by the environment."""
    meanings = _meanings(ServiceSettings)
    rows = [
        (_code(f"BRAKEPOINT_{field.name.upper()}"), meanings[field.name], _code(field.default))
        for field in fields(ServiceSettings)
    ]
    return _table("variable", rows)


def line_rules() -> str:
    """The constants that a run is scored by."""
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
        shown = ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else value
        rows.append((_code(name), _code(shown), meaning))
    return _table("rule", rows)


WRITERS: dict[str, Callable[..., str]] = {
    "exercises": exercises,
    "steps": steps,
    "clock": clock,
    "commands": commands,
    "models": models,
    "metrics": metrics,
    "settings": settings,
    "rules": line_rules,
}
