"""A room's quota holds what the workshop asks of a cluster: workspace, environment, model and training."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

pytest.importorskip("kfp")

from brakepoint.delivery.rendering import container_of, of_kind, render
from brakepoint.room.accounts import Account
from brakepoint.room.config import Quota, Room
from brakepoint.room.manifests import namespace_manifests, secret_manifests

ROOT = Path(__file__).parents[2]
ROOM = Room(name="spring", attendees=1)
IMAGE = "registry.example.com/brakepoint-pipeline-cpu:0.1.0"
UNITS = {"m": 1e-3, "Mi": 1 / 1024, "Gi": 1.0}
"""Of cores, and of gibibytes."""
Amounts = dict[str, float]
BESIDE = {
    f"{kind}.{of}": amount
    for kind, amounts in (("requests", (0.1, 0.25)), ("limits", (1.0, 2.0)))
    for of, amount in zip(("cpu", "memory"), amounts, strict=True)
}
"""What the room's LimitRange gives to a container that says nothing, such as the platform's own."""


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
    """Each part of the pipeline server, as its own manifest says it, and the proxy that asks for a token."""
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


def training(folder: Path, **environment: str) -> dict[str, Any]:
    """What the training asks for, in the pipeline that is compiled in that environment."""
    path = folder / "pipeline.yaml"
    words = ("-m", "brakepoint", "pipeline", "compile", "--steps", "solutions", "--out", str(path))
    subprocess.run([sys.executable, *words], env={**os.environ, **environment}, cwd=ROOT, check=True)
    pipeline = next(yaml.safe_load_all(path.read_text("utf-8")))
    container: dict[str, Any] = pipeline["deploymentSpec"]["executors"]["exec-training"]["container"]
    return container


def test_all_of_them_fit_at_once(tmp_path) -> None:
    asked = training(tmp_path)["resources"]
    task = {
        f"{kind}s.{of}": amount(asked[f"resource{of.title()}{kind.title()}"])
        for kind in ("request", "limit")
        for of in ("cpu", "memory")
    }
    documents = yaml.safe_load_all(namespace_manifests(ROOM, "anna"))
    (quota,) = (document["spec"]["hard"] for document in documents if document["kind"] == "ResourceQuota")

    for of in task:
        parts = (*workspace(), *environment(), *pipeline_server(), *served_models(), task, BESIDE, BESIDE)
        together = sum(one[of] for one in parts)
        assert together <= amount(quota[of]), of
        assert together >= 0.6 * amount(quota[of]), "a quota much larger than the course says nothing"


def test_what_nothing_is_said_of_is_what_the_limit_range_gives() -> None:
    documents = yaml.safe_load_all(namespace_manifests(ROOM, "anna"))
    (limits,) = (d["spec"]["limits"][0] for d in documents if d["kind"] == "LimitRange")

    assert of_container({"requests": limits["defaultRequest"], "limits": limits["default"]}) == BESIDE


def test_a_room_without_gpus_asks_for_none_and_names_the_image(tmp_path) -> None:
    room = ROOM.model_copy(update={"quota": Quota(gpus=0), "pipeline_image": IMAGE})
    secret = yaml.safe_load(secret_manifests(room, "anna", Account.new(), "https://store"))

    asked = training(tmp_path, **secret["stringData"])

    assert "accelerator" not in asked["resources"]
    assert asked["image"] == IMAGE


def test_a_room_with_gpus_asks_for_one(tmp_path) -> None:
    room = ROOM.model_copy(update={"quota": Quota(gpus=2)})
    secret = yaml.safe_load(secret_manifests(room, "anna", Account.new(), "https://store"))

    assert training(tmp_path, **secret["stringData"])["resources"]["accelerator"]["resourceCount"] == "1"
