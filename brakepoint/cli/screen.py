"""Output to screens with limited capabilities."""

import codecs
import sys
import unicodedata
from io import TextIOWrapper

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

WIDEST = 1000
"""More columns than any table needs."""
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
"""Replacements for screens that support neither UTF-8 nor the character itself."""


def write_what_the_screen_can_show() -> None:
    """Replaces characters that the screen's encoding lacks with similar ones; Python would raise an error."""
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
    """Prints a table at such a width that no cell is truncated; a narrower screen wraps the lines itself.

    Args:
        console: Console to print to; it keeps the increased width.
        table: The table.
    """
    needed = Measurement.get(console, console.options.update(width=WIDEST), table).maximum
    console.width = max(console.width, needed)
    console.print(table)
