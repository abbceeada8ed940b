"""Which connections the NetworkPolicies of a namespace let in. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from brakepoint.delivery.rendering import Manifest

Labels = dict[str, str]


def lets_in(
    policies: Iterable[Manifest], target: Labels, port: int, source: Labels, same_namespace: bool = True
) -> bool:
    """Whether a pod may be reached.

    Args:
        policies: All of the namespace.
        target: Labels of the pod that is to be reached.
        port: And at which port, by TCP.
        source: Labels of the pod that wants to.
        same_namespace: Whether that one is in the same namespace.

    Returns:
        True also when no policy speaks of the target: then everybody may.
    """
    about = [policy["spec"] for policy in policies if _speaks_of(policy["spec"], target)]
    if not about:
        return True
    rules = [rule or {} for spec in about for rule in spec.get("ingress") or ()]
    return any(_has_port(rule, port) and _has_source(rule, source, same_namespace) for rule in rules)


def _speaks_of(spec: dict[str, Any], target: Labels) -> bool:
    return "Ingress" in spec.get("policyTypes", ["Ingress"]) and matches(spec.get("podSelector"), target)


def matches(selector: Manifest | None, labels: Mapping[str, str]) -> bool:
    """Whether a label selector selects; an empty one selects everything.

    Raises:
        ValueError: Kubernetes has no such operator.
    """
    selector = selector or {}
    wanted = selector.get("matchLabels") or {}
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        _holds(one, labels) for one in selector.get("matchExpressions") or ()
    )


def _holds(said: Manifest, labels: Mapping[str, str]) -> bool:
    value, values = labels.get(said["key"]), said.get("values") or ()
    match said["operator"]:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
    raise ValueError(said["operator"])


def _has_port(rule: dict[str, Any], port: int) -> bool:
    return not rule.get("ports") or any(
        said.get("port", port) == port and said.get("protocol", "TCP") == "TCP" for said in rule["ports"]
    )


def _has_source(rule: dict[str, Any], source: Labels, same_namespace: bool) -> bool:
    peers = rule.get("from")
    return not peers or any(
        _has_namespace(peer, same_namespace) and matches(peer.get("podSelector"), source)
        for peer in peers
        if "ipBlock" not in peer
    )


def _has_namespace(peer: dict[str, Any], same_namespace: bool) -> bool:
    """An empty selector is every namespace; one with labels means the platform's, never an attendee's."""
    if "namespaceSelector" in peer:
        return not peer["namespaceSelector"]
    return same_namespace
