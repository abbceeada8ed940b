"""Tells scripts the reader's language, or with `all` every language: `python -m brakepoint.texts`."""

import sys

from brakepoint.texts import language, languages

print(*(languages() if sys.argv[1:] == ["all"] else [language()]))  # noqa: T201
