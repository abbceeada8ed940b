"""The site of the documentation in a real browser, opened from its files: no network, no mouse."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from accessibility import grave_faults
from browsing import complaints_of
from playwright.sync_api import Page, expect

from brakepoint.texts import languages

ROOT = Path(__file__).parents[2]
PAGES = sorted(path.stem for path in (ROOT / "docs" / "en").glob("*.md"))
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
PAGE_MOST_BYTES = 1_000_000
DIAGRAM_TEXTS = """[...document.querySelectorAll(".diagram svg :is(text, tspan)")].map(text => {
    const size = parseFloat(getComputedStyle(text).fontSize) * text.closest("text").getScreenCTM().a;
    const own = getComputedStyle(text).fill === getComputedStyle(text.closest("article")).color;
    return `${size.toFixed()}px, ${own ? "like its page" : getComputedStyle(text).fill}`;
})"""


def build(config: Path, lang: str, folder: Path) -> None:
    words: list[str | Path] = ["build", "--quiet", "--strict", "--config-file", config, "--site-dir", folder]
    environment = {**os.environ, "BRAKEPOINT_LANG": lang, "NO_MKDOCS_2_WARNING": "1"}
    subprocess.run([sys.executable, "-m", "mkdocs", *words], env=environment, check=True)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    for lang in languages():
        build(ROOT / "docs" / "mkdocs.yml", lang, folder / lang)
    return folder


@pytest.fixture
def page(browser) -> Iterator[Page]:
    page = browser.new_page(viewport=DESK, color_scheme="light")
    complaints = complaints_of(page)
    yield page
    page.close()
    assert [line for line in complaints if not line.startswith(("file:", "data:"))] == []


@pytest.mark.parametrize("lang", languages())
def test_no_page_is_heavy_or_asks_for_anything_from_outside(page: Page, site: Path, lang: str) -> None:
    loaded: set[str] = set()
    page.on("request", lambda request: loaded.add(request.url))
    for name in PAGES:
        loaded.clear()
        page.goto((site / lang / f"{name}.html").as_uri())
        files = {Path(url.removeprefix("file://").partition("?")[0]) for url in loaded if url[:5] == "file:"}

        assert sum(file.stat().st_size for file in files) < PAGE_MOST_BYTES, name


@pytest.mark.parametrize("name", ["index", "step3", "instructor"])
def test_the_language_switch_leads_to_the_same_page(page: Page, site: Path, name: str) -> None:
    page.goto((site / "en" / f"{name}.html").as_uri())
    assert page.evaluate("document.documentElement.lang") == "en"

    page.goto(page.locator("a[hreflang=fr]").first.evaluate("link => link.href"))

    assert page.url.endswith(f"/fr/{name}.html")
    assert page.evaluate("document.documentElement.lang") == "fr"


def test_the_first_page_leads_to_the_readers_language(browser, site: Path) -> None:
    page = browser.new_page(locale="fr-FR")
    page.goto((site / "index.html").as_uri())

    page.wait_for_url("**/fr/index.html")
    page.close()


@pytest.mark.parametrize(
    ("lang", "typed", "found"),
    [
        ("en", "watchdog", "glossary.html#watchdog"),
        ("en", "QoS", "broker.html#topics"),
        ("en", "catch-up", "commands.html#brakepoint-catch-up"),
        ("fr", "chien de garde", "glossary.html#chien-de-garde"),
        ("fr", "rattraper", "glossary.html#rattraper"),
        ("fr", "etalonner", "hardware.html#premier-essai-la-vitesse"),
        ("fr", "Étalonner", "hardware.html#premier-essai-la-vitesse"),
    ],
)
def test_the_search_finds_the_section_without_a_server(
    page: Page, site: Path, lang: str, typed: str, found: str
) -> None:
    page.goto((site / lang / "index.html").as_uri())
    page.locator(".md-search__input").click()
    page.keyboard.type(typed)

    name, anchor = found.split("#")
    link = page.locator(f".md-search-result__link[href*='/{name}?'][href$='#{anchor}']")
    expect(link).to_be_attached(timeout=60_000)


@pytest.mark.parametrize("lang", languages())
def test_the_text_of_every_diagram_has_the_same_size_and_the_page_s_colour(
    page: Page, site: Path, lang: str
) -> None:
    looks = set()
    for name in PAGES:
        page.goto((site / lang / f"{name}.html").as_uri())
        looks |= set(page.evaluate(DIAGRAM_TEXTS))

    assert looks == {"13px, like its page"}


def test_code_in_a_table_breaks_between_words_and_shows_no_entity(page: Page, site: Path) -> None:
    page.set_viewport_size(PHONE)
    page.goto((site / "en" / "reference.html").as_uri())
    code = page.locator("td code")

    assert "SignClass | None" in code.all_text_contents()
    assert page.locator("td code", has_text="position_cm").first.inner_html() == "position_<wbr>cm"
    assert code.first.evaluate("code => getComputedStyle(code).wordBreak") == "normal"


def test_a_forge_s_alert_is_an_admonition(page: Page, site: Path) -> None:
    page.goto((site / "fr" / "hardware.html").as_uri())

    assert page.locator(".admonition.warning .admonition-title").all_text_contents() == ["Attention"]
    assert page.locator(".admonition.note a[href='#le-jetson']").count() == 1
    assert "[!" not in page.locator("article").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_nothing_grave_keeps_anybody_from_reading(page: Page, site: Path, name: str, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto((site / "fr" / f"{name}.html").as_uri())

    assert grave_faults(page) == []


@pytest.mark.parametrize("viewport", [PHONE, DESK])
def test_nothing_sticks_out_sideways(page: Page, site: Path, viewport: dict) -> None:
    page.set_viewport_size(viewport)
    wide = []
    for name in PAGES:
        page.goto((site / "fr" / f"{name}.html").as_uri())
        if page.evaluate("document.documentElement.scrollWidth") > viewport["width"]:
            wide.append(name)

    assert wide == []


def test_on_a_phone_exercises_and_commands_are_read_without_scrolling(page: Page, site: Path) -> None:
    page.set_viewport_size(PHONE)
    page.goto((site / "fr" / "step6.html").as_uri())
    wide = "parts => parts.filter(part => part.scrollWidth > part.clientWidth).length"

    assert page.locator(".stacked td").count() > 20
    assert page.locator(".stacked td, .language-bash code").evaluate_all(wide) == 0


def test_a_number_keeps_its_unit_and_an_option_its_dashes(page: Page, site: Path) -> None:
    page.goto((site / "en" / "step6.html").as_uri())

    assert page.get_by_text("50\u00a0cm/s").count() > 0
    page.goto((site / "en" / "hardware.html").as_uri())
    assert page.locator("code .option", has_text="--camera").first.inner_text() == "--camera"


def test_the_text_is_one_key_away(page: Page, site: Path) -> None:
    page.goto((site / "en" / "step1.html").as_uri())
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    assert page.evaluate("location.hash") != ""


def test_french_punctuation_stays_with_its_word_and_code_is_left_alone(page: Page, site: Path) -> None:
    page.goto((site / "fr" / "index.html").as_uri())
    prose = page.locator("article p, article li").all_text_contents()

    assert not [words for words in prose if re.search(" [;:!?»]|« ", words)]
    assert any("\u00a0:" in words for words in prose) and any("\u202f;" in words for words in prose)
    assert "\u00a0" not in "".join(page.locator("article code").all_text_contents())
