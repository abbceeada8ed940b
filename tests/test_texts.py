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


def placeholders(words: str) -> frozenset[str]:
    return frozenset(name for _, name, _, _ in string.Formatter().parse(words) if name is not None)


def test_each_text_is_there_in_every_language() -> None:
    lacking = {
        key: words
        for key, words in catalogue().items()
        if {*words} != {*languages()} or not all(words.values())
    }

    assert len(catalogue()) > 2000
    assert not lacking


def test_a_text_has_the_same_placeholders_in_every_language() -> None:
    assert not [key for key, words in catalogue().items() if len({*map(placeholders, words.values())}) > 1]


def test_no_text_has_a_placeholder_that_text_itself_takes() -> None:
    assert not [key for key, words in catalogue().items() if {"key", "lang"} & placeholders(words[ORIGINAL])]


@pytest.mark.parametrize(
    ("set_wrongly", "rule"),
    [
        (r"\w'\w", "an apostrophe is ’"),
        (r"[^\s ][;?!»]|«[^\s ]", "a space goes before ; ? ! » and after «"),
        (r"[\w}]%", "a space goes before %"),
        (r" [,.](?=\s|$)|\.\.\.", "no space goes before , or . and an ellipsis is …"),
    ],
)
def test_french_is_set_as_french_is(set_wrongly: str, rule: str) -> None:
    wrong = {key: words["fr"] for key, words in catalogue().items() if re.search(set_wrongly, words["fr"])}
    assert not wrong, rule


def test_the_spaces_of_the_catalogue_are_ordinary_ones() -> None:
    """The site and the labs keep a mark on the line of its word; a no-break space is a visible escape."""
    unseen = re.compile("[\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}]")
    files = sorted((ROOT / "brakepoint" / "texts").glob("*.toml"))

    assert files
    assert not [file.name for file in files if unseen.search(file.read_text("utf-8"))]


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


@pytest.mark.parametrize(
    ("value", "said"), [(-0.04, "0.0"), (-0.0, "0.0"), (-0.06, "-0.1"), (-1.0, "-1.0"), (0.04, "0.0")]
)
def test_a_value_that_rounds_to_zero_has_no_sign(value: float, said: str) -> None:
    assert number(value, 1, "en") == said


@pytest.mark.parametrize("lang", languages())
@pytest.mark.parametrize(
    "harmful",
    ["\x1b", "\x07", "\x08", "\r", "\x7f", "\x85", "\x9b", "\u200f", "\u202e", "\u2028", "\u2069", "\udcff"],
)
def test_what_comes_from_outside_controls_neither_a_terminal_nor_the_direction_of_writing(
    harmful: str, lang: str
) -> None:
    assert text("adapters.says", lang, words=f"a{harmful}[2J\tb\r\nc\n") == "a?[2J\tb\r\nc\n"
