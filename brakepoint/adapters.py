"""Chooses the camera and the hub by URI, and loads their adapters by name when they are used."""

import importlib
from typing import cast

from brakepoint.errors import UserError
from brakepoint.ports import Camera, Hub

CAMERAS = {"video": "stubs.recorded_camera"}
"""Scheme of a camera's URI, and the module whose `open_camera(rest, seed=…)` opens it."""
HUBS = {"print": "stubs.printing_hub"}
"""Scheme of a hub's URI, and the module whose `open_hub(rest)` opens it."""


def _split(uri: str, known: dict[str, str]) -> tuple[str, str]:
    """The module for a URI and what stands behind its scheme."""
    scheme, colon, rest = uri.partition(":")
    if not colon or scheme not in known:
        raise UserError("adapters.unknown", uri=uri, known=", ".join(f"{name}:" for name in known))
    return known[scheme], rest


def open_camera(uri: str, seed: int = 0) -> Camera:
    """Opens a camera.

    Args:
        uri: `video:track-stop` for a feed in `videos/`, `video:/path/to/feed.mp4` for any other.
        seed: What a simulated camera draws its sensor noise from.

    Raises:
        UserError: The scheme is unknown, or the camera cannot be opened.
    """
    module, rest = _split(uri, CAMERAS)
    return cast(Camera, importlib.import_module(module).open_camera(rest, seed=seed))


def open_hub(uri: str) -> Hub:
    """Opens a hub.

    Args:
        uri: `print:` for the hub that prints its orders and computes the train.

    Raises:
        UserError: The scheme is unknown, or the hub cannot be reached.
    """
    module, rest = _split(uri, HUBS)
    return cast(Hub, importlib.import_module(module).open_hub(rest))
