"""The image that serves models, built as the cluster's first run builds it: both architectures answer alike.

The build takes minutes; the programs for arm64 are emulated, fifty times slower.
"""

import subprocess
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.request import urlopen

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

from brakepoint.detector import Detector, remote
from brakepoint.feeds import find_feed
from brakepoint.files import size_mb
from brakepoint.messages import Detection
from brakepoint.mission.film import pictures
from brakepoint.rollout.architectures import emulate
from brakepoint.rollout.pushing import push
from brakepoint.rollout.sandbox import Sandbox
from brakepoint.rollout.store import Pulled
from brakepoint.rollout.workplace import Workplace
from brakepoint.sockets import LOCALHOST, free_port

ROOT = Path(__file__).parents[2]
ROOTS = ROOT / "runs" / "delivery" / "roots"
FIRST_SERVING = {"kind": "serving", "overlay": "", "tests": "true"}
"""The parameters of that run in deploy/cluster/images/runs.yaml."""
REPOSITORY = "brakepoint-images/brakepoint-serving"
MOST_MB = tomllib.loads((ROOT / "deploy" / "images" / "images.toml").read_text("utf-8"))["serving"]["most_mb"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    emulate(OTHER)
    folder = tmp_path_factory.mktemp("serving")
    ROOTS.mkdir(parents=True, exist_ok=True)
    (folder / "roots").symlink_to(ROOTS)
    with Workplace(folder, params={**FIRST_SERVING}, architectures=ARCHITECTURES) as made:
        made.params["image"] = f"{made.registry.address}/{REPOSITORY}"
        yield made


@pytest.fixture(scope="module")
def pulled(place: Workplace) -> dict[str, Pulled]:
    """The image of each architecture, from the registry by the digest of the manifest list."""
    before = push(ROOT, place.forge)
    (done,) = place.deliver()
    assert done.succeeded, done.accounts
    assert before == place.forge.git("rev-parse", "main"), "The first image of a kind is not deployed."
    name = f"{place.params['image']}@{done.digest}"
    return {architecture: place.store.pull(name, architecture) for architecture in ARCHITECTURES}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_image_adds_little_to_its_base(
    place: Workplace, pulled: dict[str, Pulled], architecture: str
) -> None:
    assert 0 < size_mb(pulled[architecture].root) - size_mb(place.roots.base(architecture)) < MOST_MB


def test_both_architectures_answer_with_the_same_signs(
    place: Workplace, pulled: dict[str, Pulled], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "TIMEOUT_S", EMULATED_WITHIN_S)
    own, other = (answered(pulled[name], place.folder / "served" / name) for name in (OWN, OTHER))
    assert_alike(own, other)


def answered(image: Pulled, scratch: Path) -> list[Detection]:
    """What the model behind the image's endpoint finds in the picture."""
    (picture,) = pictures(find_feed(FEED), [PICTURE])
    with served(image, scratch) as url:
        return list(Detector(url).detect_image(picture))


@contextmanager
def served(image: Pulled, scratch: Path) -> Iterator[str]:
    """Runs the image's own command as in a cluster, but for this machine alone."""
    rest, grpc = free_port(), free_port()
    here = ("--host", LOCALHOST, "--rest-port", str(rest), "--grpc-port", str(grpc))
    words = Sandbox((image.root,), scratch, ANYBODY).command([*image.entry_point, *here], image.folder)
    with subprocess.Popen(words, env=image.environment) as process:
        try:
            await_ready(f"http://{LOCALHOST}:{rest}/v2/health/ready", process)
            yield f"http://{LOCALHOST}:{rest}"
        finally:
            process.kill()


def await_ready(url: str, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + EMULATED_WITHIN_S
    while process.poll() is None and time.monotonic() < until:
        with suppress(OSError), urlopen(url, timeout=EMULATED_WITHIN_S) as answer:
            assert answer.status == 200
            return
        time.sleep(0.5)
    raise AssertionError(f"The endpoint is not ready: {process.poll()}")
