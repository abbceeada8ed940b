"""Runs a notebook on the solutions, on small data and without a network."""

from pathlib import Path

import nbformat
from nbclient import NotebookClient

from brakepoint.magic import FOLDER_VARIABLE
from brakepoint.steps import SOURCE_VARIABLE
from brakepoint.texts import text
from brakepoint.workshop.notebooks import NOTEBOOKS_DIR
from brakepoint.workshop.quick import QUICK_VARIABLE

OFFLINE_DIR = Path(__file__).parent / "offline"
TIME_LIMIT_S = 1500
WITH_TORCH = {"step3_training", "step4_pipeline"}
"""What `make test` has not installed; `make test-system` runs these."""


def run_notebook(name: str, lang: str, folder: Path, monkeypatch) -> None:
    """Runs a notebook to its end, and asserts that its check is green and it shows a picture."""
    monkeypatch.setenv(SOURCE_VARIABLE, "solutions")
    monkeypatch.setenv(FOLDER_VARIABLE, str(folder))
    monkeypatch.setenv(QUICK_VARIABLE, "1")
    monkeypatch.setenv("PYTHONPATH", str(OFFLINE_DIR))
    monkeypatch.delenv("AWS_S3_ENDPOINT", raising=False)
    notebook = nbformat.read(NOTEBOOKS_DIR / lang / f"{name}.ipynb", as_version=4)
    where = {"metadata": {"path": str(NOTEBOOKS_DIR / lang)}}

    NotebookClient(notebook, timeout=TIME_LIMIT_S, kernel_name="python3", resources=where).execute()

    shown = "".join(str(output) for cell in notebook.cells for output in cell.get("outputs", ()))
    assert text(f"course.{name}.done", lang).partition(". ")[0] in shown
    assert "image/png" in shown
