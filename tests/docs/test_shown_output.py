"""The output of checks that the pages show consists of the catalogue's texts."""

import re

import pytest

from brakepoint.course import ROOT, find_step
from brakepoint.texts import catalogue, languages, text

SHOWN = re.compile(r"<!-- shown: check (\d) -->\n```\n(.*?)\n```", re.DOTALL)


def shown(lang: str) -> list[tuple[str, str]]:
    """Each output that a page shows: the step, and the text without its line breaks."""
    pages = [page.read_text("utf-8") for page in sorted((ROOT / "docs" / lang).glob("*.md"))]
    return [(step, " ".join(words.split())) for page in pages for step, words in SHOWN.findall(page)]


def pattern(words: str) -> str:
    """A text of the catalogue with anything in its placeholders."""
    return re.sub(r"\\{\w+\\}", ".+?", re.escape(words.replace("\n", " ")))


@pytest.mark.parametrize("lang", languages())
def test_the_shown_checks_use_today_s_words(lang: str) -> None:
    outputs = shown(lang)

    assert [step for step, _ in outputs] == ["1", "6"]
    for number, words in outputs:
        step = find_step(number)
        heading = text("workshop.step", lang, number=number, title=text(f"course.{step.name}.title", lang))
        titles = [text(f"lab.{step.name}.{name}.title", lang) for name in step.exercises]
        groups = "workshop.next_", f"check.step{number}.", f"course.{step.name}.done"
        entries = [entry[lang] for key, entry in catalogue().items() if key.startswith(groups)]
        rest = words
        for each in sorted([heading, *titles, *entries], key=len, reverse=True):
            rest = re.sub(f"(?:^|(?<= )){pattern(each)}(?= |$)", "", rest)

        assert set(rest.split()) <= {"✓", "✗"}, rest
