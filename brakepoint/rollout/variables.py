"""Tekton's variables, `$(params.image)` and the like, replaced as Tekton does it. Pure."""

import re
from collections.abc import Mapping

from brakepoint.errors import UserError
from brakepoint.rollout.definitions import Value

VARIABLE = re.compile(r"\$\(((?:params|tasks|results|workspaces)\.[\w.-]+)(\[\*\])?\)")
"""Whatever else stands in `$(…)` is the shell's."""
RESULT = re.compile(r"\$\(tasks\.([\w-]+)\.results\.[\w-]+\)")

Values = Mapping[str, Value]
"""By the variable's full name, for instance `params.image`."""


def fill(words: str, values: Values) -> str:
    """A string with each variable replaced.

    Raises:
        UserError: One has no value, or is a list amid a string.
    """

    def value(found: re.Match[str]) -> str:
        known = _known(found, values)
        if not isinstance(known, str):
            raise UserError("rollout.error.variable", variable=found[0])
        return known

    return VARIABLE.sub(value, words)


def fill_list(words: list[str], values: Values) -> list[str]:
    """The same for each string of a list; a string that is `$(params.NAME[*])` becomes all of that list's.

    Raises:
        UserError: As `fill`.
    """
    filled: list[str] = []
    for word in words:
        found = VARIABLE.fullmatch(word)
        known = _known(found, values) if found and found[2] else fill(word, values)
        filled += [known] if isinstance(known, str) else known
    return filled


def fill_value(value: Value, values: Values) -> Value:
    """The same for a parameter's value, of either type; a list may be handed on whole.

    Raises:
        UserError: As `fill`.
    """
    if isinstance(value, list):
        return fill_list(value, values)
    found = VARIABLE.fullmatch(value)
    return _known(found, values) if found else fill(value, values)


def _known(found: re.Match[str], values: Values) -> Value:
    if found[1] not in values:
        raise UserError("rollout.error.variable", variable=found[0])
    return values[found[1]]
