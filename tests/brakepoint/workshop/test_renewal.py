"""A newer kit arrives while labs are half written."""

import shutil
import subprocess
from pathlib import Path

import pytest

from brakepoint.cli import update
from brakepoint.errors import UserError
from brakepoint.workshop import renewal
from brakepoint.workshop.renewal import Fate, renew

ONE = "labs/step1_dataset.py"
OTHER = "labs/step2_synthetic.py"
OVERLAY = "labs/step7_delivery/overlay/kustomization.yaml"
GIVEN = "def listing():\n    # TODO: list\n    raise NotImplementedError\n\n\ndef split():\n    pass\n"
WRITTEN = GIVEN.replace("    raise NotImplementedError\n", "    return [1]\n")


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=kit", "-c", "user.email=kit@example.org")
    return subprocess.run(
        ["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True
    ).stdout


def commit(folder: Path, files: dict[str, str | None]) -> None:
    for name, content in files.items():
        file = folder / name
        if content is None:
            file.unlink()
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "kit")


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("published") / "kit"
    git(folder.parent, "init", "--quiet", "--initial-branch=main", str(folder))
    ignored = "labs/backups/\nprogress.json\n"
    commit(folder, {ONE: GIVEN, OTHER: GIVEN, OVERLAY: "a: 1\n", "README.md": "old\n", ".gitignore": ignored})
    return folder


@pytest.fixture
def kit(published: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(published, tmp_path / "kit"))


@pytest.fixture
def clone(kit: Path, tmp_path: Path) -> Path:
    git(tmp_path, "clone", "--quiet", str(kit), "clone")
    return tmp_path / "clone"


def renewed(clone: Path) -> dict[str, Fate]:
    found = renew(clone, clone / "labs" / "backups")
    assert found is not None
    return {str(each.lab.relative_to(clone)): each.fate for each in found}


def backups(clone: Path) -> list[str]:
    return sorted(path.read_text() for path in (clone / "labs" / "backups").glob("*"))


def test_labs_that_were_not_begun_and_the_rest_of_the_kit_are_the_newer_ones(kit, clone):
    (clone / ONE).write_text(WRITTEN)
    commit(kit, {OTHER: "newer\n", "README.md": "newer\n"})

    assert renewed(clone) == {ONE: Fate.KEPT}
    assert (clone / OTHER).read_text() == (clone / "README.md").read_text() == "newer\n"
    assert (clone / ONE).read_text() == WRITTEN
    assert backups(clone) == [WRITTEN]


def test_what_is_new_elsewhere_in_a_lab_comes_around_what_was_written(kit, clone):
    (clone / ONE).write_text(WRITTEN)
    commit(kit, {ONE: GIVEN.replace("pass", "return 2")})

    (each,) = renew(clone, clone / "labs" / "backups") or []

    assert each.fate is Fate.MERGED
    assert each.lab.read_text() == WRITTEN.replace("pass", "return 2")
    assert each.backup.read_text() == WRITTEN
    assert each.backup.name.startswith("step1_dataset-")
    assert each.backup.suffix == ".py"


def test_where_both_have_changed_the_same_lines_what_was_written_stays(kit, clone):
    (clone / ONE).write_text(WRITTEN)
    commit(kit, {ONE: GIVEN.replace("TODO: list", "TODO: list them all").replace("pass", "return 2")})

    assert renewed(clone) == {ONE: Fate.MERGED}
    assert (clone / ONE).read_text() == WRITTEN.replace("pass", "return 2")


def test_a_lab_of_which_the_newer_kit_changed_just_what_was_written_is_kept(kit, clone):
    (clone / ONE).write_text(WRITTEN)
    commit(kit, {ONE: GIVEN.replace("NotImplementedError", "NotImplementedError  # replace this")})

    assert renewed(clone) == {ONE: Fate.KEPT}
    assert (clone / ONE).read_text() == WRITTEN


def test_a_file_of_a_step_that_is_a_folder_is_kept_as_well(kit, clone):
    (clone / OVERLAY).write_text("a: 1\nb: 2\n")
    git(clone, "add", OVERLAY)
    commit(kit, {"README.md": "newer\n"})

    assert renewed(clone) == {OVERLAY: Fate.KEPT}
    assert (clone / OVERLAY).read_text() == "a: 1\nb: 2\n"


def test_a_lab_that_the_newer_kit_does_not_have_is_kept_under_another_name(kit, clone):
    (clone / ONE).write_text(WRITTEN)
    commit(kit, {ONE: None, "labs/step1_pictures.py": GIVEN})

    assert renewed(clone) == {ONE: Fate.GONE}
    assert not (clone / ONE).exists()
    assert backups(clone) == [WRITTEN]


def test_a_lab_that_was_deleted_is_there_again(kit, clone):
    (clone / ONE).unlink()
    commit(kit, {ONE: "newer\n"})

    assert renewed(clone) == {}
    assert (clone / ONE).read_text() == "newer\n"


def test_where_nothing_is_newer_nothing_changes(clone):
    (clone / ONE).write_text(WRITTEN)

    assert renew(clone, clone / "labs" / "backups") is None
    assert (clone / ONE).read_text() == WRITTEN


def test_labs_in_commits_of_one_s_own_are_merged_by_git(kit, clone, monkeypatch):
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "learner")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "learner@example.org")
    commit(clone, {ONE: WRITTEN})
    commit(kit, {ONE: GIVEN.replace("pass", "return 2")})

    assert renewed(clone) == {}
    assert (clone / ONE).read_text() == WRITTEN.replace("pass", "return 2")


def test_when_git_cannot_merge_everything_is_as_it_was(kit, clone):
    commit(clone, {"README.md": "mine\n"})
    (clone / ONE).write_text(WRITTEN)
    commit(kit, {"README.md": "newer\n", ONE: "newer\n"})

    with pytest.raises(UserError, match="your labs are unchanged"):
        renew(clone, clone / "labs" / "backups")

    assert (clone / ONE).read_text() == WRITTEN
    assert (clone / "README.md").read_text() == "mine\n"
    assert not (clone / ".git" / "MERGE_HEAD").exists()


def test_when_the_kit_cannot_be_reached_the_labs_are_as_they_were(kit, clone):
    (clone / ONE).write_text(WRITTEN)
    shutil.rmtree(kit)

    with pytest.raises(UserError, match=r"Git says: .*kit"):
        renew(clone, clone / "labs" / "backups")

    assert (clone / ONE).read_text() == WRITTEN


def test_labs_are_as_they_were_when_it_is_interrupted(kit, clone, monkeypatch):
    (clone / ONE).write_text(WRITTEN)
    commit(kit, {"README.md": "newer\n"})

    def interrupted(root: Path) -> None:
        assert (root / ONE).read_text() == GIVEN
        raise KeyboardInterrupt

    monkeypatch.setattr(renewal, "_pull", interrupted)

    with pytest.raises(KeyboardInterrupt):
        renew(clone, clone / "labs" / "backups")

    assert (clone / ONE).read_text() == WRITTEN


def test_in_a_folder_that_is_not_a_clone_the_pip_command_is_shown(tmp_path):
    with pytest.raises(UserError, match="pip install --upgrade"):
        renew(tmp_path, tmp_path / "backups")


def test_without_git_it_says_what_to_install(clone, monkeypatch):
    monkeypatch.setenv("PATH", "")

    with pytest.raises(UserError, match="Install the package git"):
        renew(clone, clone / "backups")


def test_the_command_says_what_became_of_each_lab(kit, clone, monkeypatch, capsys):
    monkeypatch.setattr(update, "ROOT", clone)
    monkeypatch.setattr(update, "BACKUPS_DIR", clone / "labs" / "backups")
    (clone / ONE).write_text(WRITTEN)
    (clone / OTHER).write_text(WRITTEN)
    commit(kit, {OTHER: GIVEN.replace("pass", "return 2")})

    update.update_command()
    first, second, last = capsys.readouterr().out.splitlines()
    assert first == f"{ONE} is as you wrote it."
    assert second.startswith(f"{OTHER} contains what you wrote, with the new parts around it.")
    assert "labs/backups/step2_synthetic-" in second
    assert "brakepoint check" in last

    update.update_command()
    assert capsys.readouterr().out == "There is nothing newer. Everything is as it was.\n"
