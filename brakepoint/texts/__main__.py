"""Gives scripts access to the catalogue: `python -m brakepoint.texts`.

Without arguments, it prints the reader's language; with `all`, every language; with a key and `name=value`,
the text of that key.
"""

import sys

from brakepoint.texts import language, languages, text

match sys.argv[1:]:
    case []:
        print(language())  # noqa: T201
    case ["all"]:
        print(*languages())  # noqa: T201
    case [key, *values]:
        print(text(key, None, **dict(value.split("=", 1) for value in values)))  # noqa: T201
