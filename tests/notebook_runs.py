"""Runs a notebook with the solutions, with small data and without a network."""

import time
from contextlib import suppress
from pathlib import Path
from queue import Empty
from typing import Any

import nbformat
from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.channels import AsyncZMQSocketChannel
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from traitlets import Type

from brakepoint.magic import FOLDER_VARIABLE
from brakepoint.steps import SOURCE_VARIABLE
from brakepoint.texts import text
from brakepoint.workshop.notebooks import NOTEBOOKS_DIR
from brakepoint.workshop.quick import QUICK_VARIABLE

OFFLINE_DIR = Path(__file__).parent / "offline"
TIME_LIMIT_S = 1500
LOOK_EVERY_S = 5.0
WITH_TORCH = {"step3_training", "step4_pipeline"}
"""Notebooks that need torch, which `make test` does not install; `make test-system` runs them."""


class Channel(AsyncZMQSocketChannel):
    """A channel that checks regularly whether there is a message.

    Once, a reply was not noticed until the whole time limit was over.
    """

    async def get_msg(  # type: ignore[override]
        self, timeout: float | None = None
    ) -> dict[str, Any]:
        """Returns the next message.

        Raises:
            Empty: No message arrives in time.
        """
        until = None if timeout is None else time.monotonic() + timeout
        while until is None or time.monotonic() < until:
            left_s = LOOK_EVERY_S if until is None else min(LOOK_EVERY_S, until - time.monotonic())
            with suppress(Empty):
                return await super().get_msg(max(left_s, 0.0))
        raise Empty


class Client(AsyncKernelClient):
    """A client of a kernel with such channels."""

    shell_channel_class = Type(Channel)
    iopub_channel_class = Type(Channel)


class Manager(AsyncKernelManager):
    """Creates such clients."""

    client_factory = Type(Client)


def run_notebook(name: str, lang: str, folder: Path, monkeypatch) -> None:
    """Runs a notebook to its end, and asserts that its check is green and that it shows a picture."""
    monkeypatch.setenv(SOURCE_VARIABLE, "solutions")
    monkeypatch.setenv(FOLDER_VARIABLE, str(folder))
    monkeypatch.setenv(QUICK_VARIABLE, "1")
    monkeypatch.setenv("PYTHONPATH", str(OFFLINE_DIR))
    monkeypatch.delenv("AWS_S3_ENDPOINT", raising=False)
    notebook = nbformat.read(NOTEBOOKS_DIR / lang / f"{name}.ipynb", as_version=4)
    where = {"metadata": {"path": str(NOTEBOOKS_DIR / lang)}}

    NotebookClient(
        notebook, timeout=TIME_LIMIT_S, kernel_name="python3", kernel_manager_class=Manager, resources=where
    ).execute()

    shown = "".join(str(output) for cell in notebook.cells for output in cell.get("outputs", ()))
    assert text(f"course.{name}.done", lang).partition(". ")[0] in shown
    assert "image/png" in shown
