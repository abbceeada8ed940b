"""Admission of every pod: its constraint, and the level and quotas of its namespace."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from brakepoint.cluster.amounts import (
    claim_outside_limits,
    concerns,
    outside_limits,
    over_quota,
    taken,
    unlimited,
    unreadable,
)
from brakepoint.cluster.constraints import EVERYBODY, admit, shipped_constraints
from brakepoint.cluster.findings import Finding, found
from brakepoint.cluster.kit import Kit
from brakepoint.cluster.pods import Manifest, Pod, namespace_of
from brakepoint.cluster.podsecurity import ENFORCE, LEVELS, violations

SCC_ROLE = "system:openshift:scc:"
GROUP = "security.openshift.io"
NO_CONSTRAINTS = "–"


@dataclass(frozen=True)
class Admitted:
    """The result of a pod's admission.

    Attributes:
        pod: The pod.
        constraint: The SecurityContextConstraints that admit the pod; empty if none do, `–` if the platform
            has none.
        level: Security level that the pod's namespace enforces.
        findings: What was refused.
    """

    pod: Pod
    constraint: str
    level: str
    findings: tuple[Finding, ...]


def examine(kit: Kit) -> list[Admitted]:
    """Submits every pod to the platform's admission rules."""
    constraints = {
        c["metadata"]["name"]: c for c in (*shipped_constraints(), *kit.of_kind("SecurityContextConstraints"))
    }
    limits: dict[str, list[Manifest]] = defaultdict(list)
    quotas: dict[str, list[Manifest]] = defaultdict(list)
    for manifest in kit.of_kind("LimitRange", "ResourceQuota"):
        (limits if manifest["kind"] == "LimitRange" else quotas)[namespace_of(manifest)].append(manifest)
    admitted = []
    for pod in kit.pods:
        refused = [found("quantity", pod.namespace, pod=pod.name, why=why) for why in _unreadable(pod)]
        constraint, spec = NO_CONSTRAINTS, pod.spec
        if kit.platform["constraints"]:
            verdict = admit(pod, constraints.values(), grants(kit, pod))
            constraint, spec = verdict.constraint, verdict.spec
            if not constraint:
                why = "; ".join(f"{name}: {', '.join(reasons)}" for name, reasons in verdict.refusals.items())
                refused.append(
                    found("constraint", pod.namespace, pod=pod.name, account=pod.account, why=why or "–")
                )
        level = kit.namespaces.get(pod.namespace, {}).get(ENFORCE, "privileged")
        refused += _by_level(pod, spec, level)
        if not any(one.rule == "quantity" for one in refused):
            refused += _by_amounts(pod, limits[pod.namespace], quotas[pod.namespace])
        admitted.append(Admitted(pod, constraint, level, tuple(refused)))
    return admitted


def _unreadable(pod: Pod) -> list[str]:
    return [f"{container['name']}: {why}" for container in pod.containers for why in unreadable(container)]


def _by_level(pod: Pod, spec: Manifest, level: str) -> Iterator[Finding]:
    if level not in LEVELS:
        yield found("level", pod.namespace, level=level)
        return
    reasons = violations(level, spec, pod.annotations)
    if reasons:
        yield found("podsecurity", pod.namespace, pod=pod.name, level=level, why=", ".join(reasons))


def _by_amounts(pod: Pod, limits: list[Manifest], quotas: list[Manifest]) -> Iterator[Finding]:
    for why in _or_unreadable(outside_limits(pod, limits)):
        yield found("limits", pod.namespace, pod=pod.name, why=why)
    for why in _or_unreadable(unlimited(pod, quotas, limits)):
        yield found("unlimited", pod.namespace, pod=pod.name, why=why)


def over(kit: Kit) -> Iterator[Finding]:
    """Quotas that are too small for everything at once, and volumes that a LimitRange refuses."""
    pods: dict[str, list[Pod]] = defaultdict(list)
    for pod in kit.pods:
        pods[pod.namespace].append(pod)
    objects: dict[str, list[Manifest]] = defaultdict(list)
    for claim in kit.claims:
        where = namespace_of(claim)
        objects[where].append(claim)
        for why in _or_unreadable(claim_outside_limits(claim, kit.within(where, "LimitRange"))):
            yield found("limits", where, pod=claim["metadata"]["name"], why=why)
    for manifest in kit.manifests:
        if manifest["kind"] != "PersistentVolumeClaim":
            objects[namespace_of(manifest)].append(manifest)
    for quota in kit.of_kind("ResourceQuota"):
        where = namespace_of(quota)
        for why in _or_unreadable(_over(quota, pods[where], objects[where], kit.within(where, "LimitRange"))):
            yield found("quota", where, why=why)


def _over(
    quota: Manifest, pods: list[Pod], objects: list[Manifest], limits: Iterable[Manifest]
) -> Iterator[str]:
    limits = list(limits)
    counted = [pod for pod in pods if concerns(quota, pod, limits)]
    yield from over_quota(taken(counted, objects, limits), [quota])


def _or_unreadable(whys: Iterable[str]) -> list[str]:
    """The reasons for a refusal, or else the first quantity that Kubernetes would refuse."""
    try:
        return list(whys)
    except ValueError as error:
        return [str(error)]


def grants(kit: Kit, pod: Pod) -> set[str]:
    """Names of the constraints that a role allows a pod's account to use."""
    names = set(kit.platform["grants"].get(pod.account, ()))
    if pod.made_by == "DevWorkspace":
        names.add(_of_workspaces(kit))
    for binding in (*kit.within(pod.namespace, "RoleBinding"), *kit.of_kind("ClusterRoleBinding")):
        if any(_is(subject, binding, pod) for subject in binding.get("subjects") or ()):
            names |= set(_of_role(kit, binding))
    return names


def _of_workspaces(kit: Kit) -> str:
    """DevSpaces grants each workspace the constraint for container builds, unless these are disabled."""
    if kit.che.get("disableContainerBuildCapabilities"):
        return ""
    said = kit.che.get("containerBuildConfiguration") or {}
    return str(said.get("openShiftSecurityContextConstraint", "container-build"))


def _is(subject: Manifest, binding: Manifest, pod: Pod) -> bool:
    match subject["kind"]:
        case "ServiceAccount":
            place = subject.get("namespace") or namespace_of(binding)
            return (place, subject["name"]) == (pod.namespace, pod.account)
        case "Group":
            return subject["name"] in (*EVERYBODY, f"system:serviceaccounts:{pod.namespace}")
    return bool(subject["name"] == f"system:serviceaccount:{pod.namespace}:{pod.account}")


def _of_role(kit: Kit, binding: Manifest) -> Iterable[str]:
    kind, role = binding["roleRef"]["kind"], binding["roleRef"]["name"]
    if role.startswith(SCC_ROLE):
        yield role.removeprefix(SCC_ROLE)
    if role == "pipelines-scc-clusterrole":
        yield "pipelines-scc"
    if role == "cluster-admin":
        yield "*"
    for made in kit.within(namespace_of(binding) if kind == "Role" else "", kind):
        for rule in made.get("rules") or () if made["metadata"]["name"] == role else ():
            asked = ("apiGroups", GROUP), ("resources", "securitycontextconstraints"), ("verbs", "use")
            if all({name, "*"} & set(rule.get(field) or ()) for field, name in asked):
                yield from rule.get("resourceNames") or ("*",)
