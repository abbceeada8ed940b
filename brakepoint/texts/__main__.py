"""Prints the reader's language for scripts, or every language with `all`: `python -m brakepoint.texts`."""

import sys

from brakepoint.texts import language, languages

print(*(languages() if sys.argv[1:] == ["all"] else [language()]))  # noqa: T201
