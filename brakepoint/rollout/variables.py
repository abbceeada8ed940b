"""Tekton's variables, `$(params.image)` and the like, replaced as Tekton does it. Pure."""

import re
from collections.abc import Mapping

from brakepoint.errors import UserError
from brakepoint.rollout.definitions import Value

VARIABLE = re.compile(r"\$\(((?:params|tasks|results|workspaces)\.[\w.-]+)(\[\*\])?\)")
"""A variable; anything else in `$(…)` belongs to the shell."""
RESULT = re.compile(r"\$\(tasks\.([\w-]+)\.results\.[\w-]+\)")

Values = Mapping[str, Value]
"""Values by the variable's full name, for instance `params.image`."""


def fill(words: str, values: Values) -> str:
    """Replaces each variable in a string.

    Raises:
        UserError: A variable has no value, or is a list within a string.
    """

    def value(found: re.Match[str]) -> str:
        known = _known(found, values)
        if not isinstance(known, str):
            raise UserError("rollout.error.variable", variable=found[0])
        return known

    return VARIABLE.sub(value, words)


def fill_list(words: list[str], values: Values) -> list[str]:
    """Replaces variables in each string of a list; `$(params.NAME[*])` becomes all elements of that list.

    Raises:
        UserError: As for `fill`.
    """
    filled: list[str] = []
    for word in words:
        found = VARIABLE.fullmatch(word)
        known = _known(found, values) if found and found[2] else fill(word, values)
        filled += [known] if isinstance(known, str) else known
    return filled


def fill_value(value: Value, values: Values) -> Value:
    """Replaces variables in a parameter's value, a string or a list; a whole list may be passed on.

    Raises:
        UserError: As for `fill`.
    """
    if isinstance(value, list):
        return fill_list(value, values)
    found = VARIABLE.fullmatch(value)
    return _known(found, values) if found else fill(value, values)


def _known(found: re.Match[str], values: Values) -> Value:
    if found[1] not in values:
        raise UserError("rollout.error.variable", variable=found[0])
    return values[found[1]]
