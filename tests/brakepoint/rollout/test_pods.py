"""A task runs step by step as a pod; here each step is a plain process, without the root of an image."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from brakepoint.rollout import pods
from brakepoint.rollout.confinement import Confinement
from brakepoint.rollout.definitions import Mount, Step, Task, Variable
from brakepoint.rollout.execution import RESULTS, Done, Outcome, TaskRun
from brakepoint.rollout.pods import ACCOUNT, BUILD_MOUNTS, PIP_SETTINGS, Pods, network

HERE = Confinement(user=0, groups=(os.getgid(),))
ABSENT = "registry/absent"


class Unconfined:
    """A sandbox on this machine's own root, in which each mounted path is replaced by what is mounted."""

    def __init__(self, layers: Any, scratch: Path, held: Confinement, mounts: Any, read_only: Any) -> None:
        self._mounts = mounts

    def command(self, words: list[str], folder: str) -> list[str]:
        for there, here in self._mounts.items():
            words = [word.replace(there, str(here)) for word in words]
        return ["sh", "-c", 'cd "$0" && exec "$@"', folder, *words]


@pytest.fixture
def run(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch):
    """Runs the steps of a task with this machine's programs."""
    monkeypatch.setattr(pods, "Sandbox", Unconfined)
    (tmp_path / "source").mkdir()
    roots: Any = SimpleNamespace(layers=lambda image, _: None if image == ABSENT else (Path("/"),))

    def run_steps(*steps: Step, held: Confinement = HERE, **secrets: dict[str, str]) -> Done:
        spec = Task(steps=list(steps), volumes=[{"name": "scratch"}])
        task = TaskRun("build", "brakepoint-build", spec, {})
        confined = {"build": {step.name: held for step in steps}}
        elsewhere = {"/srv/forge.git": tmp_path_factory.mktemp("forge")}
        account = tmp_path / "account"
        return Pods(tmp_path, roots, confined, {"build": "amd64"}, {}, account, {}, secrets, elsewhere)(task)

    return run_steps


def shell(name: str, *words: str, **more: Any) -> Step:
    return Step(name=name, image="registry/sh", command=["sh", "-c", *words], **more)


def log(folder: Path) -> list[str]:
    return (folder / "logs" / "build.log").read_text("utf-8").splitlines()


def test_the_steps_run_in_order_and_leave_their_results_and_one_log(run, tmp_path: Path) -> None:
    done = run(
        shell("first", f"echo one; printf abc > {RESULTS}/digest"),
        shell("second", f"echo two >&2; cat {RESULTS}/digest; pwd", working_dir=str(tmp_path / "source")),
    )

    assert done == Done(Outcome.SUCCEEDED, {"digest": "abc"})
    assert log(tmp_path) == ["one", "two", f"abc{tmp_path / 'source'}"]
    assert list((tmp_path / "pods").iterdir()) == [], "nothing of the pod is left"


@pytest.mark.parametrize(("ends", "why"), [("exit 3", "second: 3"), ("kill -9 $$", "second: SIGKILL")])
def test_a_step_that_fails_is_the_last_and_is_named_with_how_it_ended(run, tmp_path, ends, why) -> None:
    done = run(shell("first", "echo one"), shell("second", ends), shell("third", "echo three"))

    assert (done.outcome, done.why) == (Outcome.FAILED, why)
    assert log(tmp_path) == ["one"]
    assert list((tmp_path / "pods").iterdir()) == []


def test_a_step_whose_image_is_not_on_this_machine_is_reported_by_the_image(run) -> None:
    assert run(Step(name="scan", image=ABSENT)) == Done(Outcome.NOT_HERE, why=ABSENT)


def test_a_script_is_run_as_a_program_with_its_arguments(run, tmp_path: Path) -> None:
    script = '#!/bin/sh\necho "$1 and $2"\n'

    assert run(Step(name="s", image="registry/sh", script=script, args=["one", "two"])).why == ""
    assert log(tmp_path) == ["one and two"]


def test_a_step_has_its_own_variables_those_of_its_secrets_and_the_machines_proxy(
    run, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy:3128")
    monkeypatch.setenv("UNRELATED", "1")
    step = shell(
        "show",
        "echo $A $TOKEN $https_proxy $UNRELATED",
        env=[Variable(name="A", value="a")],
        env_from=[{"secretRef": {"name": "known"}}, {"secretRef": {"name": "unknown", "optional": True}}],
    )

    assert run(step, known={"TOKEN": "t"}).outcome is Outcome.SUCCEEDED
    assert log(tmp_path) == ["a t http://proxy:3128"]


def test_a_step_that_lacks_a_secret_does_not_run(run, tmp_path: Path) -> None:
    done = run(shell("show", "echo one", env_from=[{"secretRef": {"name": "unknown"}}]))

    assert done.outcome is Outcome.FAILED
    assert "show" in done.why and "unknown" in done.why
    assert not (tmp_path / "logs" / "build.log").exists()


def test_steps_share_the_volumes_of_their_pod_which_are_empty_at_first(run, tmp_path: Path) -> None:
    scratch = [Mount(name="scratch", mount_path="/scratch")]
    left = tmp_path / "pods" / "build" / "volumes" / "scratch" / "left"
    left.parent.mkdir(parents=True)
    left.touch()

    assert (
        run(
            shell("write", "ls /scratch; echo one > /scratch/a", volume_mounts=scratch),
            shell("read", "cat /scratch/a", volume_mounts=scratch),
        ).why
        == ""
    )
    assert log(tmp_path) == ["one"]


def test_whoever_a_step_runs_as_may_write_into_the_folders_of_its_pod(run, tmp_path: Path) -> None:
    scratch = [Mount(name="scratch", mount_path="/scratch")]

    run(shell("look", f"ls -ld /scratch /tekton/home {RESULTS}", volume_mounts=scratch))
    assert {line[:10] for line in log(tmp_path)} == {"drwxrwsrwx"}


@pytest.mark.parametrize(("groups", "owner"), [((os.getgid() + 1, 7), os.getgid() + 1), ((), 0)])
def test_the_folders_of_a_pod_and_no_others_belong_to_the_group_of_its_volumes(
    run, tmp_path: Path, monkeypatch, groups: tuple[int, ...], owner: int
) -> None:
    given: list[tuple[str, int]] = []
    monkeypatch.setattr(os, "chown", lambda path, user, group: given.append((path.name, group)))

    run(shell("look", "true"), held=Confinement(user=1, groups=groups))
    whose = [] if os.getgid() == owner else [("home", owner), ("results", owner), ("scripts", owner)]
    assert given == whose


def test_a_step_without_a_name_is_named_by_its_place(run) -> None:
    assert run(shell("named", "true"), shell("", "exit 3")).why == "unnamed-1: 3"


def test_pip_and_builds_find_what_this_machine_needs_to_reach_an_index(tmp_path: Path, monkeypatch) -> None:
    certificates = tmp_path / "ca.crt"
    certificates.touch()
    monkeypatch.setattr(pods, "CERTIFICATES", certificates)

    shown = network(tmp_path / "network", {"index-url": "https://index", "trusted-host": "index"})

    settings = shown[PIP_SETTINGS].read_text("utf-8")
    assert settings == "[global]\nindex-url = https://index\ntrusted-host = index\n"
    assert shown[str(certificates)] == certificates
    assert shown["/etc/resolv.conf"] == Path("/etc/resolv.conf")
    assert shown[BUILD_MOUNTS].read_text("utf-8").splitlines() == [
        f"{PIP_SETTINGS}:{PIP_SETTINGS}",
        f"{certificates}:{certificates}",
    ]
    assert ACCOUNT not in shown
