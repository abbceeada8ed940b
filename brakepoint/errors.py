"""The one error that a person is meant to read."""

import errno
import re
from functools import partial
from pathlib import PurePath
from typing import Any

from brakepoint.texts import catalogue, text

FOLDERS = re.compile(r"""(?<![\w.:/])(?:[A-Za-z]:\\|/)(?:[^/\\\s'"]*[/\\])*(?=[^/\\\s])""")
"""What stands before the name of a file in an absolute path; in a URL nothing does."""


class UserError(Exception):
    """Something that the person at the keyboard can put right.

    The command line prints it as one line and exits with status 2; it never shows a stack trace.

    Args:
        key: Key of the message in the catalogue, for instance `error.feed_missing`.
        values: What the message's placeholders stand for.
    """

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(_on_one_line(text(key, None, **values)))
        self.key = key
        self._values = values

    def for_others(self) -> str:
        """The same for people elsewhere, whom the folders of this machine are no business of."""
        values = {name: _without_folders(value) for name, value in self._values.items()}
        return _on_one_line(text(self.key, None, **values))

    def __reduce__(self) -> tuple[Any, ...]:
        """Lets the error travel from a worker process to the one that prints it."""
        return partial(UserError, self.key, **self._values), ()


def system_says(error: OSError) -> str:
    """Why the system refused, in the reader's language; in its own words if the catalogue has none."""
    key = f"system.{errno.errorcode.get(error.errno or 0)}"
    return text(key) if key in catalogue() else error.strerror or type(error).__name__


def _without_folders(value: object) -> str:
    if isinstance(value, PurePath):
        return value.name
    return FOLDERS.sub("", value.for_others() if isinstance(value, UserError) else str(value))


def _on_one_line(words: str) -> str:
    """Libraries and file names may put several lines into a message, or bytes that are no letter."""
    return re.sub(r"\s*[\r\n]+\s*", " ", words.encode("utf-8", "replace").decode())


class AdapterError(UserError):
    """The same from a camera or a hub of another package, whose words the catalogue does not have.

    Args:
        words: What is wrong, and what to do next.
    """

    def __init__(self, words: str) -> None:
        super().__init__("adapters.says", words=words)
