"""`python -m brakepoint` is the command `brakepoint`."""

import io
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

INTERRUPTED = 130
AGAIN_S = 0.05
"""After this time, an ignored Ctrl-C is repeated."""


def main() -> None:
    """Entry point of the command `brakepoint`; Ctrl-C ends it quietly even while it is still loading."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # A missing character must not raise an error.
        sys.stdout.reconfigure(errors="replace")
    sys.unraisablehook = interrupt_again
    try:
        from brakepoint.cli import run
        from brakepoint.cli.screen import write_what_the_screen_can_show
        from brakepoint.room import take_joined

        write_what_the_screen_can_show()
        take_joined()
        sys.exit(run(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def interrupt_again(ignored: "UnraisableHookArgs") -> None:
    """Repeats a Ctrl-C that arrived where Python ignores exceptions; other exceptions are printed as usual.

    Python does so in `__del__` and in the callbacks of weak references, which can run at any moment, such as
    during an import. It would print a traceback of the interrupt, and the command would continue.
    """
    if ignored.exc_type is not KeyboardInterrupt or not hasattr(signal, "setitimer"):  # Windows has none.
        sys.__unraisablehook__(ignored)
    elif not sys.is_finalizing():
        # An interrupt that is raised here is ignored as well, and a thread could wait for a lock held now.
        signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
        signal.setitimer(signal.ITIMER_REAL, AGAIN_S)


if __name__ == "__main__":
    main()
