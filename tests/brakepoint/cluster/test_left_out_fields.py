"""A manifest may leave out what it does not need: no rule fails on it."""

import pytest

from brakepoint.cluster.course import _is_kept
from brakepoint.cluster.pods import Pod
from brakepoint.cluster.wiring import _of_workload

CLAIM = {"name": "work", "persistentVolumeClaim": {"claimName": "work"}}
MOUNTED = {"volumeMounts": [{"name": "work", "mountPath": "/projects"}]}


def test_a_pod_without_volumes_keeps_nothing() -> None:
    assert not _is_kept(Pod("pod", "Pod", "seat", {}), MOUNTED, "/projects")
    assert not _is_kept(Pod("pod", "Pod", "seat", {"volumes": [CLAIM]}), {}, "/projects")


@pytest.mark.parametrize(
    ("folder", "is_kept"),
    [("/projects", True), ("/projects/runs", True), ("/projects-of-another", False), ("", False)],
)
def test_a_claim_keeps_what_is_below_its_mount(folder: str, is_kept: bool) -> None:
    assert _is_kept(Pod("pod", "Pod", "seat", {"volumes": [CLAIM]}), MOUNTED, folder) is is_kept


def test_a_workload_without_a_selector_has_none_that_could_miss_its_pods() -> None:
    assert not [*_of_workload({"kind": "Deployment", "metadata": {"name": "broker", "namespace": "seat"}})]
