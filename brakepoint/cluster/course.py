"""What the course requires of the platform's services: workspaces, pipelines, models, delivery, the edge."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from brakepoint.cluster import tekton
from brakepoint.cluster.findings import Finding, found
from brakepoint.cluster.images import INTERNAL, parts
from brakepoint.cluster.kit import Kit
from brakepoint.cluster.operators import operators
from brakepoint.cluster.pods import Manifest, Pod, namespace_of
from brakepoint.course import ROOT, course

LEAST_START_S = 600
"""Least start timeout of a workspace: the first pull of its image, several gigabytes, takes minutes."""
FINALIZER = "resources-finalizer.argocd.argoproj.io"
"""Keeps a project as long as it has Applications, which could not be deleted without the project."""
DASHBOARD = "opendatahub.io/dashboard"
EXPOSED = ("networking.kserve.io/visibility", "exposed")
NEWER_FIELDS = ("emptyDirMounts", "optional: ", "secretNameParameter")
NEEDED_VERSION = (2, 19)
"""First version of OpenShift AI whose pipeline server, Kubeflow Pipelines 2.4, supports `NEWER_FIELDS`."""
LOCAL = re.compile(r"^(127\.|localhost)")


def examine(kit: Kit, root: Path = ROOT) -> Iterator[Finding]:
    """Everything that the course requires and the platform would lack."""
    if kit.room:
        yield from _workspaces(kit)
        yield from _pipelines(kit)
        yield from _queue(kit)
        yield from _roles(kit)
    yield from _models(kit)
    yield from _shipping(kit)
    yield from _pulling(kit)
    yield from _watching(kit, root)
    yield from _edge(kit, root)


def _workspaces(kit: Kit) -> Iterator[Finding]:
    said = operators()["devspaces"]["defaults"] | kit.che
    if said["startTimeoutSeconds"] < LEAST_START_S:
        yield found("workspace_start", seconds=said["startTimeoutSeconds"], least=LEAST_START_S)
    length_s = 60 * sum(step.minutes for step in course())
    for name in ("secondsOfInactivityBeforeIdling", "secondsOfRunBeforeIdling"):
        if 0 < said[name] < length_s:
            yield found("workspace_idle", name=name, seconds=said[name], least=length_s)
    if (said.get("defaultNamespace") or {}).get("autoProvision", True):
        yield found("workspace_namespace")


def _pipelines(kit: Kit) -> Iterator[Finding]:
    assert kit.room is not None
    newer = [field.strip(": ") for field in NEWER_FIELDS if field in str(kit.pipeline).replace("'", "")]
    if newer and (version := _openshift_ai(kit)) < NEEDED_VERSION:
        yield found(
            "pipeline_newer", fields=", ".join(newer), version=".".join(map(str, version)) if version else "–"
        )
    for namespace in kit.attendees:
        server = next(kit.within(namespace, "DataSciencePipelinesApplication"), None)
        if server is None and kit.room.pipeline_image:
            yield found("pipeline_server", namespace)
        if server is not None:
            yield from _pipeline_store(kit, namespace, server)
            if not _may_submit(kit, namespace):
                yield found("pipeline_rights", namespace)


def _may_submit(kit: Kit, namespace: str) -> bool:
    """Whether workspace accounts may `get` the server's Route: the server admits only accounts that may."""
    groups = {f"system:serviceaccounts:{namespace}", "system:serviceaccounts"}
    roles = {(m["kind"], m["metadata"]["name"]): m for m in kit.of_kind("ClusterRole") if m.get("rules")}
    roles |= {(m["kind"], m["metadata"]["name"]): m for m in kit.within(namespace, "Role")}
    for binding in kit.within(namespace, "RoleBinding"):
        if not any(s["kind"] == "Group" and s["name"] in groups for s in binding.get("subjects") or ()):
            continue
        reference = binding["roleRef"]
        if reference["name"] in ("view", "edit", "admin"):
            return True
        role = roles.get((reference["kind"], reference["name"]), {})
        if any(
            {"routes", "*"} & set(rule.get("resources") or ()) and {"get", "*"} & set(rule.get("verbs") or ())
            for rule in role.get("rules") or ()
        ):
            return True
    return False


def _openshift_ai(kit: Kit) -> tuple[int, ...]:
    """The subscribed version of OpenShift AI; a channel without a number is the newest."""
    for subscription in kit.of_kind("Subscription"):
        if subscription["spec"].get("name") in ("rhods-operator", "opendatahub-operator"):
            numbers = re.search(r"(\d+)\.(\d+)", str(subscription["spec"].get("channel", "")))
            return (int(numbers[1]), int(numbers[2])) if numbers else (99, 0)
    return ()


def _pipeline_store(kit: Kit, namespace: str, server: Manifest) -> Iterator[Finding]:
    storage = (server["spec"].get("objectStorage") or {}).get("externalStorage") or {}
    secrets = {m["metadata"]["name"]: m.get("stringData") or {} for m in kit.within(namespace, "Secret")}
    connection = secrets.get((storage.get("s3CredentialsSecret") or {}).get("secretName"), {})
    if not connection:
        return
    address = urlsplit(connection.get("AWS_S3_ENDPOINT", ""))
    wanted = {
        "host": address.hostname,
        "port": str(address.port or ""),
        "scheme": address.scheme,
        "bucket": connection.get("AWS_S3_BUCKET"),
    }
    for name, value in wanted.items():
        given = str(storage.get(name) or "")
        if given != value and not (
            name == "port" and given == {"https": "443", "http": "80"}.get(address.scheme)
        ):
            shared = value if name != "bucket" else "–"
            yield found("pipeline_store", namespace, name=name, given=given or "–", wanted=shared)


def _queue(kit: Kit) -> Iterator[Finding]:
    assert kit.room is not None
    sliced = any(
        "time-slicing" in str(m).lower() or "timeslicing" in str(m).lower()
        for m in kit.of_kind("ClusterPolicy", "ConfigMap")
    )
    queued = {namespace_of(m) for m in kit.of_kind("LocalQueue")} >= set(kit.attendees)
    if kit.room.quota.gpus and not (sliced or queued):
        yield found("gpus", attendees=kit.room.attendees)


def _roles(kit: Kit) -> Iterator[Finding]:
    for project in kit.of_kind("AppProject"):
        where, name = namespace_of(project), project["metadata"]["name"]
        if not project["spec"].get("roles"):
            yield found("project_roles", where, name=name)
        if FINALIZER not in (project["metadata"].get("finalizers") or ()):
            yield found("project_finalizer", where, name=name)


def _models(kit: Kit) -> Iterator[Finding]:
    for thing in kit.of_kind("InferenceService", "ServingRuntime"):
        labels = thing["metadata"].get("labels") or {}
        if labels.get(DASHBOARD) != "true":
            yield found("dashboard", namespace_of(thing), kind=thing["kind"], name=thing["metadata"]["name"])
    for service in kit.of_kind("InferenceService"):
        where, name = namespace_of(service), service["metadata"]["name"]
        routes = {route["spec"]["to"]["name"] for route in kit.within(where, "Route")}
        labels = service["metadata"].get("labels") or {}
        if labels.get(EXPOSED[0]) != EXPOSED[1] and f"{name}-predictor" not in routes:
            yield found("model_route", where, name=name)


def _shipping(kit: Kit) -> Iterator[Finding]:
    """Whether Argo CD deploys the overlay into which a push writes the digest of its image."""
    written = {str(value) for value in _overlays(kit)}
    if not written:
        return
    sources = [m["spec"]["source"]["path"] for m in kit.of_kind("Application")]
    if kit.room and kit.room.repository:
        sources += [m["spec"]["template"]["spec"]["source"]["path"] for m in kit.of_kind("ApplicationSet")]
    for path in sources:
        behind = {"deploy/overlays/stub": "solutions/step7_delivery/overlay"}.get(path, path)
        if "step7" in behind and behind not in written:
            yield found("unshipped", path=path)


def _overlays(kit: Kit) -> Iterator[object]:
    for run in tekton.runs(kit.manifests):
        pipeline = tekton.pipeline_of(run, kit.manifests) or {}
        defaults = [one.get("default") for one in pipeline.get("params") or () if one["name"] == "overlay"]
        given = [one["value"] for one in run["spec"].get("params") or () if one["name"] == "overlay"]
        yield from given or defaults


def _pulling(kit: Kit) -> Iterator[Finding]:
    """Checks pulls from other namespaces, which the cluster's registry allows only with a role."""
    for pod in kit.pods:
        for container in pod.containers:
            registry, repository, _ = parts(container.get("image", ""))
            if not registry.startswith(INTERNAL) or kit.platform["registry"] is None:
                continue
            owner = repository.split("/")[1]
            theirs = pod.namespace in kit.platform.get("apply_in", {}).values()
            if owner != pod.namespace and not theirs and not _may_pull(kit, owner, pod):
                yield found("pull", pod.namespace, owner=owner)


def _may_pull(kit: Kit, owner: str, pod: Pod) -> bool:
    groups = {f"system:serviceaccounts:{pod.namespace}", "system:serviceaccounts", "system:authenticated"}
    for binding in (*kit.within(owner, "RoleBinding"), *kit.of_kind("ClusterRoleBinding")):
        if binding["roleRef"]["name"] not in ("system:image-puller", "edit", "admin", "view"):
            continue
        for subject in binding.get("subjects") or ():
            own = subject["kind"] == "ServiceAccount" and (subject.get("namespace"), subject["name"]) == (
                pod.namespace,
                pod.account,
            )
            if own or (subject["kind"] == "Group" and subject["name"] in groups):
                return True
    return False


def _variables(kit: Kit, pod: Pod) -> dict[str, str]:
    """The environment of a pod's first container, without secrets."""
    container = (pod.spec.get("containers") or [{}])[0]
    maps = {m["metadata"]["name"]: m.get("data") or {} for m in kit.within(pod.namespace, "ConfigMap")}
    found_: dict[str, str] = {}
    for source in container.get("envFrom") or ():
        found_ |= maps.get((source.get("configMapRef") or {}).get("name"), {})
    return found_ | {one["name"]: str(one.get("value", "")) for one in container.get("env") or ()}


def _watching(kit: Kit, root: Path) -> Iterator[Finding]:
    if not (root / "deploy" / "grafana").is_dir() or "monitoring" not in kit.platform["peers"]:
        return
    for pod in kit.pods:
        if pod.labels.get("app.kubernetes.io/component") != "service" or pod.made_by != "Deployment":
            continue
        if LOCAL.match(_variables(kit, pod).get("BRAKEPOINT_METRICS", "127.0.0.1:0")):
            yield found("metrics_local", pod.namespace, pod=pod.name)
        if not any(kit.within(pod.namespace, "PodMonitor", "ServiceMonitor")):
            yield found("metrics_monitor", pod.namespace)


def _edge(kit: Kit, root: Path) -> Iterator[Finding]:
    """The Jetson: its processor, its camera, its radio, and what applies the overlay."""
    for pod in (pod for pod in kit.pods if pod.spec.get("runtimeClassName") == "nvidia"):
        variables, container = _variables(kit, pod), (pod.spec.get("containers") or [{}])[0]
        if "detector" in (container.get("args") or ()):
            if variables.get("BRAKEPOINT_RUNTIME") != "tensorrt":
                yield found("detector_cpu", pod.namespace, pod=pod.name)
            if not _is_kept(pod, container, variables.get("BRAKEPOINT_ENGINE_CACHE", "")):
                yield found("engine_lost", pod.namespace, pod=pod.name)
        program = {"capture": "gst", "detector": "tensorrt"}
        for role, needed in program.items():
            wants = role in (container.get("args") or ()) and (
                role != "capture" or variables.get("BRAKEPOINT_CAMERA", "").startswith("csi:")
            )
            if wants and not image_holds(root, container.get("image", ""), needed):
                yield found(
                    "image_lacks",
                    pod.namespace,
                    pod=pod.name,
                    image=container.get("image", ""),
                    needed=needed,
                )
    if kit.profile == "microshift":
        yield from _host(kit, root)


def _is_kept(pod: Pod, container: Manifest, folder: str) -> bool:
    claims = {v["name"] for v in pod.spec.get("volumes") or () if "persistentVolumeClaim" in v}
    mounts = [m["mountPath"] for m in container.get("volumeMounts") or () if m["name"] in claims]
    return bool(folder) and any(folder == mount or folder.startswith(f"{mount}/") for mount in mounts)


def image_holds(root: Path, image: str, word: str) -> bool:
    """Whether the Containerfile stage of an image, or a stage that it is based on, mentions a word."""
    kind = parts(image)[1].rpartition("brakepoint-")[2]
    written = (root / "deploy" / "images" / "Containerfile").read_text(encoding="utf-8")
    written = re.sub(
        r"^\s*#.*\n", "", written, flags=re.M
    )  # Lines directly above the next stage belong to that stage.
    stages = {
        name: (base, body)
        for base, name, body in re.findall(r"^FROM (\S+) AS (\S+)\n(.*?)(?=^FROM |\Z)", written, re.M | re.S)
    }
    while kind in stages:
        kind, body = stages[kind]
        if word in body.lower():
            return True
    return False


def _host(kit: Kit, root: Path) -> Iterator[Finding]:
    edge = root / "deploy" / "edge"
    image = (edge / "Containerfile").read_text(encoding="utf-8")
    for place in kit.platform["apply"]:
        if f"{place} " not in image and f"{place}\n" not in image:
            yield found("unapplied", place=place)
    bus = (edge / "host" / "hub-access.conf").read_text(encoding="utf-8")
    everything = image + "".join(
        p.read_text("utf-8") for p in sorted((edge / "host").iterdir()) if p.is_file()
    )
    for user in re.findall(r'<policy user="([^"]+)"', bus):
        if not re.search(rf"(useradd|sysusers|^u[! ]).*\b{re.escape(user)}\b", everything, re.M):
            yield found("bus_user", user=user)
