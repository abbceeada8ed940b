"""The instructor's slides: the same in every language, with notes, and complete without a network."""

import re

import pytest
from instructor_slides import slides

from brakepoint.texts import catalogue, languages

NAMES = [slide.name for slide in slides.SLIDES]
IN_ROOM = 5
"""So many lines fit beside a picture."""


@pytest.fixture(scope="module", params=languages())
def page(request) -> str:
    return slides.render(request.param)


def test_the_slides_are_the_same_in_every_language(page: str):
    assert re.findall(r'<section id="(\w+)"', page) == NAMES
    for slide in slides.SLIDES:
        for part in ("title", "points", "notes", "picture"):
            assert all(catalogue()[f"slides.{slide.name}.{part}"][lang].strip() for lang in languages())


def test_each_slide_has_notes_a_picture_with_words_and_no_more_lines_than_fit(page: str):
    sections = re.findall(r"<section.*?</section>", page, re.DOTALL)

    assert len(sections) == len(NAMES)
    for section in sections:
        (notes,) = re.findall(r"</p><p>(.*?)</p></aside>", section)
        assert len(notes) > 80
        assert re.search(r'(?:alt|aria-label)="[^"]{10,}"', section)
        assert len(re.findall(r"(?:src)=\"data:(?:image|video)/", section)) == 1
        assert 1 <= section.count("<li>") <= IN_ROOM


@pytest.mark.parametrize("lang", languages())
def test_the_points_are_as_many_in_every_language_and_every_picture_exists(lang: str):
    for slide in slides.SLIDES:
        points = catalogue()[f"slides.{slide.name}.points"]
        assert len(points[lang].strip().splitlines()) == len(points["en"].strip().splitlines())
        assert (slides.IMAGES / lang / slide.picture).is_file()


def test_the_slides_load_nothing_from_elsewhere(page: str):
    addresses = re.findall(
        r"(?:src|href|action|data)\s*=\s*[\"']?([^\"'\s>]+)|url\(([^)]*)\)|@import\s+(\S+)", page
    )

    assert addresses
    assert all(address.startswith("data:") for found in addresses for address in found if address)
    assert not re.search(r"\bfetch\(|XMLHttpRequest|import\(|https?://", page)


def test_the_slides_take_twenty_minutes():
    assert sum(slide.minutes for slide in slides.SLIDES) == slides.MINUTES == 20


def test_figures_are_filled_in(page: str):
    words = re.sub(r"<(style|script)>.*?</\1>|data:[^\"]*", "", page, flags=re.DOTALL)

    assert "{" not in words
    assert "120 minutes" in words


def test_a_page_for_each_language_is_written(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(slides, "OUT", tmp_path / "slides")
    monkeypatch.setattr(slides, "render", lambda lang: f"slides in {lang}")
    slides.main()

    assert {path.name: path.read_text() for path in (tmp_path / "slides").iterdir()} == {
        f"{lang}.html": f"slides in {lang}" for lang in languages()
    }
    assert str(tmp_path / "slides" / "en.html") in capsys.readouterr().out
