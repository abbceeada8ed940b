"""One word for each thing: the two glossaries agree, and French pages use the words of the French one."""

import re
import unicodedata
from pathlib import Path

import pytest
from test_english import prose

from brakepoint.texts import catalogue

ROOT = Path(__file__).parent.parent
PAGES = [
    *sorted((ROOT / "docs" / "fr").glob("*.md")),
    *(ROOT / f"{name}.fr.md" for name in ("README", "CONTRIBUTING", "SECURITY")),
    *sorted((ROOT / "notebooks" / "fr").glob("*.ipynb")),
]
ROW = re.compile(r"^\| ([^|]+) \| ([^|]+) \| [^|]+ \|$", re.MULTILINE)
INSTEAD = {
    "annoter": "étiqueter",
    "arrière-plan": "fond",
    "autopilote": "pilote",
    "broker embarqué": "broker intégré",
    "code de sortie": "code de retour",
    "compartiment": "bucket",
    "doublure": "bouchon",
    "instructeur": "formateur",
}
"""French words that are not the kit's, and the one to use instead."""


def glossary(lang: str) -> list[tuple[str, str]]:
    """The glossary's rows in their order: the term, and the term of the other language."""
    return ROW.findall((ROOT / "docs" / lang / "glossary.md").read_text("utf-8"))[2:]


def sort_key(term: str) -> str:
    """The letters of a term, without accents: “point d’accès” comes before “point de reprise”."""
    return re.sub("[^a-z]", "", unicodedata.normalize("NFD", term.casefold()))


def test_the_glossaries_translate_each_other() -> None:
    assert set(glossary("en")) == {(english, french) for french, english in glossary("fr")}


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_a_glossary_is_in_alphabetical_order(lang: str) -> None:
    terms = [sort_key(term) for term, _ in glossary(lang)]

    assert terms == sorted(terms)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_french_page_uses_the_words_of_the_glossary(page: Path) -> None:
    words = prose(page).casefold()

    assert [word for word in INSTEAD if word in words] == []


@pytest.mark.parametrize("word", INSTEAD)
def test_the_french_texts_use_the_words_of_the_glossary(word: str) -> None:
    assert [key for key, words in catalogue().items() if word in words["fr"].casefold()] == []
