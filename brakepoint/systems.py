"""What the kit needs of an operating system, and says where it lacks it."""

import os

from brakepoint.errors import UserError

POSIX = os.name == "posix"
"""Linux, macOS and WSL are; Windows itself is not."""


def require_posix(what: str) -> None:
    """Refuses what rests on process groups, signals and user numbers, which Windows itself lacks.

    Args:
        what: A command or a URI, as a person would type it.

    Raises:
        UserError: This is Windows.
    """
    if not POSIX:
        raise UserError("error.needs_posix", what=what)
