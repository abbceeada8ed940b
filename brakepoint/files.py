"""Writes files atomically, lists files while others change them, and reads YAML strictly."""

import os
import secrets
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from stat import S_ISREG
from typing import Any

import yaml

from brakepoint.errors import UserError
from brakepoint.texts import text

BYTES_IN_MB = 1_000_000


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file under another name and renames it, so that an incomplete file is never visible.

    If several processes write the same file at the same time, the last one to finish wins.

    Args:
        path: The file; its folder must exist.
        content: The complete content.
    """
    part = path.with_name(f"{path.name}.{_own()}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _own() -> str:
    """A part of a temporary name that no other writer of the same file uses."""
    return secrets.token_hex(4)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Provides a temporary name for code that writes a file itself, and renames the file on success.

    Args:
        path: The file's final path; an existing file is kept until the rename. The folder must exist.

    Yields:
        A temporary name in the same folder, with the same suffix.
    """
    part = path.with_name(f"{path.stem}.{_own()}.part{path.suffix}")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Provides an empty folder, which on success replaces the folder at its final path.

    Args:
        folder: The folder's final path; an existing folder is kept until it is replaced.

    Yields:
        The folder to fill.
    """
    part, old = (folder.with_name(f"{folder.name}.{end}") for end in ("part", "old"))
    for left in (part, old):
        shutil.rmtree(left, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        yield part
        put_in_place(part, folder, old)
    finally:
        for left in (part, old):
            shutil.rmtree(left, ignore_errors=True)


def put_in_place(new: Path, place: Path, aside: Path) -> None:
    """Renames a file or folder to a path; a file or folder that exists there is kept under another name.

    Args:
        new: The new file or folder.
        place: The target path.
        aside: The new name for the file or folder that exists there.
    """
    try:
        if place.exists():
            place.rename(aside)
        new.rename(place)
    except BaseException:
        if aside.exists() and not place.exists():
            aside.rename(place)
        raise


def read_utf8(path: Path) -> str:
    """The text of a file that a person wrote, without a byte order mark.

    Raises:
        OSError: The file cannot be read.
        UserError: The file isn't text in UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError("error.not_utf8", path=path) from error


def files_below(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """The regular files below a folder, with their status, while others write there.

    Files and folders that are removed meanwhile are skipped. Links are neither followed nor included.
    """
    for root, _, names in os.walk(folder):
        for path in (Path(root, name) for name in names):
            with suppress(FileNotFoundError, NotADirectoryError):
                status = path.lstat()
                if S_ISREG(status.st_mode):
                    yield path, status


def size_mb(folder: Path) -> float:
    """The size of all files below a folder, in MB."""
    return sum(status.st_size for _, status in files_below(folder)) / BYTES_IN_MB


NODES_MAX = 1_000_000
"""Maximum number of values in a YAML document with its aliases written out.

Without a limit, counting the values of a document that contains itself would never end.
"""


class _StrictLoader(yaml.SafeLoader):
    """Rejects duplicate keys, of which YAML's own loader uses the last."""


def _mapping(loader: _StrictLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    names = [key for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
    last = {key.value: key.start_mark for key in names}
    for name, count in Counter(key.value for key in names).items():
        if count > 1 and name != "<<":
            raise yaml.constructor.ConstructorError(None, None, f"{name}: × {count}", last[name])
    loader.flatten_mapping(node)
    return loader.construct_mapping(node, deep=True)


_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def load_yaml(content: str) -> Any:
    """The content of a YAML document.

    Raises:
        yaml.YAMLError: The content isn't YAML, contains a duplicate key or contains itself, or a value is
            invalid for its type.
    """
    with _all_errors_of_yaml():
        return _bounded(yaml.load(content, _StrictLoader))


def load_yaml_documents(content: str) -> list[Any]:
    """The documents of a YAML string, without the empty ones, read by the fast C loader if PyYAML has it.

    Raises:
        yaml.YAMLError: The text isn't YAML, a document contains itself, or a value is invalid for its type.
    """
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with _all_errors_of_yaml():
        return [_bounded(one) for one in yaml.load_all(content, Loader=loader) if one is not None]


@contextmanager
def _all_errors_of_yaml() -> Iterator[None]:
    """Turns errors that PyYAML lets through into YAML errors: a 13th month, a thousand nested brackets."""
    try:
        yield
    except (ValueError, OverflowError, RecursionError, TypeError, AttributeError) as error:
        raise yaml.YAMLError(f"{type(error).__name__}: {error}") from error


def _bounded(document: Any) -> Any:
    """Returns the document; raises an error if it contains itself or, with aliases expanded, is too large."""
    waiting, nodes = [document], 0
    while waiting:
        node = waiting.pop()
        nodes += 1
        if nodes > NODES_MAX:
            raise yaml.YAMLError(text("error.yaml_nodes", most=NODES_MAX))
        if isinstance(node, dict):
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
    return document
