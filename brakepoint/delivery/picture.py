"""A picture of what an overlay deploys: its pods, and which may connect to which."""

import math
from itertools import permutations
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.text import Text

from brakepoint.delivery.policies import lets_in
from brakepoint.delivery.rendering import Manifest, container_of, named, of_kind, render
from brakepoint.texts import text

CENTRE, PAIR = "broker", ("controller", "train")
RADIUS, HALF_HEIGHT = 4.0, 2.4
GREEN, RED, GREY = "#1a7f37", "#cf222e", "#57606a"
BOX = {"boxstyle": "round,pad=0.5", "facecolor": "white"}

Place = tuple[float, float]


def plot_deployment(overlay: Path) -> None:
    """Draws a rendered overlay.

    Raises:
        UserError: The overlay cannot be rendered.
    """
    manifests = render(overlay)
    deployments = {m["metadata"]["name"]: m for m in of_kind(manifests, "Deployment")}
    places = _places(list(deployments))
    _, axes = plt.subplots(figsize=(11, 5.5))
    pods = {
        name: _draw_pod(axes, places[name], name, container_of(deployment)["image"])
        for name, deployment in deployments.items()
    }
    for source, target in permutations(deployments, 2):
        if _may_speak(manifests, deployments[source], target, deployments[target]):
            edges = {"patchA": pods[source].get_bbox_patch(), "patchB": pods[target].get_bbox_patch()}
            arrow = {"arrowstyle": "->", "color": GREY, "shrinkA": 2, "shrinkB": 2, **edges}
            axes.annotate("", places[target], places[source], arrowprops=arrow, zorder=5)
    if "train" in deployments and not any(
        _may_speak(manifests, deployments[name], "train", deployments["train"]) for name in deployments
    ):
        x, y = places["train"]
        axes.text(x, y - 0.75, text("notebook.nobody_speaks"), color=RED, fontsize=9, ha="center")
    axes.set(xlim=(-RADIUS - 2, RADIUS + 2), ylim=(-HALF_HEIGHT - 1.2, HALF_HEIGHT + 0.8))
    axes.axis("off")
    plt.show()


def _places(names: list[str]) -> dict[str, Place]:
    """Positions of the pods: the broker in the centre, others around it, the train beside the controller."""
    others = sorted((name for name in names if name != CENTRE), key=lambda name: (name in PAIR, name))
    around = {
        name: (
            RADIUS * math.cos(2 * math.pi * number / len(others)),
            HALF_HEIGHT * math.sin(2 * math.pi * number / len(others)),
        )
        for number, name in enumerate(others)
    }
    return {**around, CENTRE: (0.0, 0.0)}


def _draw_pod(axes: Axes, place: Place, name: str, image: str) -> Text:
    """Draws a pod: green if its image has an exact version."""
    version = image.rpartition("/")[2].partition("@")[0]
    colour = GREEN if ":" in version or "@" in image else RED
    return axes.text(
        *place,
        f"{name}\n{version}",
        ha="center",
        va="center",
        fontsize=9,
        zorder=4,
        bbox={**BOX, "edgecolor": colour},
    )


def _may_speak(manifests: list[Manifest], source: Manifest, name: str, target: Manifest) -> bool:
    """Whether the policies allow a pod to reach the Service named after another pod."""
    service = named(manifests, "Service", name)
    if service is None:
        return False
    policies = list(of_kind(manifests, "NetworkPolicy"))
    labels = (deployment["spec"]["template"]["metadata"]["labels"] for deployment in (target, source))
    return lets_in(policies, next(labels), service["spec"]["ports"][0]["port"], next(labels))
