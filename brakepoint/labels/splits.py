"""The splits of a dataset, by their usual names."""

import re
from collections.abc import Iterable
from pathlib import Path

from brakepoint.labels.reading import read_text

NAMES = re.compile(r"(?:^|.*[_.-])(train|val|test)(?:ing|id|idation)?[0-9]*(?:[_.-].*)?$", re.IGNORECASE)


def split_of_name(name: str) -> str | None:
    """`train`, `val` or `test`, if a folder or file has such a name, like `valid` or `instances_val2017`."""
    found = NAMES.match(name)
    return found[1].lower() if found else None


def listed_splits(files: Iterable[Path]) -> dict[str, str]:
    """The split of each picture that a list in `ImageSets/` names, by the picture's name without suffix.

    A list of two splits together, `trainval.txt`, is ignored.
    """
    splits = {}
    for file in files:
        split = split_of_name(file.stem)
        if split and "imagesets" in (part.lower() for part in file.parts):
            splits.update({line.split()[0]: split for line in read_text(file).splitlines() if line.strip()})
    return splits
