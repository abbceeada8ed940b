"""The first error in a file that pydantic rejected, on one line and in the reader's language."""

import re

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from brakepoint.texts import text

SAID = {
    "missing": "missing",
    "extra_forbidden": "unknown",
    "invalid_key": "name",
    "greater_than": "above",
    "greater_than_equal": "at_least",
    "less_than": "below",
    "less_than_equal": "at_most",
    "finite_number": "number",
    "float_parsing": "number",
    "float_type": "number",
    "int_from_float": "whole_number",
    "int_parsing": "whole_number",
    "int_parsing_size": "whole_number",
    "int_type": "whole_number",
    "bool_parsing": "true_or_false",
    "bool_type": "true_or_false",
    "string_type": "string",
    "list_type": "list",
    "tuple_type": "list",
    "dict_type": "table",
    "model_type": "table",
    "literal_error": "one_of",
    "enum": "one_of",
    "too_short": "too_short",
    "too_long": "too_long",
    "string_too_short": "string_too_short",
    "string_too_long": "string_too_long",
    "string_pattern_mismatch": "pattern",
}
"""The text in the catalogue, `validation.…`, for pydantic's errors; other errors keep pydantic's text."""


def first_fault(error: ValidationError) -> str:
    """The first error: location and problem.

    Args:
        error: Pydantic's exception.

    Returns:
        For instance `track #2.curve.radius_cm: a number of at least 20 is needed`; items are counted from 1.
    """
    first = error.errors(include_url=False)[0]
    loc = first["loc"]
    if first["type"] == "invalid_key":  # Its last part is the key itself, even if it is a number.
        loc = *loc[:-1], str(loc[-1])
    where, what = _place(loc), _what(first)
    return text("validation.fault", None, where=where, what=what) if where else what


def _place(loc: tuple[int | str, ...]) -> str:
    parts = (f" #{part + 1}" if isinstance(part, int) else f".{part}" for part in loc)
    return "".join(parts).removeprefix(".").strip()


def _what(first: ErrorDetails) -> str:
    said, values = SAID.get(first["type"]), dict(first.get("ctx", {}))
    if said is None:
        return first["msg"].removeprefix("Value error, ")
    if said == "one_of":
        values["expected"] = ", ".join(re.findall(r"'([^']*)'", values["expected"]))
    return text(f"validation.{said}", None, **values)
