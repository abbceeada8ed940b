"""Takes the pictures of the workshop that the docs show: `make screenshots`.

A copy of the project plays the learner: step 1 with a mistake in it, step 6 done. Their notebooks are run,
and opened in JupyterLab.
"""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from playwright.sync_api import Page, sync_playwright

from brakepoint.workshop.course import ROOT, find_step
from brakepoint.workshop.labs import filled, solved, without_marks

IMAGES = Path(__file__).parent / "images"
COPIED = ("brakepoint", "footage", "labs", "notebooks", "solutions", "stubs", "dataset", "course.toml")
MISTAKE = "value = rectangle.value\nreturn value.x, value.y, value.width, value.height"
PATIENCE_MS = 240_000
SEEN = (1280, 900)
CARD = ".jp-OutputArea-output div[style*=border-left]"
TOKEN = secrets.token_hex(16)


def play_learner(folder: Path) -> None:
    """Copies what the notebooks need, and fills the labs."""
    for name in COPIED:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    first, sixth = find_step("1"), find_step("6")
    lab = filled(first, {**solved(first), "percent": MISTAKE})
    (folder / "labs" / first.lab.name).write_text(lab, encoding="utf-8")
    (folder / "labs" / sixth.lab.name).write_text(without_marks(sixth), encoding="utf-8")


def run_notebook(path: Path) -> None:
    """Runs a notebook on the labs beside it, and keeps what it shows."""
    notebook = nbformat.read(path, as_version=4)
    where = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources=where, allow_errors=True).execute()
    nbformat.write(notebook, path)


@contextmanager
def jupyterlab(folder: Path) -> Iterator[str]:
    """Serves a folder by JupyterLab, and yields its address, to which a path and `TOKEN` are added."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = [
        "--allow-root",
        "--no-browser",
        f"--port={port}",
        "--IdentityProvider.token=",
        "--ip=127.0.0.1",
    ]
    command = [sys.executable, "-m", "jupyter", "lab", *options, f"--ServerApp.root_dir={folder}"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(PATIENCE_MS // 500):
            try:
                urllib.request.urlopen(f"{address}/api", timeout=5).close()
                break
            except OSError:
                time.sleep(0.5)
        yield address
    finally:
        process.terminate()
        process.wait()


def open_notebook(page: Page, address: str, name: str) -> None:
    """Opens a notebook and waits until what it shows is there."""
    page.goto(f"{address}/lab/tree/notebooks/en/{name}.ipynb?reset&token={TOKEN}", timeout=PATIENCE_MS)
    page.locator(".jp-MarkdownCell h1").first.wait_for(timeout=PATIENCE_MS)
    page.locator(".jp-RenderedImage img, .jp-OutputArea-output div[style]").first.wait_for(
        timeout=PATIENCE_MS
    )


def main() -> None:
    """Runs the notebooks and takes the pictures."""
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        play_learner(folder)
        os.environ.update(PYTHONPATH=name, BRAKEPOINT_STEPS="labs", BRAKEPOINT_LANG="en")
        for step in ("step1_dataset", "step6_autopilot"):
            run_notebook(folder / "notebooks" / "en" / f"{step}.ipynb")
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        with jupyterlab(folder) as address:
            page = browser.new_page(viewport={"width": SEEN[0], "height": SEEN[1]})
            open_notebook(page, address, "step6_autopilot")
            page.screenshot(path=str(IMAGES / "notebook.png"))
            for notebook, image in (("step1_dataset", "check-fails"), ("step6_autopilot", "check-passes")):
                open_notebook(page, address, notebook)
                card = page.locator(CARD).first
                card.scroll_into_view_if_needed(timeout=PATIENCE_MS)
                card.screenshot(path=str(IMAGES / f"{image}.png"))
        browser.close()


if __name__ == "__main__":
    main()
