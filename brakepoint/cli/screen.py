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
PLAIN_ASCII = "brakepoint_ascii"
"""ASCII under another name: Click writes UTF-8 to a stream whose encoding is called ASCII."""
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
    codecs.register(lambda name: _plain_ascii() if name == PLAIN_ASCII else None)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            is_ascii = codecs.lookup(stream.encoding).name == "ascii"
            stream.reconfigure(encoding=PLAIN_ASCII if is_ascii else None, errors=PLAIN)


def _plain_ascii() -> codecs.CodecInfo:
    base = codecs.lookup("ascii")
    return codecs.CodecInfo(
        base.encode,
        base.decode,
        incrementalencoder=base.incrementalencoder,
        incrementaldecoder=base.incrementaldecoder,
        name=PLAIN_ASCII,
    )


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
