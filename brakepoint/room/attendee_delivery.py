"""Step 7 on the cluster: brings a push to an attendee's own repository onto that attendee's train.

The build runs in the namespace of the images, where a build may run as root, and pushes an image for this
attendee. A Trigger for each attendee listens to one repository, with a token of its own, and ships the code
in `labs/`.
"""

import hashlib
import hmac
from collections.abc import Iterator
from typing import Any

from brakepoint.places import KIT
from brakepoint.room.accounts import Account
from brakepoint.room.config import Room

IMAGES_NAMESPACE = "brakepoint-images"
"""The namespace that contains pipeline and images; created by deploy/cluster."""
REGISTRY = f"image-registry.openshift-image-registry.svc:5000/{IMAGES_NAMESPACE}"
"""The cluster's internal registry."""
BRANCH = "main"
TEMPLATE = "brakepoint"
"""The TriggerTemplate of deploy/tekton."""
LISTENER_LABEL = {"brakepoint.io/listener": "brakepoint"}
"""Label by which the EventListener of deploy/tekton finds the rooms' triggers."""
WEBHOOK = "brakepoint-webhook"
KIND = "edge"
DEFINITION = ("Containerfile", "ignore", f"locks/{KIND}.txt")
"""The files of deploy/images that decide what runs as root in `build`, where the registry's key is, too."""
OVERLAY = "labs/step7_delivery/overlay"
TESTS = 'make mission ARGS="--steps labs"'
"""The tests that must pass before an attendee's code is built: they drive every feed."""

Manifest = dict[str, Any]


def delivery_manifests(room: Room, handle: str) -> Iterator[Manifest]:
    """The manifests without secrets; empty for a room without repositories."""
    place = room.place_of(handle)
    if room.repository or any(image.startswith(f"{REGISTRY}/") for image in room.images):
        yield _pull(place)
    if room.repository:
        yield {
            "apiVersion": "user.openshift.io/v1",
            "kind": "Group",
            "metadata": {"name": place},
            "users": [handle],
        }
        yield _trigger(place, room.repository_of(handle))


def webhook_secrets(room: Room, handle: str, account: Account) -> Iterator[Manifest]:
    """The secrets with the token that signs pushes: one for the listener, one for the attendee."""
    if not room.repository:
        return
    place = room.place_of(handle)
    token = hmac.new(account.secret_key.encode(), WEBHOOK.encode(), hashlib.sha256).hexdigest()
    for namespace, name in ((IMAGES_NAMESPACE, f"{WEBHOOK}-{place}"), (place, WEBHOOK)):
        metadata = {"name": name, "namespace": namespace}
        yield {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": metadata,
            "type": "Opaque",
            "stringData": {"token": token},
        }


def _pull(place: str) -> Manifest:
    """Allows the pods of a namespace to pull the images."""
    rbac = "rbac.authorization.k8s.io"
    return {
        "apiVersion": f"{rbac}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": f"pull-{place}", "namespace": IMAGES_NAMESPACE},
        "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": "system:image-puller"},
        "subjects": [{"apiGroup": rbac, "kind": "Group", "name": f"system:serviceaccounts:{place}"}],
    }


def _trigger(place: str, repository: str) -> Manifest:
    """Starts a run for pushes to one repository only."""
    github = {"secretRef": {"secretName": f"{WEBHOOK}-{place}", "secretKey": "token"}, "eventTypes": ["push"]}
    of_this_one = (
        f"body.repository.clone_url == '{repository}' && body.ref == 'refs/heads/{BRANCH}' && "
        "has(body.head_commit.message) && !body.head_commit.message.contains('[skip build]')"
    )
    said = {
        "url": repository,
        "revision": "$(body.after)",
        "image": f"{REGISTRY}/{place}",
        "steps": "labs",
        "overlay": OVERLAY,
        "tests": TESTS,
        "definition": _definition(),
    }
    return {
        "apiVersion": "triggers.tekton.dev/v1beta1",
        "kind": "Trigger",
        "metadata": {"name": place, "namespace": IMAGES_NAMESPACE, "labels": LISTENER_LABEL},
        "spec": {
            "interceptors": [
                _interceptor("github", github),
                _interceptor("cel", {"filter": of_this_one}),
            ],
            "bindings": [{"name": name, "value": value} for name, value in said.items()],
            "template": {"ref": TEMPLATE},
        },
    }


def _definition() -> str:
    """The hash of the image's definition, which an attendee may not change: the task `build` compares it."""
    contents = {name: (KIT / "deploy" / "images" / name).read_bytes() for name in DEFINITION}
    sums = (f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in contents.items())
    return hashlib.sha256("".join(sums).encode()).hexdigest()


def _interceptor(name: str, params: dict[str, Any]) -> Manifest:
    return {
        "ref": {"name": name, "kind": "ClusterInterceptor"},
        "params": [{"name": key, "value": value} for key, value in params.items()],
    }
