"""The pipeline of step 7 and the tasks of deploy/tekton, as run on one machine."""

from pathlib import Path

import pytest
import yaml

from brakepoint.cluster import tekton
from brakepoint.cluster.kit import Kit
from brakepoint.delivery.rendering import Manifest, render
from brakepoint.errors import UserError
from brakepoint.rollout.confinement import RUNTIME_CAPABILITIES, Confinement, of_deployments, of_tasks
from brakepoint.rollout.definitions import Value, read_pipeline, read_tasks
from brakepoint.rollout.execution import Done, Execution, Outcome, TaskRun
from brakepoint.rollout.roots import stand_ins

ROOT = Path(__file__).parents[3]
UID = 1_000_650_000
"""The first of the range that OpenShift gives a namespace."""


@pytest.fixture(scope="module")
def manifests() -> list[Manifest]:
    return render(ROOT / "deploy" / "tekton")


@pytest.fixture(scope="module")
def kit(manifests: list[Manifest]) -> Kit:
    return Kit("openshift", manifests)


class Node:
    """Answers as the tasks would, without running anything."""

    def __init__(self) -> None:
        self.runs: list[TaskRun] = []

    def __call__(self, run: TaskRun) -> Done:
        self.runs.append(run)
        return Done(Outcome.SUCCEEDED, {one.name: f"{run.name}-{one.name}" for one in run.spec.results})

    def of(self, name: str) -> list[TaskRun]:
        return [run for run in self.runs if run.name == name]


@pytest.fixture(scope="module")
def node(kit: Kit) -> Node:
    run = tekton.filled(
        next(tekton.runs(kit.manifests)), {"body.after": "c0ffee", "body.repository.clone_url": "forge"}
    )
    pipeline = next(kit.of_kind("Pipeline"))
    params: dict[str, Value] = {one["name"]: one["value"] for one in run["spec"]["params"]}
    node = Node()
    workspaces = {"source", "git-credentials"}
    Execution(read_pipeline(pipeline), read_tasks(kit.manifests), params, workspaces, node).run()
    return node


def test_each_task_runs_once_and_the_scan_for_each_architecture(node: Node) -> None:
    assert [run.name for run in node.runs] == [
        *("clone", "test", "fetch-model", "build-amd64", "build-arm64"),
        *("scan", "scan", "manifest", "sign", "commit"),
    ]


def test_what_a_push_says_reaches_the_steps(node: Node) -> None:
    (clone,), (build,), (manifest,) = node.of("clone"), node.of("build-arm64"), node.of("manifest")
    said = {one.name: one.value for one in clone.spec.steps[0].env}
    assert (said["URL"], said["REVISION"]) == ("forge", "c0ffee")
    built = {one.name: one.value for one in build.spec.steps[0].env}
    assert (built["ARCH"], built["COMMIT"]) == ("arm64", "clone-commit")
    assert built["MODEL"] == "fetch-model-model"
    assert manifest.spec.steps[0].args == ["build-amd64-image", "build-arm64-image"]


def test_each_image_of_the_scan_is_one_that_was_built(node: Node) -> None:
    scanned = [{one.name: one.value for one in run.spec.steps[0].env}["IMAGE"] for run in node.of("scan")]
    assert scanned == ["build-amd64-image", "build-arm64-image"]


def test_no_variable_of_tektons_is_left_in_what_is_run(node: Node) -> None:
    for run in node.runs:
        assert "$(params." not in str(run.spec) and "$(workspaces." not in str(run.spec)
        assert "$(results." not in str(run.spec) and "$(tasks." not in str(run.spec)


def test_each_image_of_the_pipeline_has_a_stand_in_or_is_said_to_be_missing(node: Node) -> None:
    base = "registry.access.redhat.com/ubi9/python-311:latest"
    images = {step.image for run in node.runs for step in run.spec.steps} - {base}
    assert {image.rpartition(":")[0] for image in images} == set(stand_ins())


def test_two_tasks_are_root_with_what_builds_need_and_all_others_are_nobody(kit: Kit) -> None:
    held = of_tasks(kit, "brakepoint-delivery/push")
    roots = {name for name, steps in held.items() for one in steps.values() if one.user == 0}
    assert roots == {"build-amd64", "build-arm64", "manifest"}
    build, commit = held["build-amd64"]["build"], held["commit"]["commit"]
    assert build.capabilities == RUNTIME_CAPABILITIES | {"SETFCAP"}
    assert commit == Confinement(UID, groups=(UID,))
    assert not any(one.may_gain for steps in held.values() for one in steps.values())


def test_an_edit_of_the_yaml_changes_how_a_step_is_held(manifests: list[Manifest]) -> None:
    changed = yaml.safe_load(yaml.safe_dump(manifests))
    for manifest in changed:
        if (manifest["kind"], manifest["metadata"]["name"]) == ("Task", "build"):
            manifest["spec"]["steps"][0]["securityContext"] = {"capabilities": {"drop": ["ALL"]}}
    held = of_tasks(Kit("openshift", changed), "brakepoint-delivery/push")["build-amd64"]["build"]
    assert held == Confinement(0, groups=(UID,)) or held.user == UID


def test_a_pod_that_the_platform_would_refuse_is_named(manifests: list[Manifest]) -> None:
    changed = yaml.safe_load(yaml.safe_dump(manifests))
    for manifest in changed:
        if (manifest["kind"], manifest["metadata"]["name"]) == ("Task", "build"):
            manifest["spec"]["steps"][0]["securityContext"]["capabilities"]["add"] = ["SYS_ADMIN"]
    with pytest.raises(UserError, match=r"build-amd64.*SYS_ADMIN"):
        of_tasks(Kit("openshift", changed), "brakepoint-delivery/push")


def test_every_container_of_the_train_is_anybody_on_a_read_only_root() -> None:
    held = of_deployments(Kit("openshift", render(ROOT / "solutions" / "step7_delivery" / "overlay")))
    assert set(held) >= {"capture", "detector", "autopilot", "controller", "monitor", "train"}
    assert set(held.values()) == {Confinement(UID, groups=(UID,), read_only=True)}
