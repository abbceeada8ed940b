"""What the cluster is told about each attendee: namespace, limits and rights; and, apart, the secrets."""

from typing import Any

import yaml

from brakepoint.room.accounts import Account
from brakepoint.room.config import HANDLE_IN_REPOSITORY, Room
from brakepoint.room.joining import data_connection

ROOM_LABEL, ATTENDEE_LABEL = "brakepoint.io/room", "brakepoint.io/attendee"
CONNECTION_NAME = "aws-connection-brakepoint"
ROLE = "edit"
"""The cluster's own role: whatever runs in the namespace, and nothing about rights."""
BRANCH = "main"
CONTAINER_DEFAULT = {"cpu": "1", "memory": "2Gi"}
CONTAINER_REQUEST = {"cpu": "100m", "memory": "256Mi"}
DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
"""A room of forty has 240 documents, which take seconds without libyaml."""

Manifest = dict[str, Any]


def namespace_manifests(room: Room, handle: str) -> str:
    """Everything about one attendee that is no secret, as YAML documents."""
    parts = (_namespace, _quota, _limits, _network, _rights)
    return _documents(part(room, handle) for part in parts)


def environment(room: Room, handle: str) -> str:
    """What deploy/argocd/room wants to know of an attendee: from where to deploy, and where to."""
    repository = room.repository.replace(HANDLE_IN_REPOSITORY, handle)
    return yaml.safe_dump(
        {"namespace": room.place_of(handle), "repository": repository, "branch": BRANCH}, sort_keys=False
    )


def secret_manifests(room: Room, handle: str, account: Account, endpoint: str) -> str:
    """The data connection, as OpenShift AI knows it and as DevSpaces mounts it."""
    labels = {
        "opendatahub.io/dashboard": "true",
        "opendatahub.io/managed": "true",
        "controller.devfile.io/mount-to-devworkspace": "true",
        "controller.devfile.io/watch-secret": "true",
    }
    annotations = {
        "opendatahub.io/connection-type": "s3",
        "openshift.io/display-name": "Brakepoint",
        "controller.devfile.io/mount-as": "env",
    }
    secret = _object("v1", "Secret", CONNECTION_NAME, room, handle, labels, annotations)
    variables = {**connection_variables(room, handle, account, endpoint), **_pipeline_variables(room)}
    return _documents([{**secret, "type": "Opaque", "stringData": variables}])


def connection_variables(room: Room, handle: str, account: Account, endpoint: str) -> dict[str, str]:
    """What an attendee's environment holds: the data connection, and whose it is."""
    return data_connection(room.name, handle, account.secret_key, endpoint)


def _pipeline_variables(room: Room) -> dict[str, str]:
    """What step 4 writes into a pipeline for this cluster."""
    image = {"BRAKEPOINT_IMAGE": room.pipeline_image} if room.pipeline_image else {}
    return {"BRAKEPOINT_GPUS": str(room.quota.gpus), **image}


def _object(
    version: str,
    kind: str,
    name: str,
    room: Room,
    handle: str,
    labels: dict[str, str] | None = None,
    annotations: dict[str, str] | None = None,
) -> Manifest:
    metadata: Manifest = {"name": name}
    if kind != "Namespace":
        metadata["namespace"] = room.place_of(handle)
    metadata["labels"] = {ROOM_LABEL: room.name, ATTENDEE_LABEL: handle, **(labels or {})}
    if annotations:
        metadata["annotations"] = annotations
    return {"apiVersion": version, "kind": kind, "metadata": metadata}


def _namespace(room: Room, handle: str) -> Manifest:
    labels = {
        "opendatahub.io/dashboard": "true",
        "pod-security.kubernetes.io/enforce": "restricted",
        "pod-security.kubernetes.io/enforce-version": "latest",
        # DevSpaces opens the attendee's workspace here, and Argo CD deploys here.
        "app.kubernetes.io/part-of": "che.eclipse.org",
        "app.kubernetes.io/component": "workspaces-namespace",
        "argocd.argoproj.io/managed-by": "openshift-gitops",
    }
    annotations = {
        "openshift.io/display-name": f"Brakepoint {handle}",
        "che.eclipse.org/username": handle,
    }
    return _object("v1", "Namespace", room.place_of(handle), room, handle, labels, annotations)


def _quota(room: Room, handle: str) -> Manifest:
    quota = room.quota
    hard = {
        "requests.cpu": f"{500 * quota.cpu}m",
        "limits.cpu": str(quota.cpu),
        "requests.memory": f"{512 * quota.memory_gib}Mi",
        "limits.memory": f"{quota.memory_gib}Gi",
        "requests.storage": f"{quota.storage_gib}Gi",
        "requests.nvidia.com/gpu": str(quota.gpus),
        "pods": str(quota.pods),
        "services.loadbalancers": "0",
        "services.nodeports": "0",
    }
    return {**_object("v1", "ResourceQuota", "attendee", room, handle), "spec": {"hard": hard}}


def _limits(room: Room, handle: str) -> Manifest:
    most = {"cpu": str(room.quota.cpu), "memory": f"{room.quota.memory_gib}Gi"}
    container = {
        "type": "Container",
        "default": CONTAINER_DEFAULT,
        "defaultRequest": CONTAINER_REQUEST,
        "max": most,
    }
    return {**_object("v1", "LimitRange", "attendee", room, handle), "spec": {"limits": [container]}}


def _network(room: Room, handle: str) -> Manifest:
    """Lets in the namespace itself, and whoever is no attendee: the router, the dashboard, monitoring.

    That keeps attendees apart in both directions: what one may not let in, another cannot reach.
    """
    nobody_of_a_room = {"matchExpressions": [{"key": ROOM_LABEL, "operator": "DoesNotExist"}]}
    sources = [{"podSelector": {}}, {"namespaceSelector": nobody_of_a_room}]
    spec = {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"from": sources}]}
    return {**_object("networking.k8s.io/v1", "NetworkPolicy", "attendee", room, handle), "spec": spec}


def _rights(room: Room, handle: str) -> Manifest:
    binding = _object("rbac.authorization.k8s.io/v1", "RoleBinding", "attendee", room, handle)
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": ROLE}
    subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": handle}
    return {**binding, "roleRef": role, "subjects": [subject]}


def _documents(manifests: Any) -> str:
    return yaml.dump_all(manifests, Dumper=DUMPER, sort_keys=False, explicit_start=True)
