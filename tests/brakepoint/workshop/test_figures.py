import pytest

from brakepoint.course import ROOT, course, set_up_minutes
from brakepoint.locomotive import STOPPING_LIMIT_CM
from brakepoint.texts import languages
from brakepoint.workshop.figures import FIGURES, MARK, pages, with_figures, without_marks


@pytest.mark.parametrize("path", pages(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_page_shows_the_present_figures(path):
    words = path.read_text(encoding="utf-8")

    assert with_figures(words, pages()[path]) == words, "make labs writes them"


def test_every_figure_is_shown_in_both_languages():
    shown = {
        lang: {
            mark[2]
            for path, its in pages().items()
            if its == lang
            for mark in MARK.finditer(path.read_text())
        }
        for lang in ("en", "fr")
    }

    assert shown["en"] == shown["fr"] == set(FIGURES)


@pytest.mark.parametrize("step", course(), ids=lambda step: step.name)
def test_a_notebook_shows_the_minutes_of_the_plan_in_each_language(step):
    words = (ROOT / "notebooks" / "source" / f"{step.name}.py").read_text(encoding="utf-8")

    assert words.count(f"<!-- ={step.name}_minutes -->{step.minutes}<!-- = -->") == len(languages())


def test_the_full_course_takes_three_hours_with_set_up_and_login():
    assert set_up_minutes() + sum(step.minutes for step in course()) == 180


def test_a_stale_figure_is_rewritten_with_the_decimals_of_the_language():
    assert with_figures("<!-- =watchdog_s -->9<!-- = -->", "fr") == "<!-- =watchdog_s -->0,4<!-- = -->"


def test_a_reader_of_a_notebook_sees_the_value_alone():
    words = "in <!-- =stopping_limit_cm -->0<!-- = --> cm"

    assert without_marks(with_figures(words, "en")) == f"in {round(STOPPING_LIMIT_CM)} cm"


def test_a_figure_that_nobody_knows_is_refused():
    with pytest.raises(KeyError):
        with_figures("<!-- =no_such_figure -->1<!-- = -->", "en")
