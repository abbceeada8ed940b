"""The manifests for each attendee: namespace, limits, rights; and, separately, the secrets."""

import json
from typing import Any

import yaml

from brakepoint.room.accounts import Account
from brakepoint.room.attendee_delivery import BRANCH, delivery_manifests, webhook_secrets
from brakepoint.room.config import Room
from brakepoint.room.joining import data_connection
from brakepoint.room.openshift_ai import platform_manifests

ROOM_LABEL, ATTENDEE_LABEL = "brakepoint.io/room", "brakepoint.io/attendee"
CONNECTION_NAME = "aws-connection-brakepoint"
ROLE = "edit"
"""A role built into the cluster, which may change whatever runs in the namespace, but no permissions."""
CONTAINER_DEFAULT = {"cpu": "1", "memory": "2Gi"}
CONTAINER_REQUEST = {"cpu": "100m", "memory": "256Mi"}
DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
"""The fast dumper, if available: forty attendees need 240 documents, which take seconds without libyaml."""
TRAIN_LABEL = {"key": "app.kubernetes.io/part-of", "operator": "NotIn", "values": ["brakepoint"]}
"""Selects every pod except those of the test environment, which has its own policies."""
NAME_OF_NAMESPACE = "kubernetes.io/metadata.name"
"""A label that the cluster itself sets to a namespace's name, so that no user can forge it."""
LET_IN = (
    "openshift-ingress",
    "openshift-host-network",
    "openshift-monitoring",
    "openshift-user-workload-monitoring",
    "openshift-operators",
    "openshift-devspaces",
    "redhat-ods-applications",
)
"""Namespaces from which connections are allowed.

They contain the router (even when it uses its host's network), monitoring, the workspace operator, DevSpaces'
gateway, and OpenShift AI's dashboard.
"""

Manifest = dict[str, Any]


def namespace_manifests(room: Room, handle: str) -> str:
    """Everything for one attendee except the secrets, as YAML documents."""
    parts = (_namespace, _quota, _limits, _network, _rights, _workspace_role, _workspace_rights)
    own = [part(room, handle) for part in parts]
    platform = [_placed(manifest, room, handle) for manifest in platform_manifests(room, handle)]
    return _documents([*own, *platform, *delivery_manifests(room, handle)])


def environment(room: Room, handle: str) -> str:
    """The values that deploy/argocd/room needs for an attendee: source and destination of the deployment."""
    place = {"namespace": room.place_of(handle), "repository": room.repository_of(handle), "branch": BRANCH}
    return yaml.safe_dump(place, sort_keys=False)


def secret_manifests(room: Room, handle: str, account: Account, endpoint: str) -> str:
    """The data connection, in the forms that OpenShift AI recognises and that DevSpaces mounts."""
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
    connection = {**secret, "type": "Opaque", "stringData": variables}
    return _documents([connection, *webhook_secrets(room, handle, account)])


def login_secret(htpasswd: str) -> str:
    """The attendees' logins as the JSON Secret to which deploy/cluster/login refers."""
    metadata = {"name": "brakepoint-htpasswd", "namespace": "openshift-config"}
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata,
        "stringData": {"htpasswd": htpasswd},
    }
    return json.dumps(secret, indent=2) + "\n"


def connection_variables(room: Room, handle: str, account: Account, endpoint: str) -> dict[str, str]:
    """The variables of an attendee's environment: the data connection and the attendee."""
    return data_connection(room.name, handle, account.secret_key, endpoint, room.track)


def _pipeline_variables(room: Room) -> dict[str, str]:
    """The values that step 4 writes into a pipeline for this cluster."""
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


def _placed(manifest: Manifest, room: Room, handle: str) -> Manifest:
    """A manifest from deploy/, with the attendee's namespace and the room's labels."""
    said = manifest["metadata"]
    labels = {**said.get("labels", {}), ROOM_LABEL: room.name, ATTENDEE_LABEL: handle}
    return {**manifest, "metadata": {**said, "namespace": room.place_of(handle), "labels": labels}}


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
        # On arm64 nodes, workspaces and pipelines could not start: their images are for amd64 only.
        "openshift.io/node-selector": "kubernetes.io/arch=amd64",
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
    """Allows connections from the namespace itself and from the namespaces in `LET_IN`.

    Policies are additive, so this one excludes the test environment, where the attendee's own policies apply.
    No other namespace can connect, whether an attendee's or one that a user has created.
    """
    named = {"key": NAME_OF_NAMESPACE, "operator": "In", "values": list(LET_IN)}
    sources = [{"podSelector": {}}, {"namespaceSelector": {"matchExpressions": [named]}}]
    others = {"matchExpressions": [TRAIN_LABEL]}
    spec = {"podSelector": others, "policyTypes": ["Ingress"], "ingress": [{"from": sources}]}
    return {**_object("networking.k8s.io/v1", "NetworkPolicy", "attendee", room, handle), "spec": spec}


def _rights(room: Room, handle: str) -> Manifest:
    binding = _object("rbac.authorization.k8s.io/v1", "RoleBinding", "attendee", room, handle)
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": ROLE}
    subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": handle}
    return {**binding, "roleRef": role, "subjects": [subject]}


def _workspace_role(room: Room, handle: str) -> Manifest:
    """A workspace's rights: to use its namespace's pipeline server, and to call models by their routes."""
    rules = [
        {
            "apiGroups": ["route.openshift.io"],
            "resources": ["routes"],
            "resourceNames": ["ds-pipeline-dspa"],
            "verbs": ["get"],
        },
        {
            "apiGroups": ["datasciencepipelinesapplications.opendatahub.io"],
            "resources": ["datasciencepipelinesapplications/api"],
            "resourceNames": ["dspa"],
            "verbs": ["get", "list", "watch", "create", "update", "patch", "delete"],
        },
        {"apiGroups": ["serving.kserve.io"], "resources": ["inferenceservices"], "verbs": ["get"]},
    ]
    return {**_object("rbac.authorization.k8s.io/v1", "Role", "workspace", room, handle), "rules": rules}


def _workspace_rights(room: Room, handle: str) -> Manifest:
    """Grants the role to all accounts of the namespace, since a workspace's account has an unknown name."""
    binding = _object("rbac.authorization.k8s.io/v1", "RoleBinding", "workspace", room, handle)
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "workspace"}
    group = f"system:serviceaccounts:{room.place_of(handle)}"
    subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": group}
    return {**binding, "roleRef": role, "subjects": [subject]}


def _documents(manifests: Any) -> str:
    return yaml.dump_all(manifests, Dumper=DUMPER, sort_keys=False, explicit_start=True)
