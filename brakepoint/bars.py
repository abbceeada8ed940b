"""Progress bars that a notebook survives."""

from typing import Any

from rich import get_console
from rich.progress import Progress


def progress_bar(*columns: Any, disable: bool = False) -> Progress:
    """A bar of rich's, on which code may print half a line.

    In a terminal rich puts what is printed above the bar. In a notebook it must not: to show it, it displays;
    to display, the kernel flushes what was printed; and to flush that, rich shows it again, without end.

    Args:
        columns: Of the bar; rich's own by default.
        disable: Whether to show nothing.
    """
    redirect = not get_console().is_jupyter
    return Progress(*columns, disable=disable, redirect_stdout=redirect, redirect_stderr=redirect)
