"""Checks whether this machine can run each step, and says what to do if not."""

import os
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from brakepoint.course import LABS_DIR, ROOT, course
from brakepoint.extras import install_command, missing
from brakepoint.feeds import COURSE_FEEDS, feed_names
from brakepoint.proxies import EXCEPTIONS, proxies_set
from brakepoint.texts import text

NEEDED_BY = {
    "1": ("mission", "workshop"),
    "2": ("mission",),
    "3": ("mission", "train"),
    "4": ("mission", "workshop", "train", "pipeline"),
    "5": ("mission", "workshop", "serving", "live"),
    "6": ("mission",),
    "7": ("mission", "workshop", "live"),
}
"""Extras by step."""
FREE_LEAST_GB = 1


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    Attributes:
        what: What was checked, in the reader's language.
        remedy: What to do; empty if the check passed.
    """

    what: str
    remedy: str = ""

    @property
    def well(self) -> bool:
        """Whether the check passed."""
        return not self.remedy


def examine_machine() -> Iterator[Finding]:
    """Checks everything that the steps need; changes nothing."""
    version = ".".join(map(str, sys.version_info[:2]))
    supported = (3, 11) <= sys.version_info < (3, 14)
    yield _finding("python", supported, version=version)
    free_gb = shutil.disk_usage(ROOT).free / 1e9
    yield _finding("disk", free_gb >= FREE_LEAST_GB, free=round(free_gb), least=FREE_LEAST_GB)
    for number, extras in NEEDED_BY.items():
        lacking = {extra: names for extra in extras if (names := missing(extra))}
        absent = ", ".join(name for names in lacking.values() for name in names)
        yield _finding(
            "packages", not lacking, number=number, missing=absent, command=install_command(*lacking)
        )
    if "cv2" not in missing("mission"):
        yield _opencv()
    rclone = Path(sys.executable).with_name("rclone").is_file() or shutil.which("rclone") is not None
    yield _finding("rclone", rclone)
    lost = [step.lab.name for step in course() if not step.lab.exists()]
    yield _finding("labs", not lost, missing=", ".join(lost), folder=LABS_DIR.name)
    unseen = sorted(set(COURSE_FEEDS) - set(feed_names()))
    yield _finding("feeds", not unseen, missing=", ".join(unseen))
    if proxies := proxies_set():
        exceptions = os.environ.get(EXCEPTIONS[0], "")
        yield Finding(text("doctor.proxy.what", proxies=", ".join(proxies), exceptions=exceptions))


def _opencv() -> Finding:
    """Whether OpenCV loads; with window support it needs libGL, which many servers and containers lack."""
    try:
        _import_opencv()
    except ImportError as error:
        library = re.search(r"lib[^:/]+\.so[.\d]*(?=: )", str(error))
        if library is None:
            return _finding("opencv", False, why=error)
        return Finding(text("doctor.opencv.what"), text("doctor.opencv.no_library", why=library[0]))
    return _finding("opencv", True)


def _import_opencv() -> None:
    import cv2  # noqa: F401


def _finding(name: str, well: bool, **values: object) -> Finding:
    what = text(f"doctor.{name}.what", None, **values)
    return Finding(what, "" if well else text(f"doctor.{name}.remedy", None, **values))
