"""Makes every node of a cluster pull the room's images before the day, with a DaemonSet that uses them."""

from typing import Any

import yaml

from brakepoint.errors import UserError
from brakepoint.room.config import Room

NAME = "brakepoint-prewarm"
NAMESPACE = "brakepoint-images"
"""The namespace of the images that the cluster builds; its pods may therefore pull these images."""
HOLD = ("sleep", "infinity")
GPU_NODES = {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
"""Tolerates the taint of GPU nodes, which need the training image, too."""

Manifest = dict[str, Any]


def prewarm_manifest(room: Room) -> str:
    """The DaemonSet as YAML, for `oc apply`.

    Raises:
        UserError: The room names no image.
    """
    if not room.images:
        raise UserError("room.error.no_images")
    labels = {"app.kubernetes.io/name": NAME, "brakepoint.io/room": room.name}
    spec = {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 0,
        "tolerations": [GPU_NODES],
        # A room uses only amd64 nodes, and most images are for amd64 only.
        "nodeSelector": {"kubernetes.io/arch": "amd64"},
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [_holder(number, image) for number, image in enumerate(dict.fromkeys(room.images))],
    }
    daemon_set = {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": NAME, "namespace": NAMESPACE, "labels": labels},
        "spec": {
            "selector": {"matchLabels": labels},
            # All nodes may pull at the same time.
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "100%"}},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }
    return yaml.safe_dump(daemon_set, sort_keys=False)


def _holder(number: int, image: str) -> Manifest:
    """A container that makes the node pull an image and needs almost no resources."""
    little = {"cpu": "1m", "memory": "8Mi"}
    return {
        "name": f"image-{number}",
        "image": image,
        "command": list(HOLD),
        "resources": {"requests": little, "limits": {"cpu": "10m", "memory": "32Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
    }
