"""Draws a pipeline as a graph like Kubeflow's, for the notebook of step 4; needs matplotlib."""

from typing import Any

import matplotlib.pyplot as plt
from google.protobuf.json_format import MessageToDict
from matplotlib.axes import Axes

COLUMN, ROW = 2.0, 1.0
"""Distance between the centres of neighbouring boxes."""
BOX = {"boxstyle": "round,pad=0.5", "facecolor": "#e8f1fb", "edgecolor": "#2f6fb0"}
GPU_BOX = {**BOX, "facecolor": "#fdf0d5", "edgecolor": "#b07d2f"}
ARROW = {"arrowstyle": "->", "color": "#57606a", "shrinkA": 30, "shrinkB": 52}
BEND = 0.28
"""Bend of an arrow that passes a column, as a share of its length."""


def show_pipeline(pipeline: Any) -> None:
    """Shows each task, its dependencies, and the artefacts that it gets from these.

    Args:
        pipeline: The result of `training_pipeline` of step 4. Tasks that request a GPU have another colour.
    """
    spec = MessageToDict(pipeline.pipeline_spec)
    tasks = spec["root"]["dag"]["tasks"]
    places = _places({name: task.get("dependentTasks", []) for name, task in tasks.items()})
    _, axes = plt.subplots(figsize=(14, 4.5), layout="constrained")
    for name, (x, y) in places.items():
        container = spec["deploymentSpec"]["executors"][f"exec-{name}"]["container"]
        box = GPU_BOX if "accelerator" in container.get("resources", {}) else BOX
        axes.text(x, y, name, ha="center", va="center", fontsize=13, bbox=box, zorder=2)
        for source, words in _arrows(tasks[name]).items():
            _draw_arrow(axes, places[source], (x, y), words)
    across, down = zip(*places.values(), strict=True)
    axes.set(xlim=(min(across) - 1, max(across) + 1), ylim=(min(down) - 0.9, max(down) + 0.9))
    axes.set_aspect("equal")
    axes.axis("off")
    plt.show()


def _places(waits_for: dict[str, list[str]]) -> dict[str, tuple[float, float]]:
    """Positions of the boxes: each in the column after its dependencies, below the boxes already placed."""
    columns: dict[str, int] = {}

    def column(name: str) -> int:
        if name not in columns:
            columns[name] = 1 + max(map(column, waits_for[name]), default=-1)
        return columns[name]

    inhabited: dict[int, list[str]] = {}
    for name in sorted(waits_for):
        inhabited.setdefault(column(name), []).append(name)
    return {
        name: (COLUMN * at, ROW * ((len(names) - 1) / 2 - row))
        for at, names in inhabited.items()
        for row, name in enumerate(names)
    }


def _arrows(task: dict[str, Any]) -> dict[str, str]:
    """The dependencies of a task, and the names of the artefacts that it gets from each."""
    arrows: dict[str, list[str]] = {source: [] for source in task.get("dependentTasks", [])}
    for wire in task.get("inputs", {}).get("artifacts", {}).values():
        produced = wire["taskOutputArtifact"]
        arrows[produced["producerTask"]].append(produced["outputArtifactKey"])
    return {source: ", ".join(names) for source, names in arrows.items()}


def _draw_arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], words: str) -> None:
    """Draws an arrow with text at its centre; an arrow past a column bends around its boxes."""
    across, up = end[0] - start[0], end[1] - start[1]
    columns = round(across / COLUMN)
    upwards = start[1] > 0 or (start[1] == 0 and columns % 2 == 0)
    bend = 0.0 if columns == 1 else -BEND if upwards else BEND
    axes.annotate("", end, start, arrowprops={**ARROW, "connectionstyle": f"arc3,rad={bend}"}, zorder=1)
    # matplotlib bends arrows to the right, as seen from their start.
    x, y = (start[0] + end[0] + bend * up) / 2, (start[1] + end[1] - bend * across) / 2
    axes.text(x, y + 0.07, words, ha="center", fontsize=10, color="#57606a")
