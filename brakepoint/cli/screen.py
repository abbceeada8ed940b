"""What is written on the screen, whatever the screen can show."""

import codecs
import sys
import unicodedata
from io import TextIOWrapper

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

WIDEST = 1000
"""Columns that no table needs."""
PLAIN = "brakepoint.plain"
LOOKALIKES = str.maketrans(
    {
        "✓": "v",
        "✗": "x",
        "★": "*",
        "●": "*",
        "·": "-",
        "–": "-",
        "—": "-",
        "━": "-",
        "─": "-",
        "│": "|",
        "→": "->",
        "←": "<-",
        "▶": ">",
        "▲": "^",
        "≡": "=",
        "░": ".",
        "█": "#",
        "☀": "*",
        "…": "...",
        "±": "+/-",
        "°": " deg",
        "’": "'",
        "‘": "'",
        "“": '"',
        "”": '"',
        "«": '"',
        "»": '"',
        "×": "x",
        "−": "-",
        "œ": "oe",
        "≥": ">=",
        "≤": "<=",
        "\xa0": " ",
        "\u202f": " ",
    }
)
"""For a screen that knows neither UTF-8 nor the letter itself."""


def write_what_the_screen_can_show() -> None:
    """Writes what the screen's encoding lacks by letters that look alike; Python would raise an error."""
    codecs.register_error(PLAIN, _plain)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors=PLAIN)


def _plain(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    words = error.object[error.start : error.end].translate(LOOKALIKES)
    letters = unicodedata.normalize("NFKD", words)
    bare = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return bare.encode("ascii", "replace").decode("ascii"), error.end


def print_table(console: Console, table: Table) -> None:
    """Prints a table so wide that no cell is cut off; a screen that is narrower breaks the lines itself.

    Args:
        console: Where to; it keeps the width.
        table: The same.
    """
    needed = Measurement.get(console, console.options.update(width=WIDEST), table).maximum
    console.width = max(console.width, needed)
    console.print(table)
