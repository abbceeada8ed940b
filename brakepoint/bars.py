"""Progress bars that also work in notebooks, and that a log shows as lines."""

from typing import Any

from rich import get_console
from rich.progress import Progress, TaskID

LINE_EVERY_S = 20.0
"""Interval of progress lines in a log, so that a reader of the log sees how fast the work proceeds."""


class _Bar(Progress):
    """A bar that also works where nothing can be overwritten: in a file or a pipe."""

    _printed_at: float | None = None

    def update(self, task_id: TaskID, **changes: Any) -> None:
        """Like rich's own method."""
        super().update(task_id, **changes)
        self._print_now_and_then()

    def advance(self, task_id: TaskID, advance: float = 1) -> None:
        """Like rich's own method."""
        super().advance(task_id, advance)
        self._print_now_and_then()

    def _print_now_and_then(self) -> None:
        if self.disable or self.console.is_terminal or self.console.is_jupyter:
            return
        now = self.get_time()
        if self._printed_at is None:
            self._printed_at = now
        elif now - self._printed_at >= LINE_EVERY_S:
            self._printed_at = now
            self.console.print(self.get_renderable())


def progress_bar(*columns: Any, **options: Any) -> Progress:
    """One of rich's bars; code may print partial lines while it is shown.

    In a terminal, rich shows printed text above the bar. In a notebook, rich must not do this: displaying the
    text makes the kernel flush what was printed, which rich displays again, in an endless loop. Elsewhere,
    an occasional line takes the place of the bar.

    Args:
        columns: Columns of the bar; rich's own by default.
        options: Options of rich's `Progress`, such as `disable`, `console` and `transient`.
    """
    redirect = not get_console().is_jupyter
    return _Bar(*columns, redirect_stdout=redirect, redirect_stderr=redirect, **options)
