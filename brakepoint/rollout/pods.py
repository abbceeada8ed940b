"""Runs a task as a pod: step by step, each in its image's root, confined as on the platform."""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from brakepoint.delivery.credentials import Secrets
from brakepoint.rollout.confinement import Confinement
from brakepoint.rollout.definitions import Step
from brakepoint.rollout.execution import RESULTS, Done, Outcome, TaskRun
from brakepoint.rollout.roots import CERTIFICATES, Roots
from brakepoint.rollout.sandbox import Sandbox

ACCOUNT = "/run/secrets/kubernetes.io/serviceaccount"
SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PIP_SETTINGS = "/etc/xdg/pip/pip.conf"
BUILD_MOUNTS = "/etc/containers/mounts.conf"
"""The file that lists this machine's paths for Buildah to mount into the commands of a build."""
PROXIES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
SHARED_FOLDER = 0o2777
"""Mode of an emptyDir: every container may write, and files belong to the group of the pod's volumes."""


@dataclass
class Pods:
    """Executes tasks.

    Attributes:
        folder: Where pods, workspaces and logs are kept.
        roots: The root file systems.
        confined: Confinement of each step, by the task's name in the pipeline and then by the step's name.
        architectures: Architecture of the node on which a task runs, by the task's name in the pipeline.
        volumes: Folder of each bound workspace, by the workspace's name in the pipeline.
        account: Folder with the credentials of the service account.
        network: Files needed to reach the network: path on this machine, by path in a root.
        secrets: Secrets from which steps may take variables.
        shared: Folders that each step can reach, as over a network: path on this machine, by path in a root.
    """

    folder: Path
    roots: Roots
    confined: Mapping[str, Mapping[str, Confinement]]
    architectures: Mapping[str, str]
    volumes: Mapping[str, Path]
    account: Path
    network: Mapping[str, Path]
    secrets: Secrets = field(default_factory=dict)
    shared: Mapping[str, Path] = field(default_factory=dict)

    def __call__(self, run: TaskRun) -> Done:
        """Runs all steps of a task, then removes the pod's folder; the task's log is kept."""
        pod = self.folder / "pods" / run.name
        shutil.rmtree(pod, ignore_errors=True)
        (self.folder / "logs").mkdir(parents=True, exist_ok=True)
        for name in ("home", "results", "scripts", *(f"volumes/{one['name']}" for one in run.spec.volumes)):
            (pod / name).mkdir(parents=True)
            (pod / name).chmod(SHARED_FOLDER)
        try:
            for number, step in enumerate(run.spec.steps):
                done = self._step(run, step, number, pod)
                if done is not None:
                    return done
            results = {path.name: path.read_text("utf-8") for path in (pod / "results").iterdir()}
            return Done(Outcome.SUCCEEDED, results)
        finally:
            shutil.rmtree(pod, ignore_errors=True)

    def log(self, task: str) -> Path:
        """Path of the log of a task's steps."""
        return self.folder / "logs" / f"{task}.log"

    def _step(self, run: TaskRun, step: Step, number: int, pod: Path) -> Done | None:
        """Runs a step; returns None if the next step may run."""
        name = step.name or f"unnamed-{number}"
        layers = self.roots.layers(step.image, self.architectures[run.name])
        if layers is None:
            return Done(Outcome.NOT_HERE, why=step.image)
        environment = self._environment(step)
        if environment is None:
            return Done(Outcome.FAILED, why=f"{name}: {step.env_from}")
        words = [*step.command, *step.args]
        if step.script:
            script = pod / "scripts" / f"script-{number}"
            script.write_text(step.script, encoding="utf-8")
            script.chmod(0o755)
            words = [f"/tekton/scripts/{script.name}", *step.args]
        held = self.confined[run.name][step.name]
        read_only = frozenset(run.path(one.name) for one in run.spec.workspaces if one.read_only)
        mounts = self._mounts(run, step, pod, held)
        sandbox = Sandbox(layers, pod / f"step-{number}", held, mounts, read_only)
        with self.log(run.name).open("ab") as log:
            status = subprocess.run(
                sandbox.command(words, step.working_dir or "/"),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                check=False,
            ).returncode
        if status == 0:
            return None
        ended = signal.Signals(-status).name if status < 0 else str(status)
        return Done(Outcome.FAILED, why=f"{name}: {ended}")

    def _environment(self, step: Step) -> dict[str, str] | None:
        """The environment of a step; None if a required Secret is missing."""
        found = {"PATH": SEARCH_PATH, **{name: os.environ[name] for name in PROXIES if name in os.environ}}
        for source in step.env_from:
            said = source.get("secretRef") or {}
            if said.get("name") not in self.secrets and not said.get("optional"):
                return None
            found |= self.secrets.get(said.get("name", ""), {})
        return found | {one.name: str(one.value) for one in step.env}

    def _mounts(self, run: TaskRun, step: Step, pod: Path, held: Confinement) -> dict[str, Path]:
        mounts = {
            "/tekton/home": pod / "home",
            RESULTS: pod / "results",
            "/tekton/scripts": pod / "scripts",
            ACCOUNT: self.account,
            **self.network,
            **self.shared,
        }
        mounts |= {run.path(name): self.volumes[whole] for name, whole in run.workspaces.items()}
        mounts |= {one.mount_path: pod / "volumes" / one.name for one in step.volume_mounts}
        group = held.groups[0] if held.groups else 0
        for folder in mounts.values():
            if folder.is_dir() and folder.is_relative_to(self.folder) and folder.stat().st_gid != group:
                os.chown(folder, -1, group)
                folder.chmod(SHARED_FOLDER)
        return mounts


def network(folder: Path, settings: Mapping[str, str]) -> dict[str, Path]:
    """The files that a step needs to reach the network: path on this machine, by path in a root.

    Args:
        folder: Folder for generated files.
        settings: Settings of pip, for instance `index-url`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lines = "".join(f"{name} = {value}\n" for name, value in settings.items())
    (folder / "pip.conf").write_text(f"[global]\n{lines}", encoding="utf-8")
    shown = {PIP_SETTINGS: folder / "pip.conf", "/etc/resolv.conf": Path("/etc/resolv.conf")}
    if CERTIFICATES.is_file():
        shown[str(CERTIFICATES)] = CERTIFICATES
    built = "".join(f"{there}:{there}\n" for there in shown if there != "/etc/resolv.conf")
    (folder / "mounts.conf").write_text(built, encoding="utf-8")
    return {**shown, BUILD_MOUNTS: folder / "mounts.conf"}
