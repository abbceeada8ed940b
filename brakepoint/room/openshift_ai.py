"""What the platform runs in each attendee's namespace for steps 4 and 5 and for metrics, from deploy/."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import yaml

from brakepoint.places import KIT
from brakepoint.room.config import Room

FOLDER = KIT / "deploy" / "openshift-ai"
METRICS = "../grafana/podmonitor.yaml"
PIPELINE_SERVER = "pipeline-server.yaml"
OWN_RUNTIME, OWN_MODEL = "runtime-jpeg.yaml", "model-track-jpeg.yaml"
OPENVINO_RUNTIME, OPENVINO_MODEL = "room/runtime-openvino.yaml", "model-track.yaml"
PORTS = {"http": 80, "https": 443}

Manifest = dict[str, Any]


def platform_manifests(room: Room, handle: str) -> Iterator[Manifest]:
    """Those manifests for an attendee's namespace whose image or repository the room names."""
    if room.repository:
        yield _read(METRICS)
    if room.pipeline_image:
        server = _read(PIPELINE_SERVER)
        server["spec"]["objectStorage"]["externalStorage"] |= _store(room, handle)
        yield server
    for image, runtime, model in (
        (room.serving_image, OWN_RUNTIME, OWN_MODEL),
        (room.openvino_image, OPENVINO_RUNTIME, OPENVINO_MODEL),
    ):
        if image:
            serving = _read(runtime)
            serving["spec"]["containers"][0]["image"] = image
            yield from (serving, _read(model))


def _store(room: Room, handle: str) -> dict[str, str]:
    """The settings with which the pipeline server finds the attendee's bucket."""
    url = urlsplit(room.inside)
    port = url.port or PORTS[url.scheme]
    return {
        "host": str(url.hostname),
        "port": str(port),
        "scheme": url.scheme,
        "bucket": room.place_of(handle),
    }


def _read(name: str) -> Manifest:
    manifest: Manifest = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    return manifest
