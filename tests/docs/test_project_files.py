"""What a forge reads about the project: one version, one address, and the contributors' commands."""

import re
import tomllib
from datetime import date
from pathlib import Path

import pytest
import yaml

from brakepoint import __version__

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8"))
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
RELEASE = re.compile(r"^## \[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d)$", re.MULTILINE)
PACKAGE = re.compile(r"^[\w.-]+")
NOT_FOR_USERS = {"dev", "system", "images", "footage"}


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


def test_a_folder_named_after_a_target_does_not_keep_make_from_running_it() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)

    assert phony is not None and set(phony[1].split()) == make_targets()


def releases() -> list[tuple[str, str]]:
    return RELEASE.findall((ROOT / "CHANGELOG.md").read_text("utf-8"))


def test_the_newest_release_of_the_changelog_is_the_version() -> None:
    newest, _ = releases()[0]

    assert newest == __version__


def test_releases_are_listed_newest_first() -> None:
    days = [date.fromisoformat(day) for _, day in releases()]

    assert days == sorted(days, reverse=True)


def test_the_citation_has_what_its_format_requires() -> None:
    assert {"cff-version", "message", "title", "authors"} <= CITATION.keys()
    assert CITATION["cff-version"] == "1.2.0"
    assert CITATION["type"] == "software"
    assert all(author["name"] for author in CITATION["authors"])


def test_the_citation_says_what_the_package_says() -> None:
    assert (CITATION["version"], CITATION["date-released"]) == releases()[0]
    assert CITATION["license"] == PROJECT["license"]
    assert CITATION["authors"] == PROJECT["authors"]


def test_the_project_has_one_address() -> None:
    addresses = PROJECT["urls"].values()

    assert all(address.startswith(CITATION["repository-code"]) for address in addresses)


def test_the_notice_names_every_package_that_users_get_and_no_other() -> None:
    notice = (ROOT / "NOTICE").read_text("utf-8")
    extras = PROJECT["optional-dependencies"]
    wanted = [*PROJECT["dependencies"]]
    wanted += [line for extra in extras if extra not in NOT_FOR_USERS for line in extras[extra]]
    packages = {found[0] for line in wanted if (found := PACKAGE.match(line))} - {PROJECT["name"]}

    assert set(re.findall(r"^    ([\w.-]+) {2,}\S", notice, re.MULTILINE)) == packages


def test_the_forge_runs_what_must_pass_before_a_change_lands() -> None:
    required = re.findall(r"^make .*$", (ROOT / ".ci" / "run").read_text("utf-8"), re.MULTILINE)
    run = [step.get("run", "") for job in WORKFLOW["jobs"].values() for step in job["steps"]]

    assert [command for command in run if command.startswith("make")] == required


def test_the_forge_tries_every_python_that_is_supported() -> None:
    classifiers = [line.rpartition(" ")[2] for line in PROJECT["classifiers"] if ":: 3." in line]

    assert WORKFLOW["jobs"]["test"]["strategy"]["matrix"]["python"] == classifiers


def test_the_forge_runs_others_actions_by_their_hash_alone() -> None:
    used = [step["uses"] for job in WORKFLOW["jobs"].values() for step in job["steps"] if "uses" in step]

    assert used
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action) for action in used)


def test_a_commit_is_looked_at_by_the_linters_of_the_project() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    hooks = [hook for repository in config["repos"] for hook in repository["hooks"]]

    assert [hook["entry"] for hook in hooks] == ["make lint"]
    assert "lint" in make_targets()


@pytest.mark.parametrize("form", [path for path in FORMS if path.name != "config.yml"], ids=lambda p: p.stem)
def test_an_issue_form_is_one_that_the_forge_shows(form: Path) -> None:
    said = yaml.safe_load(form.read_text("utf-8"))
    asked = [part for part in said["body"] if part["type"] != "markdown"]

    assert said["name"] and said["description"]
    assert all(part["type"] in ("input", "textarea") for part in asked)
    assert len({part["id"] for part in asked}) == len(asked)
    assert all(part["attributes"]["label"] for part in asked)


def test_what_is_licensed_apart_keeps_its_notice() -> None:
    notice = (ROOT / "NOTICE").read_text("utf-8")
    named = re.findall(r"^((?:[\w.-]+/)+[\w.-]*)", notice, re.MULTILINE)

    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_editor_has_the_linters_line_length() -> None:
    ruff = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["ruff"]

    assert f"max_line_length = {ruff['line-length']}\n" in (ROOT / ".editorconfig").read_text("utf-8")
