"""Everything that a person reads is available in every language."""

import re
import string
from pathlib import Path

import pytest

from brakepoint.texts import ORIGINAL, catalogue, languages, number, text

ROOT = Path(__file__).parent.parent
SOURCES = [
    path
    for room in ("brakepoint", "footage", "solutions", "stubs", "hardware", "benchmarks")
    for pattern in ("**/*.py", "**/*.j2")
    for path in (ROOT / room).glob(pattern)
]
LOOKED_UP = re.compile(
    r'\b(?:(?:_?t|text|UserError|_line)\(\s*|help=)"([a-z0-9_]+\.[a-zA-Z0-9_.\-]*[a-zA-Z0-9])"'
)


def placeholders(words: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(words) if name is not None}


@pytest.mark.parametrize("key", sorted(catalogue()))
def test_each_text_is_there_in_every_language_with_the_same_placeholders(key: str) -> None:
    words = catalogue()[key]

    assert set(words) == set(languages())
    assert all(words.values())
    assert len({frozenset(placeholders(said)) for said in words.values()}) == 1


@pytest.mark.parametrize("key", sorted(catalogue()))
def test_no_text_has_a_placeholder_that_text_itself_takes(key: str) -> None:
    assert not {"key", "lang"} & placeholders(catalogue()[key][ORIGINAL])


@pytest.mark.parametrize("key", sorted(catalogue()))
def test_french_is_set_as_french_is(key: str) -> None:
    french = catalogue()[key]["fr"]

    assert not re.search(r"\w'\w", french), "an apostrophe is ’"
    assert not re.search(r"[^\s ][;?!»]|«[^\s ]", french), "a space goes before ; ? ! » and behind «"


def test_each_text_that_is_looked_up_exists() -> None:
    looked_up = {
        (key, path.relative_to(ROOT))
        for path in SOURCES
        for key in LOOKED_UP.findall(path.read_text("utf-8"))
    }

    assert looked_up
    assert not {(key, path) for key, path in looked_up if key not in catalogue()}


@pytest.mark.parametrize(("lang", "said"), [("en", "1.5"), ("fr", "1,5")])
def test_a_fraction_has_the_decimal_point_of_its_language(lang: str, said: str) -> None:
    filled = text("hub.lost.silence", lang, seconds=1.5)

    assert said in filled
    assert number(1.5, 1, lang) == said
