"""Generates the notebooks of every language from `notebooks/source/`, where languages share the code cells.

A Markdown cell names its language, `# %% [markdown] lang="en"`; a cell without a language belongs to all.
"""

from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

from brakepoint.course import ROOT, Step, course
from brakepoint.files import write_whole
from brakepoint.texts import languages, text
from brakepoint.workshop.figures import without_marks

NOTEBOOKS_DIR = ROOT / "notebooks"
KERNEL = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}


def sources() -> list[Path]:
    """The scripts in percent format, in order."""
    return sorted((NOTEBOOKS_DIR / "source").glob("*.py"))


def make_notebook(source: Path, lang: str) -> NotebookNode:
    """One notebook in one language, without outputs; the same source gives the same bytes."""
    notebook: NotebookNode = jupytext.read(source)
    notebook.cells = [cell for cell in notebook.cells if cell.metadata.get("lang", lang) == lang]
    steps = [step for step in course() if step.name == source.stem]
    words = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
    for step, first in zip(steps, words, strict=False):
        first.source += f"\n\n{_tracks(step, lang)}"
    for number, cell in enumerate(notebook.cells):
        cell.source = without_marks(cell.source)
        cell.metadata = nbformat.from_dict({})
        cell.id = f"{source.stem}-{number}".replace("_", "-")
    notebook.metadata = nbformat.from_dict(KERNEL)
    return notebook


def _tracks(step: Step, lang: str) -> str:
    """The exercises of a step that belong to the core, and those that go beyond it."""
    core, further = (", ".join(f"`{name}`" for name in names) for names in (step.core, step.further))
    return text("notebook.tracks", lang, minutes=step.core_minutes, core=core, further=further)


def write_notebooks(folder: Path = NOTEBOOKS_DIR) -> None:
    """Writes every notebook in every language."""
    for lang in languages():
        (folder / lang).mkdir(parents=True, exist_ok=True)
        for source in sources():
            written = nbformat.writes(make_notebook(source, lang)).rstrip("\n") + "\n"
            write_whole(folder / lang / f"{source.stem}.ipynb", written.encode())


if __name__ == "__main__":
    write_notebooks()
