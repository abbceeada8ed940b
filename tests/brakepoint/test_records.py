"""What is read from a file or the network is immutable, and most of it accepts no extra fields."""

from importlib import import_module

import pytest
from pydantic import BaseModel

STRICT = (
    "brakepoint.course",
    "brakepoint.messages",
    "brakepoint.mission.records",
    "brakepoint.mission.report",
    "brakepoint.registry.version",
    "brakepoint.room.config",
    "brakepoint.scenery.scenario",
    "brakepoint.synthesis.cutouts",
    "brakepoint.track",
    "brakepoint.truth",
)
LENIENT = (
    "brakepoint.evaluation",
    "brakepoint.evaluation.mean_average_precision",
    "brakepoint.labels.label_studio_export",
    "brakepoint.pipeline.comparison",
    "brakepoint.room.accounts",
    "brakepoint.room.history",
    "brakepoint.room.outcomes",
    "brakepoint.workshop.verdicts",
)
"""Others write these, or may write more into them one day."""
KEPT_UP_TO_DATE = {"Accounts", "Scores", "History", "Seat", "_Export"}


def records(module: str) -> list[type[BaseModel]]:
    classes = [value for value in vars(import_module(module)).values() if isinstance(value, type)]
    return [each for each in classes if issubclass(each, BaseModel) and each.__module__ == module]


@pytest.mark.parametrize("module", [*STRICT, *LENIENT])
def test_a_record_is_not_changed_once_it_is_made(module: str) -> None:
    made = [each for each in records(module) if each.__name__ not in KEPT_UP_TO_DATE]

    assert made
    assert [each.__name__ for each in made if not each.model_config.get("frozen")] == []


@pytest.mark.parametrize("module", STRICT)
def test_a_record_with_a_word_that_nobody_knows_is_refused(module: str) -> None:
    assert [each.__name__ for each in records(module) if each.model_config.get("extra") != "forbid"] == []
