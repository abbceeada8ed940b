"""Loads the modules of the steps: the attendee's own from `labs`, or the complete ones from `solutions`."""

import importlib
import os
from types import ModuleType

from brakepoint.errors import UserError
from brakepoint.places import import_own

SOURCES = ("solutions", "labs")
SOURCE_VARIABLE = "BRAKEPOINT_STEPS"


def load_step(name: str, steps: str | None = None) -> ModuleType:
    """Imports the module of a step.

    Args:
        name: For instance `step6_autopilot`.
        steps: `solutions` or `labs`; by default the value of `BRAKEPOINT_STEPS`, else `solutions`.

    Raises:
        UserError: There is no such source, or the source has no such module.
    """
    source = steps or os.environ.get(SOURCE_VARIABLE) or SOURCES[0]
    if source not in SOURCES:
        raise UserError("steps.unknown_source", source=source, sources=", ".join(SOURCES))
    import_own()
    module = f"{source}.{name}"
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name not in (source, module):
            raise  # The step exists, but a module that it imports does not.
        raise UserError("steps.missing", module=f"{source}/{name}.py", source=source) from error
