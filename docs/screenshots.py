"""Takes the docs' pictures of the workshop, in both languages: `make screenshots`.

A copy of the project contains a learner's work: step 1 with a mistake, step 6 done. The notebooks of these
steps are run, and opened in JupyterLab as started by `make lab`.
"""

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
from chromium import chromium
from nbclient import NotebookClient
from playwright.sync_api import Page

from brakepoint.course import ROOT, find_step
from brakepoint.sockets import free_port
from brakepoint.texts import languages
from brakepoint.workshop.labs import filled, solved, without_marks

IMAGES = Path(__file__).resolve().parent / "images"
COPIED = (
    "brakepoint",
    "footage",
    "labs",
    "notebooks",
    "solutions",
    "stubs",
    "hardware",
    "dataset",
    "course.toml",
)
MISTAKE = "value = rectangle.value\nreturn value.x, value.y, value.width, value.height"
FAILING, PASSING = "step1_dataset", "step6_autopilot"
PATIENCE_MS = 240_000
SEEN = {"width": 1280, "height": 900}
CARD = ".jp-OutputArea-output div[style*=border-left]"
AT_REST = ".jp-Notebook-ExecutionIndicator[data-status=idle]"
TOKEN = secrets.token_hex(16)


def play_learner(folder: Path) -> None:
    """Copies the files that the notebooks need, and fills in the labs."""
    for name in COPIED:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    first, sixth = find_step("1"), find_step("6")
    lab = filled(first, {**solved(first), "percent": MISTAKE})
    (folder / "labs" / first.lab.name).write_text(lab, encoding="utf-8")
    (folder / "labs" / sixth.lab.name).write_text(without_marks(sixth), encoding="utf-8")


def run_notebook(path: Path) -> None:
    """Runs a notebook with the labs beside it, and saves its outputs."""
    notebook = nbformat.read(path, as_version=4)
    where = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources=where, allow_errors=True).execute()
    nbformat.write(notebook, path)


@contextmanager
def jupyterlab(folder: Path, lang: str) -> Iterator[str]:
    """Serves a folder with JupyterLab, and yields the address of the notebooks of a language."""
    port = free_port()
    notebooks = f"notebooks/{lang}"
    environment = {
        "JUPYTER_TOKEN": TOKEN,
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_CONFIG_PATH": str(folder / notebooks / ".jupyter"),
    }
    options = ["--allow-root", "--no-browser", f"--port={port}", f"--ServerApp.root_dir={folder}"]
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyter", "lab", *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **environment},
    )
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(PATIENCE_MS // 500):
            try:
                urllib.request.urlopen(f"{address}/api", timeout=5).close()
                break
            except OSError:
                time.sleep(0.5)
        yield f"{address}/lab/tree/{notebooks}"
    finally:
        process.kill()  # On SIGTERM, JupyterLab may wait for ever for one of its threads.
        process.wait()


def open_notebook(page: Page, address: str, name: str) -> None:
    """Opens a notebook and waits until its outputs are shown."""
    page.goto(f"{address}/{name}.ipynb?reset&token={TOKEN}", timeout=PATIENCE_MS)
    for shown in (".jp-MarkdownCell h1", ".jp-RenderedImage img, .jp-OutputArea-output div[style]", AT_REST):
        page.locator(shown).first.wait_for(timeout=PATIENCE_MS)


def take(page: Page, address: str, images: Path) -> None:
    """Takes pictures of a failing check, and of a notebook as it opens."""
    open_notebook(page, address, FAILING)
    card = page.locator(CARD).first
    card.scroll_into_view_if_needed(timeout=PATIENCE_MS)
    card.screenshot(path=str(images / "check-fails.png"))
    open_notebook(page, address, PASSING)
    page.screenshot(path=str(images / "notebook.png"))


def main() -> None:
    """Runs the notebooks and takes the pictures."""
    with tempfile.TemporaryDirectory() as name, chromium() as browser:
        folder = Path(name)
        play_learner(folder)
        os.environ.update(PYTHONPATH=name, BRAKEPOINT_STEPS="labs")
        for lang in languages():
            for step in (FAILING, PASSING):
                run_notebook(folder / "notebooks" / lang / f"{step}.ipynb")
            with jupyterlab(folder, lang) as address:
                page = browser.new_page(viewport=SEEN, locale=lang)
                take(page, address, IMAGES / lang)
                page.close()


if __name__ == "__main__":
    main()
