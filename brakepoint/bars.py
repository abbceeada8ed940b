"""Progress bars that a notebook survives, and that a log shows as lines."""

from typing import Any

from rich import get_console
from rich.progress import Progress, TaskID

LINE_EVERY_S = 20.0
"""How often the progress is printed in a log, so that its reader sees how fast the work proceeds."""


class _Bar(Progress):
    """A bar that also moves where nothing can be drawn over: in a file, or behind a pipe."""

    _printed_at: float | None = None

    def update(self, task_id: TaskID, **changes: Any) -> None:
        """As rich's own."""
        super().update(task_id, **changes)
        self._print_now_and_then()

    def advance(self, task_id: TaskID, advance: float = 1) -> None:
        """As rich's own."""
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
    """A bar of rich's, on which code may print half a line.

    In a terminal rich puts what is printed above the bar. In a notebook it must not: to show it, it displays;
    to display, the kernel flushes what was printed; and to flush that, rich shows it again, without end.
    Where there is neither, the bar is a line now and then.

    Args:
        columns: Of the bar; rich's own by default.
        options: Of rich's `Progress`, such as `disable`, `console` and `transient`.
    """
    redirect = not get_console().is_jupyter
    return _Bar(*columns, redirect_stdout=redirect, redirect_stderr=redirect, **options)
