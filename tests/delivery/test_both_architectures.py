"""The image that the kit's own push delivers, on both architectures: what runs in one runs in the other.

The image is that of the last `brakepoint deploy --from-push`; if there is none, it is delivered first, which
takes minutes. The programs for arm64 are emulated, fifty times slower.
"""

import json
import subprocess
import tomllib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from emulated import (
    ANYBODY,
    ARCHITECTURES,
    EMULATED_WITHIN_S,
    FEED,
    OTHER,
    OWN,
    PICTURE,
    assert_alike,
)

from brakepoint.delivery.containers import Container
from brakepoint.delivery.rendering import container_of, of_kind
from brakepoint.delivery.running import Pods
from brakepoint.files import size_mb
from brakepoint.messages import Detection
from brakepoint.rollout.architectures import MACHINES, emulate
from brakepoint.rollout.pushing import BRANCH, push
from brakepoint.rollout.sandbox import Sandbox
from brakepoint.rollout.store import Pulled
from brakepoint.rollout.train import started
from brakepoint.rollout.workplace import Workplace
from brakepoint.services import supervisor

ROOT = Path(__file__).parents[2]
LOOK = f"""
import json
from brakepoint.detector import SHIPPED_MODEL, Detector
from brakepoint.feeds import find_feed
from brakepoint.mission.film import pictures

(picture,) = pictures(find_feed("{FEED}"), [{PICTURE}])
print(json.dumps([item.model_dump(mode="json") for item in Detector(SHIPPED_MODEL).detect_image(picture)]))
"""
IMAGES = tomllib.loads((ROOT / "deploy" / "images" / "images.toml").read_text("utf-8"))


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
    said = run(
        place, pulled[architecture], "sh", "-c", "uname -m; id -u; id -g; touch /here || touch /tmp/here"
    )
    assert said.stdout.split() == [MACHINES[architecture], "12345", "0"]
    assert said.returncode == 0, said.stderr


def run(
    place: Workplace, image: Pulled, *words: str, mounts: dict[str, Path] | None = None
) -> "subprocess.CompletedProcess[str]":
    sandbox = Sandbox((image.root,), place.folder / "tried" / "once", ANYBODY, mounts or {})
    return subprocess.run(
        sandbox.command(words, image.folder),
        env=image.environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_image_adds_little_to_its_base(
    place: Workplace, pulled: dict[str, Pulled], architecture: str
) -> None:
    added = size_mb(pulled[architecture].root) - size_mb(place.roots.base(architecture))
    assert 0 < added < IMAGES["edge"]["most_mb"]


def test_a_mission_by_the_virtual_clock_is_the_same_on_both(
    place: Workplace, pulled: dict[str, Pulled], short_feed: Path
) -> None:
    """With perfect detections: an emulated network takes seconds for a picture, and a feed has hundreds."""
    own, other = (report(place, pulled[name], short_feed) for name in (OWN, OTHER))
    assert own == other
    assert json.loads(own)["missions"][0]["accomplished"]


def report(place: Workplace, image: Pulled, feed: Path) -> str:
    feed.parent.chmod(0o755)
    words = (
        "python",
        "-m",
        "brakepoint",
        "mission",
        "--json",
        "--out",
        "/tmp/mission",
        "--detector",
        "oracle",
    )
    done = run(place, image, *words, "--feed", f"/feeds/{feed.name}", mounts={"/feeds": feed.parent})
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_network_sees_the_same_signs_on_both(place: Workplace, pulled: dict[str, Pulled]) -> None:
    own, other = (seen(place, pulled[name]) for name in (OWN, OTHER))
    assert_alike(own, other)


def seen(place: Workplace, image: Pulled) -> list[Detection]:
    """What the shipped detector finds in the picture."""
    done = run(place, image, "python", "-c", LOOK)
    assert done.returncode == 0, done.stderr
    return [Detection.model_validate(one) for one in json.loads(done.stdout)]


def test_each_service_starts_in_the_emulated_image_and_is_ready(
    place: Workplace, pulled: dict[str, Pulled], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "READY_WITHIN_S", EMULATED_WITHIN_S)
    said: list[str] = []
    manifests = place.overlay_at()
    with Pods(
        manifests, partial(launch, place, pulled[OTHER]), lambda name, line: said.append(f"{name}: {line}")
    ):
        pass
    assert {m["metadata"]["name"] for m in of_kind(manifests, "Deployment")} <= {
        s.partition(":")[0] for s in said
    }


def launch(place: Workplace, image: Pulled, container: Container) -> tuple[list[str], dict[str, str]]:
    return started(image, container, place.folder / "tried" / container.name, ANYBODY)
