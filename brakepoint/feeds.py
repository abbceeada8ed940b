"""The recorded feeds and where they are found: `videos/NAME.mp4` with `videos/NAME.json` beside it."""

from pathlib import Path

from brakepoint.errors import UserError

COURSE_FEEDS = ("track-empty", "track-slowdown", "track-stop", "track-stop-and-slowdown", "track-full")
"""The feeds that come with the kit, easy ones first."""


def videos_dir() -> Path:
    """`videos/` at the project's root, or in the current folder if the package is installed elsewhere."""
    beside_package = Path(__file__).resolve().parent.parent / "videos"
    return beside_package if beside_package.is_dir() else Path("videos")


def feed_names() -> list[str]:
    """Names of the feeds that are there: those of the course first, then the others by name."""
    videos = sorted(path.stem for path in videos_dir().glob("*.mp4"))
    there = [name for name in videos if not name.endswith(".part")]  # Those are still being rendered.
    course = [name for name in COURSE_FEEDS if name in there]
    return course + [name for name in there if name not in COURSE_FEEDS]


def find_feed(name: str) -> Path:
    """The video of a feed.

    Args:
        name: Name of a feed in `videos/`, or path of an mp4.

    Raises:
        UserError: There is none.
    """
    is_path = name.endswith(".mp4")
    path = Path(name) if is_path else videos_dir() / f"{name}.mp4"
    if path.is_file() and (is_path or name in feed_names()):
        return path
    raise UserError("feed.missing", path=path, feeds=", ".join(feed_names()) or "–")


def find_named_feed(name: str, own: str = "") -> Path:
    """The video of a feed that others ask for, over the network: by its name alone, never by a path.

    Args:
        name: What they ask for.
        own: The feed that this process was started with, which may be a path.

    Raises:
        UserError: There is none of that name.
    """
    if name != own and name not in feed_names():
        raise UserError("feed.missing", path=name, feeds=", ".join(feed_names()) or "–")
    return find_feed(name)
