"""Kubernetes quantities, LimitRanges and ResourceQuotas: what pods use, and what a namespace grants."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import cache

from brakepoint.cluster.pods import Manifest, Pod
from brakepoint.cluster.tekton import OCCASION

SUFFIXES = {
    **{
        name: Fraction(10) ** power
        for name, power in zip("numkMGTPE", (-9, -6, -3, 3, 6, 9, 12, 15, 18), strict=True)
    },
    **{f"{name}i": Fraction(1024) ** power for power, name in enumerate("KMGTPE", 1)},
    "": Fraction(1),
}
QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:[eE]([+-]?\d{1,3})|([numkMGTPE]|[KMGTPE]i)?)")
KINDS = ("requests", "limits")
Amounts = dict[str, Fraction]
"""Amounts by name: `cpu` in cores, `memory` in bytes, or with a prefix as in a quota: `requests.cpu`."""


@cache
def quantity(written: object) -> Fraction:
    """A quantity as a number of cores, bytes or objects.

    Raises:
        ValueError: Kubernetes would reject the quantity.
    """
    found = QUANTITY.fullmatch(str(written))
    if found is None:
        raise ValueError(str(written))
    number, exponent, suffix = found.groups()
    return Fraction(number) * (Fraction(10) ** int(exponent) if exponent else SUFFIXES[suffix or ""])


def unreadable(container: Manifest) -> list[str]:
    """The quantities of a container that Kubernetes would refuse, or that contradict each other."""
    said, found = container.get("resources") or {}, []
    for kind in KINDS:
        for name, written in (said.get(kind) or {}).items():
            try:
                quantity(written)
            except ValueError:
                found.append(f"{kind}.{name}: {written}")
    if not found:
        limits = said.get("limits") or {}
        for name, written in (said.get("requests") or {}).items():
            if name in limits and quantity(written) > quantity(limits[name]):
                found.append(f"requests.{name} {written} > limits.{name} {limits[name]}")
    return found


def of_container(container: Manifest, limit_ranges: Iterable[Manifest] = ()) -> dict[str, Amounts]:
    """Requests and limits, including defaults from the API server and the namespace's LimitRanges."""
    said = container.get("resources") or {}
    amounts = {kind: {name: quantity(one) for name, one in (said.get(kind) or {}).items()} for kind in KINDS}
    for name, limit in amounts["limits"].items():
        amounts["requests"].setdefault(name, limit)
    for item in _items(limit_ranges, "Container"):
        for kind, filled in _defaults(item).items():
            for name, written in filled.items():
                amounts[kind].setdefault(name, quantity(written))
    return amounts


def _defaults(item: Manifest) -> dict[str, Manifest]:
    """The defaults of a LimitRange; the API server derives missing defaults from the LimitRange's bounds."""
    limits = {**(item.get("max") or {}), **(item.get("default") or {})}
    return {
        "limits": limits,
        "requests": {**(item.get("min") or {}), **limits, **(item.get("defaultRequest") or {})},
    }


def _items(limit_ranges: Iterable[Manifest], kind: str) -> Iterator[Manifest]:
    for limit_range in limit_ranges:
        yield from (item for item in limit_range["spec"].get("limits") or () if item.get("type") == kind)


def of_pod(pod: Pod, limit_ranges: Iterable[Manifest] = ()) -> Amounts:
    """The resources of one pod: the sum of its containers, or its largest init container, if larger."""
    limit_ranges = list(limit_ranges)
    together: Counter[str] = Counter()
    before: dict[str, Fraction] = defaultdict(Fraction)
    for container in pod.spec.get("initContainers") or ():
        now = Counter(together)
        now.update(_flat(of_container(container, limit_ranges)))
        if container.get("restartPolicy") == "Always":
            together = now
        for name in now:
            before[name] = max(before[name], Fraction(now[name]))
    for container in pod.spec.get("containers") or ():
        together.update(_flat(of_container(container, limit_ranges)))
    return {name: max(Fraction(together[name]), before[name]) for name in {*together, *before}}


def _flat(amounts: dict[str, Amounts]) -> Amounts:
    return {f"{kind}.{name}": amount for kind in KINDS for name, amount in amounts[kind].items()}


def outside_limits(pod: Pod, limit_ranges: Iterable[Manifest]) -> Iterator[str]:
    """The violations of a LimitRange in a pod."""
    limit_ranges = list(limit_ranges)
    for container in pod.containers:
        amounts = of_container(container, limit_ranges)
        for name, request in amounts["requests"].items():
            if request > (limit := amounts["limits"].get(name, request)):  # Then the limit is a default.
                upside_down = f"requests.{name} {shown(name, request)} > limits.{name} {shown(name, limit)}"
                yield f"{container['name']}: {upside_down}"
        for item in _items(limit_ranges, "Container"):
            yield from (f"{container['name']}: {why}" for why in _outside(amounts, item))
    flat = of_pod(pod, limit_ranges)
    whole = {
        kind: {n.removeprefix(f"{kind}."): a for n, a in flat.items() if n.startswith(kind)} for kind in KINDS
    }
    for item in _items(limit_ranges, "Pod"):
        yield from _outside(whole, item)


def _outside(amounts: dict[str, Amounts], item: Manifest) -> Iterator[str]:
    for name, written in (item.get("max") or {}).items():
        if amounts["limits"].get(name) is None:
            yield f"limits.{name} – > {written}"
        for kind in KINDS:
            if amounts[kind].get(name, Fraction(0)) > quantity(written):
                yield f"{kind}.{name} {shown(name, amounts[kind][name])} > {written}"
    for name, written in (item.get("min") or {}).items():
        if amounts["requests"].get(name, Fraction(0)) < quantity(written):
            yield f"requests.{name} {shown(name, amounts['requests'].get(name, Fraction(0)))} < {written}"
    for name, written in (item.get("maxLimitRequestRatio") or {}).items():
        request, limit = amounts["requests"].get(name), amounts["limits"].get(name)
        if not (request and limit) or limit / request > quantity(written):
            yield f"limits.{name} / requests.{name} > {written}"


def claim_outside_limits(claim: Manifest, limit_ranges: Iterable[Manifest]) -> Iterator[str]:
    """The violations of a LimitRange in a volume claim."""
    for item in _items(limit_ranges, "PersistentVolumeClaim"):
        for name, written in (item.get("max") or {}).items():
            if _size(claim) > quantity(written):
                yield f"{name} {shown(name, _size(claim))} > {written}"
        for name, written in (item.get("min") or {}).items():
            if _size(claim) < quantity(written):
                yield f"{name} {shown(name, _size(claim))} < {written}"


def _size(claim: Manifest) -> Fraction:
    return quantity(((claim["spec"].get("resources") or {}).get("requests") or {}).get("storage", 0))


def concerns(quota: Manifest, pod: Pod, limit_ranges: Iterable[Manifest] = ()) -> bool:
    """Whether a quota counts a pod: scopes restrict a quota to some pods."""
    spec = quota["spec"]
    scopes = [{"scopeName": name, "operator": "Exists"} for name in spec.get("scopes") or ()]
    scopes += (spec.get("scopeSelector") or {}).get("matchExpressions") or ()
    return all(_is_in(scope, pod, limit_ranges) for scope in scopes)


def _is_in(scope: Manifest, pod: Pod, limit_ranges: Iterable[Manifest]) -> bool:
    has_deadline = pod.spec.get("activeDeadlineSeconds") is not None
    says_nothing = not any(name.endswith((".cpu", ".memory")) for name in of_pod(pod, limit_ranges))
    name, values = str(pod.spec.get("priorityClassName") or ""), scope.get("values") or ()
    match scope["scopeName"], scope["operator"]:
        case "Terminating", _:
            return has_deadline
        case "NotTerminating", _:
            return not has_deadline
        case "BestEffort", _:
            return says_nothing
        case "NotBestEffort", _:
            return not says_nothing
        case "PriorityClass", "Exists" | "DoesNotExist" as operator:
            return bool(name) is bool(operator == "Exists")
        case "PriorityClass", operator:
            return (name in values) is bool(operator == "In")
    return True


def unlimited(pod: Pod, quotas: Iterable[Manifest], limit_ranges: Iterable[Manifest]) -> Iterator[str]:
    """Resources that a quota requires and a container does not specify: the pod is then refused."""
    limit_ranges = list(limit_ranges)
    wanted = {
        name if "." in name else f"requests.{name}"
        for quota in quotas
        if concerns(quota, pod, limit_ranges)
        for name in quota["spec"].get("hard") or ()
    }
    wanted &= {f"{kind}.{name}" for kind in KINDS for name in ("cpu", "memory")}
    for container in pod.containers:
        said = _flat(of_container(container, limit_ranges))
        yield from (f"{container['name']}: {name}" for name in sorted(wanted - said.keys()))


def taken(pods: Iterable[Pod], manifests: Iterable[Manifest], limit_ranges: Iterable[Manifest]) -> Amounts:
    """The peak usage of a namespace, by the resource names of a quota.

    Args:
        pods: All pods of the namespace. Of the pods with phases, the largest phase of each run counts.
        manifests: The other objects that count: volume claims, Services and so on.
        limit_ranges: LimitRanges of the namespace.
    """
    limit_ranges = list(limit_ranges)
    total: Counter[str] = Counter()
    phases: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for number, pod in enumerate(pods):
        run, _, step = pod.phase.partition("/")
        own = {**of_pod(pod, limit_ranges), "pods": Fraction(1)}
        if pod.waits:  # These wait until the quota has room, which must be enough for the largest.
            run, step = "waiting", str(number)
        counter = phases[run][step] if run else total
        for name, amount in own.items():
            counter[name] += amount * pod.count  # type: ignore[assignment]
    for manifest in manifests:
        occasion = (manifest["metadata"].get("annotations") or {}).get(OCCASION, "")
        (phases["claims"][occasion] if occasion else total).update(_counted(manifest))
    for steps in phases.values():
        for name in {name for step in steps.values() for name in step}:
            total[name] += max(step[name] for step in steps.values())
    for name in ("cpu", "memory"):
        total[name] = total[f"requests.{name}"]
    return {name: Fraction(amount) for name, amount in total.items()}


def _counted(manifest: Manifest) -> Counter[str]:
    kind, spec = manifest["kind"], manifest.get("spec") or {}
    group = manifest.get("apiVersion", "v1").rpartition("/")[0]
    plural = re.sub("ys$", "ies", f"{kind.lower()}s")
    counted: Counter[str] = Counter({f"count/{plural}.{group}".rstrip("."): 1})
    if kind == "PersistentVolumeClaim":
        counted.update({"persistentvolumeclaims": 1, "requests.storage": _size(manifest)})
    if kind in ("Service", "Secret", "ConfigMap"):
        counted[f"{kind.lower()}s"] += 1
    if kind == "Service" and spec.get("type") in ("NodePort", "LoadBalancer"):
        counted["services.nodeports"] += 1
        counted["services.loadbalancers"] += spec["type"] == "LoadBalancer"
    return counted


def over_quota(used: Amounts, quotas: Iterable[Manifest]) -> Iterator[str]:
    """The amounts that exceed a quota, each with what is used and what is available."""
    for quota in quotas:
        for name, written in (quota["spec"].get("hard") or {}).items():
            if used.get(name, Fraction(0)) > quantity(written):
                yield f"{name} {shown(name, used[name])} > {written}"


def shown(name: str, amount: Fraction) -> str:
    """An amount in readable form: `1.5`, `2560Mi`."""
    if "memory" in name or "storage" in name:
        return f"{float(amount / 1024**2):g}Mi"
    return f"{float(amount):g}"
