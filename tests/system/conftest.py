"""What the tests of pages share."""

import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, expect, sync_playwright

expect.set_options(timeout=30_000)  # As long as for an action: the machine is busy with other tests.


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, for one module, because Playwright's event loop occupies this thread while it runs."""
    executable = shutil.which("chromium")
    assert executable, "chromium is missing: make test-system installs it as root"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def serve() -> Iterator[Callable[[FastAPI], str]]:
    """Serves a page until the test ends, and returns its address."""
    with ExitStack() as stack:
        yield lambda app: stack.enter_context(_served(app))


@contextmanager
def _served(app: FastAPI) -> Iterator[str]:
    """Serves on a port that is open before the server starts, so that no browser comes too early."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        server.should_exit = True
        thread.join()
