"""Finds the barriers of a page with axe: for reading, for keyboards and for screen readers."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

GRAVE = ("serious", "critical")


def grave_faults(page: Page) -> list[tuple[str, str, str]]:
    """Each serious fault: its rule, the first element that breaks it, and why."""
    found = Axe().run(page, options={"preload": False}).response["violations"]
    return [
        (fault["id"], fault["nodes"][0]["html"][:200], fault["nodes"][0]["failureSummary"])
        for fault in found
        if fault["impact"] in GRAVE
    ]
