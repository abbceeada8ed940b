"""Sizes for testing the notebooks: work that takes an attendee minutes should take a test seconds."""

import os

QUICK_VARIABLE = "BRAKEPOINT_QUICK"


def size(usual: int, quick: int) -> int:
    """A size: the usual number, or the quick one if `BRAKEPOINT_QUICK` is set, as in tests."""
    return quick if os.environ.get(QUICK_VARIABLE) else usual
