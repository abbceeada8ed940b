"""The pods that DevSpaces, OpenShift AI and Kubeflow Pipelines create from the kit's manifests.

What each operator adds, with its source, is in `data/operators.yaml`.
"""

import os
import runpy
import tempfile
from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml

from brakepoint.cluster.pods import Manifest, Pod, namespace_of

CONNECTION = "opendatahub.io/managed"
"""Label by which OpenShift AI recognises a Secret as a data connection."""


@cache
def operators() -> Manifest:
    """The additions of each operator, by its name."""
    file = resources.files(__package__) / "data" / "operators.yaml"
    return dict(yaml.safe_load(file.read_text(encoding="utf-8")))


def workspace(devfile: Manifest, namespace: str, che: Manifest) -> Pod:
    """The pod of a DevWorkspace.

    Args:
        devfile: The devfile.
        namespace: Namespace in which DevSpaces opens the workspace.
        che: `spec.devEnvironments` of the CheCluster; missing settings have DevSpaces' defaults.
    """
    added, variables = operators()["devspaces"], devfile.get("variables") or {}
    settings = added["defaults"] | che
    context = settings.get("security", {}).get("containerSecurityContext") or {}
    if not settings["disableContainerBuildCapabilities"]:
        context = added["containerBuild"]
    claim = "claim-devworkspace"
    containers = []
    for component in devfile.get("components") or ():
        said = component.get("container")
        if not said:
            continue
        resources_ = {
            kind: {
                name: said[f"{name}{kind[:-1].title()}"]
                for name in ("cpu", "memory")
                if f"{name}{kind[:-1].title()}" in said
            }
            for kind in ("requests", "limits")
        }
        mounts = [{"name": claim, "mountPath": "/projects"}] if said.get("mountSources", True) else []
        mounts += [
            {"name": claim, "mountPath": m.get("path", f"/{m['name']}")}
            for m in said.get("volumeMounts") or ()
        ]
        containers.append(
            {
                "name": component["name"],
                "image": _variable(said["image"], variables),
                "command": said.get("command") or [],
                "args": said.get("args") or [],
                "env": said.get("env") or [],
                "ports": [
                    {"name": one["name"], "containerPort": one["targetPort"]}
                    for one in said.get("endpoints") or ()
                ],
                "resources": resources_,
                "volumeMounts": mounts,
                "securityContext": context,
            }
        )
    spec = {
        "serviceAccountName": "workspace-sa",
        "initContainers": [{**one, "securityContext": context} for one in added["initContainers"]],
        "containers": containers + [{**one, "securityContext": context} for one in added["containers"]],
        "volumes": [{"name": claim, "persistentVolumeClaim": {"claimName": claim}}],
    }
    labels = {
        "controller.devfile.io/devworkspace_id": "workspace",
        "controller.devfile.io/devworkspace_name": devfile["metadata"]["name"],
    }
    return Pod("workspace", "DevWorkspace", namespace, spec, labels)


def workspace_claim(namespace: str, che: Manifest) -> Manifest:
    """The volume that DevSpaces creates for an attendee's workspaces."""
    storage = (operators()["devspaces"]["defaults"] | che)["storage"]
    size = (storage.get("perUserStrategyPvcConfig") or {}).get("claimSize", "10Gi")
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "claim-devworkspace", "namespace": namespace},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}},
    }


def _variable(said: str, variables: dict[str, str]) -> str:
    for name, value in variables.items():
        said = said.replace("{{" + name + "}}", value)
    return said


def predictors(manifests: list[Manifest]) -> Iterator[Pod]:
    """The pods of InferenceServices; a service without an existing runtime has none."""
    added = operators()["kserve"]
    for service in (m for m in manifests if m["kind"] == "InferenceService"):
        runtime = runtime_of(service, manifests)
        if runtime is None:
            continue
        predictor = service["spec"]["predictor"]
        model, name, space = predictor["model"], service["metadata"]["name"], namespace_of(service)
        kept = ("resources", "args", "volumeMounts", "image", "securityContext")
        containers = [dict(one) for one in runtime["spec"]["containers"]]
        for container in containers:
            if container["name"] == "kserve-container":
                own = {key: model[key] for key in kept if key in model}
                own["env"] = [*(container.get("env") or ()), *(model.get("env") or ())]
                container.update(own)
        first = []
        if model.get("storage") or model.get("storageUri"):
            context = containers[0].get("securityContext") or {}
            first = [{**added["storageInitializer"], "securityContext": context}]
        meta = service["metadata"]
        labels = {
            **(runtime["spec"].get("labels") or {}),
            **(meta.get("labels") or {}),
            **(predictor.get("labels") or {}),
        }
        labels |= {
            "app": f"isvc.{name}-predictor",
            "component": "predictor",
            "serving.kserve.io/inferenceservice": name,
        }
        shared = {
            key: runtime["spec"][key]
            for key in ("volumes", "nodeSelector", "tolerations")
            if key in runtime["spec"]
        }
        spec = {
            **shared,
            **{
                key: predictor[key]
                for key in ("serviceAccountName", "nodeSelector", "tolerations")
                if key in predictor
            },
            "initContainers": first,
            "containers": containers,
            "volumes": [
                *(shared.get("volumes") or ()),
                {"name": "kserve-provision-location", "emptyDir": {}},
            ],
        }
        yield Pod(
            f"{name}-predictor",
            "InferenceService",
            space,
            spec,
            labels,
            count=predictor.get("maxReplicas") or predictor.get("minReplicas") or 1,
        )


def runtime_of(service: Manifest, manifests: list[Manifest]) -> Manifest | None:
    """The ServingRuntime that an InferenceService names; None if it does not exist in that namespace."""
    name = service["spec"]["predictor"].get("model", {}).get("runtime")
    key = ("ServingRuntime", name, namespace_of(service))
    return next((m for m in manifests if (m["kind"], m["metadata"]["name"], namespace_of(m)) == key), None)


def pipeline_servers(manifests: list[Manifest]) -> Iterator[Pod]:
    """The pods of each DataSciencePipelinesApplication."""
    for server in (m for m in manifests if m["kind"] == "DataSciencePipelinesApplication"):
        name, space, said = server["metadata"]["name"], namespace_of(server), server["spec"]
        for part, containers in operators()["pipelineServer"]["parts"].items():
            own = (said.get(part) or {}).get("resources")
            if part == "mariaDB":
                own = ((said.get("database") or {}).get("mariaDB") or {}).get("resources")
            containers = [dict(one) for one in containers]
            if own:
                containers[0]["resources"] = own
            labels = {"app": f"ds-pipeline-{name}", "component": "data-science-pipelines"}
            yield Pod(
                f"ds-pipeline-{part}-{name}".lower(),
                "DataSciencePipelinesApplication",
                space,
                {"containers": containers, "serviceAccountName": f"ds-pipeline-{name}"},
                labels,
            )


def server_claims(manifests: list[Manifest]) -> Iterator[Manifest]:
    """The volumes of the pipeline servers' databases."""
    for server in (m for m in manifests if m["kind"] == "DataSciencePipelinesApplication"):
        database = (server["spec"].get("database") or {}).get("mariaDB") or {}
        meta = {"name": f"mariadb-{server['metadata']['name']}", "namespace": namespace_of(server)}
        size = {"requests": {"storage": database.get("pvcSize", "10Gi")}}
        yield {
            "kind": "PersistentVolumeClaim",
            "metadata": meta,
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": size},
        }


def compiled(step: Path, environment: dict[str, str]) -> list[Manifest]:
    """Compiles the pipeline of step 4 in an environment: the pipeline, and its Kubernetes part.

    Args:
        step: The file of step 4.
        environment: Variables of the attendee's workspace.
    """
    from brakepoint.pipeline.cluster import compile_to, must_name_an_image

    before = dict(os.environ)
    try:
        for name in ("BRAKEPOINT_IMAGE", "BRAKEPOINT_GPUS", "BRAKEPOINT_S3_SECRET"):
            os.environ.pop(name, None)
        os.environ.update(environment)
        module: Any = SimpleNamespace(**runpy.run_path(str(step), run_name=step.stem))
        with tempfile.TemporaryDirectory() as folder:
            compile_to(module, Path(folder) / "pipeline.yaml")
            must_name_an_image(Path(folder) / "pipeline.yaml")
            text = (Path(folder) / "pipeline.yaml").read_text(encoding="utf-8")
    finally:
        os.environ.clear()
        os.environ.update(before)
    return [document for document in yaml.safe_load_all(text) if document]


def pipeline_pods(documents: list[Manifest], namespace: str, server: str) -> Iterator[Pod]:
    """The pods of one run of a compiled pipeline; a phase is all tasks that may run in parallel.

    Args:
        documents: The result of `compiled`.
        namespace: Namespace of the pipeline server.
        server: Name of the pipeline server.
    """
    added = operators()["pipelineServer"]
    pipeline, platform = documents[0], (documents[1:] or [{}])[0]
    executors = pipeline["deploymentSpec"]["executors"]
    extra = (
        ((platform.get("platforms") or {}).get("kubernetes") or {})
        .get("deploymentSpec", {})
        .get("executors", {})
    )
    tasks, account = pipeline["root"]["dag"]["tasks"], f"pipeline-runner-{server}"
    run = pipeline["pipelineInfo"]["name"]
    for name, task in tasks.items():
        executor = pipeline["components"][task["componentRef"]["name"]]["executorLabel"]
        said, own = executors[executor]["container"], extra.get(executor, {})
        asked = said.get("resources") or {}
        amounts = {
            kind: {
                of: asked[f"resource{of.title()}{kind[:-1].title()}"]
                for of in ("cpu", "memory")
                if f"resource{of.title()}{kind[:-1].title()}" in asked
            }
            for kind in ("requests", "limits")
        }
        if "accelerator" in asked:
            gpu = {asked["accelerator"]["resourceType"]: asked["accelerator"]["resourceCount"]}
            amounts["limits"] |= gpu
        env = [
            {
                "name": key["envVar"],
                "valueFrom": {"secretKeyRef": {"name": _constant(secret), "key": key["secretKey"]}},
            }
            for secret in own.get("secretAsEnv") or ()
            for key in secret["keyToEnv"]
        ]
        volumes = [{"name": one["volumeName"], "emptyDir": {}} for one in own.get("emptyDirMounts") or ()]
        mounts = [
            {"name": one["volumeName"], "mountPath": one["mountPath"]}
            for one in own.get("emptyDirMounts") or ()
        ]
        main = {
            "name": "main",
            "image": said["image"],
            "resources": amounts,
            "env": env,
            "volumeMounts": mounts,
            "command": said.get("command") or [],
        }
        spec = {
            "serviceAccountName": account,
            "initContainers": added["initContainers"],
            "containers": [main, *added["containers"]],
            "volumes": volumes,
            "tolerations": own.get("tolerations") or [],
        }
        phase = f"{run}/{_depth(name, tasks)}"
        labels = {"pipeline/runid": "run", "component": "data-science-pipelines"}
        yield Pod(name, "PipelineRun", namespace, spec, labels, phase=phase)
        driver = {
            "serviceAccountName": account,
            "initContainers": added["driverInit"],
            "containers": [*added["driver"], *added["containers"]],
        }
        yield Pod(f"{name}-driver", "PipelineRun", namespace, driver, labels, phase=phase)


def _constant(secret: Manifest) -> str:
    parameter = (secret.get("secretNameParameter") or {}).get("runtimeValue") or {}
    return str(secret.get("secretName") or parameter.get("constant", ""))


def _depth(name: str, tasks: Manifest) -> int:
    before = tasks[name].get("dependentTasks") or ()
    return 1 + max((_depth(other, tasks) for other in before), default=-1)
