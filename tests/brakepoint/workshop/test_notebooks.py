"""Every notebook of both languages is that of its source, and runs to its end on the solutions."""

import pytest

pytest.importorskip("jupytext")

import nbformat
from nbclient import NotebookClient

from brakepoint.steps import SOURCE_VARIABLE
from brakepoint.texts import LANGUAGES
from brakepoint.workshop.magic import FOLDER_VARIABLE
from brakepoint.workshop.notebooks import NOTEBOOKS_DIR, make_notebook, sources
from brakepoint.workshop.quick import QUICK_VARIABLE

GREEN_CARD = {"en": "is done.", "fr": "est terminée."}

each_notebook = pytest.mark.parametrize(
    ("source", "lang"),
    [(source, lang) for source in sources() for lang in LANGUAGES],
    ids=lambda value: getattr(value, "stem", value),
)


@each_notebook
def test_a_notebook_is_that_of_its_source(source, lang) -> None:
    written = (NOTEBOOKS_DIR / lang / f"{source.stem}.ipynb").read_text("utf-8")

    assert written.rstrip("\n") == nbformat.writes(make_notebook(source, lang)).rstrip("\n"), "run make labs"


@each_notebook
def test_both_languages_have_the_same_cells(source, lang) -> None:
    kinds = [cell.cell_type for cell in make_notebook(source, lang).cells]

    assert kinds == [cell.cell_type for cell in make_notebook(source, "en").cells]


@each_notebook
def test_a_notebook_runs_on_the_solutions(source, lang, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv(SOURCE_VARIABLE, "solutions")
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.setenv(QUICK_VARIABLE, "1")
    monkeypatch.delenv("AWS_S3_ENDPOINT", raising=False)
    notebook = nbformat.read(NOTEBOOKS_DIR / lang / f"{source.stem}.ipynb", as_version=4)
    where = {"metadata": {"path": str(NOTEBOOKS_DIR / lang)}}

    NotebookClient(notebook, timeout=240, kernel_name="python3", resources=where).execute()

    shown = "".join(str(output) for cell in notebook.cells for output in cell.get("outputs", ()))
    assert GREEN_CARD[lang] in shown
    assert "image/png" in shown
