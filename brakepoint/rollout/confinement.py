"""The user, groups and capabilities that the platform gives each container, from simulated admission."""

from collections.abc import Iterator
from dataclasses import dataclass

from brakepoint.cluster import tekton
from brakepoint.cluster.admission import grants
from brakepoint.cluster.constraints import admit, shipped_constraints
from brakepoint.cluster.kit import Kit
from brakepoint.cluster.pods import Manifest, Pod, built_in
from brakepoint.errors import UserError

RUNTIME_CAPABILITIES = frozenset(
    ("CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "SETGID", "SETUID", "SETPCAP", "NET_BIND_SERVICE", "KILL")
)
"""Root's capabilities under CRI-O by default: `default_capabilities` in its configuration."""
ROOT_GROUP = 0
"""The group of users with arbitrary ids, as on OpenShift."""


@dataclass(frozen=True)
class Confinement:
    """How a container is confined.

    Attributes:
        user: User id of the container's process, whose group id is 0.
        groups: Further groups of the process, including the group of its volumes.
        capabilities: Capabilities of the process, without `CAP_`; none for any user but root.
        may_gain: Whether the process may gain privileges through a set-user-id program.
        read_only: Whether the container's root file system is read-only.
    """

    user: int
    groups: tuple[int, ...] = ()
    capabilities: frozenset[str] = frozenset()
    may_gain: bool = False
    read_only: bool = False


def of_tasks(kit: Kit, run: str) -> dict[str, dict[str, Confinement]]:
    """The confinement of each step of a run, by the task's name in the pipeline and then by the step's name.

    Args:
        kit: Everything that is applied.
        run: Name of the run, as `tekton.runs` gives it.

    Raises:
        UserError: The platform would not admit a pod.
    """
    confined: dict[str, dict[str, Confinement]] = {}
    for pod in tekton.pods(list(tekton.uses(kit.manifests)), kit.tekton_settings):
        owner, _, task = pod.name.rpartition("/")
        if owner == run:
            steps = dict(_confined(kit, pod))
            confined[task] = {name.removeprefix("step-"): one for name, one in steps.items()}
    return confined


def of_deployments(kit: Kit) -> dict[str, Confinement]:
    """The confinement of the only container of each Deployment, by the Deployment's name.

    Raises:
        UserError: The platform would not admit a pod.
    """
    pods = [pod for pod in built_in(kit.manifests) if pod.made_by == "Deployment"]
    return {pod.name: next(iter(dict(_confined(kit, pod)).values())) for pod in pods}


def _confined(kit: Kit, pod: Pod) -> Iterator[tuple[str, Confinement]]:
    constraints = [*shipped_constraints(), *kit.of_kind("SecurityContextConstraints")]
    verdict = admit(pod, constraints, grants(kit, pod))
    if not verdict.constraint:
        why = "; ".join(f"{name}: {', '.join(reasons)}" for name, reasons in verdict.refusals.items())
        raise UserError("rollout.error.not_admitted", pod=pod.name, why=why)
    for container in verdict.spec.get("containers") or ():
        yield container["name"], confinement(verdict.spec.get("securityContext") or {}, container)


def confinement(shared: Manifest, container: Manifest) -> Confinement:
    """The confinement of an admitted container.

    Args:
        shared: The pod's `securityContext`.
        container: The container, as admission has filled it in.
    """
    own = {**shared, **(container.get("securityContext") or {})}
    said = own.get("capabilities") or {}
    dropped, added = set(said.get("drop") or ()), set(said.get("add") or ())
    left = set() if "ALL" in dropped else RUNTIME_CAPABILITIES - dropped
    user = int(own.get("runAsUser") or 0)
    groups = {*(shared.get("supplementalGroups") or ()), *filter(None, [shared.get("fsGroup")])}
    return Confinement(
        user=user,
        groups=tuple(sorted(groups)),
        capabilities=frozenset(left | added) if user == 0 else frozenset(),
        may_gain=own.get("allowPrivilegeEscalation", True) is not False,
        read_only=bool(own.get("readOnlyRootFilesystem")),
    )
