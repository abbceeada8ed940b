"""Checks whether objects fit together: what Services select, what probes query, what volumes mount."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from brakepoint.cluster import tekton
from brakepoint.cluster.findings import Finding, found
from brakepoint.cluster.kit import Kit
from brakepoint.cluster.operators import runtime_of
from brakepoint.cluster.pods import POD_TEMPLATES, Manifest, Pod, namespace_of
from brakepoint.delivery.policies import matches

PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
CHOSEN_BY_KUBERNETES = ("Job", "CronJob", "Pod")
"""The kinds whose selector Kubernetes writes; it refuses other kinds without one, or with an empty one."""
LISTENERS = {"BRAKEPOINT_PAGE", "BRAKEPOINT_LINK"}
"""Variables with the address at which one of the kit's services listens."""
LOCAL = ("127.0.0.1", "localhost", "[::1]")


def examine(kit: Kit) -> Iterator[Finding]:
    """All inconsistencies between objects."""
    yield from _duplicates(kit)
    yield from _unknown_kinds(kit)
    for workload in kit.of_kind(*POD_TEMPLATES):
        yield from _of_workload(workload)
    for pod in kit.pods:
        yield from _of_pod(kit, pod)
    for service in kit.of_kind("Service"):
        yield from _of_service(kit, service)
    for route in kit.of_kind("Route"):
        yield from _of_route(kit, route)
    for service in kit.of_kind("InferenceService"):
        yield from _of_model(kit, service)
    for monitor in kit.of_kind("ServiceMonitor", "PodMonitor"):
        yield from _of_monitor(kit, monitor)
    for pipeline in kit.of_kind("Pipeline"):
        yield from _of_pipeline(pipeline)
    for name, where, what in tekton.misfits(kit.manifests):
        yield found("unfitting", where, who=name, what=what)
    yield from _of_projects(kit)


def _duplicates(kit: Kit) -> Iterator[Finding]:
    counted = Counter(
        (m["kind"], namespace_of(m), m["metadata"].get("name", ""))
        for m in kit.manifests
        if m["metadata"].get("name")
    )
    for (kind, where, name), count in counted.items():
        if count > 1:
            yield found("twice", where, kind=kind, name=name)


def _of_pipeline(pipeline: Manifest) -> Iterator[Finding]:
    where, name, spec = namespace_of(pipeline), pipeline["metadata"]["name"], pipeline["spec"]
    counted = Counter(task["name"] for task in (*(spec.get("tasks") or ()), *(spec.get("finally") or ())))
    for task in (task for task, count in counted.items() if count > 1):
        yield found("twice", where, kind="task", name=f"{name}/{task}")


def _unknown_kinds(kit: Kit) -> Iterator[Finding]:
    defined = {m["spec"]["group"] for m in kit.of_kind("CustomResourceDefinition")}
    for manifest in kit.manifests:
        group, slash, _ = manifest.get("apiVersion", "").partition("/")
        group = group if slash else ""
        if group not in {*kit.platform["groups"], *defined}:
            yield found(
                "kind",
                namespace_of(manifest),
                kind=manifest["kind"],
                name=manifest["metadata"]["name"],
                platform=kit.profile,
            )


def _of_workload(workload: Manifest) -> Iterator[Finding]:
    spec = workload.get("spec") or {}
    selector = spec.get("selector")
    if selector is None and workload["kind"] in CHOSEN_BY_KUBERNETES:
        return
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
    if not selector or not matches(selector, labels):
        yield found(
            "selector", namespace_of(workload), kind=workload["kind"], name=workload["metadata"]["name"]
        )


def _of_pod(kit: Kit, pod: Pod) -> Iterator[Finding]:
    volumes = [volume["name"] for volume in pod.spec.get("volumes") or ()]
    for name in (name for name, count in Counter(volumes).items() if count > 1):
        yield found("twice", pod.namespace, kind="volume", name=f"{pod.name}/{name}")
    for name in (name for name, count in Counter(c["name"] for c in pod.containers).items() if count > 1):
        yield found("twice", pod.namespace, kind="container", name=f"{pod.name}/{name}")
    for container in pod.containers:
        paths = Counter(mount["mountPath"] for mount in container.get("volumeMounts") or ())
        for path in (path for path, count in paths.items() if count > 1):
            yield found("twice", pod.namespace, kind="mountPath", name=f"{pod.name}{path}")
        for mount in container.get("volumeMounts") or ():
            if mount["name"] not in volumes:
                yield found("mount", pod.namespace, pod=pod.name, volume=mount["name"])
        yield from _of_probes(pod, container)
    yield from _of_nodes(kit, pod)


def _of_probes(pod: Pod, container: Manifest) -> Iterator[Finding]:
    ports = {port.get("name"): port["containerPort"] for port in container.get("ports") or ()}
    listening = _listening(container)
    for probe in PROBES:
        said = container.get(probe) or {}
        for kind in ("httpGet", "tcpSocket", "grpc"):
            if kind not in said:
                continue
            port = said[kind].get("port")
            number = ports.get(port, port)
            if isinstance(number, str) or (ports and number not in ports.values()):
                yield found("probe", pod.namespace, pod=pod.name, probe=probe, port=port)
            elif listening.get(number) in LOCAL:
                yield found("local", pod.namespace, pod=pod.name, port=number)


def _listening(container: Manifest) -> dict[int, str]:
    """The addresses at which one of the kit's services listens, by port."""
    said = {one["name"]: str(one.get("value", "")) for one in container.get("env") or ()}
    pairs = (said[name].rpartition(":") for name in LISTENERS & said.keys())
    return {int(port): host for host, _, port in pairs if port.isdigit()}


def _of_nodes(kit: Kit, pod: Pod) -> Iterator[Finding]:
    wanted = (pod.spec.get("nodeSelector") or {}).get("kubernetes.io/arch")
    by_parameter = pod.annotations.get(tekton.CHOSEN_NODE) == "true"
    if wanted and wanted not in kit.platform["architectures"] and not by_parameter:
        yield found("node", pod.namespace, pod=pod.name, arch=wanted, platform=kit.profile)


def _of_service(kit: Kit, service: Manifest) -> Iterator[Finding]:
    where, name, spec = namespace_of(service), service["metadata"]["name"], service.get("spec") or {}
    if spec.get("type") == "ExternalName" or not spec.get("selector"):
        return
    pods = [
        pod for pod in kit.pods if pod.namespace == where and spec["selector"].items() <= pod.labels.items()
    ]
    if not pods:
        yield found("selects_nothing", where, name=name)
        return
    for port in spec.get("ports") or ():
        target = port.get("targetPort", port["port"])
        for pod in pods:
            named, listening = _ports(pod)
            number = named.get(target, target)
            known = {*named.values(), *listening}
            if isinstance(number, str) or (known and number not in known):
                yield found("target_port", where, name=name, port=target, pod=pod.name)
            elif listening.get(number) in LOCAL:
                yield found("local", where, pod=pod.name, port=target)


def _ports(pod: Pod) -> tuple[dict[object, int], dict[int, str]]:
    """The ports of a pod by name or number, and the addresses at which the pod listens, by port."""
    declared = [one for container in pod.containers for one in container.get("ports") or ()]
    named: dict[object, int] = {
        one.get("name") or one["containerPort"]: one["containerPort"] for one in declared
    }
    return named, {port: host for one in pod.containers for port, host in _listening(one).items()}


def _of_route(kit: Kit, route: Manifest) -> Iterator[Finding]:
    where, name, spec = namespace_of(route), route["metadata"]["name"], route["spec"]
    made = {m["metadata"]["name"]: m for m in kit.within(where, "Service")}
    made |= {f"el-{m['metadata']['name']}": {} for m in kit.within(where, "EventListener")}
    made |= {f"{m['metadata']['name']}-predictor": {} for m in kit.within(where, "InferenceService")}
    made |= {
        f"ds-pipeline-{m['metadata']['name']}": {}
        for m in kit.within(where, "DataSciencePipelinesApplication")
    }
    target = (spec.get("to") or {}).get("name", "–")
    if target not in made:
        yield found("missing", where, who=name, kind="Service", name=target)
        return
    ports = (made[target].get("spec") or {}).get("ports") or ()
    wanted = (spec.get("port") or {}).get("targetPort")
    known = {one.get(key) for one in ports for key in ("name", "port", "targetPort")}
    if ports and wanted is not None and wanted not in known:
        yield found("target_port", where, name=name, port=wanted, pod=target)


def _of_model(kit: Kit, service: Manifest) -> Iterator[Finding]:
    runtime = runtime_of(service, kit.manifests)
    model = service["spec"]["predictor"].get("model") or {}
    if runtime is None:
        return
    formats = {one["name"] for one in runtime["spec"].get("supportedModelFormats") or ()}
    if (model.get("modelFormat") or {}).get("name") not in formats:
        yield found(
            "format",
            namespace_of(service),
            name=service["metadata"]["name"],
            runtime=runtime["metadata"]["name"],
        )


def _of_monitor(kit: Kit, monitor: Manifest) -> Iterator[Finding]:
    where, spec = namespace_of(monitor), monitor["spec"]
    chosen: list[Any]
    if monitor["kind"] == "PodMonitor":
        chosen = [
            pod for pod in kit.pods if pod.namespace == where and matches(spec.get("selector"), pod.labels)
        ]
    else:
        chosen = [
            s
            for s in kit.within(where, "Service")
            if matches(spec.get("selector"), s["metadata"].get("labels") or {})
        ]
    if not chosen:
        yield found("selects_nothing", where, name=monitor["metadata"]["name"])


def _of_projects(kit: Kit) -> Iterator[Finding]:
    """Whether Argo CD may deploy the contents of an Application's folder to the Application's destination."""
    projects = {m["metadata"]["name"]: m["spec"] for m in kit.of_kind("AppProject")}
    for application in kit.of_kind("Application"):
        spec, name = application["spec"], application["metadata"]["name"]
        where = namespace_of(application)
        project = projects.get(spec["project"])
        if project is None:
            yield found("missing", where, who=name, kind="AppProject", name=spec["project"])
            continue
        namespace = spec["destination"].get("namespace")
        if namespace not in {one.get("namespace") for one in project.get("destinations") or ()}:
            yield found("project", where, name=name, what=namespace)
        if spec["source"]["repoURL"] not in (project.get("sourceRepos") or ()):
            yield found("project", where, name=name, what=spec["source"]["repoURL"])
        yield from _not_whitelisted(kit.origins.get(spec["source"]["path"], []), name, project)
    template = projects.get("brakepoint-attendee")
    if template is not None:
        deployed = [one for place in kit.platform["each_attendee"] for one in kit.origins.get(place, [])]
        yield from _not_whitelisted(deployed, "brakepoint-attendee", template)


def _not_whitelisted(deployed: list[Manifest], name: str, project: Manifest) -> Iterator[Finding]:
    allowed = {(one["group"], one["kind"]) for one in project.get("namespaceResourceWhitelist") or ()}
    for manifest in deployed:
        group, slash, _ = manifest["apiVersion"].partition("/")
        pair = (group if slash else "", manifest["kind"])
        if not allowed & {pair, (pair[0], "*"), ("*", "*")}:
            yield found("project", "", name=name, what=f"{manifest['kind']} {manifest['metadata']['name']}")
