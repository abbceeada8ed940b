import importlib.util
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from brakepoint import extras
from brakepoint.cli import run
from brakepoint.errors import UserError
from brakepoint.room import ROOM_VARIABLE
from brakepoint.texts import text

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


NEEDING = {
    "boto3": [
        "dataset",
        "deploy --from-push",
        "join ada",
        "model list",
        "pipeline compile",
        "serve s3://",
        "store seed",
        "submit",
    ],
    "matplotlib": ["signs"],
    "paho": ["deploy", "incident service train", "incident up", "show", "up"],
    "nncf": ["quantise model.onnx --pictures a --val b"],
    "kfp": ["cluster doctor", "cluster rehearse", "pipeline compile"],
    "kserve": ["serve"],
    "bcrypt": ["cluster doctor", "cluster rehearse", "room plan"],
}
"""What is typed, by a module that this needs."""


@pytest.mark.parametrize(("module", "typed"), [(name, line) for name in NEEDING for line in NEEDING[name]])
def test_a_command_says_which_package_it_lacks_and_how_to_install_it_before_it_begins(
    module: str, typed: str, tmp_path: Path, monkeypatch, capsys
):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == module else find(name))
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")
    monkeypatch.setenv(ROOM_VARIABLE, "spring")
    monkeypatch.chdir(tmp_path)

    assert run(typed.split()) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith(text("extras.missing", packages=module, command="pip install"))
