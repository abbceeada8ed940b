"""`python -m brakepoint` is the command `brakepoint`."""

import io
import sys

INTERRUPTED = 130


def main() -> None:
    """Entry point of the command `brakepoint`; Ctrl-C ends it quietly even while it is still loading."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # A missing character must not raise an error.
        sys.stdout.reconfigure(errors="replace")
    try:
        from brakepoint.cli import run
        from brakepoint.cli.screen import write_what_the_screen_can_show
        from brakepoint.room import take_joined

        write_what_the_screen_can_show()
        take_joined()
        sys.exit(run(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
