"""MkDocs hooks for this site: its languages, the project's files, diagrams, tables from the code.

The pages are plain Markdown that a forge can show, too. Therefore links point to files of the project; here
these files are copied into the site, which then works without a network. `<!-- from the code: … -->` is
replaced by what `docs/from_code.py` writes.
"""

import re
import sys
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
NOT_PROSE = re.compile(r"(<pre.*?</pre>|<code.*?</code>|<[^>]+>)", re.DOTALL)
SPACE_BEFORE_MARK = re.compile(r" (?=[;:!?»%])|(?<=«) ")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Replaces keys by their texts, and rejects a page that is missing in a language."""
    pages = [{path.name for path in (DOCS / lang).glob("*.md")} for lang in languages()]
    if lacking := pages[0].union(*pages) - pages[0].intersection(*pages):
        raise PluginError(f"not in every language: {sorted(lacking)}")
    config.site_description = text(str(config.site_description))
    for scheme in config.theme["palette"]:
        scheme["toggle"]["name"] = text(scheme["toggle"]["name"])
    config.nav = [
        {text(key): names for key, names in part.items()} if isinstance(part, dict) else part
        for part in config.nav or ()
    ]
    return config


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Converts Markdown for a forge to that of the site."""
    markdown = OTHER_LANGUAGES.sub("", markdown)
    markdown = FROM_CODE.sub(lambda found: WRITERS[found[1]](*found[2].split()), markdown)
    drawn = iter(range(1, 100))
    markdown = MERMAID.sub(lambda found: _diagram(found[1], page, next(drawn), config, files), markdown)
    return OUTSIDE.sub(lambda found: _project_file(found, config, files), markdown)


def _diagram(source: str, page: Page, number: int, config: MkDocsConfig, files: Files) -> str:
    """Draws a diagram to a file of the site, and returns the picture's Markdown."""
    title = TITLE.search(source)
    if title is None:
        raise PluginError(f"{page.file.src_uri}: a diagram without an accTitle")
    name = f"diagrams/{Path(page.file.src_uri).stem}-{number}.svg"
    files.append(File.generated(config, name, content=mermaidx.render(TITLE.sub("", source)).svg()))
    return f"![{title[1]}]({name}){{ .diagram }}\n"


def _project_file(link: re.Match[str], config: MkDocsConfig, files: Files) -> str:
    """Copies a picture, a film or a file of the project into the site; a link to a folder loses its link."""
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
    """Keeps punctuation after a space, as in French, on the line of its word."""
    parts = NOT_PROSE.split(html)  # Every other part is markup or code.
    parts[::2] = [SPACE_BEFORE_MARK.sub("\u00a0", part) for part in parts[::2]]
    return "".join(parts)


def on_page_context(context: dict[str, Any], page: Page, config: MkDocsConfig, nav: object) -> dict[str, Any]:
    """Makes the language switch lead to the same page."""
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
    """Makes the site's first page lead to the reader's language."""
    front = Template((DOCS / "front.html.j2").read_text(encoding="utf-8"), autoescape=True)
    names = {lang: text("language.name", lang) for lang in languages()}
    (Path(config.site_dir).parent / "index.html").write_text(front.render(names=names), encoding="utf-8")
