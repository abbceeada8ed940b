"""Pods that operators create: workspaces, predictors, pipeline servers, the tasks of a compiled pipeline."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from left_out import unreadable

from brakepoint.cluster.operators import (
    compiled as compiled_in,
)
from brakepoint.cluster.operators import (
    pipeline_pods,
    pipeline_servers,
    predictors,
    runtime_of,
    server_claims,
    workspace,
    workspace_claim,
)

DEVFILE: dict[str, Any] = {
    "metadata": {"name": "kit"},
    "variables": {"image": "registry/workbench:1"},
    "components": [
        {
            "name": "desk",
            "container": {
                "image": "{{image}}",
                "cpuRequest": "1",
                "memoryLimit": "6Gi",
                "endpoints": [{"name": "page", "targetPort": 8000}],
            },
        },
        {
            "name": "store",
            "container": {"image": "x", "mountSources": False, "volumeMounts": [{"name": "o", "path": "/o"}]},
        },
        {"name": "o", "volume": {"size": "2Gi"}},
    ],
}


def test_a_workspace_has_the_containers_of_the_devfile_and_devspaces_own() -> None:
    pod = workspace(DEVFILE, "seat", {"disableContainerBuildCapabilities": True})
    desk, store, gateway = pod.spec["containers"]

    assert (pod.made_by, pod.namespace, pod.account) == ("DevWorkspace", "seat", "workspace-sa")
    assert desk["image"] == "registry/workbench:1"
    assert desk["resources"] == {"requests": {"cpu": "1"}, "limits": {"memory": "6Gi"}}
    assert desk["ports"] == [{"name": "page", "containerPort": 8000}]
    assert [mount["mountPath"] for mount in desk["volumeMounts"]] == ["/projects"]
    assert [mount["mountPath"] for mount in store["volumeMounts"]] == ["/o"]
    assert gateway["name"] == "che-gateway"
    assert desk["securityContext"] == {}


def test_a_volume_without_a_path_is_mounted_by_its_name() -> None:
    """As the devfile's schema says of `volumeMounts`."""
    store = {**DEVFILE["components"][1]["container"], "volumeMounts": [{"name": "o"}]}
    pod = workspace({**DEVFILE, "components": [{"name": "store", "container": store}]}, "seat", {})

    assert [mount["mountPath"] for mount in pod.spec["containers"][0]["volumeMounts"]] == ["/o"]


def test_where_containers_may_be_built_each_container_may_change_its_user() -> None:
    pod = workspace(DEVFILE, "seat", {})

    for container in pod.containers:
        assert container["securityContext"]["allowPrivilegeEscalation"] is True
        assert container["securityContext"]["capabilities"] == {"add": ["SETGID", "SETUID"]}


def test_a_workspace_s_volume_has_the_size_that_is_set_or_ten_gibibytes() -> None:
    def size(che: dict[str, Any]) -> str:
        return str(workspace_claim("seat", che)["spec"]["resources"]["requests"]["storage"])

    assert size({}) == "10Gi"
    assert size({"storage": {"perUserStrategyPvcConfig": {"claimSize": "5Gi"}}}) == "5Gi"


def named(kind: str, spec: dict[str, Any], name: str = "one", **meta: Any) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": name, "namespace": "seat", **meta}, "spec": spec}


RUNTIME = named(
    "ServingRuntime",
    {
        "containers": [
            {
                "name": "kserve-container",
                "image": "r",
                "env": [{"name": "A"}],
                "securityContext": {"runAsNonRoot": True},
            }
        ],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
    },
    "runtime",
)


def service(**model: Any) -> dict[str, Any]:
    said = {"runtime": "runtime", "env": [{"name": "B"}], "resources": {"limits": {"cpu": "2"}}, **model}
    return named("InferenceService", {"predictor": {"model": said, "maxReplicas": 3}}, labels={"part": "kit"})


def test_a_predictor_has_the_labels_of_its_service_and_the_container_of_its_runtime() -> None:
    (pod,) = predictors([RUNTIME, service()])
    (container,) = pod.spec["containers"]

    assert (pod.name, pod.count) == ("one-predictor", 3)
    assert pod.labels == {
        "part": "kit",
        "app": "isvc.one-predictor",
        "component": "predictor",
        "serving.kserve.io/inferenceservice": "one",
    }
    assert container["resources"] == {"limits": {"cpu": "2"}}
    assert [one["name"] for one in container["env"]] == ["A", "B"]
    assert pod.spec["initContainers"] == []
    assert [volume["name"] for volume in pod.spec["volumes"]] == ["tmp", "kserve-provision-location"]


def test_what_is_fetched_first_is_fetched_as_the_container_runs() -> None:
    (pod,) = predictors([RUNTIME, service(storage={"key": "k"})])
    (first,) = pod.spec["initContainers"]

    assert first["name"] == "storage-initializer"
    assert first["securityContext"] == {"runAsNonRoot": True}


def test_without_a_runtime_there_is_no_predictor() -> None:
    assert runtime_of(service(), []) is None
    assert list(predictors([service()])) == []


def test_a_pipeline_server_is_seven_pods_and_a_volume() -> None:
    server = named(
        "DataSciencePipelinesApplication",
        {"database": {"mariaDB": {"pvcSize": "2Gi", "resources": {"requests": {"cpu": "1"}}}}},
        "dspa",
    )
    pods = {pod.name: pod for pod in pipeline_servers([server])}

    assert len(pods) == 7
    database = pods["ds-pipeline-mariadb-dspa"].spec["containers"][0]
    assert database["resources"] == {"requests": {"cpu": "1"}}
    (claim,) = server_claims([server])
    assert claim["spec"]["resources"]["requests"]["storage"] == "2Gi"


def compiled(**container: Any) -> list[dict[str, Any]]:
    tasks = {
        "first": {"componentRef": {"name": "c"}},
        "beside": {"componentRef": {"name": "c"}},
        "last": {"componentRef": {"name": "c"}, "dependentTasks": ["first", "beside"]},
    }
    pipeline = {
        "pipelineInfo": {"name": "run"},
        "components": {"c": {"executorLabel": "e"}},
        "deploymentSpec": {"executors": {"e": {"container": {"image": "i", **container}}}},
        "root": {"dag": {"tasks": tasks}},
    }
    own = {
        "secretAsEnv": [{"secretName": "s", "keyToEnv": [{"envVar": "V", "secretKey": "k"}]}],
        "emptyDirMounts": [{"volumeName": "shm", "mountPath": "/dev/shm"}],
        "tolerations": [{"key": "gpu"}],
    }
    platform = {"platforms": {"kubernetes": {"deploymentSpec": {"executors": {"e": own}}}}}
    return [pipeline, platform]


def test_tasks_that_may_run_beside_each_other_share_a_phase() -> None:
    phases = {pod.name: pod.phase for pod in pipeline_pods(compiled(), "seat", "dspa")}

    assert phases["first"] == phases["beside"] == phases["first-driver"] == "run/0"
    assert phases["last"] == phases["last-driver"] == "run/1"


def test_a_task_has_its_secrets_volumes_and_resources() -> None:
    resources = {
        "resourceCpuRequest": "1",
        "resourceMemoryLimit": "4Gi",
        "accelerator": {"resourceType": "nvidia.com/gpu", "resourceCount": "1"},
    }
    pod = next(iter(pipeline_pods(compiled(resources=resources), "seat", "dspa")))
    main, wait = pod.spec["containers"]

    assert pod.account == "pipeline-runner-dspa"
    assert main["resources"] == {
        "requests": {"cpu": "1"},
        "limits": {"memory": "4Gi", "nvidia.com/gpu": "1"},
    }
    assert main["env"] == [{"name": "V", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]
    assert main["volumeMounts"] == [{"name": "shm", "mountPath": "/dev/shm"}]
    assert pod.spec["volumes"] == [{"name": "shm", "emptyDir": {}}]
    assert pod.spec["tolerations"] == [{"key": "gpu"}]
    assert wait["name"] == "wait"


@pytest.mark.parametrize("documents", [compiled()[:1], compiled()])
def test_a_pipeline_without_a_part_of_kubernetes_own_has_pods_too(documents) -> None:
    assert len(list(pipeline_pods(documents, "seat", "dspa"))) == 6


def test_the_variables_of_a_workspace_are_those_of_this_process_only_while_its_pipeline_is_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = tmp_path / "step4.py"
    step.write_text("import os\nseen = dict(os.environ)\n", encoding="utf-8")
    seen: dict[str, str] = {}

    def compile_to(module: Any, path: Path) -> None:
        seen.update(module.seen)
        path.write_text("a: 1\n---\n---\nb: 2\n", encoding="utf-8")

    monkeypatch.setattr("brakepoint.pipeline.cluster.compile_to", compile_to)
    monkeypatch.setattr("brakepoint.pipeline.cluster.must_name_an_image", lambda path: None)
    monkeypatch.setenv("BRAKEPOINT_IMAGE", "mine")
    monkeypatch.setenv("BRAKEPOINT_GPUS", "1")
    before = dict(os.environ)

    documents = compiled_in(step, {"BRAKEPOINT_IMAGE": "theirs", "BRAKEPOINT_ONLY_THERE": "yes"})

    assert documents == [{"a": 1}, {"b": 2}]
    assert (seen["BRAKEPOINT_IMAGE"], seen["BRAKEPOINT_ONLY_THERE"]) == ("theirs", "yes")
    assert "BRAKEPOINT_GPUS" not in seen
    assert dict(os.environ) == before


SERVER = named(
    "DataSciencePipelinesApplication",
    {"database": {"mariaDB": {"pvcSize": "2Gi", "resources": {}}}, "apiServer": {"resources": {}}},
)


@pytest.mark.parametrize(
    ("whole", "required", "reading"),
    [
        (DEVFILE, {"image", "targetPort"}, lambda rest: workspace(rest, "seat", {})),
        (RUNTIME, {"containers"}, lambda rest: list(predictors([rest, service(storage={"key": "k"})]))),
        (service(storage={"key": "k"}), {"predictor"}, lambda rest: list(predictors([RUNTIME, rest]))),
        (SERVER, set(), lambda rest: [*pipeline_servers([rest]), *server_claims([rest])]),
    ],
    ids=["a devfile", "a runtime", "a service", "a pipeline server"],
)
def test_any_optional_part_may_be_left_out(
    whole: dict[str, Any], required: set[str], reading: Callable[[dict[str, Any]], Any]
) -> None:
    """The API server accepts these manifests, so the rehearsal of what it admits must read them."""
    assert unreadable(whole, reading, required) == []
