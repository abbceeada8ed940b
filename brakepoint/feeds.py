"""The recorded feeds and where they are: `videos/NAME.mp4` with `videos/NAME.json` beside it.

The user's own `videos/` come first, then those of the kit.
"""

import os
from pathlib import Path

from brakepoint.errors import UserError
from brakepoint.places import WORKPLACE, own_or_shipped

VIDEOS = "videos"
COURSE_FEEDS = ("track-empty", "track-slowdown", "track-stop", "track-stop-and-slowdown", "track-full")
"""The feeds that come with the kit, easy ones first."""
HARDER = f"{VIDEOS}/harder"
"""Folder of feeds that are not used in training, for `brakepoint prove`."""


def feed_names() -> list[str]:
    """Names of the available feeds: those of the course first, then the others by name."""
    there = sorted({path.stem for folder in own_or_shipped(VIDEOS) for path in _videos(folder)})
    course = [name for name in COURSE_FEEDS if name in there]
    return course + [name for name in there if name not in COURSE_FEEDS]


def harder_feeds() -> list[Path]:
    """The videos of the available harder feeds, by name."""
    videos = {path.stem: path for folder in reversed(own_or_shipped(HARDER)) for path in _videos(folder)}
    return [videos[name] for name in sorted(videos)]


def _videos(folder: Path) -> list[Path]:
    """The finished videos of a folder: no `.part` file, which is still being rendered, and no hidden file."""
    there = folder.glob("[!.]*.mp4")
    return [path for path in there if not path.stem.endswith(".part")]


def find_feed(name: str) -> Path:
    """The video of a feed.

    Args:
        name: Name of a feed in `videos/`, or path to an mp4.

    Raises:
        UserError: There is no such feed.
    """
    there = feed_names()
    candidates = [folder / f"{name}.mp4" for folder in own_or_shipped(VIDEOS)] if name in there else []
    if name.lower().endswith(".mp4"):
        candidates = [Path(name)]
    for path in candidates:
        if os.path.isfile(path):  # noqa: PTH113 - unlike Path, it takes a name of any length.
            return path
    wanted = candidates[0] if candidates else WORKPLACE / VIDEOS / f"{name}.mp4"
    raise UserError("feed.missing", path=wanted, feeds=", ".join(there) or "–")


def find_named_feed(name: str, own: str = "") -> Path:
    """The video of a feed requested over the network: only by its name, never by a path.

    Args:
        name: The requested name.
        own: The feed that this process was started with, which may be a path.

    Raises:
        UserError: There is no feed of that name.
    """
    if name != own and name not in feed_names():
        raise UserError("feed.missing", path=name, feeds=", ".join(feed_names()) or "–")
    return find_feed(name)
