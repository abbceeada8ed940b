"""Documents damaged by hypothesis: one place at a time, with any JSON value."""

import copy
from typing import Any

from hypothesis import strategies as st

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 300),
    st.integers(),
    st.floats(),
    st.sampled_from(["", "a.jpg", "images", "DangerAhead", "2026-13-45", "../..", "\x00", "x" * 300, "0,5"]),
    st.text(max_size=20),
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
texts = st.text(max_size=200) | st.binary(max_size=200).map(lambda raw: raw.decode("latin-1"))


def _places(document: Any) -> list[tuple[Any, Any]]:
    """Every place in a document: the list or mapping that contains it, and its index or key there."""
    items = document.items() if isinstance(document, dict) else enumerate(document)
    found = []
    for key, value in list(items):
        found.append((document, key))
        if isinstance(value, dict | list):
            found += _places(value)
    return found


@st.composite
def damaged(draw: st.DrawFn, document: Any) -> Any:
    """A copy of a document with one to three places replaced, removed or duplicated."""
    broken = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 3))):
        places = _places(broken)
        if not places:
            break
        holder, key = draw(st.sampled_from(places))
        how = draw(st.sampled_from(["replace", "remove", "double"]))
        if how == "remove":
            del holder[key]
        elif how == "double" and isinstance(holder, list):
            holder.append(copy.deepcopy(holder[key]))
        else:
            holder[key] = draw(values)
    return broken
