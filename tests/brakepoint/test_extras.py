import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from brakepoint import extras
from brakepoint.errors import UserError

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


def test_an_extra_that_is_there_is_no_hindrance():
    extras.require("live")


def test_what_is_missing_of_an_extra_is_named_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(extras.EXTRAS, "live", ("paho", "no_such_package", "kfp.no_such_module"))
    with pytest.raises(UserError, match=r"no_such_package, kfp\.no_such_module.*\[live\]"):
        extras.require("live")


def test_a_part_of_an_extra_is_enough_where_only_that_is_needed(monkeypatch):
    monkeypatch.setitem(extras.EXTRAS, "workshop", ("json", "no_such_package"))
    extras.require("workshop", "json")


@pytest.mark.parametrize("extra", extras.EXTRAS)
def test_an_extra_brings_the_modules_that_stand_for_it(extra):
    declared = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]["optional-dependencies"][extra]
    brought = {line.split("[")[0].split(">")[0].split("=")[0].split("<")[0].lower() for line in declared}
    distributions = packages_distributions()
    for module in extras.EXTRAS[extra]:
        by = {name.lower().replace("_", "-") for name in distributions.get(module.partition(".")[0], [])}
        assert not by or by & {name.replace("_", "-") for name in brought}, module
