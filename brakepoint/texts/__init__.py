"""The catalogue of everything that a person reads, in every language of the kit.

Each `*.toml` file beside this module contains tables such as `[mission.derailed]` with a key for each
language. The file's name groups texts for editors and is not part of the key. A language exists if
`language.name` has a text in it; its texts may be beside the others or in files of their own.
"""

import os
import re
import string
import tomllib
from functools import cache
from importlib import resources
from typing import Any

FOLDER = resources.files(__package__)
ORIGINAL = "en"
"""The language of the docstrings, and of readers whose own language is missing."""
LANGUAGE_VARIABLES = ("BRAKEPOINT_LANG", "LC_ALL", "LC_MESSAGES", "LANG")
"""Variables that set the reader's language, the strongest first: the kit's own setting, then the locale's."""
HARMFUL = re.compile(
    "\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Characters that control a terminal, change the direction of writing, or cannot be written at all."""


@cache
def catalogue() -> dict[str, dict[str, str]]:
    """Reads every text: `{"mission.derailed": {"en": "…", …}}`.

    Raises:
        ValueError: A text is defined twice in one language.
    """
    entries: dict[str, dict[str, str]] = {}
    for file in sorted(FOLDER.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".toml"):
            _flatten(tomllib.loads(file.read_text(encoding="utf-8")), "", entries)
    return entries


def _flatten(table: dict[str, Any], prefix: str, entries: dict[str, dict[str, str]]) -> None:
    for name, value in table.items():
        key = f"{prefix}{name}"
        if all(isinstance(item, str) for item in value.values()):
            entry = entries.setdefault(key, {})
            if twice := entry.keys() & value.keys():
                raise ValueError(f"text {key} is defined twice in {', '.join(twice)}")
            entry.update(value)
        else:
            _flatten(value, f"{key}.", entries)


def chosen_language() -> str | None:
    """The language that a person has set for the kit; None if the locale or the browser decides."""
    return language() if os.environ.get(LANGUAGE_VARIABLES[0]) else None


def languages() -> tuple[str, ...]:
    """The available languages, the original one first."""
    return tuple(sorted(catalogue()["language.name"], key=lambda lang: (lang != ORIGINAL, lang)))


def language() -> str:
    """The reader's language: from `BRAKEPOINT_LANG` if set, else from the locale; else English."""
    for variable in LANGUAGE_VARIABLES:
        if value := os.environ.get(variable, "").lower():
            return next((lang for lang in languages() if value.startswith(lang)), ORIGINAL)
    return ORIGINAL


def harmless(words: str) -> str:
    """Text from outside, with a question mark for each character that could harm a terminal or a page."""
    return HARMFUL.sub("?", words)


class _Writer(string.Formatter):
    """Fills placeholders with harmless text; fractions get the language's separator, and never a "-0.0"."""

    def __init__(self, lang: str) -> None:
        self._point = catalogue()["number.point"][lang]

    def format_field(self, value: object, format_spec: str) -> str:
        written: str = super().format_field(value, format_spec)
        if not isinstance(value, float):
            return harmless(written)
        if value > -1 and not any(digit in written for digit in "123456789"):
            written = written.replace("-", "")
        return written.replace(".", self._point)


def text(key: str, lang: str | None = None, **values: object) -> str:
    """Looks up a text and fills its placeholders.

    Args:
        key: Dotted key, for instance `mission.derailed`.
        lang: One of `languages()`; by default the reader's language.
        values: Values of the text's `{placeholders}`; floats get the language's decimal point.

    Raises:
        KeyError: There is no such text.

    Example:
        >>> text("mission.scored", lang="en", score=98)
        '98 out of 100'
    """
    lang = lang or language()
    return _Writer(lang).vformat(catalogue()[key][lang], (), values)


def number(value: float, digits: int = 0, lang: str | None = None) -> str:
    """A number in the format of the reader's language: French has a decimal comma."""
    return _Writer(lang or language()).format_field(float(value), f".{digits}f")
