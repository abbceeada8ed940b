"""Every notebook matches its source; those of one language run on the solutions, offline."""

import os
import re
import subprocess
import sys

import pytest

pytest.importorskip("jupytext")

import nbformat
from notebook_runs import OFFLINE_DIR, WITH_TORCH, run_notebook

from brakepoint.course import find_step
from brakepoint.texts import ORIGINAL, languages
from brakepoint.workshop.labs import part_with
from brakepoint.workshop.notebooks import NOTEBOOKS_DIR, make_notebook, sources

EVERY = [(source, lang) for source in sources() for lang in languages()]
RUN_HERE = [source.stem for source in sources() if source.stem not in WITH_TORCH]
"""In one language: the others have the same code, and `make soak` runs them."""

each_notebook = pytest.mark.parametrize(
    ("source", "lang"), EVERY, ids=lambda value: getattr(value, "stem", value)
)


@each_notebook
def test_a_notebook_is_that_of_its_source(source, lang) -> None:
    written = (NOTEBOOKS_DIR / lang / f"{source.stem}.ipynb").read_text("utf-8")

    assert written.rstrip("\n") == nbformat.writes(make_notebook(source, lang)).rstrip("\n"), "run make labs"


@each_notebook
def test_every_language_has_the_same_cells(source, lang) -> None:
    def code(one: str) -> list[str | None]:
        cells = make_notebook(source, one).cells
        return [cell.source if cell.cell_type == "code" else None for cell in cells]

    assert code(lang) == code(ORIGINAL)


@pytest.mark.parametrize("name", RUN_HERE)
def test_a_notebook_runs_on_the_solutions(name, tmp_path, monkeypatch) -> None:
    run_notebook(name, ORIGINAL, tmp_path, monkeypatch)


def test_a_room_without_a_network_has_none() -> None:
    ask = "import socket; socket.create_connection(('example.org', 80), timeout=5)"
    environment = {**os.environ, "PYTHONPATH": str(OFFLINE_DIR)}

    asked = subprocess.run([sys.executable, "-c", ask], env=environment, capture_output=True, text=True)

    assert "no network in this room: example.org" in asked.stderr


@each_notebook
def test_a_notebook_leads_to_each_file_that_is_to_be_completed(source, lang) -> None:
    step = find_step(source.stem)
    words = "\n".join(cell.source for cell in make_notebook(source, lang).cells)

    linked = {(NOTEBOOKS_DIR / lang / link).resolve() for link in re.findall(r"\]\((\.\./[^)]+)\)", words)}
    to_do = {step.lab.parent / part_with(step, exercise) for exercise in step.exercises}
    assert to_do <= linked
    assert all(path.is_file() for path in linked)
