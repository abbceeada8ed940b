"""Tables of the course in the pages of the documentation, where a forge shows them, too.

`<!-- table: exercises 1 -->` … `<!-- end of table -->` is filled by `python -m brakepoint.workshop.figures`.
"""

import re
from collections.abc import Callable, Iterable, Sequence

from brakepoint.course import course, find_step
from brakepoint.texts import text

HEADS = {
    "exercise": ("exercise", "about", "todo"),
    "step": ("step", "minutes", "exercises"),
    "option": ("option", "meaning", "default"),
    "field": ("field", "type", "meaning"),
    "metric": ("metric", "type", "labels", "meaning"),
    "variable": ("variable", "meaning", "default"),
    "rule": ("constant", "value", "meaning"),
}
"""The columns of each table: `docs.column.NAME` in the catalogue."""
MARK = re.compile(r"(<!-- table: (\w+) ?(\w*) -->\n).*?(<!-- end of table -->)", re.DOTALL)


def with_tables(words: str, lang: str) -> str:
    """The same words with the present content of each table.

    Args:
        words: Of a page.
        lang: The page's language.

    Raises:
        KeyError: There is no such table.
    """
    return MARK.sub(
        lambda mark: f"{mark[1]}\n{WRITERS[mark[2]](lang, *mark[3].split())}\n{mark[4]}",
        words,
    )


def table(kind: str, rows: Iterable[Sequence[object]], lang: str | None = None) -> str:
    """A table in Markdown.

    Args:
        kind: Whose columns, a key of `HEADS`.
        rows: The cells of each row, in Markdown.
        lang: The language of the heads; by default the reader's.
    """

    def line(cells: Sequence[object]) -> str:
        return f"| {' | '.join(' '.join(str(cell).split()).replace('|', '&#124;') for cell in cells)} |"

    head = [text(f"docs.column.{column}", lang) for column in HEADS[kind]]
    return "\n".join([line(head), line(["---"] * len(head)), *(line(row) for row in rows)]) + "\n"


def code(words: object) -> str:
    """The words as code; nothing stays nothing."""
    return f"`{words}`" if str(words) else ""


def plain(words: str) -> str:
    """Keeps what is meant literally from being read as Markdown."""
    return re.sub(r"([\\`*_<\[])", r"\\\1", words)


def _exercises(lang: str, number: str) -> str:
    """The exercises of one step."""
    step = find_step(number)
    rows = [
        [code(name)] + [plain(text(f"lab.{step.name}.{name}.{part}", lang)) for part in ("title", "todo")]
        for name in step.exercises
    ]
    return table("exercise", rows, lang)


def _steps(lang: str) -> str:
    """The steps of the course, with links to their pages."""
    rows = [
        (
            f"[{step.number}. {text(f'course.{step.name}.title', lang)}](step{step.number}.md)",
            step.minutes,
            len(step.exercises),
        )
        for step in course()
    ]
    return table("step", rows, lang)


WRITERS: dict[str, Callable[..., str]] = {"exercises": _exercises, "steps": _steps}
"""By the name in the page's mark; each takes the language, and the rest of the mark."""
