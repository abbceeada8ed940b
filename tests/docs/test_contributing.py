"""What the contributors' pages mention exists: paths, commands and targets, the same in both languages."""

import re
from pathlib import Path

import pytest
import typer
from test_pages import COMMAND, blocks, targets, unknown

from brakepoint.cli import build_app
from brakepoint.texts import ORIGINAL, languages

ROOT = Path(__file__).parents[2]
LANGUAGES = languages()
NAMES = ("CONTRIBUTING", "SECURITY")
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")
PATH = re.compile(r"(?:[\w.-]+/)+[\w.-]*|[\w-]+(?:\.[A-Z]+)?\.(?:cff|md|toml|yaml)")
PLACEHOLDER = re.compile(r"(?<![A-Z])(?:NAME|NOM|LANG)(?![A-Z])|step8")
"""What stands for something of the reader's own: its folder must be there."""
MADE_HERE = {".venv/"}
both = pytest.mark.parametrize("lang", LANGUAGES)
each = pytest.mark.parametrize("name", NAMES)


def page(name: str, lang: str) -> Path:
    return ROOT / (f"{name}.md" if lang == ORIGINAL else f"{name}.{lang}.md")


def named(name: str, lang: str) -> set[str]:
    """Every path that a page names, as code or as the target of a link."""
    words = page(name, lang).read_text("utf-8")
    code = {path for path in CODE.findall(words) if PATH.fullmatch(path)}
    return (code | set(LINK.findall(words))) - MADE_HERE


def is_there(path: str) -> bool:
    if (ROOT / path).exists():
        return True
    return bool(PLACEHOLDER.search(Path(path).name)) and (ROOT / path).parent.is_dir()


@both
@each
def test_every_path_that_is_named_is_there(name: str, lang: str) -> None:
    paths = named(name, lang)

    assert paths
    assert sorted(path for path in paths if not is_there(path)) == []


@each
def test_both_languages_name_the_same_paths(name: str) -> None:
    def without_language(path: str) -> str:
        return re.sub(
            rf"(?<=docs/)(?:{'|'.join(LANGUAGES)})(?=/)|\.(?:{'|'.join(LANGUAGES)})(?=\.md)",
            "",
            PLACEHOLDER.sub("NAME", path),
        )

    said = [{without_language(path) for path in named(name, lang)} for lang in LANGUAGES]

    assert said[0] == said[1]


@both
@each
def test_every_command_that_is_named_exists(name: str, lang: str) -> None:
    app = typer.main.get_command(build_app())
    code = CODE.findall(page(name, lang).read_text("utf-8"))

    assert [why for part in code for line in COMMAND.findall(part) if (why := unknown(app, line))] == []


@both
@each
def test_every_make_target_that_is_named_exists(name: str, lang: str) -> None:
    words = page(name, lang).read_text("utf-8")

    assert set(re.findall(r"(?:^|`)make ([a-z-]+)", words, re.MULTILINE)) <= targets()


@each
def test_both_languages_have_the_same_commands_in_their_blocks(name: str) -> None:
    comment = re.compile(r" +#.*$", re.MULTILINE)
    said = [[comment.sub("", block.code) for block in blocks(page(name, lang))] for lang in LANGUAGES]

    assert said[0] == said[1]
