"""The pods that the rules check, and how to read them."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

Manifest = dict[str, Any]
POD_TEMPLATES = {
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "Pod": (),
}
"""Path of the pod template in the kinds from which Kubernetes itself creates pods."""


@dataclass(frozen=True)
class Pod:
    """A pod as its creator submits it to the API server, before admission.

    Attributes:
        name: Name of the pod's owner, for instance of the Deployment.
        made_by: `Deployment`, `DevWorkspace`, `TaskRun`, …
        namespace: Namespace of the pod.
        spec: The pod's `spec`.
        labels: Labels of the pod.
        annotations: Annotations of the pod.
        count: How many such pods run at once.
        phase: Pods of different phases never exist at the same time; empty if the pod exists throughout.
        waits: Whether the pod's creator retries until the quota has room for the pod.
    """

    name: str
    made_by: str
    namespace: str
    spec: Manifest
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    count: int = 1
    phase: str = ""
    waits: bool = False

    @property
    def account(self) -> str:
        """The ServiceAccount that the pod runs under."""
        return str(self.spec.get("serviceAccountName") or "default")

    @property
    def containers(self) -> list[Manifest]:
        """All containers, init containers first."""
        return [*(self.spec.get("initContainers") or ()), *(self.spec.get("containers") or ())]

    def moved_to(self, namespace: str) -> "Pod":
        """The same pod in another namespace."""
        return replace(self, namespace=namespace)


def built_in(manifests: list[Manifest]) -> Iterator[Pod]:
    """The pods that Kubernetes itself creates, from Deployments and the like."""
    for manifest in manifests:
        path = POD_TEMPLATES.get(manifest.get("kind", ""))
        if path is None:
            continue
        template: Manifest = manifest
        for step in path:
            template = template.get(step) or {}
        meta = template.get("metadata") or {}
        replicas = (manifest.get("spec") or {}).get("replicas") if path else 1
        yield Pod(
            name=manifest["metadata"]["name"],
            made_by=manifest["kind"],
            namespace=namespace_of(manifest),
            spec=template.get("spec") or {},
            labels=meta.get("labels") or {},
            annotations=meta.get("annotations") or {},
            count=1 if replicas is None else replicas,
        )


def namespace_of(manifest: Manifest) -> str:
    """The namespace of a manifest; empty for cluster-wide objects."""
    return str(manifest.get("metadata", {}).get("namespace") or "")
