"""Files that are written whole or not at all, files that others change meanwhile, and YAML read strictly."""

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from stat import S_ISREG
from typing import Any

import yaml


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file under another name and renames it: whoever sees it, sees all of it.

    Args:
        path: The file; its folder is there.
        content: All of it.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Offers a name to write a file by, for what writes files itself; it takes its place once all went well.

    Args:
        path: Where it goes in the end; until then, what is there stays. Its folder is there.

    Yields:
        A name beside it with the same ending.
    """
    part = path.with_name(f"{path.stem}.part{path.suffix}")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Offers an empty folder to fill, which takes the place of another one once all went well.

    Args:
        folder: Where it goes in the end; until then, what is there stays.

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
    """Renames a file or a folder to where another one may be, which is kept.

    Args:
        new: What is to be there.
        place: Where.
        aside: The name that what was there gets.
    """
    try:
        if place.exists():
            place.rename(aside)
        new.rename(place)
    except BaseException:
        if aside.exists() and not place.exists():
            aside.rename(place)
        raise


def files_below(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """The regular files below a folder, with what the file system says of each, while others write there.

    A file or a folder that is removed meanwhile is left out. Links are not followed, and are none.
    """
    for root, _, names in os.walk(folder):
        for path in (Path(root, name) for name in names):
            with suppress(FileNotFoundError, NotADirectoryError):
                status = path.lstat()
                if S_ISREG(status.st_mode):
                    yield path, status


class _StrictLoader(yaml.SafeLoader):
    """Refuses a key that stands twice, of which YAML's own loader takes the last."""


def _mapping(loader: _StrictLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    counts = Counter(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
    for name, count in counts.items():
        if count > 1 and name != "<<":
            raise yaml.constructor.ConstructorError(None, None, f"{name}: × {count}", node.start_mark)
    loader.flatten_mapping(node)
    return loader.construct_mapping(node, deep=True)


_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def load_yaml(content: str) -> Any:
    """What a YAML document says.

    Raises:
        yaml.YAMLError: It is none, a key stands twice in it, or a value is none of its kind.
    """
    try:
        return yaml.load(content, _StrictLoader)
    except (ValueError, OverflowError, RecursionError, TypeError, AttributeError) as error:
        # PyYAML lets these through: a thirteenth month, brackets a thousand deep.
        raise yaml.YAMLError(f"{type(error).__name__}: {error}") from error
