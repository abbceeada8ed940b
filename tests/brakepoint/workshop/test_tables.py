import re

import pytest

from brakepoint.course import course
from brakepoint.scenery.artwork import PLATES
from brakepoint.scenery.scenario import Scenario, ScenarioSign
from brakepoint.texts import languages, text
from brakepoint.track import Curve, Straight
from brakepoint.workshop.figures import pages
from brakepoint.workshop.tables import MARK, code, plain, table, with_tables

DOCS = {path: lang for path, lang in pages().items() if path.suffix == ".md"}


def tables(name: str, lang: str) -> list[tuple[str, str]]:
    path = next(path for path in DOCS if (path.name, path.parent.name) == (name, lang))
    return [(found[2], found[0]) for found in MARK.finditer(path.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("path", DOCS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_page_shows_the_present_tables(path):
    words = path.read_text(encoding="utf-8")

    assert with_tables(words, DOCS[path]) == words, "make labs writes them"


@pytest.mark.parametrize("lang", languages())
@pytest.mark.parametrize("step", course(), ids=lambda step: step.name)
def test_who_reads_a_step_s_page_on_a_forge_sees_its_exercises(step, lang):
    (kind, words), *_ = tables(f"step{step.number}.md", lang)

    assert kind == "exercises"
    assert re.findall(r"^\| `(\w+)` \|", words, re.MULTILINE) == list(step.exercises)


@pytest.mark.parametrize("lang", languages())
def test_who_reads_the_first_page_on_a_forge_sees_every_step(lang):
    ((kind, words),) = tables("index.md", lang)

    assert kind == "cards"
    cards = words.split("-   ")[1:]
    for step, card in zip(course(), cards, strict=True):
        picture, link, outcome = card.removesuffix("</div>\n\n").split("\n\n")[:3]
        title = text(f"course.{step.name}.title", lang)
        assert picture == f"![](../images/{lang}/card{step.number}.jpg)"
        assert link == f"    **[{step.number}. {title[0].upper()}{title[1:]}](step{step.number}.md)**"
        assert outcome.split(". ")[0].split() == [str(step.minutes), "minutes"]
        assert outcome.endswith(text(f"course.{step.name}.outcome", lang))


def test_what_was_in_a_table_before_is_replaced():
    words = "<!-- table: steps -->\nold\n<!-- end of table -->\nrest"

    filled = with_tables(words, "en")

    assert "old" not in filled
    assert filled.startswith("<!-- table: steps -->\n\n| step | ")
    assert filled.endswith(" |\n\n<!-- end of table -->\nrest")
    assert with_tables(filled, "en") == filled


def test_each_table_of_a_page_is_filled_for_itself():
    first, second = (f"<!-- table: {name} -->\n<!-- end of table -->\n" for name in ("steps", "exercises 1"))

    assert with_tables(f"{first}between\n{second}", "en") == (
        f"{with_tables(first, 'en')}between\n{with_tables(second, 'en')}"
    )


def test_a_table_that_nobody_knows_is_refused():
    with pytest.raises(KeyError):
        with_tables("<!-- table: nothing -->\n<!-- end of table -->", "en")


def test_a_cell_stays_in_its_row_and_column():
    assert table("rule", [("`A`", 1, "one\nor | two")], "fr") == (
        "| constante | valeur | signification |\n| --- | ---: | --- |\n| `A` | 1 | one or &#124; two |\n"
    )


def test_a_column_is_aligned_like_numbers_if_it_holds_nothing_else():
    rows = [("0", "13:00", "−1.5", ""), (12, "a", "1,000", "2")]

    assert table("clock", rows).splitlines()[1] == "| ---: | --- | ---: | --- |"


def test_words_are_code_or_plain():
    assert (code("x"), code(""), code(0)) == ("`x`", "", "`0`")
    assert code("a_b | None") == r"<code>a\_b | None</code>"  # Its row escapes the bar.
    assert plain("a_b *c* <d> [e] `f` \\") == r"a\_b \*c\* \<d> \[e] \`f\` \\"


@pytest.mark.parametrize("lang", languages())
def test_the_reference_lists_every_field_and_sign_of_a_scenario(lang):
    words = "".join(found for _, found in tables("reference.md", lang))

    kinds = {*PLATES, *Scenario.model_fields, *ScenarioSign.model_fields, *Straight.model_fields}
    assert kinds | set(Curve.model_fields) <= set(re.findall(r"^\| `([\w-]+)` \|", words, re.MULTILINE))


def test_a_field_s_row_says_what_it_takes_what_it_is_without_and_what_it_means():
    signs, track, line, kinds = (
        with_tables(f"<!-- table: {name} -->\n<!-- end of table -->", "en")
        for name in ("scenario ScenarioSign", "scenario Straight", "scenario Scenario", "kinds")
    )

    assert (
        "\n| `offset_cm` | ≥ 4, ≤ 200 | `7.0` | Distance from the middle of the track to the post. |\n"
        in signs
    )
    assert "\n| `side` | `left`, `right` | `right` | On which side, seen from the train. |\n" in signs
    assert "\n| `facing` | `false`, `true` | `true` | " in signs
    assert "\n| `tilt_deg` | ≥ -30, ≤ 30 |  | How crooked " in signs
    assert "\n| `straight_cm` | > 0, ≤ 1000 | (required) | " in track
    assert "\n| `seed` | ≥ 0, < 4294967296 | `1` | " in line
    assert (
        "\n| `track` |  | (required) | Pieces of track, laid end to end; together 50 to 3000 cm. |\n" in line
    )
    assert "\n| `name` |  |  | " in line
    assert "\n| `signs` |  |  | " in line
    assert "\n| `limit-30` | Limit 30 | `SpeedLimit` |\n" in kinds
    assert "\n| `stop` | Stop | none: a distractor |\n" in kinds
