"""The shapes of the objects that the rules read: an error names the file, the object and the malformed field.

The API server would refuse such an object before any rule applies. Fields that no rule reads are not checked.
"""

import ipaddress
from collections.abc import Callable, Iterator
from functools import cache
from importlib import resources
from typing import Any

import yaml

from brakepoint.cluster.amounts import quantity
from brakepoint.cluster.pods import Manifest
from brakepoint.errors import UserError
from brakepoint.texts import text

Shape = str | list[Any] | dict[str, Any]
OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")
SOME = ["some"]
"""The second word in the shape of a list that must not be empty."""
INCLUDED = "<"
"""Key of the shape whose fields a shape also has."""


def _is_whole(given: Any) -> bool:
    return isinstance(given, int) and not isinstance(given, bool)


def _is_readable(read: Callable[[str], object], given: Any) -> bool:
    try:
        read(given)
    except ValueError:
        return False
    return True


def _is_scalar(given: Any) -> bool:
    return not isinstance(given, dict | list)


TYPES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "any": ("", lambda _: True),
    "text": ("validation.string", lambda given: isinstance(given, str)),
    "name": ("cluster.shape.name", lambda given: isinstance(given, str) and bool(given)),
    "bool": ("validation.true_or_false", lambda given: isinstance(given, bool)),
    "number": ("validation.whole_number", _is_whole),
    "port": ("cluster.shape.port", lambda given: _is_whole(given) or isinstance(given, str)),
    "scalar": ("cluster.shape.scalar", _is_scalar),
    "amount": ("cluster.shape.amount", lambda given: _is_scalar(given) and _is_readable(quantity, given)),
    "block": (
        "cluster.shape.block",
        lambda given: isinstance(given, str) and _is_readable(ipaddress.ip_network, given),
    ),
    "operator": ("cluster.shape.operator", lambda given: given in OPERATORS),
    "table": ("validation.table", lambda given: isinstance(given, dict)),
    "values": ("cluster.shape.values", lambda given: isinstance(given, list | str)),
    "list": ("validation.list", lambda given: isinstance(given, list)),
}
"""For each type, its text in the catalogue, and its test."""


@cache
def shapes() -> dict[str, Shape]:
    """The shapes by name."""
    file = resources.files(__package__) / "data" / "shapes.yaml"
    return dict(yaml.safe_load(file.read_text(encoding="utf-8")))


def object_of(given: Any, place: str) -> Manifest:
    """Checks an object of any kind; see `checked`."""
    thing = checked(given, "thing", place)
    kind = thing["kind"]
    return dict(checked(thing, kind, place) if kind[0].isupper() and kind in shapes() else thing)


def checked(given: Any, shape: str, place: str) -> Any:
    """Checks an object that comes from outside.

    Args:
        given: What was read.
        shape: Name of its shape.
        place: Where it was read: a file, a folder, or a path of the API.

    Returns:
        The object without its null fields, which the API server ignores.

    Raises:
        UserError: A field does not have the shape that the rules rely on.
    """
    given = _without_nulls(given)
    for where, key in _faults(given, shape, ""):
        raise UserError(
            "cluster.error.shape", place=place, object=_called(given), field=where or "–", what=text(key)
        )
    return given


def _without_nulls(given: Any) -> Any:
    if isinstance(given, dict):
        return {key: _without_nulls(value) for key, value in given.items() if value is not None}
    return [_without_nulls(one) for one in given] if isinstance(given, list) else given


def _faults(given: Any, shape: Shape, where: str) -> Iterator[tuple[str, str]]:
    """Each misshapen field, and the text that says what is needed."""
    if isinstance(shape, str) and shape in TYPES:
        key, fits = TYPES[shape]
        if not fits(given):
            yield where, key
    elif isinstance(shape, str):
        yield from _faults(given, shapes()[shape], where)
    elif isinstance(shape, list):
        if not isinstance(given, list):
            yield where, "validation.list"
            return
        if shape[1:] == SOME and not given:
            yield where, "cluster.shape.empty"
        for number, one in enumerate(given, 1):
            yield from _faults(one, shape[0], f"{where} #{number}")
    elif not isinstance(given, dict):
        yield where, "validation.table"
    else:
        yield from _of_fields(given, _fields(shape), where)


def _of_fields(given: Manifest, fields: dict[str, Shape], where: str) -> Iterator[tuple[str, str]]:
    for name in (name.removesuffix("!") for name in fields if name.endswith("!")):
        if name not in given:
            yield f"{where}.{name}".lstrip("."), "validation.missing"
    for name, value in given.items():
        if not isinstance(name, str):
            yield f"{where}.{name}".lstrip("."), "cluster.shape.key"
            continue
        shape = fields.get(name) or fields.get(f"{name}!") or fields.get("*", "any")
        yield from _faults(value, shape, f"{where}.{name}".lstrip("."))


def _fields(shape: dict[str, Shape]) -> dict[str, Shape]:
    """The fields of a shape, with those of the shape that it includes."""
    included = shape.get(INCLUDED)
    if included is None:
        return shape
    base = shapes()[str(included)]
    assert isinstance(base, dict)
    return {**_fields(base), **{name: one for name, one in shape.items() if name != INCLUDED}}


def _called(given: Any) -> str:
    """Kind and name of an object, as far as it has them."""
    if not isinstance(given, dict):
        return "–"
    meta = given.get("metadata")
    name = meta.get("name") if isinstance(meta, dict) else None
    return " ".join(str(one) for one in (given.get("kind"), name) if one) or "–"
