"""The changes from which a sample is drawn, and those that no test needs to notice."""

import random
import tomllib
from collections import defaultdict
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from mutants.changes import Change, Finder

PRODUCT = ("brakepoint", "solutions", "stubs", "hardware", "footage")
KEPT_OUT = Path(__file__).with_name("kept_out.toml")
REGARDLESS_OF = frozenset(("number", "arithmetic", "arguments", "call"))
"""In a module that draws, these move a line, change a shade, or leave a stroke out."""


@dataclass(frozen=True)
class KeptOut:
    """The content of `kept_out.toml`.

    Attributes:
        elsewhere: Patterns of modules, and of functions in them, whose own tests are not part of `make test`.
        drawing: Patterns of modules that draw.
        equivalent: Why a change makes no difference, by path, function, the line before and the line after.
    """

    elsewhere: tuple[tuple[str, str], ...]
    drawing: tuple[str, ...]
    equivalent: dict[tuple[str, str, str, str], str]

    @classmethod
    def load(cls, path: Path = KEPT_OUT) -> "KeptOut":
        """Reads the file."""
        said = tomllib.loads(path.read_text(encoding="utf-8"))
        equivalent = {
            (entry["path"], entry["function"], entry["before"], entry["after"]): entry["reason"]
            for entry in said.get("equivalent", [])
        }
        return cls(
            tuple((entry["modules"], entry.get("functions", "*")) for entry in said.get("elsewhere", [])),
            tuple(entry["modules"] for entry in said.get("drawing", [])),
            equivalent,
        )

    def holds(self, change: Change) -> bool:
        """Whether a change is excluded from the draw."""
        place = change.path, change.function
        if any(all(map(fnmatch, place, patterns)) for patterns in self.elsewhere):
            return True
        return change.kind in REGARDLESS_OF and any(fnmatch(change.path, pattern) for pattern in self.drawing)

    def reason(self, change: Change) -> str | None:
        """Why a change makes no difference, if it is listed."""
        return self.equivalent.get((change.path, change.function, change.before, change.after))


def draw(root: Path, seed: int, count: int, kept_out: KeptOut) -> list[Change]:
    """Draws lines first and then one change for each, so that no long formula outweighs the rest.

    Args:
        root: The repository.
        seed: The same seed draws the same changes of the same text.
        count: How many.
        kept_out: What is not drawn.
    """
    by_line: dict[tuple[str, int], list[Change]] = defaultdict(list)
    for file in sorted(file for room in PRODUCT for file in (root / room).rglob("*.py")):
        path = file.relative_to(root).as_posix()
        for change in Finder(path, file.read_bytes()).find():
            if not kept_out.holds(change):
                by_line[change.path, change.line].append(change)
    rng = random.Random(seed)
    drawn: list[Change] = []
    for line in rng.sample(sorted(by_line), len(by_line)):
        change = rng.choice(by_line[line])
        if change.makes_python((root / change.path).read_bytes()):
            drawn.append(change)
        if len(drawn) == count:
            break
    return drawn
