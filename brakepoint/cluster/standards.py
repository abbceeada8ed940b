"""What the API server itself refuses, and the labels, rights and addresses that connect objects."""

import json
import re
from collections import Counter
from collections.abc import Iterator

from brakepoint.cluster.findings import Finding, found
from brakepoint.cluster.kit import Kit
from brakepoint.cluster.pods import POD_TEMPLATES, Manifest, Pod, namespace_of

NAME = re.compile(r"[a-z0-9]([-a-z0-9.:]{0,251}[a-z0-9])?")
"""Valid names of objects; the names of roles and bindings may contain colons."""
PORT_NAME = re.compile(r"(?=.*[a-z])[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?")
LABEL = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
VERSIONS = {
    "": {"v1"},
    "apps": {"v1"},
    "batch": {"v1"},
    "autoscaling": {"v1", "v2"},
    "policy": {"v1"},
    "networking.k8s.io": {"v1"},
    "rbac.authorization.k8s.io": {"v1"},
    "storage.k8s.io": {"v1"},
    "node.k8s.io": {"v1"},
    "scheduling.k8s.io": {"v1"},
    "route.openshift.io": {"v1"},
    "security.openshift.io": {"v1"},
    "tekton.dev": {"v1", "v1beta1"},
    "triggers.tekton.dev": {"v1beta1", "v1alpha1"},
    "serving.kserve.io": {"v1beta1", "v1alpha1"},
    "argoproj.io": {"v1alpha1"},
}
"""API versions served since Kubernetes 1.25, and by the operators."""
KINDS = {
    "": {
        "Namespace",
        "Pod",
        "Service",
        "ServiceAccount",
        "ConfigMap",
        "Secret",
        "PersistentVolumeClaim",
        "PersistentVolume",
        "LimitRange",
        "ResourceQuota",
    },
    "apps": {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"},
    "networking.k8s.io": {"NetworkPolicy", "Ingress", "IngressClass"},
    "rbac.authorization.k8s.io": {"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"},
}
ADDRESS = re.compile(r"(?:^|//|@)([a-z][a-z0-9-]*):(\d+)(?:/|$)")
"""The name of a Service in the same namespace, alone or within a URL."""
ITSELF = ("localhost", "127.0.0.1", "::1")
ATTENDEE_LABELS = {
    "opendatahub.io/dashboard": "OpenShift AI",
    "app.kubernetes.io/part-of": "DevSpaces",
    "app.kubernetes.io/component": "DevSpaces",
    "argocd.argoproj.io/managed-by": "Argo CD",
}
ROLES = ("edit", "admin")


def examine(kit: Kit) -> Iterator[Finding]:
    """All violations of the standards."""
    for manifest in kit.manifests:
        yield from _of_manifest(kit, manifest)
    for pod in kit.pods:
        yield from _of_pod(kit, pod)
    if kit.room:
        for handle in kit.room.everybody:
            yield from _of_attendee(kit, kit.room.place_of(handle), handle)


def _of_manifest(kit: Kit, manifest: Manifest) -> Iterator[Finding]:
    kind, where, meta = manifest["kind"], namespace_of(manifest), manifest["metadata"]
    group, slash, version = manifest.get("apiVersion", "").rpartition("/")
    known = kind in KINDS.get(group, {kind}) and version in VERSIONS.get(group, {version})
    if group in kit.platform["groups"] and not known:
        yield found(
            "kind", where, kind=f"{group}{slash}{version} {kind}", name=meta["name"], platform=kit.profile
        )
    template = manifest
    for step in POD_TEMPLATES.get(kind, ()):
        template = template.get(step) or {}
    labels = {**(meta.get("labels") or {}), **((template.get("metadata") or {}).get("labels") or {})}
    wrong = [meta["name"]] if not NAME.fullmatch(meta["name"]) else []
    wrong += [
        str(value) for value in labels.values() if not (isinstance(value, str) and LABEL.fullmatch(value))
    ]
    for name in wrong:
        yield found("name", where, kind=kind, name=name)
    if kind in POD_TEMPLATES and (manifest.get("spec") or {}).get("replicas", 1) == 0:
        yield found("idle", where, kind=kind, name=meta["name"])


def _of_pod(kit: Kit, pod: Pod) -> Iterator[Finding]:
    for container in pod.containers:
        variables = Counter(one["name"] for one in container.get("env") or ())
        for name in (name for name, count in variables.items() if count > 1):
            yield found("twice", pod.namespace, kind="env", name=f"{pod.name}/{name}")
        for one in container.get("env") or ():
            if not isinstance(value := one.get("value") or "", str):
                written = json.dumps(value)
                yield found("value", pod.namespace, pod=pod.name, name=one["name"], value=written)
        for port in container.get("ports") or ():
            if port.get("name") and not PORT_NAME.fullmatch(port["name"]):
                yield found("name", pod.namespace, kind="port", name=port["name"])
        if pod.made_by in POD_TEMPLATES:
            yield from _of_addresses(kit, pod, container)


def _of_addresses(kit: Kit, pod: Pod, container: Manifest) -> Iterator[Finding]:
    """Checks the Services to which a container connects: each must exist, with that port."""
    services = {
        service["metadata"]["name"]: {port["port"] for port in service["spec"].get("ports") or ()}
        for service in kit.within(pod.namespace, "Service")
    }
    for value in _values(kit, pod, container):
        for name, port in ADDRESS.findall(value):
            if name in ITSELF:
                continue
            if name not in services:
                yield found("missing", pod.namespace, who=pod.name, kind="Service", name=name)
            elif int(port) not in services[name]:
                yield found("target_port", pod.namespace, name=pod.name, port=port, pod=name)


def _values(kit: Kit, pod: Pod, container: Manifest) -> Iterator[str]:
    """The values of the kit's variables, including those from ConfigMaps and Secrets."""
    held = {(m["kind"], m["metadata"]["name"]): m for m in kit.within(pod.namespace, "ConfigMap", "Secret")}
    for one in container.get("env") or ():
        if not one["name"].startswith("BRAKEPOINT_"):
            continue
        source = one.get("valueFrom") or {}
        yield str(one.get("value", ""))
        for field, kind in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
            if field in source:
                content = held.get((kind, source[field]["name"]), {})
                yield str(
                    (content.get("stringData") or content.get("data") or {}).get(source[field]["key"], "")
                )


def _of_attendee(kit: Kit, where: str, handle: str) -> Iterator[Finding]:
    labels = kit.namespaces.get(where, {})
    for label, who in ATTENDEE_LABELS.items():
        if label not in labels:
            yield found("unlabelled", where, label=label, who=who)
    mine = [
        binding
        for binding in kit.within(where, "RoleBinding")
        if binding["roleRef"]["name"] in ROLES
        and any((s["kind"], s["name"]) == ("User", handle) for s in binding.get("subjects") or ())
    ]
    if not mine:
        yield found("rights", where)
    for secret in kit.within(where, "Secret"):
        endpoint = str((secret.get("stringData") or {}).get("AWS_S3_ENDPOINT", ""))
        if any(f"//{name}" in endpoint for name in ITSELF):
            yield found("store_local", where, endpoint=endpoint)
