"""Each text is used: its key is somewhere in the code, or composed from what the code lists."""

import ast
import errno
import re
from collections.abc import Iterable, Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import get_args

import pytest
import typer

from benchmarks.live import LiveMeasurement
from benchmarks.live_compare import OneAtATime
from benchmarks.live_trains import Served
from benchmarks.load import COLUMNS as LOAD_COLUMNS
from benchmarks.radio_stage import FAULTS as RADIO_FAULTS
from benchmarks.stages import OF_FRAME, OF_MISSION, OF_TRAINING
from benchmarks.stopwatch import COLUMNS as STAGES_COLUMNS
from brakepoint.board.watcher import State
from brakepoint.cli import build_app
from brakepoint.cli.usage import NUMBERS, VALUE_WORD
from brakepoint.cluster.findings import Rule
from brakepoint.cluster.references import yours
from brakepoint.course import course
from brakepoint.incidents.causes import CAUSES, HINTS, INCIDENTS
from brakepoint.incidents.probes import PROBES
from brakepoint.labels.signs import PassedOver
from brakepoint.messages import Fault, Health, Light, OrderKind, Reason, SignClass
from brakepoint.mission.records import Ending, MomentKind, Penalty, SignFault
from brakepoint.proving.ground import Candidate, Proof
from brakepoint.proving.weather import WEATHERS
from brakepoint.rollout.execution import Outcome
from brakepoint.room.outcomes import Failure
from brakepoint.room.provisioning import What
from brakepoint.room.rehearsal import PATIENCE_S
from brakepoint.room.sandbox import Protection
from brakepoint.scenery.artwork import DRAWINGS
from brakepoint.scenery.scenario import Scenario, ScenarioSign
from brakepoint.services import SERVICES
from brakepoint.services.faults import FAULTS, TRAIN_KILLED
from brakepoint.services.gate import Refusal
from brakepoint.services.topics import TOPICS
from brakepoint.steps import SOURCES
from brakepoint.texts import catalogue
from brakepoint.track import Curve, Straight
from brakepoint.validation import SAID
from brakepoint.workshop.curves import CHARTS
from brakepoint.workshop.explanations import PARTS
from brakepoint.workshop.renewal import Fate
from brakepoint.worlds import World

ROOT = Path(__file__).parent.parent
ROOMS = ("brakepoint", "footage", "solutions", "stubs", "hardware", "benchmarks", "docs", "locks")
SCRIPTS = [path for room in ROOMS for path in (ROOT / room).glob("**/*.py")] + [
    ROOT / "tests/workshop_check.py"
]
PAGES = [
    path
    for room in ROOMS
    for kind in ("j2", "html", "js", "yml")
    for path in (ROOT / room).glob(f"**/*.{kind}")
]

STEPS = [step.name for step in course()]
EXERCISES = [f"{step.name}.{exercise}" for step in course() for exercise in step.exercises]
SLIDES = re.findall(r'Slide\("(\w+)"', (ROOT / "docs" / "slides.py").read_text("utf-8"))


def command_names(command: object, above: str = "") -> Iterator[str]:
    """Every command, with the names of its groups: `room.plan`."""
    for name, below in getattr(command, "commands", {}).items():
        yield f"{above}{name}"
        yield from command_names(below, f"{above}{name}.")


def value_words(command: object) -> set[str]:
    """Every word that names a value, as the commands write it."""
    below = getattr(command, "commands", {}).values()
    named = " ".join(each.metavar or "" for each in getattr(command, "params", []))
    return set(VALUE_WORD.findall(named)).union(*map(value_words, below))


LISTED: dict[str, Iterable[str]] = {
    "cli.deploy.push.outcome.{}": Outcome,
    "validation.{}": {*SAID.values()},
    "weather.{}": WEATHERS,
    "prove.count.{}": Proof.of(Candidate("", ""), [], []).counts(),
    "order.{}": OrderKind,
    "reason.{}": Reason,
    "light.{}": Light,
    "sign.class.{}": SignClass,
    "world.{}": World,
    "sign.kind.{}": DRAWINGS,
    "scenario.field.{}": [
        *Scenario.model_fields,
        *ScenarioSign.model_fields,
        *Straight.model_fields,
        *Curve.model_fields,
    ],
    "monitor.service.{}": SERVICES.keys() - {"broker"},
    "score.ending.{}": Ending,
    "notebook.ending.{}": set(Ending) - {Ending.TRAIN_LOST},
    "score.fault.{}": SignFault,
    "check.step6.drive.{}": SignFault,
    "score.moment.{}": MomentKind,
    "score.penalty.{}": Penalty,
    "live.fault.{}": Fault,
    "live.health.{}": Health,
    "live.refusal.{}": Refusal,
    "live.topic.reason.{}": [topic.name for topic in TOPICS],
    "board.state.{}": State,
    "update.{}": Fate,
    "labels.note.{}": PassedOver,
    "room.what.{}": What,
    "room.reason.{}": Failure,
    "room.kind.{}": Failure,
    "room.protection.{}": Protection,
    "room.phase.{}": PATIENCE_S,
    "cluster.finding.{}": get_args(Rule),
    "cluster.yours.{}": [one["reason"] for one in yours() if "reason" in one],
    "docs.alert.{}": ("note", "tip", "warning"),
    "docs.track.{}": ("core", "further"),
    "souvenir.made.{}": STEPS,
    "souvenir.by.{}": SOURCES,
    **{f"souvenir.chart.{{}}.{part}": CHARTS for part in ("title", "below", "told")},
    **{f"slides.{{}}.{part}": SLIDES for part in ("title", "points", "notes", "picture")},
    "course.{}.title": STEPS,
    "course.{}.done": STEPS,
    "course.{}.outcome": STEPS,
    "question.{}.ask": STEPS,
    "question.{}.choice": STEPS,
    **{f"lab.{{}}.{part}": EXERCISES for part in ("title", "todo", "hint1", "hint2", "hint3")},
    "incident.symptom.{}": [incident.name for incident in INCIDENTS],
    "incident.cause.{}": CAUSES,
    **{f"incident.hints.{{}}.{hint}": [one.name for one in INCIDENTS] for hint in range(1, HINTS + 1)},
    **{f"incident.finding.{{}}.{state}": PROBES for state in ("well", "ill")},
    **{f"explain.{{}}.{part}": EXERCISES for part in PARTS},
    "workshop.explained.{}": PARTS,
    "make.{}": re.findall(r"(?m)^([a-z-]+):.*## ", (ROOT / "Makefile").read_text("utf-8")),
    "setup.{}": re.findall(r"\$\(SAY\) setup\.([a-z]+)", (ROOT / "Makefile").read_text("utf-8")),
    "system.{}": {*errno.errorcode.values()} & {key.removeprefix("system.") for key in catalogue()},
    "cli.usage.{}": ("flag", "no_value", *NUMBERS.values()),
    "cli.value.{}": value_words(typer.main.get_command(build_app())),
    "cli.{}.help": [*command_names(typer.main.get_command(build_app()))],
    "bench.drill.faults.{}": (*FAULTS, TRAIN_KILLED),
    "bench.radio.faults.{}": RADIO_FAULTS,
    "bench.live_{}": [field.name for field in fields(LiveMeasurement)],
    "bench.trains.{}": [field.name for field in fields(Served)],
    "bench.compare.{}": [field.name for field in fields(OneAtATime)],
    "bench.stages.{}": (*OF_FRAME, *OF_MISSION, *OF_TRAINING, *STAGES_COLUMNS),
    "bench.load.{}": LOAD_COLUMNS,
}
"""Families of keys, each of which has a text for every member of a list in the code."""
MADE_IN = {
    "pipeline.task.{}": "brakepoint/pipeline/local.py",
    "live.health.{}": "brakepoint/monitor/onlooker.py",
    "live.log.{}": "brakepoint/services/**/*.py",
    "hub.guard.{}": "hardware/hub_guard.py",
    "calibrate.figure.{}": "brakepoint/calibration/*.py",
    "calibrate.name.{}": "brakepoint/calibration/*.py",
    "hub.say.{}": "hardware/powered_up.py",
    "hub.lost.{}": "hardware/*.py",
    "hub.error.{}": "hardware/ble_hub.py",
    "bench.detectors.{}": "benchmarks/detectors.py",
    "bench.detectors.{}_int8": "benchmarks/detectors.py",
    "check.step6.exam.{}": "brakepoint/workshop/checks/exam.py",
    "question.figure.{}": "brakepoint/workshop/questions.py",
}
"""Families of keys whose last part is a word from files other than the one that composes the keys."""


@cache
def syntax(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


@cache
def words_of(path: Path) -> set[str]:
    """The strings in a script, and the names of its arguments and of the fields that it declares."""
    words = set()
    for node in ast.walk(syntax(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            words.add(node.value)
        elif isinstance(node, ast.keyword) and node.arg:
            words.add(node.arg)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            words.add(node.target.id)
    return words


def templates_of(path: Path) -> Iterator[re.Pattern[str]]:
    """The keys that a script composes with f-strings; those of checks omit their first word."""
    for node in ast.walk(syntax(path)):
        if (
            isinstance(node, ast.JoinedStr)
            and isinstance(node.values[0], ast.Constant)
            and "." in str(node.values[0].value)
        ):
            parts = (
                re.escape(str(part.value)) if isinstance(part, ast.Constant) else r"([\w.-]+)"
                for part in node.values
            )
            yield re.compile(r"(?:check\.)?" + "".join(parts))


def named(keys: Iterable[str]) -> set[str]:
    """The keys that a script or a page contains in full."""
    in_scripts = {word for path in SCRIPTS for word in words_of(path)}
    in_pages = {
        word for path in PAGES for word in re.findall(r"[\w-]+(?:\.[\w-]+)+", path.read_text("utf-8"))
    }
    return {key for key in keys if {key, key.removeprefix("check.")} & (in_scripts | in_pages)}


def put_together(keys: Iterable[str]) -> set[str]:
    """The keys of f-strings whose gaps are filled with words of the same script."""
    return {
        key
        for path in SCRIPTS
        for template in templates_of(path)
        for key in keys
        if (found := template.fullmatch(key)) and set(found.groups()) <= words_of(path)
    }


def listed() -> set[str]:
    return {template.format(member) for template, members in LISTED.items() for member in members}


def made_elsewhere() -> set[str]:
    return {
        template.format(word)
        for template, pattern in MADE_IN.items()
        for path in ROOT.glob(pattern)
        for word in words_of(path)
    }


def unused(keys: Iterable[str]) -> set[str]:
    return {*keys} - listed() - made_elsewhere() - named(keys) - put_together(keys)


def test_each_text_is_used() -> None:
    assert unused(catalogue()) == set()


def test_a_text_that_nothing_uses_is_found_in_whatever_family() -> None:
    invented = {template.format("invented") for template in (*LISTED, *MADE_IN)} | {"check.step1.invented"}

    assert unused(invented) == invented


@pytest.mark.parametrize("template", LISTED)
def test_each_member_of_a_list_has_its_text(template: str) -> None:
    assert {template.format(member) for member in LISTED[template]} - catalogue().keys() == set()
