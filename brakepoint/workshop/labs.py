"""Generates the labs from the solutions, by emptying the passages that are marked in them.

A gap is marked as below; in its place, the lab gets the task from the catalogue, and the lines after
`instead:`

    # lab: listing
    the lines that the attendee is to write
    # instead: raise NotImplementedError

YAML uses the same marks.
"""

import re
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path

from brakepoint.course import LABS_DIR, Step, course
from brakepoint.files import write_whole
from brakepoint.texts import languages, text

GAP = re.compile(
    r"^(?P<indent> *)# lab: (?P<name>\w+)\n(?P<body>.*?)(?P<given>(?:^ *# instead: [^\n]*\n)+)",
    re.MULTILINE | re.DOTALL,
)
WIDTH = 100
NO_BREAK = "\N{NO-BREAK SPACE}"
REPLACE = "  # replace this · à remplacer"
INIT_TEXT = '"""The steps of the workshop, for you to complete."""\n'


def lab_text(step: Step, part: Path | None = None) -> str:
    """The initial lab of a step.

    Args:
        step: The step.
        part: One of the step's parts; by default the first.
    """
    return GAP.sub(lambda gap: _task(step, gap) + _given(gap), _solution_text(step, part))


def filled(step: Step, code: dict[str, str], part: Path | None = None) -> str:
    """The lab of a step with some gaps filled; the other gaps contain their placeholder.

    Args:
        step: The step.
        code: Lines for each gap to fill, by the gap's name.
        part: One of the step's parts; by default the first.
    """

    def fill(gap: re.Match[str]) -> str:
        if gap["name"] not in code:
            return _given(gap)
        return textwrap.indent(textwrap.dedent(code[gap["name"]]).strip("\n") + "\n", gap["indent"])

    return GAP.sub(fill, _solution_text(step, part))


def solved(step: Step) -> dict[str, str]:
    """The solution's lines for each gap, in the order of the files."""
    return {gap["name"]: gap["body"] for part in step.parts for gap in _gaps(step, part)}


def gap_functions(step: Step) -> dict[str, str]:
    """For each function with a gap, by the function's name: the exercise to which the gap belongs."""
    found = {}
    for part in step.parts:
        for gap in _gaps(step, part):
            if above := re.findall(r"^ *def (\w+)", gap.string[: gap.start()], re.MULTILINE):
                found[above[-1]] = gap["name"]
    return found


def part_with(step: Step, exercise: str) -> Path:
    """The part of a step that contains the gap of an exercise."""
    parts = (part for part in step.parts for gap in _gaps(step, part) if gap["name"] == exercise)
    return next(parts, Path(step.lab.name))


def without_marks(step: Step, part: Path | None = None) -> str:
    """The solution of a step, or of one of its parts, without the marks."""
    return GAP.sub(lambda gap: gap["body"], _solution_text(step, part))


def _gaps(step: Step, part: Path) -> Iterator[re.Match[str]]:
    return GAP.finditer(_solution_text(step, part))


def _solution_text(step: Step, part: Path | None) -> str:
    return (step.solution.parent / (part or step.parts[0])).read_text(encoding="utf-8")


def closed(step: Step, part: Path, written: str, exercises: Iterable[str]) -> str:
    """An attendee's lab, with the solution in the given gaps that are untouched."""
    for gap in _gaps(step, part):
        if gap["name"] in exercises:
            written = written.replace(_task(step, gap) + _given(gap), gap["body"], 1)
    return written


def untouched(step: Step, lab: Path) -> set[str]:
    """The exercises whose task is still in an attendee's lab, with the placeholder below it.

    Args:
        step: The step.
        lab: The attendee's file, or the folder of a step that isn't a module.
    """
    found = set()
    for part in step.parts:
        file = lab / part.relative_to(step.lab.name) if step.files else lab
        written = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
        found |= {gap["name"] for gap in _gaps(step, part) if _task(step, gap) + _given(gap) in written}
    return found


def reopened(step: Step, part: Path, written: str, exercises: Iterable[str]) -> str:
    """An attendee's lab, with the tasks restored in the given gaps that contain the solution."""
    for gap in _gaps(step, part):
        if gap["name"] in exercises:
            written = written.replace(gap["body"], _task(step, gap) + _given(gap), 1)
    return written


def write_labs(folder: Path = LABS_DIR) -> None:
    """Writes every lab, overwriting the attendee's work."""
    folder.mkdir(exist_ok=True)
    make_package(folder)
    for step in course():
        for part in step.parts:
            (folder / part).parent.mkdir(parents=True, exist_ok=True)
            write_whole(folder / part, lab_text(step, part).encode())


def make_package(folder: Path) -> None:
    """Makes Python import the labs from this folder, and not from a `labs` that is later on its path."""
    write_whole(folder / "__init__.py", INIT_TEXT.encode())


def _task(step: Step, gap: re.Match[str]) -> str:
    """The task, as a comment in every language."""
    indent, name = gap["indent"], gap["name"]
    paragraphs = (
        text("workshop.task", lang, name=name, todo=text(f"lab.{step.name}.{name}.todo", lang))
        for lang in languages()
    )
    lines = [
        line
        for words in paragraphs
        for line in textwrap.wrap(_bound(words), WIDTH - len(indent), break_on_hyphens=False)
    ]
    return "".join(f"{indent}# {line}\n".replace(NO_BREAK, " ") for line in lines)


def _bound(words: str) -> str:
    """Prevents line breaks before French punctuation that follows a space, and inside French quotes."""
    return re.sub(r" (?=[:;?!»%])|(?<=«) ", NO_BREAK, words)


def _given(gap: re.Match[str]) -> str:
    lines = re.findall(r"# instead: (.*)\n", gap["given"])
    return "".join(f"{gap['indent']}{_marked(line)}\n" for line in lines)


def _marked(line: str) -> str:
    """The given placeholder, with a note to replace it; an empty comment becomes only the note."""
    return REPLACE.strip() if line == "#" else line + REPLACE


if __name__ == "__main__":
    write_labs()
