"""Which SecurityContextConstraints admit a pod, in the order and by the rules of OpenShift.

The source is openshift/apiserver-library-go, pkg/securitycontextconstraints: `util/sort` defines the order,
`sccadmission/admission.go` defines who may use which constraint, and `sccmatching/provider.go` defines what
each one sets and refuses.
"""

import copy
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

from brakepoint.cluster.pods import Manifest, Pod

TRIVIAL_VOLUMES = {"secret", "configMap", "emptyDir", "downwardAPI", "projected", "none"}
SAFE_SYSCTLS = {
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
}
STRATEGY_POINTS = {
    "RunAsAny": 40_000,
    "MustRunAsNonRoot": 30_000,
    "MustRunAsRange": 20_000,
    "MustRunAs": 10_000,
}
PROFILE_NAMES = {"RuntimeDefault": "runtime/default", "Unconfined": "unconfined"}
EVERYBODY = ("system:authenticated", "system:serviceaccounts")


@dataclass(frozen=True)
class Namespace:
    """The ids that a namespace assigns to its pods.

    Attributes:
        uids: First and last user id.
        groups: Ranges of group ids; a pod's `fsGroup` is the first id of the first one.
        level: SELinux level.
    """

    uids: tuple[int, int] = (1_000_650_000, 1_000_659_999)
    groups: tuple[tuple[int, int], ...] = ((1_000_650_000, 1_000_659_999),)
    level: str = "s0:c26,c5"


@dataclass(frozen=True)
class Verdict:
    """The result of a pod's admission.

    Attributes:
        constraint: Name of the constraint that admits the pod; empty if none does.
        spec: The pod's `spec` with the defaults set by that constraint.
        refusals: The reasons for refusing the pod, by constraint, for those constraints that the account may
            use.
    """

    constraint: str
    spec: Manifest
    refusals: dict[str, list[str]]


@cache
def shipped_constraints() -> tuple[Manifest, ...]:
    """The constraints of the platform, OpenShift Pipelines and DevSpaces."""
    file = resources.files(__package__) / "data" / "scc.yaml"
    return tuple(yaml.safe_load(file.read_text(encoding="utf-8")))


def in_order(constraints: Iterable[Manifest]) -> list[Manifest]:
    """Sorts constraints in the order of admission: by priority, then restrictiveness, then name."""
    return sorted(constraints, key=lambda c: (-(c.get("priority") or 0), points(c), c["metadata"]["name"]))


def points(constraint: Manifest) -> int:
    """How much a constraint allows, in points: the fewer, the more restrictive."""
    total = 1_600_000 * bool(constraint.get("allowPrivilegedContainer"))
    total += 800_000 * bool(constraint.get("allowHostPorts"))
    total += 400_000 * bool(constraint.get("allowHostNetwork"))
    total += volume_points(constraint)
    for strategy in ("runAsUser", "seLinuxContext"):
        total += STRATEGY_POINTS.get((constraint.get(strategy) or {}).get("type", ""), 0)
    return total + capability_points(constraint)


def volume_points(constraint: Manifest) -> int:
    """The points for volumes."""
    volumes = set(constraint.get("volumes") or ())
    if volumes & {"*", "hostPath"}:
        return 200_000
    return 100_000 if volumes - TRIVIAL_VOLUMES else 0


def capability_points(constraint: Manifest) -> int:
    """The points for capabilities."""
    allowed = constraint.get("allowedCapabilities") or ()
    dropped = constraint.get("requiredDropCapabilities") or ()
    total = 5000 + 300 * len(constraint.get("defaultAddCapabilities") or ())
    for name in allowed:
        total += 4000 if name == "*" or name.upper() == "ALL" else 10
    for name in dropped:
        total -= 3000 if name.upper() == "ALL" else 50
    return min(max(total, 0), 9999)


def may_use(constraint: Manifest, account: str, groups: Iterable[str], granted: Iterable[str]) -> bool:
    """Whether a user may use a constraint.

    Args:
        constraint: The constraint.
        account: Full name of the user, `system:serviceaccount:NAMESPACE:NAME` for a pod's account.
        groups: The user's groups.
        granted: Names of the constraints that a role allows the user to `use` in this namespace.
    """
    mine = set(groups)
    return (
        account in (constraint.get("users") or ())
        or bool(mine & {*(constraint.get("groups") or ()), *(constraint.get("granted") or ())})
        or bool({constraint["metadata"]["name"], "*"} & set(granted))
    )


def admit(
    pod: Pod, constraints: Iterable[Manifest], granted: Iterable[str], namespace: Namespace | None = None
) -> Verdict:
    """Tests a pod against the constraints that its account may use, in order.

    Args:
        pod: The pod.
        constraints: All constraints of the cluster.
        granted: Names of the constraints that a role allows the account to use.
        namespace: The ids that the namespace assigns.
    """
    space = namespace or Namespace()
    refusals: dict[str, list[str]] = {}
    account = f"system:serviceaccount:{pod.namespace}:{pod.account}"
    groups = (*EVERYBODY, f"system:serviceaccounts:{pod.namespace}")
    granted = set(granted)
    for constraint in in_order(one for one in constraints if may_use(one, account, groups, granted)):
        name = constraint["metadata"]["name"]
        spec, reasons = apply(constraint, pod, space)
        if not reasons:
            return Verdict(name, spec, refusals)
        refusals[name] = reasons
    return Verdict("", pod.spec, refusals)


def apply(constraint: Manifest, pod: Pod, namespace: Namespace) -> tuple[Manifest, list[str]]:
    """Sets what a constraint requires and a pod leaves open, and collects what the constraint refuses.

    Returns:
        The completed `spec` of the pod, and a reason for each setting that is refused.
    """
    spec = copy.deepcopy(pod.spec)
    shared = spec["securityContext"] = dict(spec.get("securityContext") or {})
    _fill_pod(constraint, shared, namespace)
    reasons = list(_refused_in_pod(constraint, spec, shared, namespace))
    for kind in ("initContainers", "containers"):
        for container in spec.get(kind) or ():
            own = container["securityContext"] = dict(container.get("securityContext") or {})
            _fill_container(constraint, shared, own, namespace)
            where = container.get("name", "")
            reasons += [
                f"{where}: {why}" for why in _refused_in_container(constraint, shared, own, namespace)
            ]
            if not constraint.get("allowHostPorts"):
                ports = [p["hostPort"] for p in container.get("ports") or () if p.get("hostPort")]
                reasons += [f"{where}: hostPort {port}" for port in ports]
    return spec, reasons


def _ranges(strategy: Manifest, otherwise: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    said = [(one["min"], one["max"]) for one in strategy.get("ranges") or ()]
    return said or list(otherwise)


def _fs_groups(constraint: Manifest, namespace: Namespace) -> list[tuple[int, int]]:
    """The namespace grants only one group, the first."""
    first = namespace.groups[0][0]
    return _ranges(constraint["fsGroup"], [(first, first)])


def _label(constraint: Manifest, namespace: Namespace) -> dict[str, str]:
    return {"level": namespace.level, **((constraint["seLinuxContext"]).get("seLinuxOptions") or {})}


def _uids(constraint: Manifest, namespace: Namespace) -> tuple[int, int]:
    said = constraint["runAsUser"]
    if said["type"] == "MustRunAs":
        uid = said.get("uid", namespace.uids[0])
        return uid, uid
    return said.get("uidRangeMin", namespace.uids[0]), said.get("uidRangeMax", namespace.uids[1])


def _must(constraint: Manifest, strategy: str) -> bool:
    return bool((constraint.get(strategy) or {}).get("type") == "MustRunAs")


def _fill_pod(constraint: Manifest, shared: Manifest, namespace: Namespace) -> None:
    if _must(constraint, "fsGroup") and shared.get("fsGroup") is None:
        shared["fsGroup"] = _fs_groups(constraint, namespace)[0][0]
    if _must(constraint, "supplementalGroups") and not shared.get("supplementalGroups"):
        shared["supplementalGroups"] = [_ranges(constraint["supplementalGroups"], namespace.groups)[0][0]]
    if _must(constraint, "seLinuxContext") and not shared.get("seLinuxOptions"):
        shared["seLinuxOptions"] = _label(constraint, namespace)
    profiles = [name for name in constraint.get("seccompProfiles") or () if name != "*"]
    if profiles and not shared.get("seccompProfile"):
        shared["seccompProfile"] = _profile_field(profiles[0])


def _profile_field(name: str) -> dict[str, str]:
    names = {written: kind for kind, written in PROFILE_NAMES.items()}
    if name.startswith("localhost/"):
        return {"type": "Localhost", "localhostProfile": name.removeprefix("localhost/")}
    return {"type": names.get(name, name)}


def _profile_name(said: Manifest | None) -> str:
    if not said:
        return ""
    if said.get("type") == "Localhost":
        return f"localhost/{said.get('localhostProfile', '')}"
    return PROFILE_NAMES.get(said.get("type", ""), str(said.get("type", "")))


def _fill_container(constraint: Manifest, shared: Manifest, own: Manifest, namespace: Namespace) -> None:
    kind = (constraint.get("runAsUser") or {}).get("type")
    if kind in ("MustRunAs", "MustRunAsRange") and _effective(shared, own, "runAsUser") is None:
        own["runAsUser"] = _uids(constraint, namespace)[0]
    capabilities = own.get("capabilities") or {}
    wanted = constraint.get("defaultAddCapabilities") or ()
    drop = {*(capabilities.get("drop") or ()), *(constraint.get("requiredDropCapabilities") or ())}
    add = {*(capabilities.get("add") or ()), *(set(wanted) - set(capabilities.get("drop") or ()))}
    if add or drop:
        own["capabilities"] = {name: sorted(those) for name, those in (("add", add), ("drop", drop)) if those}
    user = _effective(shared, own, "runAsUser")
    if _effective(shared, own, "runAsNonRoot") is None and (
        user or (user is None and kind == "MustRunAsNonRoot")
    ):
        own["runAsNonRoot"] = True
    if constraint.get("readOnlyRootFilesystem") and own.get("readOnlyRootFilesystem") is None:
        own["readOnlyRootFilesystem"] = True
    escalation = constraint.get("defaultAllowPrivilegeEscalation")
    if constraint.get("allowPrivilegeEscalation") is False:
        escalation = False
    if escalation is not None and own.get("allowPrivilegeEscalation") is None:
        own["allowPrivilegeEscalation"] = escalation


def _effective(shared: Manifest, own: Manifest, name: str) -> Any:
    """The setting of a container, or else of its pod."""
    return own[name] if own.get(name) is not None else shared.get(name)


def _refused_in_pod(
    constraint: Manifest, spec: Manifest, shared: Manifest, namespace: Namespace
) -> Iterator[str]:
    for name, right in (("hostPID", "PID"), ("hostNetwork", "Network"), ("hostIPC", "IPC")):
        if spec.get(name) and not constraint.get(f"allowHost{right}"):
            yield name
    if constraint.get("userNamespaceLevel") == "RequirePodLevel" and spec.get("hostUsers") is not False:
        yield "hostUsers: true"
    if _must(constraint, "fsGroup"):
        yield from _outside("fsGroup", [shared["fsGroup"]], _fs_groups(constraint, namespace))
    if _must(constraint, "supplementalGroups"):
        allowed = _ranges(constraint["supplementalGroups"], namespace.groups)
        yield from _outside("supplementalGroups", shared["supplementalGroups"], allowed)
    if _must(constraint, "seLinuxContext"):
        yield from _other_label(_label(constraint, namespace), shared.get("seLinuxOptions") or {})
    yield from _refused_profile(constraint, shared.get("seccompProfile"))
    yield from _refused_sysctls(constraint, shared.get("sysctls") or ())
    allowed_volumes = set(constraint.get("volumes") or ())
    for volume in spec.get("volumes") or ():
        kind = next((key for key in volume if key != "name"), "emptyDir")
        if not allowed_volumes & {kind, "*"}:
            yield f"{kind} {volume['name']}"


def _outside(name: str, given: Iterable[int], allowed: list[tuple[int, int]]) -> Iterator[str]:
    for one in given:
        if not any(low <= one <= high for low, high in allowed):
            yield f"{name} {one}"


def _other_label(wanted: dict[str, str], given: dict[str, str]) -> Iterator[str]:
    for part in ("level", "role", "type", "user"):
        if given.get(part, "") != wanted.get(part, ""):
            yield f"seLinuxOptions.{part} {given.get(part, '')}".rstrip()


def _refused_profile(constraint: Manifest, said: Manifest | None) -> Iterator[str]:
    name, allowed = _profile_name(said), constraint.get("seccompProfiles") or ()
    if "*" in allowed or (not allowed and not name):
        return
    if name not in {*allowed, *(["runtime/default"] if "docker/default" in allowed else ())}:
        yield f"seccompProfile {name or '–'}"


def _refused_sysctls(constraint: Manifest, sysctls: Iterable[Manifest]) -> Iterator[str]:
    unsafe = constraint.get("allowedUnsafeSysctls") or ()
    forbidden = constraint.get("forbiddenSysctls") or ()

    def matches(name: str, patterns: Iterable[str]) -> bool:
        return any(
            name == pattern or (pattern.endswith("*") and name.startswith(pattern[:-1]))
            for pattern in patterns
        )

    for name in (one["name"] for one in sysctls):
        if matches(name, forbidden) or not (name in SAFE_SYSCTLS or matches(name, unsafe)):
            yield f"sysctl {name}"


def _refused_in_container(
    constraint: Manifest, shared: Manifest, own: Manifest, namespace: Namespace
) -> Iterator[str]:
    if own.get("privileged") and not constraint.get("allowPrivilegedContainer"):
        yield "privileged"
    if constraint.get("readOnlyRootFilesystem") and not own.get("readOnlyRootFilesystem"):
        yield "readOnlyRootFilesystem: false"
    if (
        constraint.get("allowPrivilegeEscalation") is False
        and own.get("allowPrivilegeEscalation") is not False
    ):
        yield "allowPrivilegeEscalation: true"
    yield from _refused_user(constraint, shared, own, namespace)
    if _must(constraint, "seLinuxContext"):
        given = own.get("seLinuxOptions") or shared.get("seLinuxOptions") or {}
        yield from _other_label(_label(constraint, namespace), given)
    yield from _refused_capabilities(constraint, own.get("capabilities") or {})
    yield from _refused_profile(constraint, _effective(shared, own, "seccompProfile"))


def _refused_user(
    constraint: Manifest, shared: Manifest, own: Manifest, namespace: Namespace
) -> Iterator[str]:
    kind, user = constraint["runAsUser"]["type"], _effective(shared, own, "runAsUser")
    if kind in ("MustRunAs", "MustRunAsRange"):
        yield from _outside("runAsUser", [user], [_uids(constraint, namespace)])
    if kind == "MustRunAsNonRoot" and (user == 0 or _effective(shared, own, "runAsNonRoot") is False):
        yield "runAsUser 0"


def _refused_capabilities(constraint: Manifest, said: Manifest) -> Iterator[str]:
    allowed = {
        *(constraint.get("allowedCapabilities") or ()),
        *(constraint.get("defaultAddCapabilities") or ()),
    }
    if "*" in allowed:
        return
    must_go = constraint.get("requiredDropCapabilities") or ()
    for name in said.get("add") or ():
        if name not in allowed:
            yield f"capabilities.add {name}"
    for name in must_go:
        if name not in (said.get("drop") or ()):
            yield f"capabilities.drop {name}"
