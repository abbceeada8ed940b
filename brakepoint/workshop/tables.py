"""Tables about the course and scenarios, for documentation pages that a forge shows, too.

`<!-- table: exercises 1 -->` … `<!-- end of table -->` is filled by `python -m brakepoint.workshop.figures`.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from brakepoint.course import TRACK_VARIABLE, Step, Track, course, find_step, set_up_minutes
from brakepoint.scenery.artwork import PLATES
from brakepoint.scenery.scenario import TRACK_MAX_CM, TRACK_MIN_CM, Scenario
from brakepoint.texts import text
from brakepoint.workshop.labs import part_with

HEADS = {
    "exercise": ("exercise", "track", "about"),
    "exercise_in_file": ("exercise", "track", "file", "about"),
    "step": ("step", "core_minutes", "core", "minutes", "exercises"),
    "clock": ("minute", "clock", "begins", "late"),
    "option": ("option", "meaning", "default"),
    "field": ("field", "type", "meaning"),
    "metric": ("metric", "type", "labels", "meaning"),
    "variable": ("variable", "meaning", "default"),
    "rule": ("constant", "value", "meaning"),
    "scenario": ("field", "values", "default", "meaning"),
    "kind": ("kind", "sign", "class"),
}
"""The columns of each table: `docs.column.NAME` in the catalogue."""
BEGINS_H = 13
"""The hour at which the example schedule begins."""
NUMBER = re.compile(r"[−-]?[\d.,:]+")
"""A number, or a time of day."""
MARK = re.compile(r"(<!-- table: (\w+) ?(\w*) -->\n).*?(<!-- end of table -->)", re.DOTALL)


def with_tables(words: str, lang: str) -> str:
    """The words of a page with the current content of each table.

    Args:
        words: Text of a page.
        lang: The page's language.

    Raises:
        KeyError: There is no such table.
    """
    return MARK.sub(
        lambda mark: f"{mark[1]}\n{WRITERS[mark[2]](lang, *mark[3].split())}\n{mark[4]}",
        words,
    )


def table(kind: str, rows: Iterable[Sequence[object]], lang: str | None = None) -> str:
    """A table in Markdown, with columns of numbers aligned to the right.

    Args:
        kind: Key in `HEADS` for the columns.
        rows: The cells of each row, in Markdown.
        lang: Language of the headings; by default the reader's.
    """

    def line(cells: Sequence[object]) -> str:
        return f"| {' | '.join(' '.join(str(cell).split()).replace('|', '&#124;') for cell in cells)} |"

    head, rows = [text(f"docs.column.{column}", lang) for column in HEADS[kind]], list(rows)
    rule = ["---:" if all(map(_is_number, column)) else "---" for column in zip(*rows, strict=True)]
    return "\n".join(map(line, [head, rule, *rows])) + "\n"


def _is_number(cell: object) -> bool:
    return NUMBER.fullmatch(str(cell)) is not None


def code(words: object) -> str:
    """Formats a string as code; an empty one stays empty."""
    if "|" in str(words):  # Between backticks, the entity that keeps `|` from ending a cell would be shown.
        return f"<code>{plain(str(words))}</code>"
    return f"`{words}`" if str(words) else ""


def plain(words: str) -> str:
    """Escapes literal text for Markdown."""
    return re.sub(r"([\\`*_<\[])", r"\\\1", words)


def _exercises(lang: str, number: str) -> str:
    """The exercises of one step, with their files if there are several, and how to take only the core."""
    step = find_step(number)
    rows = [
        [code(name), text(f"docs.track.{Track.CORE if name in step.core else 'further'}", lang)]
        + ([code(part_with(step, name).relative_to(step.lab.name))] if step.files else [])
        + [plain(text(f"lab.{step.name}.{name}.title", lang))]
        for name in step.exercises
    ]
    setting = f"{TRACK_VARIABLE}={Track.CORE}"
    words = text("docs.tracks", lang, minutes=step.core_minutes, setting=setting)
    return f"{table('exercise_in_file' if step.files else 'exercise', rows, lang)}\n{words}\n"


def _steps(lang: str) -> str:
    """The steps of the course, with links to their pages."""
    rows = [
        (
            f"[{step.number}. {text(f'course.{step.name}.title', lang)}](step{step.number}.md)",
            step.core_minutes,
            len(step.core),
            step.minutes,
            len(step.exercises),
        )
        for step in course()
    ]
    return table("step", rows, lang)


def _cards(lang: str) -> str:
    """A card for each step: a picture, its title with a link to its page, its minutes and its outcome."""
    return "\n".join(
        ['<div class="grid cards" markdown>\n', *(_card(step, lang) for step in course()), "</div>\n"]
    )


def _card(step: Step, lang: str) -> str:
    title = text(f"course.{step.name}.title", lang)
    minutes = text("docs.card.minutes", lang, minutes=step.minutes)
    return (
        f"-   ![](../images/{lang}/card{step.number}.jpg)\n\n"
        f"    **[{step.number}. {title[0].upper()}{title[1:]}](step{step.number}.md)**\n\n"
        f"    {minutes}. {text(f'course.{step.name}.outcome', lang)}\n"
    )


def _clock(lang: str, track: str) -> str:
    """When each step begins on a track, and what helps attendees who are late."""
    beside = text("docs.clock.beside", lang)
    rows = [(*_at(0), text("docs.clock.login", lang), beside)]
    minute = set_up_minutes()
    for step in course():
        title = text(f"course.{step.name}.title", lang)
        name = text("workshop.step", lang, number=step.number, title=title)
        late = code(f"brakepoint catch-up {step.number - 1}") if step.number > 1 else beside
        rows.append((*_at(minute), name, late))
        minute += step.minutes_of(Track(track))
    return table("clock", [*rows, (*_at(minute), text("docs.clock.end", lang), "")], lang)


def _at(minute: int) -> tuple[int, str]:
    """A minute of the workshop, and the corresponding time of day."""
    hours, minutes = divmod(BEGINS_H * 60 + minute, 60)
    return minute, f"{hours}:{minutes:02}"


def _scenario(lang: str, model: str) -> str:
    """The fields of a scenario, or of one of its parts."""
    schema = Scenario.model_json_schema()
    fields = {**schema["$defs"], "Scenario": schema}[model]
    required = set(fields.get("required", ())) - {"name"}  # The name defaults to the file's.
    rows = [
        (
            code(name),
            _values(each),
            text("docs.required", lang) if name in required else _written(each.get("default")),
            text(f"scenario.field.{name}", lang, least=TRACK_MIN_CM, most=TRACK_MAX_CM),
        )
        for name, each in fields["properties"].items()
    ]
    return table("scenario", rows, lang)


def _written(default: object) -> str:
    """A default as it would be written in the file."""
    return "" if default in (None, []) else code(str(default).lower())


def _values(schema: dict[str, Any]) -> str:
    """The valid values of a field, from its JSON schema."""
    schema = {**schema, **next(iter(schema.get("anyOf", ())), {})}
    if "enum" in schema:
        return ", ".join(map(code, schema["enum"]))
    if schema["type"] == "boolean":
        return "`false`, `true`"
    return ", ".join(f"{sign} {schema[key]:.10g}" for key, sign in BOUNDS.items() if key in schema)


BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}


def _kinds(lang: str) -> str:
    """Every sign that can be placed beside the track, and its class for a detector."""
    rows = [
        (
            code(kind),
            text(f"sign.kind.{kind}", lang),
            code(plate.sign_class) if plate.sign_class else text("docs.sign.distractor", lang),
        )
        for kind, plate in PLATES.items()
    ]
    return table("kind", rows, lang)


WRITERS: dict[str, Callable[..., str]] = {
    "exercises": _exercises,
    "steps": _steps,
    "cards": _cards,
    "clock": _clock,
    "scenario": _scenario,
    "kinds": _kinds,
}
"""Writers by the name in the page's mark; each takes the language, and the arguments in the mark."""
