"""Selects the camera and the hub by URI, and loads their adapters by name on use.

The kit's own adapters are listed here. Those of other packages are found by their entry points, in the groups
`brakepoint.cameras` and `brakepoint.hubs`: the name is the scheme of the URI, the value is the function that
opens such a URI, `package.module:open_camera` or `package.module:open_hub`.
"""

import importlib
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TextIO, cast

from brakepoint.errors import UserError
from brakepoint.extras import bringing, install_command
from brakepoint.ports import Camera, Hub

CAMERAS, HUBS = "brakepoint.cameras", "brakepoint.hubs"
"""Groups of entry points."""
OWN = (
    EntryPoint("video", "stubs.recorded_camera:open_camera", CAMERAS),
    EntryPoint("csi", "hardware.csi_camera:open_camera", CAMERAS),
    EntryPoint("usb", "hardware.usb_camera:open_camera", CAMERAS),
    EntryPoint("print", "stubs.printing_hub:open_hub", HUBS),
    EntryPoint("ble", "hardware.ble_hub:open_hub", HUBS),
)
"""The kit's own adapters, which are found even if the kit isn't installed as a package, as in its images."""
SIMULATED_HUB = "print:"
"""The default train: a simulated one."""
REAL_HUB = "ble:"
"""The default train of commands for real trains."""


def open_camera(uri: str, seed: int = 0) -> Camera:
    """Opens a camera.

    Args:
        uri: `video:track-stop` for a feed in `videos/`, `video:/path/to/feed.mp4` for any other; `csi:0` for
            a sensor on a Jetson's own connector, `usb:/dev/video0` for a camera on USB.
        seed: Seed of a simulated camera's sensor noise.

    Raises:
        UserError: The scheme is unknown, its packages are not installed, or the camera cannot be opened.
    """
    adapter, rest = _find(uri, CAMERAS)
    return cast(Camera, _load(adapter, uri)(rest, seed=seed))


def open_hub(uri: str, **options: TextIO | None) -> Hub:
    """Opens a hub.

    Args:
        uri: `print:` for the hub that prints the orders it receives and simulates the train, `ble:` for the
            Powered Up hub in range, `ble:90:84:2B:00:00:01` for the hub with that address.
        options: `out`, where the hub prints the orders that it receives; None prints nothing; by default
            standard output.

    Raises:
        UserError: The scheme is unknown, its packages are not installed, or the hub cannot be reached.
    """
    adapter, rest = _find(uri, HUBS)
    return cast(Hub, _load(adapter, uri)(rest, **options))


def hub_tool(uri: str, name: str) -> Callable[..., Any]:
    """A function that an adapter's module may offer besides `open_hub`.

    Args:
        uri: URI of the hub.
        name: `find_hubs` lists the hubs in range; `guard` brakes the train when its driver dies;
            `left_turning` tests a lost link.

    Raises:
        UserError: The scheme is unknown, its packages are not installed, or its module has no such function.
    """
    adapter, _ = _find(uri, HUBS)
    _load(adapter, uri)
    tool = getattr(importlib.import_module(adapter.module), name, None)
    if tool is None:
        raise UserError("adapters.no_tool", uri=uri, tool=name)
    return cast(Callable[..., Any], tool)


def _find(uri: str, group: str) -> tuple[EntryPoint, str]:
    """The adapter for a URI, and the part after its scheme."""
    known = {*(adapter for adapter in OWN if adapter.group == group), *entry_points(group=group)}
    scheme, colon, rest = uri.partition(":")
    found = [adapter for adapter in known if adapter.name == scheme]
    if not colon or not found:
        schemes = ", ".join(sorted(f"{adapter.name}:" for adapter in known))
        raise UserError("adapters.unknown", uri=uri, known=schemes)
    if len(found) > 1:
        claims = ", ".join(sorted(adapter.value for adapter in found))
        raise UserError("adapters.claimed_twice", scheme=f"{scheme}:", claims=claims)
    return found[0], rest


def _load(adapter: EntryPoint, uri: str) -> Callable[..., Any]:
    try:
        return cast(Callable[..., Any], adapter.load())
    except ModuleNotFoundError as error:
        package = str(error.name).partition(".")[0]
        if adapter in OWN:
            command = install_command(bringing(package) or "mission")
            raise UserError("adapters.packages", uri=uri, package=package, command=command) from error
        raise UserError("adapters.other_packages", uri=uri, package=package, module=adapter.module) from error
    except AttributeError as error:
        raise UserError("adapters.no_function", uri=uri, value=adapter.value) from error
