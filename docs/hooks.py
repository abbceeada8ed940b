"""MkDocs hooks for this site: its languages, the project's files, diagrams, tables from the code.

The pages are plain Markdown that a forge can show, too. Therefore links point to files of the project; the
hooks copy these files into the site, which then works without a network. `<!-- from the code: … -->` is
replaced with the text that `docs/from_code.py` writes.
"""

import re
import sys
from html import escape
from pathlib import Path
from typing import Any

import mermaidx
from jinja2 import Template
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from brakepoint.texts import languages, text

DOCS = Path(__file__).parent
ROOT = DOCS.parent

sys.path.insert(0, str(DOCS))
from from_code import WRITERS  # noqa: E402

FROM_CODE = re.compile(r"<!-- from the code: (\w+) ?(\w*) -->")
OTHER_LANGUAGES = re.compile(
    rf"^\*([ ·]*\[[^]]+\]\(\.\./({'|'.join(languages())})/[^)]*\))+\*\n", re.MULTILINE
)
ALTERNATE = re.compile(r"<link rel=\"alternate\"[^>]*>")
OUTSIDE = re.compile(r"(!?)\[([^]]*)\]\((\.\./[^)\s#]+)(#[^)]*)?\)")
MERMAID = re.compile(r"^```mermaid\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
TITLE = re.compile(r"^\s*accTitle: (.*)$", re.MULTILINE)
LAYOUT = {
    "htmlLabels": False,
    "flowchart": {"htmlLabels": False, "padding": 10, "nodeSpacing": 24, "rankSpacing": 24},
    "sequence": {"actorMargin": 24, "width": 110},
}
"""Labels are SVG text, which takes the page's colours; boxes are close enough to fit a column of text."""
SIZE = re.compile(r'width="100%"(.*?)style="[^"]*" viewBox="(\S+ \S+ (\S+) (\S+))" role="\S+ document"')
DIAGRAM_SCALE = 0.8125
"""Page pixels per unit of a diagram, whose font is 16 units high: 13 px in every diagram."""
ALERT = re.compile(r"^> \[!(\w+)\]\n((?:>.*\n)+)", re.MULTILINE)
EXERCISES = re.compile(r"<!-- table: exercises \d -->\n(.*?)\n<!-- end of table -->", re.DOTALL)
TOPICS = re.compile(r"<!-- topics -->\n(.*?)\n<!-- /topics -->", re.DOTALL)
GLOSSARY = re.compile(r"^\| .+ \| (.+) \| .+ \|\n\| --- \| --- \| --- \|\n((?:\|.+\n?)+)", re.MULTILINE)
NOT_PROSE = re.compile(r"(<pre.*?</pre>|<code.*?</code>|<[^>]+>)", re.DOTALL)
THIN_SPACE = re.compile(r" (?=[;!?])")
WIDE_SPACE = re.compile(
    r" (?=[:»%])|(?<=«) |(?<=\d) (?=(?:cm|cm/s|GB|GiB|Gio|Go|kB|ko|m|MB|Mio|min|ms|Mo|px|s|µs)\b)"
)
CELL = re.compile(r"<td.*?</td>", re.DOTALL)
CODE = re.compile(r"(?<=<code>)[^<]+(?=</code>)")
OPTION = re.compile(r"(?<![\w-])--[\w-]+")
BREAK_IN_CODE = re.compile(r"(?<=\w[_/.,=-])(?=\w)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Replaces keys with their texts, and rejects a page that is missing in a language."""
    pages = [{path.name for path in (DOCS / lang).glob("*.md")} for lang in languages()]
    if lacking := pages[0].union(*pages) - pages[0].intersection(*pages):
        raise PluginError(f"not in every language: {sorted(lacking)}")
    config.site_description = text(str(config.site_description))
    for scheme in config.theme["palette"]:
        scheme["toggle"]["name"] = text(scheme["toggle"]["name"])
    config.nav = _named(config.nav or [])
    return config


def _named(entries: list[Any]) -> list[Any]:
    """The navigation with the catalogue's names in place of their keys."""
    return [
        {text(key): _named(below) if isinstance(below, list) else below for key, below in each.items()}
        if isinstance(each, dict)
        else each
        for each in entries
    ]


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Converts a forge's Markdown to the site's."""
    markdown = OTHER_LANGUAGES.sub("", markdown)
    if page.file.src_uri == "glossary.md":
        markdown = GLOSSARY.sub(_terms, markdown)
    markdown = FROM_CODE.sub(lambda found: WRITERS[found[1]](*found[2].split()), markdown)
    markdown = ALERT.sub(_admonition, markdown)
    markdown = EXERCISES.sub(r'<div class="stacked" markdown>\n\1\n</div>', markdown)
    markdown = TOPICS.sub(r'<div class="topics" markdown>\n\1\n</div>', markdown)
    drawn = iter(range(1, 100))
    name = Path(page.file.src_uri).stem
    markdown = MERMAID.sub(lambda found: _diagram(found[1], f"{name}-{next(drawn)}"), markdown)
    return OUTSIDE.sub(lambda found: _project_file(found, config, files), markdown)


def _admonition(alert: re.Match[str]) -> str:
    """Converts a forge's alert, a quotation that begins with its kind, to the site's admonition."""
    kind = alert[1].lower()
    words = re.sub(r"^> ?", "    ", alert[2], flags=re.MULTILINE)
    return f'!!! {kind} "{text(f"docs.alert.{kind}")}"\n\n{words}'


def _terms(table: re.Match[str]) -> str:
    """Gives each term of the glossary's table a heading, and thereby an anchor and its own search result."""
    terms = ['<div class="terms" markdown>\n']
    for row in table[2].splitlines():
        term, other, meaning = row.strip("| ").split(" | ")
        terms.append(f"### {term}\n\n*({text('web.pair', name=table[1], value=other)})* {meaning}\n")
    return "\n".join([*terms, "</div>\n"])


def _diagram(source: str, name: str) -> str:
    """Draws a diagram as a part of the page, whose style sheet paints it in light or dark colours."""
    title = TITLE.search(source)
    if title is None:
        raise PluginError(f"{name}: a diagram without an accTitle")
    svg = mermaidx.render(TITLE.sub("", source), theme="base", config=LAYOUT).svg().replace("my-svg", name)

    def sized(found: re.Match[str]) -> str:
        width, height = (round(DIAGRAM_SCALE * float(each)) for each in found.groups()[2:])
        size = f'width="{width}" height="{height}"{found[1]}viewBox="{found[2]}"'
        return f'{size} role="img" aria-label="{escape(title[1])}"'

    svg, count = SIZE.subn(sized, svg.replace("\n", " "), count=1)
    if count == 0:
        raise PluginError(f"{name}: a diagram without a size")
    return f'<figure class="diagram" tabindex="0" data-search-exclude>{svg}</figure>\n'


def _project_file(link: re.Match[str], config: MkDocsConfig, files: Files) -> str:
    """Copies a picture, film or file of the project into the site; a link to a folder becomes plain text."""
    is_picture, words, target, _ = link.groups()
    path = (Path(config.docs_dir) / target).resolve()
    if not path.exists() or ROOT not in path.parents:
        raise PluginError(f"{target}: there is no such file in the project")
    if path.is_dir():
        return words
    name = path.relative_to(ROOT).as_posix()
    name = f"images/{path.name}" if is_picture or path.suffix == ".mp4" else f"source/{name}.txt"
    if files.get_file_from_path(name) is None:
        files.append(File.generated(config, name, abs_src_path=str(path)))
    return f"{is_picture}[{words}]({name})"


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Keeps options, units and French punctuation with their words; only the first picture loads eagerly."""
    parts = NOT_PROSE.split(html)  # Every other part is markup or code.
    parts[::2] = [THIN_SPACE.sub("\u202f", WIDE_SPACE.sub("\u00a0", part)) for part in parts[::2]]
    first, mark, others = "".join(parts).partition("<img ")
    html = first + mark + others.replace("<img ", '<img loading="lazy" ')
    html = CODE.sub(lambda code: OPTION.sub(r'<span class="option">\g<0></span>', code[0]), html)
    return CELL.sub(_breakable, html)


def _breakable(cell: re.Match[str]) -> str:
    """A cell of a table whose code may continue on the next line after an underscore or a slash."""
    return CODE.sub(lambda code: BREAK_IN_CODE.sub("<wbr>", code[0]), cell[0])


def on_page_context(context: dict[str, Any], page: Page, config: MkDocsConfig, nav: object) -> dict[str, Any]:
    """Makes the language switch lead to the same page in the other language."""
    config.extra["alternate"] = [
        {"name": text("language.name", lang), "link": f"../{lang}/{page.url}", "lang": lang}
        for lang in languages()
    ]
    return context


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Fixes problems of the theme: a request for the sitemap, and a dialogue without a name."""
    output = ALTERNATE.sub("", output)
    return output.replace('class="md-search"', f'class="md-search" aria-label="{text("docs.search")}"')


def on_post_build(config: MkDocsConfig) -> None:
    """Lets the search ignore accents, and makes the site's first page lead to the reader's language."""
    for lang in languages():
        stemmer = Path(config.site_dir) / f"assets/javascripts/lunr/min/lunr.{lang}.min.js"
        if stemmer.exists():
            fold = (DOCS / "fold_accents.js").read_text(encoding="utf-8").replace("LANG", lang)
            stemmer.write_text(f"{stemmer.read_text(encoding='utf-8')}\n{fold}", encoding="utf-8")
    front = Template((DOCS / "front.html.j2").read_text(encoding="utf-8"), autoescape=True)
    names = {lang: text("language.name", lang) for lang in languages()}
    (Path(config.site_dir).parent / "index.html").write_text(front.render(names=names), encoding="utf-8")
