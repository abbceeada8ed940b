"""Where things are: what comes with the kit, and what the person at it works on.

In a clone of the project both are the clone. Where pip has installed the kit, what comes with it lies inside
the package, and one works in the current folder.
"""

import sys
from pathlib import Path

PACKAGES = Path(__file__).resolve().parents[1]
"""Holds `brakepoint`, `solutions` and the other packages."""
IS_CLONE = (PACKAGES / "course.toml").is_file()
KIT = PACKAGES if IS_CLONE else Path(__file__).resolve().parent / "kit"
"""Holds `course.toml`, `videos/`, `dataset/` and `deploy/`; pyproject.toml says how they get into a wheel."""
WORKPLACE = PACKAGES if IS_CLONE else Path.cwd()
"""Holds `labs/` and the attendee's progress."""


def own_or_shipped(name: str) -> list[Path]:
    """The folders of that name: one's own first, then that of the kit."""
    return [folder for folder in dict.fromkeys((WORKPLACE / name, KIT / name)) if folder.is_dir()]


def import_own() -> None:
    """Lets Python find `labs`, which only in a clone lies beside the packages."""
    if str(WORKPLACE) not in sys.path:
        sys.path.insert(0, str(WORKPLACE))
