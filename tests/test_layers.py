"""The plan of layers in pyproject.toml: it is checked, it is complete, and the documentation shows it."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from brakepoint.course import ROOT
from brakepoint.texts import languages

TOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
CONTRACTS = {contract["id"]: contract for contract in TOOLS["importlinter"]["contracts"]}
ROOMS = TOOLS["importlinter"]["root_packages"]
LINTER = Path(sys.executable).with_name("lint-imports")
LOADERS = {"import_module", "find_spec", "exec_module", "__import__"}


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(LINTER), "--no-cache", "--no-logo"]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, env={"PYTHONPATH": str(folder)}
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for room in ROOMS:
        shutil.copytree(
            ROOT / room,
            tmp_path / room,
            ignore=lambda folder, names: [
                name for name in names if not name.endswith(".py") and not Path(folder, name).is_dir()
            ],
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("module", "forbidden"),
    [
        ("brakepoint/serving/source.py", "brakepoint.cli.dataset"),
        ("brakepoint/evaluation/plots.py", "brakepoint.mission.page"),
        ("brakepoint/mission/drive.py", "stubs.recorded_camera"),
        ("brakepoint/workshop/checks/driving.py", "footage.render"),
        ("hardware/ble_hub.py", "stubs.printing_hub"),
        ("benchmarks/bench.py", "hardware.lwp3"),
        ("footage/views.py", "footage.cutouts"),
    ],
)
def test_a_forbidden_import_is_found_even_inside_a_function(copy: Path, module: str, forbidden: str):
    with (copy / module).open("a", encoding="utf-8") as file:
        file.write(f"\n\ndef late() -> None:\n    import {forbidden}\n")

    linted = lint(copy)

    assert linted.returncode != 0
    assert "BROKEN" in linted.stdout


def test_a_module_without_a_layer_is_found(copy: Path):
    (copy / "brakepoint" / "attic.py").write_text('"""Stands nowhere."""\n', encoding="utf-8")

    assert "attic" in lint(copy).stdout


def test_nothing_else_loads_modules_by_name():
    by_name = set()
    for room in ("brakepoint", "hardware", "solutions", "stubs"):
        for path in (ROOT / room).rglob("*.py"):
            called = {
                getattr(node.func, "attr", getattr(node.func, "id", ""))
                for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
                if isinstance(node, ast.Call)
            }
            if called & LOADERS:
                by_name.add(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))

    assert by_name == set(TOOLS["brakepoint"]["loaded-by-name"])


@pytest.mark.parametrize("lang", languages())
def test_the_documentation_shows_the_layers_of_the_contract(lang: str):
    words = (ROOT / "docs" / lang / "architecture.md").read_text(encoding="utf-8")
    _, _, table = words.partition("<!-- layers -->")
    rows = [line.split("|")[2] for line in table.splitlines() if line.startswith("| ")][2:]
    shown = [re.findall(r"`(\w+)`", row) for row in rows]

    assert [name for row in shown for name in row] == [
        name for layer in CONTRACTS["layers"]["layers"] for name in layer.split(" | ")
    ]


def test_no_two_modules_of_tests_have_the_same_name() -> None:
    names = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py"))

    assert [name for name, count in names.items() if count > 1] == []
