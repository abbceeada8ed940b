"""All classes in which the kit keeps its data, pydantic's models and dataclasses, by name."""

import importlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from pydantic import BaseModel

ROOT = Path(__file__).parents[1]
ROOMS = ("brakepoint", "hardware")


@cache
def models() -> dict[str, type[BaseModel]]:
    """The models that pydantic validates, by module and name: `messages.Order`."""
    return {
        name: each
        for name, each in _classes("pydantic")
        if issubclass(each, BaseModel) and each is not BaseModel
    }


@cache
def records() -> dict[str, type]:
    """The dataclasses, by module and name: `cluster.kit.Kit`."""
    return {name: each for name, each in _classes("@dataclass") if "__dataclass_params__" in vars(each)}


def _classes(marked: str) -> Iterator[tuple[str, type]]:
    """The classes that are defined in modules whose source contains a word."""
    for path in sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py")):
        if marked not in path.read_text(encoding="utf-8"):
            continue
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        module = importlib.import_module(name)
        for each in vars(module).values():
            if isinstance(each, type) and each.__module__ == name:
                yield f"{name.removeprefix('brakepoint.')}.{each.__qualname__}", each
