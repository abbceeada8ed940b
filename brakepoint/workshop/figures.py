"""Figures in pages and notebooks that are derived from the code: `<!-- =NAME -->51<!-- = -->`.

`python -m brakepoint.workshop.figures` writes the figures' current values, and the tables of
`brakepoint/workshop/tables.py`; readers see only the value.
"""

import re
from pathlib import Path

from brakepoint.course import ROOT, course
from brakepoint.files import write_whole
from brakepoint.locomotive import BRAKING_CM_S2, STOPPING_LIMIT_CM, braking_distance_cm
from brakepoint.rules import FULL_SPEED_CM_S, ORDER_AGE_MAX_S, WATCHDOG_S
from brakepoint.texts import ORIGINAL, languages, number
from brakepoint.workshop.tables import with_tables

FIGURES = {
    "stopping_limit_cm": (STOPPING_LIMIT_CM, 0),
    "late_order_cm": (FULL_SPEED_CM_S * ORDER_AGE_MAX_S, 1),
    "watchdog_cm": (FULL_SPEED_CM_S * WATCHDOG_S, 1),
    "braking_distance_cm": (braking_distance_cm(FULL_SPEED_CM_S), 1),
    "order_age_max_s": (ORDER_AGE_MAX_S, 1),
    "watchdog_s": (WATCHDOG_S, 1),
    "full_speed_cm_s": (FULL_SPEED_CM_S, 0),
    "braking_cm_s2": (BRAKING_CM_S2, 0),
    **{f"{step.name}_minutes": (step.minutes, 0) for step in course()},
}
"""Value and number of decimals, by name."""
MARK = re.compile(r"(<!-- =(\w+) -->)[^<]*(<!-- = -->)")


def with_figures(words: str, lang: str) -> str:
    """The words of a page with the current value of each figure.

    Raises:
        KeyError: There is no such figure.
    """
    return MARK.sub(lambda mark: f"{mark[1]}{_written(mark[2], lang)}{mark[3]}", words)


def without_marks(words: str) -> str:
    """The words of a page as a reader sees them."""
    return MARK.sub(lambda mark: mark[0].removeprefix(mark[1]).removesuffix(mark[3]), words)


def pages() -> dict[Path, str]:
    """Every page that may contain figures, with its language; figures in notebook sources are integers."""
    docs = {path: lang for lang in languages() for path in (ROOT / "docs" / lang).glob("*.md")}
    return docs | dict.fromkeys((ROOT / "notebooks" / "source").glob("*.py"), ORIGINAL)


def _written(name: str, lang: str) -> str:
    value, digits = FIGURES[name]
    return number(value, digits, lang)


def main() -> None:
    """Writes the current values and tables into every page."""
    for path, lang in pages().items():
        words = path.read_text(encoding="utf-8")
        if (filled := with_tables(with_figures(words, lang), lang)) != words:
            write_whole(path, filled.encode())


if __name__ == "__main__":
    main()
