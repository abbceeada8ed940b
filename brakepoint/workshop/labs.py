"""Makes the labs from the solutions, by emptying the parts that are marked there.

A gap is marked so; the lab gets the task instead, from the catalogue, and the lines behind `instead:`

    # lab: listing
    the lines that the attendee is to write
    # instead: raise NotImplementedError
"""

import re
import textwrap
from pathlib import Path

from brakepoint.texts import text
from brakepoint.workshop.course import LABS_DIR, Step, course

GAP = re.compile(
    r"^(?P<indent> *)# lab: (?P<name>\w+)\n(?P<body>.*?)(?P<given>(?:^ *# instead: [^\n]*\n)+)",
    re.MULTILINE | re.DOTALL,
)
WIDTH = 100
REPLACE = "  # replace this · à remplacer"
INIT_TEXT = '"""The steps of the workshop, for you to complete."""\n'


def lab_text(step: Step) -> str:
    """The lab of a step as an attendee first finds it."""
    return GAP.sub(lambda gap: _task(step, gap) + _given(gap), step.solution.read_text(encoding="utf-8"))


def filled(step: Step, code: dict[str, str]) -> str:
    """The lab of a step with some gaps filled: the others hold what is given.

    Args:
        step: The step.
        code: Lines for a gap, by its name.
    """

    def fill(gap: re.Match[str]) -> str:
        if gap["name"] not in code:
            return _given(gap)
        return textwrap.indent(textwrap.dedent(code[gap["name"]]).strip("\n") + "\n", gap["indent"])

    return GAP.sub(fill, step.solution.read_text(encoding="utf-8"))


def solved(step: Step) -> dict[str, str]:
    """The solution's lines for each gap, in the order of the file."""
    return {gap["name"]: gap["body"] for gap in GAP.finditer(step.solution.read_text(encoding="utf-8"))}


def without_marks(step: Step) -> str:
    """The solution of a step as a person reads it."""
    return GAP.sub(lambda gap: gap["body"], step.solution.read_text(encoding="utf-8"))


def write_labs(folder: Path = LABS_DIR) -> None:
    """Writes every lab; what an attendee wrote there is lost."""
    folder.mkdir(exist_ok=True)
    (folder / "__init__.py").write_text(INIT_TEXT, encoding="utf-8")
    for step in course():
        (folder / step.lab.name).write_text(lab_text(step), encoding="utf-8")


def _task(step: Step, gap: re.Match[str]) -> str:
    """What is to be done, as a comment in both languages."""
    indent, name = gap["indent"], gap["name"]
    paragraphs = (
        f"TODO {name}: {text(f'lab.{step.name}.{name}.todo', 'en')}",
        f"À FAIRE {name} : {text(f'lab.{step.name}.{name}.todo', 'fr')}",
    )
    lines = [line for words in paragraphs for line in textwrap.wrap(words, WIDTH - len(indent))]
    return "".join(f"{indent}# {line}\n" for line in lines)


def _given(gap: re.Match[str]) -> str:
    lines = re.findall(r"# instead: (.*)\n", gap["given"])
    return "".join(f"{gap['indent']}{line}{REPLACE}\n" for line in lines)


if __name__ == "__main__":
    write_labs()
