"""The pages of the documentation: the same in both languages, and every block runs or states why not."""

import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer

from brakepoint.cli import build_app
from brakepoint.course import ROOT, course
from brakepoint.texts import ORIGINAL, catalogue, languages

DOCS = ROOT / "docs"
PAGES = sorted(path.name for path in (DOCS / ORIGINAL).glob("*.md"))
READMES = {lang: ROOT / ("README.md" if lang == ORIGINAL else f"README.{lang}.md") for lang in languages()}
BLOCK = re.compile(
    r"(?:<!-- not run: (?P<why>[^>]+) -->\n)?(?P<indent> *)```(?P<language>bash|python)\n"
    r"(?P<code>.*?)\n(?P=indent)```",
    re.DOTALL,
)
FILE = re.compile(r"`((?:[\w.-]+/)+[\w-]+\.\w+)`")
COMMENT = re.compile(r" +#.*$", re.MULTILINE)
COMMAND = re.compile(r"(?<![\w/.-])brakepoint(?: +[^\s`|;&)]+)+")
APPLIED = re.compile(r"(?:oc|kubectl) (?:apply|create)[^`\n]* (?:-f|--filename) ([\w./-]+)")
WORDLESS = {"card1.jpg", "card2.jpg", "card4.jpg", "card5.jpg", "card7.jpg", "step1.jpg", "step7.png"}
"""Pictures with no words, or with words that are the same in every language."""
COPIED = ("brakepoint", "solutions", "stubs", "hardware", "labs", "deploy", "course.toml")
LINKED = ("dataset", "footage", "videos")
PATIENCE_S = 600


@dataclass(frozen=True)
class Block:
    """One block of code, and why it is not run."""

    language: str
    code: str
    why: str | None


def blocks(path: Path) -> list[Block]:
    words = path.read_text(encoding="utf-8")
    return [
        Block(found["language"], textwrap.dedent(found["code"]), found["why"])
        for found in BLOCK.finditer(words)
    ]


def page(name: str, lang: str) -> Path:
    return READMES[lang] if name == "README" else DOCS / lang / name


@pytest.mark.parametrize("lang", languages())
def test_each_page_is_there_in_every_language(lang: str):
    assert sorted(path.name for path in (DOCS / lang).glob("*.md")) == PAGES


@pytest.mark.parametrize("lang", [lang for lang in languages() if lang != ORIGINAL])
def test_a_picture_with_words_is_not_the_one_of_another_language(lang: str):
    pictures = {picture.name: picture.read_bytes() for picture in (DOCS / "images" / ORIGINAL).iterdir()}
    same = {
        name for name, picture in pictures.items() if (DOCS / "images" / lang / name).read_bytes() == picture
    }

    assert same <= WORDLESS


@pytest.mark.parametrize("name", ["README", *PAGES])
def test_every_language_has_the_same_blocks(name: str):
    said = [
        [(block.language, COMMENT.sub("", block.code), block.why) for block in blocks(page(name, lang))]
        for lang in languages()
    ]

    assert all(blocks == said[0] for blocks in said)


@pytest.mark.parametrize("name", ["README", *PAGES])
def test_no_block_is_of_a_language_that_nobody_looks_at(name: str):
    words = page(name, ORIGINAL).read_text(encoding="utf-8")

    opened = re.findall(r"^ *```(\w*)$", words, re.MULTILINE)[::2]
    assert set(opened) <= {"bash", "python", "toml", "mermaid", ""}


@pytest.mark.parametrize("lang", languages())
@pytest.mark.parametrize("name", ["README", *PAGES])
def test_each_file_of_the_project_that_is_named_is_there(name: str, lang: str):
    rooms = {path.name for path in ROOT.iterdir() if path.is_dir()} - {"runs"}
    files = set(FILE.findall(page(name, lang).read_text(encoding="utf-8")))

    gone = {path for path in files if path.split("/")[0] in rooms and not (ROOT / path).exists()}
    assert {path for path in gone if not Path(path).stem.isupper()} == set()  # FEED.json is the reader's own.


@pytest.mark.parametrize("lang", languages())
@pytest.mark.parametrize("name", ["README", *PAGES])
def test_each_command_that_is_named_exists_with_its_options(name: str, lang: str):
    app = typer.main.get_command(build_app())
    words = page(name, lang).read_text(encoding="utf-8")
    code = re.findall(r"```bash\n.*?```|`[^`\n]+`", words, re.DOTALL)

    wrong = [
        why for part in code for line in COMMAND.findall(COMMENT.sub("", part)) if (why := unknown(app, line))
    ]
    assert not wrong


def unknown(command: Any, line: str) -> str | None:
    """The part of a line that the command line would refuse; None if all of it exists."""
    for word in line.split()[1:]:
        below = getattr(command, "commands", None)
        options = {option for each in command.params for option in each.opts} | {"--help", "--lang"}
        if word.startswith("--"):
            if word.partition("=")[0] not in options:
                return f"{line}: no option {word}"
        elif below and word in below:
            command = below[word]
        elif below and word[0].islower():
            return f"{line}: no command {word}"
    return None


@pytest.mark.parametrize("lang", languages())
@pytest.mark.parametrize("name", ["README", *PAGES])
def test_no_folder_of_kustomize_is_applied_file_by_file(name: str, lang: str):
    """No cluster knows the kind Kustomization."""
    applied = APPLIED.findall(page(name, lang).read_text(encoding="utf-8"))

    assert [folder for folder in applied if (ROOT / folder / "kustomization.yaml").is_file()] == []


def test_each_command_that_the_kit_itself_recommends_exists():
    app = typer.main.get_command(build_app())
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "notebooks" / "source").glob("*.py")]
    said = [words for entry in catalogue().values() for words in entry.values()] + sources
    sentences = [part for words in said for part in re.split(r"[.,:;)”»`](?=\s|$)", words)]

    wrong = [why for part in sentences for line in COMMAND.findall(part) if (why := unknown(app, line))]
    assert not wrong


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize("name", ["README", *PAGES])
def test_each_make_target_that_is_named_exists(name: str):
    words = page(name, ORIGINAL).read_text(encoding="utf-8")

    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", words, re.MULTILINE))
    assert named <= targets()


@pytest.fixture(scope="module")
def learner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of the project whose labs are filled in, as after the workshop."""
    folder = tmp_path_factory.mktemp("learner")
    for name in COPIED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    for name in LINKED:
        (folder / name).symlink_to(ROOT / name)
    for step in course():
        for part in step.parts:
            shutil.copy(ROOT / "solutions" / part, folder / "labs" / part)
    yield folder


@pytest.mark.parametrize("name", ["README", *PAGES])
def test_each_block_of_a_page_runs_or_says_why_not(name: str, learner: Path):
    environment = {
        **os.environ,
        "PYTHONPATH": str(learner),
        "BRAKEPOINT_LANG": ORIGINAL,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    for block in blocks(page(name, ORIGINAL)):
        if block.why:
            continue
        run = ["bash", "-euc"] if block.language == "bash" else [sys.executable, "-c"]
        done = subprocess.run(
            [*run, block.code],
            cwd=learner,
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )
        assert done.returncode == 0, f"{block.code}\n{done.stdout}\n{done.stderr}"
