"""Chooses the camera and the hub by URI, and loads their adapters by name when they are used."""

import importlib
from types import ModuleType
from typing import cast

from brakepoint.errors import UserError
from brakepoint.ports import Camera, Hub

CAMERAS = {"video": "stubs.recorded_camera", "csi": "stubs.csi_camera", "usb": "stubs.usb_camera"}
"""Scheme of a camera's URI, and the module whose `open_camera(rest, seed=…)` opens it."""
HUBS = {"print": "stubs.printing_hub", "ble": "stubs.ble_hub"}
"""Scheme of a hub's URI, and the module whose `open_hub(rest)` opens it."""
EXTRAS = {"bleak": "hub", "dbus_fast": "hub"}
"""Package that an adapter may miss, and the kit's extra that brings it; the others come with `mission`."""


def _load(uri: str, known: dict[str, str]) -> tuple[ModuleType, str]:
    """The module for a URI and what stands behind its scheme."""
    scheme, colon, rest = uri.partition(":")
    if not colon or scheme not in known:
        raise UserError("adapters.unknown", uri=uri, known=", ".join(f"{name}:" for name in known))
    return load_adapter(uri, known[scheme]), rest


def load_adapter(uri: str, module: str) -> ModuleType:
    """Loads a module that needs packages of its own.

    Args:
        uri: What it is needed for.
        module: Its name.

    Raises:
        UserError: A package is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        package = str(error.name).partition(".")[0]
        extra = EXTRAS.get(package, "mission")
        raise UserError("adapters.packages", uri=uri, package=package, extra=extra) from error


def open_camera(uri: str, seed: int = 0) -> Camera:
    """Opens a camera.

    Args:
        uri: `video:track-stop` for a feed in `videos/`, `video:/path/to/feed.mp4` for any other; `csi:0` for
            a sensor on a Jetson's own connector, `usb:/dev/video0` for a camera on USB.
        seed: What a simulated camera draws its sensor noise from.

    Raises:
        UserError: The scheme is unknown, its packages are not installed, or the camera cannot be opened.
    """
    module, rest = _load(uri, CAMERAS)
    return cast(Camera, module.open_camera(rest, seed=seed))


def open_hub(uri: str) -> Hub:
    """Opens a hub.

    Args:
        uri: `print:` for the hub that prints its orders and computes the train, `ble:` for the Powered Up hub
            in reach, `ble:90:84:2B:00:00:01` for that one.

    Raises:
        UserError: The scheme is unknown, its packages are not installed, or the hub cannot be reached.
    """
    module, rest = _load(uri, HUBS)
    return cast(Hub, module.open_hub(rest))
