"""Forge, registry and nodes on one machine: a push to the forge results in a digest in the overlay."""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from brakepoint.cluster import tekton
from brakepoint.cluster.kit import Kit
from brakepoint.cluster.pods import Manifest
from brakepoint.cluster.shapes import object_of
from brakepoint.course import ROOT
from brakepoint.delivery.credentials import Secrets
from brakepoint.delivery.rendering import render
from brakepoint.errors import UserError
from brakepoint.rollout.architectures import own_architecture
from brakepoint.rollout.confinement import of_tasks
from brakepoint.rollout.definitions import Value, read_pipeline, read_tasks
from brakepoint.rollout.execution import Account, Execution, OnNews, Outcome
from brakepoint.rollout.forge import Forge, Push, starts_a_run
from brakepoint.rollout.pods import Pods, network
from brakepoint.rollout.registry import Registry
from brakepoint.rollout.roots import CERTIFICATES, Roots
from brakepoint.rollout.store import Store

REPOSITORY = "brakepoint-images/brakepoint-edge"
BASE = "brakepoint-images/base:bookworm"
GIT_SETTINGS = "[safe]\n\tdirectory = *\n"
"""Needed because the forge belongs to root, and git does not trust other users' repositories by default."""
PROGRAMS = ("buildah", "skopeo", "debootstrap", "docker-registry", "htpasswd", "openssl", "git", "capsh")
FORGE = "/srv/forge.git"
"""Path of the forge in the steps."""


@dataclass(frozen=True)
class Delivered:
    """The results of a push.

    Attributes:
        push: The push.
        accounts: How each task ended.
    """

    push: Push
    accounts: list[Account]

    @property
    def succeeded(self) -> bool:
        """Whether no task has failed."""
        return not [one for one in self.accounts if one.done.outcome is Outcome.FAILED]

    @property
    def digest(self) -> str:
        """Digest of the manifest list; empty if the list was not pushed."""
        found = (one.done.results.get("digest", "") for one in self.accounts if one.name == "manifest")
        return next(found, "")


@dataclass
class Workplace:
    """Everything between a push and the overlay, for the duration of a `with` block.

    Attributes:
        folder: Folder for all files. Base and registry are kept for the next run.
        source: Source of steps, pipeline and overlay: `solutions` or `labs`.
        params: Parameters of the run, in addition to those set by the trigger.
        secrets: Secrets from which the steps may take variables.
        tell: Called with the progress of a run.
        architectures: Architectures of the available nodes; nothing is built for others.
    """

    folder: Path
    source: str = "solutions"
    params: dict[str, Value] = field(default_factory=dict)
    secrets: Secrets = field(default_factory=dict)
    tell: OnNews = lambda news: None
    architectures: tuple[str, ...] = field(default_factory=lambda: (own_architecture(),))

    def __enter__(self) -> Self:
        missing = [name for name in PROGRAMS if shutil.which(name) is None]
        if os.geteuid() != 0 or missing:
            raise UserError("rollout.error.needs", programs=", ".join(missing) or "root")
        self.folder = self.folder.resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            stack.enter_context(_alone_in(self.folder))
            self.registry = stack.enter_context(Registry(self.folder / "registry"))
            self.forge = Forge(self.folder / "forge.git")
            self.store = Store(self.folder / "store", self.registry)
            self.store.clear()
            stack.callback(self.store.clear)
            self.roots = Roots(self.folder / "roots", f"{self.registry.address}/{BASE}")
            bases = {architecture: self.roots.base(architecture) for architecture in self.architectures}
            self.store.push_base(self.roots.base_image, bases)
            self._kit = Kit("openshift", self._manifests())
            self.confined = of_tasks(self._kit, self._run()["metadata"]["name"])
            self.forge.open()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def image(self) -> str:
        """Name under which the image is pushed, without a tag."""
        return f"{self.registry.address}/{REPOSITORY}"

    @property
    def overlay(self) -> str:
        """Folder of the overlay in the sources."""
        return f"{self.source}/step7_delivery/overlay"

    def deliver(self) -> Iterator[Delivered]:
        """Runs the pipeline for each push that the forge has received, in order, if the trigger allows it.

        Raises:
            UserError: The definitions are inconsistent.
        """
        for push in self.forge.pushes():
            if starts_a_run(push, self._filter()):
                yield self._deliver(push)

    def overlay_at(self, revision: str = "main") -> list[Manifest]:
        """The rendered overlay of a commit in the forge."""
        with tempfile.TemporaryDirectory() as folder:
            words = ["git", "--git-dir", str(self.forge.folder), "archive", revision, "deploy", self.overlay]
            packed = subprocess.run(words, capture_output=True, check=True)
            subprocess.run(["tar", "-x", "-C", folder], input=packed.stdout, check=True)
            return [object_of(one, self.overlay) for one in render(Path(folder) / self.overlay)]

    def log(self, task: str) -> Path:
        """Path of a task's log; a matrix has one log for all its runs."""
        return self.folder / "logs" / f"{task.partition(' ')[0]}.log"

    def last_words(self, task: str) -> str:
        """The last line of a task's output; empty if there is no output."""
        log = self.log(task)
        lines = log.read_text("utf-8", "replace").split("\n") if log.is_file() else []
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def _deliver(self, push: Push) -> Delivered:
        body = {"body.repository.clone_url": FORGE, "body.after": push.commit}
        run = tekton.filled(self._run(), body)
        pipeline = tekton.pipeline_of(run, self._kit.manifests)
        if pipeline is None:
            raise UserError("rollout.error.no_pipeline", name=run["spec"]["pipelineRef"]["name"])
        said: dict[str, Value] = {one["name"]: one["value"] for one in run["spec"].get("params") or ()}
        said |= {"image": self.image, "base": self.roots.base_image, "overlay": self.overlay}
        said |= {"steps": self.source, **self.params}
        volumes = self._volumes()
        pods = self._pods(run, volumes)
        for log in (self.folder / "logs").glob("*.log"):
            log.unlink()
        tasks = read_tasks(self._kit.manifests)
        made = read_pipeline({"kind": "Pipeline", "metadata": run["metadata"], "spec": pipeline})
        execution = Execution(made, tasks, said, set(volumes), pods, self.tell)
        try:
            return Delivered(push, execution.run())
        finally:
            shutil.rmtree(self.folder / "volumes", ignore_errors=True)

    def _pods(self, run: Manifest, volumes: dict[str, Path]) -> Pods:
        nodes = {name: own_architecture() for name in self.confined}
        for one in run["spec"].get("taskRunSpecs") or ():
            wanted = ((one.get("podTemplate") or {}).get("nodeSelector") or {}).get("kubernetes.io/arch")
            if wanted in self.architectures:  # Otherwise it runs on this machine's node.
                nodes[one["pipelineTaskName"]] = wanted
        return Pods(
            folder=self.folder,
            roots=self.roots,
            confined=self.confined,
            architectures=nodes,
            volumes=volumes,
            account=self.registry.account,
            network=network(self.folder / "network", _pip_settings()),
            secrets=self.secrets,
            shared={FORGE: self.forge.folder},
        )

    def _volumes(self) -> dict[str, Path]:
        """A folder for each workspace of a run: the sources, and the forge's credentials."""
        shutil.rmtree(self.folder / "volumes", ignore_errors=True)
        volumes = {name: self.folder / "volumes" / name for name in ("source", "git-credentials")}
        for place in volumes.values():
            place.mkdir(parents=True)
        (volumes["git-credentials"] / ".gitconfig").write_text(GIT_SETTINGS, encoding="utf-8")
        (volumes["git-credentials"] / ".git-credentials").touch()
        return volumes

    def _manifests(self) -> list[Manifest]:
        """The applied manifests: tasks and trigger, with the pipeline from the push."""
        shared = [m for m in render(ROOT / "deploy" / "tekton") if m["kind"] != "Pipeline"]
        place = f"{self.source}/step7_delivery/pipeline"
        own = [object_of(one, place) for one in render(ROOT / place)]
        for manifest in own:
            manifest["metadata"]["namespace"] = shared[0]["metadata"]["namespace"]
        return [*shared, *own]

    def _run(self) -> Manifest:
        """The run that a push starts."""
        return next(tekton.runs(self._kit.manifests))

    def _filter(self) -> str:
        """The trigger's filter."""
        listener = next(self._kit.of_kind("EventListener"))
        interceptors = listener["spec"]["triggers"][0]["interceptors"]
        params = [one for interceptor in interceptors for one in interceptor["params"]]
        return str(next(one["value"] for one in params if one["name"] == "filter"))


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Locks a folder for the duration of the context."""
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError("rollout.error.busy", folder=folder) from error
        yield


def _pip_settings() -> dict[str, str]:
    """This machine's pip settings that a build needs to reach an index."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    ).stdout
    found = dict(line.split("=", 1) for line in listed.splitlines() if "=" in line)
    said = {name.partition(".")[2]: value.strip("'") for name, value in found.items()}
    kept: dict[str, str] = {name: said[name] for name in ("index-url", "trusted-host") if name in said}
    return {**kept, **({"cert": str(CERTIFICATES)} if CERTIFICATES.is_file() else {})}
