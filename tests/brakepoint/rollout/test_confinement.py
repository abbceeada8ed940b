"""From the result of admission to the command that confines a process accordingly."""

from pathlib import Path

import pytest

from brakepoint.cluster.pods import Manifest
from brakepoint.rollout.confinement import RUNTIME_CAPABILITIES, Confinement, confinement
from brakepoint.rollout.sandbox import ALL_CAPABILITIES, Sandbox, held_by


@pytest.mark.parametrize(
    ("shared", "own", "expected"),
    [
        ({}, {}, Confinement(0, capabilities=RUNTIME_CAPABILITIES, may_gain=True)),
        ({"runAsUser": 7}, {}, Confinement(7, may_gain=True)),
        ({"runAsUser": 7}, {"runAsUser": 0}, Confinement(0, (), RUNTIME_CAPABILITIES, may_gain=True)),
        ({"fsGroup": 5, "supplementalGroups": [3]}, {"runAsUser": 7}, Confinement(7, (3, 5), may_gain=True)),
        ({}, {"runAsUser": 7, "allowPrivilegeEscalation": False}, Confinement(7)),
        ({}, {"runAsUser": 7, "readOnlyRootFilesystem": True}, Confinement(7, may_gain=True, read_only=True)),
        (
            {},
            {"capabilities": {"drop": ["ALL"], "add": ["KILL"]}},
            Confinement(0, (), frozenset({"KILL"}), True),
        ),
        (
            {},
            {"capabilities": {"drop": ["KILL"], "add": ["SETFCAP"]}},
            Confinement(0, (), RUNTIME_CAPABILITIES - {"KILL"} | {"SETFCAP"}, True),
        ),
    ],
)
def test_a_container_is_held_as_it_and_its_pod_say(
    shared: Manifest, own: Manifest, expected: Confinement
) -> None:
    assert confinement(shared, {"name": "c", "securityContext": own}) == expected


def test_everything_is_dropped_but_what_it_has() -> None:
    drop, *others = held_by(Confinement(0, (4, 5), frozenset({"SETFCAP", "KILL"})))
    dropped = set(drop.removeprefix("--drop=").split(","))
    assert dropped == {f"cap_{name.lower()}" for name in ALL_CAPABILITIES} - {"cap_setfcap", "cap_kill"}
    assert others == ["--no-new-privs", "--groups=4,5", "--gid=0", "--uid=0"]


def test_who_may_gain_privileges_is_not_held_from_it() -> None:
    assert "--no-new-privs" not in held_by(Confinement(0, may_gain=True))


def test_a_mount_has_a_place_in_what_is_thrown_away_and_never_in_the_root(tmp_path: Path) -> None:
    root, scratch, folder, file = (tmp_path / name for name in ("root", "scratch", "folder", "file"))
    for made in (root / "there", folder):
        made.mkdir(parents=True)
    file.touch()
    mounts = {"/there": folder, "/new/place": folder, "/etc/file": file}
    Sandbox((root,), scratch, Confinement(1), mounts).command(["true"])
    assert (scratch / "upper/new/place").is_dir() and (scratch / "upper/etc/file").is_file()
    assert not (scratch / "upper/there").exists()
    assert [path.name for path in root.iterdir()] == ["there"]


def test_the_command_comes_after_the_mounts_and_starts_in_the_given_folder(tmp_path: Path) -> None:
    mounts = {"/x": tmp_path, "/y": tmp_path}
    words = Sandbox(
        (tmp_path / "a", tmp_path / "b"), tmp_path / "s", Confinement(1), mounts, frozenset({"/y"})
    ).command(["run", "it"], "/folder")
    assert words[-9:] == [str(tmp_path), "/x", "rw", str(tmp_path), "/y", "ro", "--", "run", "it"]
    assert f"{tmp_path / 'a'}:{tmp_path / 'b'}" in words and "/folder" in words


@pytest.mark.parametrize("whole", [True, False])
def test_a_sandbox_ends_all_its_processes_or_lets_the_command_get_the_signals(
    tmp_path: Path, whole: bool
) -> None:
    words = Sandbox((tmp_path,), tmp_path / "s", Confinement(1), whole=whole).command(["true"])
    assert ("--kill-child" in words) is whole
