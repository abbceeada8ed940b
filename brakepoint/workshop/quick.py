"""Sizes for trying the notebooks: what takes an attendee minutes is to take a test seconds."""

import os

QUICK_VARIABLE = "BRAKEPOINT_QUICK"


def size(usual: int, quick: int) -> int:
    """How many to make: the usual number, or the quick one where `BRAKEPOINT_QUICK` is set, as tests do."""
    return quick if os.environ.get(QUICK_VARIABLE) else usual
