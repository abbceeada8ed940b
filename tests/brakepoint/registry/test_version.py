"""The registry's records, without a store."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from brakepoint.registry.version import Production, Version

GIVEN: dict[str, Any] = {
    "number": 1,
    "sha256": "0" * 64,
    "size_bytes": 1,
    "published_at": datetime(2026, 1, 1, tzinfo=UTC),
}


def test_the_smallest_version_is_number_one_of_one_byte_and_says_nothing_of_where_it_is_from() -> None:
    version = Version(**GIVEN)

    assert (version.metrics, version.data, version.code) == ({}, "", "")


@pytest.mark.parametrize(
    "wrong", [{"number": 0}, {"size_bytes": 0}, {"sha256": "0" * 63}, {"sha256": "g" * 64}, {"colour": "red"}]
)
def test_a_version_that_cannot_be_is_refused(wrong) -> None:
    with pytest.raises(ValidationError):
        Version(**GIVEN | wrong)


def test_nothing_is_in_production_before_the_first_promotion_and_then_the_last() -> None:
    nothing = Production()
    both = nothing.promote(1).promote(2)

    assert nothing.number is None
    assert (both.history, both.number) == ((1, 2), 2)
    assert both.promote(2) is both
    assert both.promote(1).history == (1, 2, 1)
