"""The only error that is meant for a person."""

import errno
import re
from functools import partial
from pathlib import PurePath
from typing import Any

from brakepoint.texts import catalogue, text

FOLDERS = re.compile(r"""(?<![\w.:/])(?:[A-Za-z]:\\|/)(?:[^/\\\s'"]*[/\\])*(?=[^/\\\s])""")
"""The folders before a file name in an absolute path; does not match URLs."""


class UserError(Exception):
    """Something that the user can fix.

    The command line prints it as one line and exits with status 2; it never shows a stack trace.

    Args:
        key: Key of the message in the catalogue, for instance `error.feed_missing`.
        values: Values of the message's placeholders.
    """

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(_on_one_line(text(key, None, **values)))
        self.key = key
        self._values = values

    def for_others(self, lang: str | None = None) -> str:
        """The message for people elsewhere, without this machine's folders.

        Args:
            lang: One of `languages()`; by default the language of this machine's user.
        """
        values = {name: _without_folders(value, lang) for name, value in self._values.items()}
        return _on_one_line(text(self.key, lang, **values))

    def __reduce__(self) -> tuple[Any, ...]:
        """Allows the error to be pickled in a worker process for the process that prints it."""
        return partial(UserError, self.key, **self._values), ()


def system_says(error: OSError, lang: str | None = None) -> str:
    """Why the system refused, in the reader's language; in its own words if the catalogue has none."""
    key = f"system.{errno.errorcode.get(error.errno or 0)}"
    return text(key, lang) if key in catalogue() else error.strerror or type(error).__name__


def _without_folders(value: object, lang: str | None) -> str:
    if isinstance(value, PurePath):
        return value.name
    return FOLDERS.sub("", value.for_others(lang) if isinstance(value, UserError) else str(value))


def _on_one_line(words: str) -> str:
    """Joins lines and replaces undecodable bytes, which libraries and file names may bring into a message."""
    return re.sub(r"\s*[\r\n]+\s*", " ", words.encode("utf-8", "replace").decode())


class AdapterError(UserError):
    """An error of a camera or hub from another package, with a message that isn't in the catalogue.

    Args:
        words: What is wrong, and what to do next.
    """

    def __init__(self, words: str) -> None:
        super().__init__("adapters.says", words=words)
