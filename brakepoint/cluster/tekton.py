"""The pods that Tekton creates from pipelines, and inconsistencies within a pipeline."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from brakepoint.cluster.pods import Manifest, Pod, namespace_of

HELPERS = ("prepare", "place-scripts")
"""Init containers with Tekton's own image: one copies the entry point, the other writes the scripts."""
GUARDED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
"""The security context of Tekton's own containers if TektonConfig sets `set-security-context`."""
DEADLINE_S = 5400
"""Tekton gives each pod one and a half times the timeout of its task, by default an hour."""
CHOSEN_NODE = "brakepoint.io/chosen-node"
"""Annotation of a pod whose node a parameter selects: if no node matches, another can be named."""
OCCASION = "brakepoint.io/occasion"
"""Annotation of a volume claim: claims of pushes and of manual runs do not exist at the same time."""
PLACEHOLDER = re.compile(r"\$\(([^()]+)\)")
PARAMETER = re.compile(r"\$\(params\.([\w-]+)")
RESULT = re.compile(r"\$\(tasks\.([\w-]+)\.results\.([\w-]+)")


@dataclass(frozen=True)
class Use:
    """One task of one run.

    Attributes:
        run: The PipelineRun.
        task: The task's entry in the pipeline.
        spec: The task's `spec`, with the parameters' values inserted.
        volumes: Volume of each bound workspace, by the workspace's name in the task.
    """

    run: Manifest
    task: Manifest
    spec: Manifest
    volumes: dict[str, Manifest]


def runs(manifests: list[Manifest]) -> Iterator[Manifest]:
    """Each PipelineRun, including those from triggers, with its name and namespace set."""
    for manifest in manifests:
        if manifest["kind"] == "PipelineRun":
            yield _run(manifest, manifest, {})
    templates = {
        (namespace_of(m), m["metadata"]["name"]): m for m in manifests if m["kind"] == "TriggerTemplate"
    }
    for name, where, template, bindings in triggers(manifests):
        found = templates.get((where, template))
        values = _defaults(found["spec"]) | bindings if found else {}
        for run in found["spec"]["resourcetemplates"] if found else ():
            if run["kind"] == "PipelineRun":
                yield _run({"spec": {}, **run}, found or {}, values, name)


def triggers(manifests: list[Manifest]) -> Iterator[tuple[str, str, str, dict[str, str]]]:
    """Each trigger, with its name, its namespace, its template, and its bindings."""
    for manifest in manifests:
        said = (
            (manifest.get("spec") or {}).get("triggers") or () if manifest["kind"] == "EventListener" else ()
        )
        if manifest["kind"] == "Trigger":
            said = [{"name": manifest["metadata"]["name"], **manifest["spec"]}]
        for one in said:
            bindings = {
                b["name"]: b["value"] for b in one.get("bindings") or () if {"name", "value"} <= b.keys()
            }
            template = (one.get("template") or {}).get("ref", "")
            yield one.get("name", ""), namespace_of(manifest), template, bindings


def _run(run: Manifest, owner: Manifest, values: dict[str, Any], trigger: str = "") -> Manifest:
    meta = run.get("metadata") or {}
    name = (meta.get("name") or meta.get("generateName") or owner["metadata"]["name"]).rstrip("-")
    name = f"{name}/{trigger}" if trigger else name
    space = meta.get("namespace") or namespace_of(owner)
    notes = {**_choices(run), OCCASION: owner["kind"] if trigger else "PipelineRun"}
    named = {**run, "metadata": {**meta, "name": name, "namespace": space, "annotations": notes}}
    return dict(filled(named, {f"tt.params.{key}": value for key, value in values.items()}))


def _choices(run: Manifest) -> dict[str, str]:
    """The tasks whose node a parameter selects."""
    specs = run["spec"].get("taskRunSpecs") or ()
    return {
        one["pipelineTaskName"]: "true"
        for one in specs
        if "$(" in str((one.get("podTemplate") or {}).get("nodeSelector"))
    }


def uses(manifests: list[Manifest]) -> Iterator[Use]:
    """Each task that each run starts, with parameters inserted, without skipped tasks."""
    tasks = {(namespace_of(m), m["metadata"]["name"]): m["spec"] for m in manifests if m["kind"] == "Task"}
    for run in runs(manifests):
        pipeline = pipeline_of(run, manifests)
        if pipeline is None:
            continue
        values = _defaults(pipeline) | {one["name"]: one["value"] for one in run["spec"].get("params") or ()}
        outer = {f"params.{name}": value for name, value in values.items()}
        bound = {one["name"]: one for one in run["spec"].get("workspaces") or ()}
        for task in [*(pipeline.get("tasks") or ()), *(pipeline.get("finally") or ())]:
            spec = task.get("taskSpec") or tasks.get((namespace_of(run), task.get("taskRef", {}).get("name")))
            if spec is None or not _is_wanted(task, outer):
                continue
            volumes = _volumes(task, spec, bound)
            for given in _combinations(task, outer):
                inner = {f"params.{name}": value for name, value in (_defaults(spec) | given).items()}
                inner |= {
                    f"workspaces.{w['name']}.path": w.get("mountPath", f"/workspace/{w['name']}")
                    for w in spec.get("workspaces") or ()
                }
                inner |= {
                    f"workspaces.{w['name']}.bound": str(w["name"] in volumes).lower()
                    for w in spec.get("workspaces") or ()
                }
                yield Use(run, task, filled(spec, inner), volumes)


def pipeline_of(run: Manifest, manifests: list[Manifest]) -> Manifest | None:
    """The `spec` of a run's pipeline; None if the pipeline does not exist."""
    if "pipelineSpec" in run["spec"]:
        return dict(run["spec"]["pipelineSpec"])
    name = run["spec"].get("pipelineRef", {}).get("name")
    return next(
        (
            m["spec"]
            for m in manifests
            if (m["kind"], m["metadata"]["name"], namespace_of(m)) == ("Pipeline", name, namespace_of(run))
        ),
        None,
    )


def filled(said: Any, values: dict[str, Any]) -> Any:
    """Replaces `$(name)`; variables that are only known at run time are kept."""
    if isinstance(said, dict):
        return {key: filled(value, values) for key, value in said.items()}
    if isinstance(said, list):
        return [filled(value, values) for value in said]
    if not isinstance(said, str) or "$(" not in said:
        return said
    return PLACEHOLDER.sub(lambda found: _word(values, found), said)


def _word(values: dict[str, Any], found: re.Match[str]) -> str:
    value = values.get(found[1].removesuffix("[*]"), found[0])
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _defaults(spec: Manifest) -> dict[str, Any]:
    return {one["name"]: one["default"] for one in spec.get("params") or () if "default" in one}


def _is_wanted(task: Manifest, values: dict[str, Any]) -> bool:
    """Whether the task runs, judging by those conditions of its `when` that depend on parameters."""
    for condition in task.get("when") or ():
        found = filled(condition.get("input", ""), values)
        if PLACEHOLDER.search(found):
            continue
        if (found in filled(condition.get("values") or [], values)) != (condition.get("operator") == "in"):
            return False
    return True


def _combinations(task: Manifest, outer: dict[str, Any]) -> Iterator[dict[str, Any]]:
    given = {one["name"]: filled(one["value"], outer) for one in task.get("params") or ()}
    matrix = (task.get("matrix") or {}).get("params") or []
    choices = [[(one["name"], value) for value in filled(one["value"], outer)] for one in matrix]
    for choice in itertools.product(*choices):
        yield given | dict(choice)


def _volumes(task: Manifest, spec: Manifest, bound: dict[str, Manifest]) -> dict[str, Manifest]:
    given = {one["name"]: one.get("workspace", one["name"]) for one in task.get("workspaces") or ()}
    wanted = {one["name"] for one in spec.get("workspaces") or ()}
    return {name: bound[whole] for name, whole in given.items() if name in wanted and whole in bound}


def pods(used: list[Use], arguments: Manifest) -> Iterator[Pod]:
    """The pods of every run.

    Args:
        used: The tasks of all runs.
        arguments: `spec.pipeline` of TektonConfig: default account, and whether Tekton guards its own
            containers.
    """
    for use in used:
        yield _pod(use, arguments)


def _pod(use: Use, arguments: Manifest) -> Pod:
    said = use.run["spec"]
    template = said.get("taskRunTemplate") or {}
    own: Manifest = next(
        (o for o in said.get("taskRunSpecs") or () if o["pipelineTaskName"] == use.task["name"]), {}
    )
    pod_template = {**(template.get("podTemplate") or {}), **(own.get("podTemplate") or {})}
    account = own.get("serviceAccountName") or template.get("serviceAccountName")
    mounts = [
        {
            "name": f"ws-{one['name']}",
            "mountPath": one.get("mountPath", f"/workspace/{one['name']}"),
        }
        for one in use.spec.get("workspaces") or ()
        if one["name"] in use.volumes
    ]
    volumes = [_volume(f"ws-{name}", bound, use.run) for name, bound in use.volumes.items()]
    internal = [
        {"name": f"tekton-internal-{part}", "emptyDir": {}}
        for part in ("workspace", "home", "results", "bin")
    ]
    guard = {"securityContext": GUARDED} if arguments.get("set-security-context") else {}
    spec = {
        **{key: value for key, value in pod_template.items() if key != "env"},
        "activeDeadlineSeconds": DEADLINE_S,
        "serviceAccountName": account or arguments.get("default-service-account", "default"),
        "initContainers": [{"name": name, "image": "", **guard} for name in HELPERS],
        "containers": [_container(step, use.spec, mounts) for step in use.spec.get("steps") or ()],
        "volumes": [*(use.spec.get("volumes") or ()), *volumes, *internal],
    }
    labels = {"app.kubernetes.io/managed-by": "tekton-pipelines"}
    chosen = {CHOSEN_NODE: use.run["metadata"]["annotations"].get(use.task["name"], "false")}
    run = use.run["metadata"]["name"]
    return Pod(
        f"{run}/{use.task['name']}", "TaskRun", namespace_of(use.run), spec, labels, chosen, waits=True
    )


def _container(step: Manifest, spec: Manifest, mounts: list[Manifest]) -> Manifest:
    step = {**(spec.get("stepTemplate") or {}), **step}
    kept = {key: value for key, value in step.items() if key not in ("computeResources", "volumeMounts")}
    return {
        **kept,
        "name": f"step-{step.get('name', '')}",
        "resources": step.get("computeResources") or {},
        "volumeMounts": [*(step.get("volumeMounts") or ()), *mounts],
    }


def _volume(name: str, bound: Manifest, run: Manifest) -> Manifest:
    kinds = ("persistentVolumeClaim", "secret", "configMap", "emptyDir", "projected", "csi")
    source = {kind: bound[kind] for kind in kinds if kind in bound}
    if "volumeClaimTemplate" in bound:
        source = {"persistentVolumeClaim": {"claimName": f"{run['metadata']['name']}-{bound['name']}"}}
    return {"name": name, **source}


def claims(manifests: list[Manifest]) -> Iterator[Manifest]:
    """The volume claims that runs create themselves."""
    for run in runs(manifests):
        for bound in run["spec"].get("workspaces") or ():
            if "volumeClaimTemplate" in bound:
                meta = {
                    "name": f"{run['metadata']['name']}-{bound['name']}",
                    "namespace": namespace_of(run),
                    "annotations": {OCCASION: run["metadata"]["annotations"][OCCASION]},
                }
                yield {"kind": "PersistentVolumeClaim", "metadata": meta, **bound["volumeClaimTemplate"]}


def misfits(manifests: list[Manifest]) -> Iterator[tuple[str, str, str]]:
    """Inconsistencies: the pipeline or task, its namespace, and what is missing there."""
    tasks = {(namespace_of(m), m["metadata"]["name"]): m["spec"] for m in manifests if m["kind"] == "Task"}
    for run in runs(manifests):
        pipeline, space, name = pipeline_of(run, manifests), namespace_of(run), run["metadata"]["name"]
        if pipeline is None:
            yield name, space, f"Pipeline {run['spec'].get('pipelineRef', {}).get('name')}"
            continue
        given = {one["name"] for one in run["spec"].get("params") or ()}
        for one in pipeline.get("params") or ():
            if "default" not in one and one["name"] not in given:
                yield name, space, f"params.{one['name']}"
        bound = {one["name"] for one in run["spec"].get("workspaces") or ()}
        for one in pipeline.get("workspaces") or ():
            if not one.get("optional") and one["name"] not in bound:
                yield name, space, f"workspaces.{one['name']}"
        named = {task["name"] for task in (*(pipeline.get("tasks") or ()), *(pipeline.get("finally") or ()))}
        for one in run["spec"].get("taskRunSpecs") or ():
            if one["pipelineTaskName"] not in named:
                yield name, space, f"taskRunSpecs {one['pipelineTaskName']}"
        uses_ = [*(pipeline.get("tasks") or ()), *(pipeline.get("finally") or ())]
        specs = {
            t["name"]: t.get("taskSpec") or tasks.get((space, t.get("taskRef", {}).get("name")))
            for t in uses_
        }
        for task in uses_:
            missing = (*_missing(task, specs), *_undeclared(task, pipeline))
            yield from ((task["name"], space, what) for what in missing)


def _undeclared(task: Manifest, pipeline: Manifest) -> Iterator[str]:
    """The parameters and workspaces that a task takes from its pipeline, which does not declare them."""
    own = {key: value for key, value in task.items() if key != "taskSpec"}
    declared = {one["name"] for one in pipeline.get("params") or ()}
    yield from (f"params.{name}" for name in sorted(set(PARAMETER.findall(str(own))) - declared))
    wanted = {one.get("workspace", one["name"]) for one in task.get("workspaces") or ()}
    shared = {one["name"] for one in pipeline.get("workspaces") or ()}
    yield from (f"workspaces.{name}" for name in sorted(wanted - shared))


def _missing(task: Manifest, specs: dict[str, Manifest | None]) -> Iterator[str]:
    spec = specs[task["name"]]
    if spec is None:
        yield f"Task {task.get('taskRef', {}).get('name')}"
        return
    matrix = (task.get("matrix") or {}).get("params") or ()
    given = {one["name"] for one in (*(task.get("params") or ()), *matrix)}
    known = {one["name"] for one in spec.get("params") or ()}
    wanted = {one["name"] for one in spec.get("params") or () if "default" not in one}
    yield from (f"params.{name}" for name in sorted((wanted - given) | (given - known)))
    bound = {one["name"] for one in task.get("workspaces") or ()}
    needed = {one["name"] for one in spec.get("workspaces") or () if not one.get("optional")}
    yield from (f"workspaces.{name}" for name in sorted(needed - bound))
    for other, result in sorted(set(RESULT.findall(str(task)))):
        results = {one["name"] for one in (specs.get(other) or {}).get("results") or ()}
        if result not in results:
            yield f"tasks.{other}.results.{result}"
    yield from (f"runAfter {name}" for name in task.get("runAfter") or () if name not in specs)
