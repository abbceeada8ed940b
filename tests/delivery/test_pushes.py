"""Pushes that go wrong, and a rollback: each ends in a clear state, and the driving train is not affected.

A project of a few files is pushed in place of the kit's, so that a build takes seconds. Pipeline, tasks and
registry are the real ones.
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from brakepoint.delivery.containers import containers
from brakepoint.delivery.rendering import container_of, of_kind
from brakepoint.rollout.architectures import own_architecture
from brakepoint.rollout.execution import Account, Outcome
from brakepoint.rollout.train import Train
from brakepoint.rollout.workplace import REPOSITORY, Delivered, Workplace

ROOT = Path(__file__).parents[2]
ROOTS = ROOT / "runs" / "delivery" / "roots"
WHO = {f"GIT_{role}_{what}": "a@b" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
OVERLAY = "solutions/step7_delivery/overlay"
WITHIN_S = 120.0
IMAGE = """
ARG BASE
ARG READY=ready
FROM ${BASE} AS ready
RUN true
FROM ${READY} AS edge
COPY message.txt /message.txt
RUN echo done
ENTRYPOINT ["sleep", "600"]
"""
PROJECT = {
    "message.txt": "first\n",
    "tests.sh": "exit 0\n",
    "deploy/images/ignore": "",
    "deploy/images/locks/edge.txt": "",
    "deploy/images/Containerfile": IMAGE,
    f"{OVERLAY}/kustomization.yaml": """
resources: [train.yaml]
images:
  - name: brakepoint-edge
    newName: nowhere/brakepoint-edge
    newTag: "0"
""",
    f"{OVERLAY}/train.yaml": """
apiVersion: apps/v1
kind: Deployment
metadata: {name: capture}
spec:
  selector: {matchLabels: {app: capture}}
  template:
    metadata: {labels: {app: capture}}
    spec:
      containers:
        - name: service
          image: brakepoint-edge
          securityContext: {readOnlyRootFilesystem: true}
""",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    folder = tmp_path_factory.mktemp("delivery")
    ROOTS.mkdir(parents=True, exist_ok=True)
    (folder / "roots").symlink_to(ROOTS)
    with Workplace(folder, params={"tests": "sh tests.sh"}, architectures=(own_architecture(),)) as made:
        yield made


@pytest.fixture(scope="module")
def clone(place: Workplace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clone")
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "remote", "add", "origin", str(place.forge.folder))
    for name, words in PROJECT.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(words, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def driving(place: Workplace, clone: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A container of the first image, from the registry by digest, which drives throughout the test."""
    (done,) = push_and_deliver(place, clone, "First")
    assert done.succeeded, done.accounts
    manifests = place.overlay_at()
    train = Train(manifests, place.store, place.folder / "train", own_architecture())
    words, environment = train.launch(containers(manifests, {})[0])
    with subprocess.Popen(words, env=environment) as process:
        yield process
        process.kill()


def git(clone: Path, *words: str) -> str:
    environment = {**os.environ, **WHO}
    done = subprocess.run(
        ["git", *words], cwd=clone, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def push(clone: Path, subject: str, **changes: str) -> str:
    for name, words in changes.items():
        (clone / FILES[name]).write_text(words, encoding="utf-8")
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "--allow-empty", "--message", subject)
    git(clone, "push", "--quiet", "origin", "HEAD:main")
    return git(clone, "rev-parse", "HEAD")


FILES = {"message": "message.txt", "tests": "tests.sh", "image": "deploy/images/Containerfile"}


def push_and_deliver(place: Workplace, clone: Path, subject: str, **changes: str) -> list[Delivered]:
    push(clone, subject, **changes)
    done = list(place.deliver())
    git(clone, "pull", "--quiet", "--rebase", "origin", "main")
    return done


def deployed(place: Workplace) -> str:
    """The image that the overlay in the forge names."""
    return str(container_of(next(of_kind(place.overlay_at(), "Deployment")))["image"])


def outcomes(done: Delivered) -> dict[str, Outcome]:
    return {account.name: account.done.outcome for account in done.accounts}


def test_a_push_ends_as_a_digest_in_the_overlay_and_drives_from_there(
    place: Workplace, driving: "subprocess.Popen[bytes]"
) -> None:
    assert driving.poll() is None
    name, _, digest = deployed(place).partition("@")
    assert name == place.image
    assert list(place.store.architectures(f"{name}@{digest}")) == [own_architecture()]


@pytest.mark.usefixtures("driving")
def test_a_push_that_breaks_a_test_builds_nothing(place: Workplace, clone: Path) -> None:
    before, tags = deployed(place), place.registry.tags(REPOSITORY)
    (done,) = push_and_deliver(place, clone, "Break", tests="echo 'It is broken.'; exit 3\n")
    assert outcomes(done)["test"] is Outcome.FAILED
    assert outcomes(done)[f"build-{own_architecture()}"] is Outcome.NOT_REACHED
    assert "It is broken." in (place.folder / "logs" / "test.log").read_text("utf-8")
    assert (deployed(place), place.registry.tags(REPOSITORY)) == (before, tags)
    push_and_deliver(place, clone, "Repair", tests="exit 0\n")


def test_a_build_that_is_killed_leaves_nothing_behind(
    place: Workplace, clone: Path, driving: "subprocess.Popen[bytes]"
) -> None:
    before, tags = deployed(place), place.registry.tags(REPOSITORY)
    slow = IMAGE.replace("RUN echo done", "RUN sleep 300")
    with meanwhile(place, "RUN sleep", partial(kill_the_build, place)):
        (done,) = push_and_deliver(place, clone, "Slow", image=slow)
    assert outcomes(done)[f"build-{own_architecture()}"] is Outcome.FAILED
    assert outcomes(done)["commit"] is Outcome.NOT_REACHED
    assert (deployed(place), place.registry.tags(REPOSITORY)) == (before, tags)
    assert list((place.folder / "pods").iterdir()) == []
    assert driving.poll() is None


def kill_the_build(place: Workplace) -> None:
    """Kills the builder in the pod, not the pod's own process, as when memory runs out."""
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # It may have ended meanwhile.
            words = file.read_text("utf-8", "replace").split("\0")
            if "bud" in words and words[words.index("--target") + 1] == "edge":
                os.kill(int(file.parent.name), signal.SIGKILL)


def test_a_registry_that_goes_away_during_a_push_publishes_no_half(
    place: Workplace, clone: Path, driving: "subprocess.Popen[bytes]"
) -> None:
    before, tags = deployed(place), place.registry.tags(REPOSITORY)
    large = IMAGE.replace("RUN echo done", "RUN head --bytes 200000000 /dev/urandom > /large")
    with meanwhile(place, f"Successfully tagged {place.image}:", place.registry.stop):
        (done,) = push_and_deliver(place, clone, "Large", image=large)
    assert outcomes(done)[f"build-{own_architecture()}"] is Outcome.FAILED
    place.registry.start()
    assert (deployed(place), place.registry.tags(REPOSITORY)) == (before, tags)
    assert driving.poll() is None
    (done,) = push_and_deliver(place, clone, "Small again", image=IMAGE)
    assert done.succeeded


class meanwhile:  # noqa: N801 - it reads as a part of a sentence
    """Calls a function as soon as a word appears in the log of the build."""

    def __init__(self, place: Workplace, word: str, action: Callable[[], None]) -> None:
        self._log = place.folder / "logs" / f"build-{own_architecture()}.log"
        self._word, self._action = word, action
        self._ended = False
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> None:
        self._log.unlink(missing_ok=True)  # Of the push before.
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended = True
        self._thread.join()

    def _watch(self) -> None:
        until = time.monotonic() + WITHIN_S
        while not self._ended and time.monotonic() < until:
            if self._log.is_file() and self._word in self._log.read_text("utf-8", "replace"):
                self._action()
                return
            time.sleep(0.05)


@pytest.mark.usefixtures("driving")
def test_a_push_of_code_builds_one_layer_and_takes_the_others_from_beside_the_image(
    place: Workplace, clone: Path
) -> None:
    image, before = deployed(place), place.store.layers(member(place))
    (done,) = push_and_deliver(place, clone, "Code", message="code\n")
    assert done.succeeded
    said = (place.folder / "logs" / f"build-{own_architecture()}.log").read_text("utf-8")
    assert f"Successfully tagged {place.image}:" in said
    assert f"Successfully tagged {place.image}-cache:" not in said
    assert place.store.layers(member(place))[:2] == before[:2], "the base and what is ready"
    assert deployed(place) != image


def member(place: Workplace) -> str:
    """The image for this machine in the manifest list that the overlay names."""
    listed = deployed(place)
    return f"{place.image}@{place.store.architectures(listed)[own_architecture()]}"


@pytest.mark.usefixtures("driving")
def test_of_two_pushes_at_once_the_later_is_deployed(place: Workplace, clone: Path) -> None:
    push(clone, "One", message="one\n")
    push(clone, "Two", message="two\n")
    one, two = place.deliver()
    assert one.succeeded and two.succeeded
    assert deployed(place) == f"{place.image}@{two.digest}"
    assert one.digest != two.digest
    assert place.forge.git("log", "--format=%s", "main").count("Deploy") == deployments(place)
    git(clone, "pull", "--quiet", "--rebase", "origin", "main")


def deployments(place: Workplace) -> int:
    """How many digests the overlay has named: each commit of the pipeline names another."""
    digests = place.forge.git("log", "--format=", "--patch", "main", "--", OVERLAY)
    return len({line for line in digests.splitlines() if line.startswith("+    digest: ")})


def test_a_commit_that_is_taken_back_lets_the_image_before_drive(
    place: Workplace, clone: Path, driving: "subprocess.Popen[bytes]"
) -> None:
    before = deployed(place)
    (done,) = push_and_deliver(place, clone, "Three", message="three\n")
    assert deployed(place) == f"{place.image}@{done.digest}" != before
    git(clone, "revert", "--no-edit", "HEAD")
    git(clone, "push", "--quiet", "origin", "HEAD:main")
    assert list(place.deliver()) == [], "a rollback builds nothing"
    assert deployed(place) == before
    train = Train(place.overlay_at(), place.store, place.folder / "rolled-back", own_architecture())
    words, environment = train.launch(containers(place.overlay_at(), {})[0])
    words[words.index("sleep") :] = ["cat", "/message.txt"]
    shown = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert shown.stdout == "two\n", shown.stderr
    assert driving.poll() is None


def test_each_task_is_reported_as_it_starts_and_as_it_ends(place: Workplace, clone: Path) -> None:
    news: list[Account | str] = []
    place.tell = news.append
    push_and_deliver(place, clone, "Four", message="four\n")
    names = [one for one in news if isinstance(one, str)]
    assert names == [one.name for one in news if isinstance(one, Account)]
    assert names[0] == "clone" and names[-1] == "commit"
