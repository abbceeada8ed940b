"""The image that the kit's own push delivers, on both architectures: what runs in one runs in the other.

The image is that of the last `brakepoint deploy --from-push`; if there is none, it is delivered first, which
takes minutes. The programs for arm64 are emulated, at a tenth of the speed.
"""

import json
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from brakepoint.delivery.containers import Container
from brakepoint.delivery.rendering import container_of, of_kind
from brakepoint.delivery.running import Pods
from brakepoint.rollout.architectures import MACHINES, emulate, own_architecture
from brakepoint.rollout.confinement import Confinement
from brakepoint.rollout.pushing import BRANCH, push
from brakepoint.rollout.sandbox import Sandbox
from brakepoint.rollout.store import Pulled
from brakepoint.rollout.workplace import Workplace

ROOT = Path(__file__).parents[2]
ARCHITECTURES = tuple(MACHINES)
(OTHER,) = {*ARCHITECTURES} - {own_architecture()}
FEED = "track-stop"
ANYBODY = Confinement(12345, read_only=True)
MOST_MB = 400
"""What the edge image may add to its base, unpacked."""


@pytest.fixture(scope="module")
def place() -> Iterator[Workplace]:
    emulate(OTHER)
    folder = ROOT / "runs" / "delivery"
    with Workplace(folder, params={"tests": "true"}, architectures=ARCHITECTURES) as made:
        if not made.forge.has(BRANCH) or not made.store.architectures(deployed(made)):
            push(ROOT, made.forge)
            (done,) = made.deliver()
            assert done.succeeded, done.accounts
        yield made


def deployed(place: Workplace) -> str:
    """The image that the overlay in the forge names."""
    pods = of_kind(place.overlay_at(), "Deployment")
    return next(image for pod in pods if "brakepoint-edge" in (image := str(container_of(pod)["image"])))


@pytest.fixture(scope="module")
def pulled(place: Workplace) -> dict[str, Pulled]:
    return {name: place.store.pull(deployed(place), name) for name in ARCHITECTURES}


def test_the_manifest_list_names_both_architectures(place: Workplace) -> None:
    raw = subprocess.run(
        ["skopeo", "inspect", "--raw", *place.registry.login, f"docker://{deployed(place)}"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    listed = [one["platform"]["architecture"] for one in json.loads(raw)["manifests"]]
    assert sorted(listed) == sorted(ARCHITECTURES)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_image_runs_as_anybody_on_its_own_kind_of_machine(
    place: Workplace, pulled: dict[str, Pulled], architecture: str
) -> None:
    said = run(place, pulled[architecture], "sh", "-c", "uname -m; id -u; id -g; touch /here || touch /tmp/here")
    assert said.stdout.split() == [MACHINES[architecture], "12345", "0"]
    assert said.returncode == 0, said.stderr


def run(place: Workplace, image: Pulled, *words: str) -> "subprocess.CompletedProcess[str]":
    sandbox = Sandbox((image.root,), place.folder / "tried", ANYBODY)
    return subprocess.run(
        sandbox.command(words, image.folder), env=image.environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_image_adds_little_to_its_base(
    place: Workplace, pulled: dict[str, Pulled], architecture: str
) -> None:
    added = size_mb(pulled[architecture].root) - size_mb(place.roots.base(architecture))
    assert 0 < added < MOST_MB


def size_mb(folder: Path) -> float:
    """Size of the files below a folder, in millions of bytes."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir()) / 1e6


def test_a_mission_by_the_virtual_clock_is_the_same_on_both(
    place: Workplace, pulled: dict[str, Pulled]
) -> None:
    own, other = (report(place, pulled[name]) for name in (own_architecture(), OTHER))
    assert own == other
    assert json.loads(own)["missions"][0]["accomplished"]


def report(place: Workplace, image: Pulled) -> str:
    mission = ("python", "-m", "brakepoint", "mission", "--feed", FEED, "--json", "--out", "/tmp/mission")
    done = run(place, image, *mission)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_each_service_starts_in_the_emulated_image_and_is_ready(
    place: Workplace, pulled: dict[str, Pulled]
) -> None:
    said: list[str] = []
    manifests = place.overlay_at()
    with Pods(manifests, partial(launch, place, pulled[OTHER]), lambda name, line: said.append(f"{name}: {line}")):
        pass
    assert {m["metadata"]["name"] for m in of_kind(manifests, "Deployment")} <= {s.partition(":")[0] for s in said}


def launch(place: Workplace, image: Pulled, container: Container) -> tuple[list[str], dict[str, Any]]:
    sandbox = Sandbox((image.root,), place.folder / "tried" / container.name, ANYBODY, whole=False)
    words = sandbox.command([*image.entry_point, *container.args], image.folder)
    environment = {**image.environment, **container.environment, "BRAKEPOINT_METRICS": "127.0.0.1:0"}
    environment.pop("BRAKEPOINT_HEARTBEAT", None)
    return words, environment
