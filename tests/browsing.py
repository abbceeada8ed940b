"""Helpers for tests of pages in a browser."""

import time

from patience import PATIENCE_S
from playwright.sync_api import Page

LOOK_EVERY_MS = 50.0


def await_in_page(page: Page, expression: str) -> None:
    """Waits until an expression holds in a page.

    Playwright's own way evaluates a string within the page, which the policy of our pages forbids.
    """
    until = time.monotonic() + PATIENCE_S
    while not page.evaluate(expression):
        assert time.monotonic() < until, f"it did not come to pass in time: {expression}"
        page.wait_for_timeout(LOOK_EVERY_MS)


def complaints_of(page: Page) -> list[str]:
    """A list that fills with the page's console messages, its errors and the addresses that it requests."""
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: complaints.append(request.url))
    return complaints
