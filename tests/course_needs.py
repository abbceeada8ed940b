"""What the course requires of a cluster, part by part, according to its own manifests."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from brakepoint.course import ROOT
from brakepoint.delivery.rendering import container_of, of_kind, render

UNITS = {"m": 1e-3, "Mi": 1 / 1024, "Gi": 1.0}
"""The value of each unit, in cores or in gibibytes."""
Amounts = dict[str, float]
BESIDE = {
    f"{kind}.{of}": amount
    for kind, amounts in (("requests", (0.1, 0.25)), ("limits", (1.0, 2.0)))
    for of, amount in zip(("cpu", "memory"), amounts, strict=True)
}
"""What the room's LimitRange gives to a container without requests or limits, such as the platform's own."""


def amount(written: str) -> float:
    unit = next((unit for unit in UNITS if written.endswith(unit)), "")
    return float(written.removesuffix(unit)) * UNITS.get(unit, 1.0)


def of_container(resources: dict[str, dict[str, str]]) -> Amounts:
    return {f"{kind}.{of}": amount(resources[kind][of]) for kind in resources for of in ("cpu", "memory")}


def workspace() -> Iterator[Amounts]:
    devfile = yaml.safe_load((ROOT / "devfile.yaml").read_text("utf-8"))
    for container in (
        component["container"] for component in devfile["components"] if "container" in component
    ):
        yield {
            f"{kind}s.{of}": amount(container[f"{of}{kind.title()}"])
            for kind in ("request", "limit")
            for of in ("cpu", "memory")
        }


def environment() -> Iterator[Amounts]:
    for deployment in of_kind(render(ROOT / "deploy" / "overlays" / "stub"), "Deployment"):
        yield of_container(container_of(deployment)["resources"])


def pipeline_server(part: Any = None) -> Iterator[Amounts]:
    """Each part of the pipeline server, according to its manifest, and the proxy that requires a token."""
    if part is None:
        part = yaml.safe_load((ROOT / "deploy" / "openshift-ai" / "pipeline-server.yaml").read_text("utf-8"))[
            "spec"
        ]
        yield BESIDE
    if isinstance(part, dict):
        if "resources" in part:
            yield of_container(part["resources"])
        for each in part.values():
            if isinstance(each, dict):
                yield from pipeline_server(each)


def served_models() -> Iterator[Amounts]:
    for name in ("model-track.yaml", "model-track-jpeg.yaml"):
        service = yaml.safe_load((ROOT / "deploy" / "openshift-ai" / name).read_text("utf-8"))
        yield of_container(service["spec"]["predictor"]["model"]["resources"])
        yield BESIDE  # The proxy that asks for a token.


def of_training(folder: Path) -> Amounts:
    """The training task as a pod of its own, with the two containers that Kubeflow adds to it."""
    asked = training(folder)["resources"]
    task = {
        f"{kind}s.{of}": amount(asked[f"resource{of.title()}{kind.title()}"])
        for kind in ("request", "limit")
        for of in ("cpu", "memory")
    }
    return {of: task[of] + 2 * BESIDE[of] for of in task}


def together(*parts: Amounts) -> Amounts:
    return {of: sum(part[of] for part in parts) for of in BESIDE}


def training(folder: Path, **environment: str) -> dict[str, Any]:
    """The training's requests, in the pipeline as compiled in that environment."""
    path = folder / "pipeline.yaml"
    words = ("-m", "brakepoint", "pipeline", "compile", "--steps", "solutions", "--out", str(path))
    subprocess.run([sys.executable, *words], env={**os.environ, **environment}, cwd=ROOT, check=True)
    pipeline = next(yaml.safe_load_all(path.read_text("utf-8")))
    container: dict[str, Any] = pipeline["deploymentSpec"]["executors"]["exec-training"]["container"]
    return container
