"""The locations of the kit's own files, and of the user's work.

In a clone of the project, both are in the clone. If pip has installed the kit, its files are inside the
package, and the workplace is the current folder.
"""

import sys
from pathlib import Path

PACKAGES = Path(__file__).resolve().parents[1]
"""The folder that contains `brakepoint`, `solutions` and the other packages."""
IS_CLONE = (PACKAGES / "course.toml").is_file()
KIT = PACKAGES if IS_CLONE else Path(__file__).resolve().parent / "kit"
"""The folder of `course.toml`, `videos/`, `dataset/` and `deploy/`; pyproject.toml adds these to a wheel."""
WORKPLACE = PACKAGES if IS_CLONE else Path.cwd()
"""The folder that contains `labs/` and the attendee's progress."""


def own_or_shipped(name: str) -> list[Path]:
    """The folders of that name: first the user's own, then the kit's."""
    return [folder for folder in dict.fromkeys((WORKPLACE / name, KIT / name)) if folder.is_dir()]


def import_own() -> None:
    """Makes `labs` importable, which is beside the packages only in a clone."""
    if str(WORKPLACE) not in sys.path:
        sys.path.insert(0, str(WORKPLACE))
