"""Manifests with one part left out, which is allowed where the API does not require it."""

from collections.abc import Callable, Iterator, Set
from typing import Any

REQUIRED = {"kind", "metadata", "name", "spec", "value"}
"""Without these, nothing is a manifest: the API server refuses it before anything else looks at it."""


def without_each(part: Any, required: Set[str] = frozenset()) -> Iterator[tuple[str, Any]]:
    """A manifest without each of its optional parts, at any depth.

    Args:
        part: The manifest, or a part of it.
        required: What this kind requires besides `REQUIRED`.

    Yields:
        The path of the part that is left out, and the manifest without that part.
    """
    named = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for key, value in named:
        if isinstance(part, dict) and key not in REQUIRED | required:
            yield str(key), {name: kept for name, kept in part.items() if name != key}
        for path, rest in without_each(value, required):
            whole = {**part, key: rest} if isinstance(part, dict) else [*part[:key], rest, *part[key + 1 :]]
            yield f"{key}.{path}", whole


def unreadable(whole: Any, reading: Callable[[Any], object], required: Set[str] = frozenset()) -> list[str]:
    """The optional parts without which a manifest cannot be read, each with the error."""
    failures = []
    for path, rest in without_each(whole, required):
        try:
            reading(rest)
        except (AttributeError, KeyError, TypeError) as error:
            failures.append(f"{path}: {error!r}")
    return failures
