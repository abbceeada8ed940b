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


@pytest.mark.parametrize(("kind", "count"), [("Job", 0), ("Deployment", 1)])
def test_only_a_job_may_leave_its_selector_to_kubernetes(kind: str, count: int) -> None:
    workload = {"kind": kind, "metadata": {"name": "broker", "namespace": "seat"}}
    assert len([*_of_workload(workload)]) == count
