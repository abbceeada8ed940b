"""Pages and texts avoid what CONTRIBUTING's section on plain English warns of, where a machine can see it."""

import ast
import json
import re
from pathlib import Path

import pytest

from brakepoint.texts import ORIGINAL, catalogue, languages

ROOT = Path(__file__).parent.parent
PAGES = [
    *sorted((ROOT / "docs" / "en").glob("*.md")),
    *(ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "SECURITY", "CHANGELOG")),
    ROOT / "brakepoint" / "models" / "README.md",
    *sorted((ROOT / "notebooks" / "en").glob("*.ipynb")),
]
PATTERNS = {
    "posture verbs for things": (
        r"\b(?:stands?|stood) (?:above|behind|beside|in|there|under)\b",
        r"\b(?:lies|lie|lay|lain) (?:about|behind|beside|in|there|under)\b",
    ),
    "negated nouns": (
        r"(?<!\bthere )\b(?:is|are|was|were|be) no (?!longer\b|more\b|less\b|later\b)",
        r"\bknows? no\b",
        r"\b(?:has|have) not (?:a|an|the)\b",
    ),
    "“go on”, “anew”": (
        r"\b(?:go|goes|going|gone|went) on\b",
        r"\b(?:anew|afresh)\b",
    ),
    "what-clauses as subjects": (r"(?:^|(?<=[.!?] ))(?-i:What)(?:ever)? (?!it\b)[^.!?:;]*\.",),
    "software that tells or is told": (r"\b(?:is|are|was|were|be|been) told\b", r"\bsays? so\b"),
    "“from … on” for a minimum": (r"\bfrom (?:\d[\d.,]*(?: \w+)?|which(?: \w+){1,3}) on\b",),
    "sentences without a verb": (r"\b[Ww]ithout (?:that|it) no\b",),
    "“and” for a contrast": (r"\bshould [^.;:]*, and (?:it|yours|they)\b",),
    "old or solemn words": (
        r"\b(?:in earnest|to be had|without more ado|vouch\w*|dear(?:er|est)?)\b",
        r"\b(?:mend|mends|mended|mending)\b",
        r"\bsomebody\b",
        r"\ba training\b(?! (?:data|loop|picture|pipeline|run|session|set|step|task))",
        r"\btrainings\b",
        r"\bput(?:s|ting)? (?:\w+ ){0,2}right\b(?! (?:of|side))",
    ),
    "riddles": (r"\bwhoever\b",),
}
"""What CONTRIBUTING asks to avoid: of each row, the cases that can be found without false alarms."""
HOLD_IN_THE_CATALOGUE = tuple(row for row in PATTERNS if row != "what-clauses as subjects")
"""The rows that the texts keep to; a few of them begin a sentence with what, on purpose."""
NOT_PROSE = re.compile(
    r"```.*?```"  # code
    r"|<!-- (?P<block>patterns|table: [^>]+|topics|radio drill) -->.*?<!-- (?:end of|/)[^>]*-->"  # generated
    r"|<!--.*?-->|`[^`\n]+`|“[^”\n]+”|\{[a-z_][^}\n]*\}",  # comments, names, quotations, placeholders
    re.DOTALL,
)
FIRST_RELEASE = "## [0.1.0]"
"""Older entries of the changelog stay as they were published."""
ROW = re.compile(r"^\| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)


def found(words: str, rows: tuple[str, ...] = tuple(PATTERNS)) -> list[str]:
    """The sentence fragments that match a pattern of these rows, each with its row."""
    return [
        f"{row}: {match[0]!r} in {words[max(0, match.start() - 40) : match.end() + 40]!r}"
        for row in rows
        for pattern in PATTERNS[row]
        for match in re.finditer(pattern, words, re.IGNORECASE | re.MULTILINE)
    ]


def markdown(page: Path) -> str:
    """The text of a page or a notebook, without a notebook's code."""
    if page.suffix != ".ipynb":
        return page.read_text("utf-8")
    cells = json.loads(page.read_text("utf-8"))["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


def prose(page: Path) -> str:
    """A page with X for code, quotations and generated tables, one line per paragraph."""
    words = NOT_PROSE.sub("X", markdown(page).partition(FIRST_RELEASE)[0])
    return re.sub(r"(?<=\S)\n(?=[^\n|#*-])", " ", words)


def docstrings(source: str) -> list[str]:
    """The docstrings of a module, its classes and its functions."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, documented)]
    return [docstring for node in nodes if (docstring := ast.get_docstring(node))]


def examples(lang: str) -> list[tuple[str, ...]]:
    """The rows of the style section: what to avoid, before, after."""
    page = ROOT / ("CONTRIBUTING.md" if lang == ORIGINAL else f"CONTRIBUTING.{lang}.md")
    table = page.read_text("utf-8").partition("<!-- patterns -->")[2].partition("<!-- end of patterns -->")[0]
    return ROW.findall(table)[2:]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_keeps_to_plain_english(page: Path) -> None:
    assert found(prose(page)) == []


@pytest.mark.parametrize("row", HOLD_IN_THE_CATALOGUE)
def test_the_texts_keep_to_plain_english(row: str) -> None:
    texts = {key: NOT_PROSE.sub("X", words[ORIGINAL]) for key, words in catalogue().items()}
    wrong = {key: where for key, text in texts.items() if (where := found(text, (row,)))}

    assert wrong == {}


def test_the_tests_docstrings_keep_to_plain_english() -> None:
    wrong = [
        (module.name, where)
        for module in (ROOT / "tests").rglob("*.py")
        for docstring in docstrings(module.read_text("utf-8"))
        for where in found(NOT_PROSE.sub("X", docstring), HOLD_IN_THE_CATALOGUE)
    ]

    assert wrong == []


def test_every_docstring_of_a_module_is_read() -> None:
    source = '"""A."""\nclass B:\n    """B."""\n    async def c(self):\n        """C."""\nd = """D."""\n'

    assert sorted(docstrings(source)) == ["A.", "B.", "C."]


def test_only_prose_is_read(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "A <!-- not run: anew -->\n```\nanew\n```\n`is no X` prints “lies in”\n"
        "this. <!-- topics -->to be had<!-- /topics -->\n\n## [0.1.0]\nmended\n",
        "utf-8",
    )

    assert prose(page).split() == ["A", "X", "X", "X", "prints", "X", "this.", "X"]


def test_the_style_section_has_a_row_for_every_pattern() -> None:
    assert [row for row, _, _ in examples(ORIGINAL)] == list(PATTERNS)


@pytest.mark.parametrize(("row", "before", "after"), examples(ORIGINAL))
def test_what_the_style_section_corrects_is_found_and_its_correction_is_not(
    row: str, before: str, after: str
) -> None:
    sentences = re.split(r"(?<=\.) ", before)

    assert [sentence for sentence in sentences if not found(sentence, (row,))] == []
    assert found(after) == []


@pytest.mark.parametrize("lang", languages())
def test_every_language_has_the_same_examples(lang: str) -> None:
    assert [row[1:] for row in examples(lang)] == [row[1:] for row in examples(ORIGINAL)]
