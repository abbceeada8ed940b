"""Which connections the NetworkPolicies of a namespace allow; the functions are pure.

The rules are those of networking.k8s.io/v1: a pod that no policy selects is open. If several policies select
a pod, everything that any of them allows is allowed, per direction.
"""

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from brakepoint.delivery.rendering import Manifest

Labels = Mapping[str, str]

NAMESPACE_NAME = "kubernetes.io/metadata.name"
"""The label in which Kubernetes keeps a namespace's name."""
ELSEWHERE = "elsewhere"
"""A placeholder for any namespace of another person."""


@dataclass(frozen=True)
class End:
    """One end of a connection.

    Attributes:
        namespace: Namespace of the pod; empty for addresses outside the cluster.
        labels: Labels of the pod.
        address: Address if outside the cluster.
        ports: Numbers of the named ports.
    """

    namespace: str
    labels: Labels = field(default_factory=dict)
    address: str = ""
    ports: Mapping[str, int] = field(default_factory=dict)


def lets_in(
    policies: Iterable[Manifest],
    target: Labels,
    port: int,
    source: Labels,
    same_namespace: bool = True,
    named: Mapping[str, int] | None = None,
) -> bool:
    """Whether a pod may be reached.

    Args:
        policies: All policies of the namespace.
        target: Labels of the pod to reach.
        port: TCP port of that pod.
        source: Labels of the connecting pod.
        same_namespace: Whether the connecting pod is in the target's namespace; if not, its namespace is
            assumed to have no labels other than its name, like an attendee's and unlike the platform's.
        named: Numbers of the target's named ports.

    Returns:
        Also True if no policy selects the target, which is then open.
    """
    policies = list(policies)
    names = (policy.get("metadata", {}).get("namespace") for policy in policies)
    here = next((name for name in names if name), "here")
    namespaces = {name: {NAMESPACE_NAME: name} for name in (here, ELSEWHERE)}
    pod = End(here if same_namespace else ELSEWHERE, source)
    return lets(policies, namespaces, "Ingress", End(here, target, ports=named or {}), pod, port)


def lets(
    policies: Iterable[Manifest],
    namespaces: Mapping[str, Labels],
    direction: str,
    own: End,
    other: End,
    port: int,
    protocol: str = "TCP",
) -> bool:
    """Whether a connection is allowed at one of its ends.

    Args:
        policies: All policies of that end's namespace.
        namespaces: Labels of each namespace.
        direction: `Ingress` if this end receives the connection, `Egress` if it connects.
        own: This end.
        other: The other end.
        port: Port of the receiving container.
        protocol: TCP, UDP or SCTP.
    """
    about = [policy["spec"] for policy in policies if _speaks_of(policy["spec"], direction, own)]
    rules = [rule or {} for spec in about for rule in spec.get(direction.lower()) or ()]
    side, named = ("to", other.ports) if direction == "Egress" else ("from", own.ports)
    return not about or any(
        _has_port(rule, named, port, protocol)
        and (not rule.get(side) or any(_is_peer(peer, namespaces, own, other) for peer in rule[side]))
        for rule in rules
    )


def _speaks_of(spec: dict[str, Any], direction: str, end: End) -> bool:
    types = spec.get("policyTypes") or ["Ingress", *(["Egress"] if spec.get("egress") else [])]
    return direction in types and matches(spec.get("podSelector"), end.labels)


def matches(selector: Manifest | None, labels: Mapping[str, str]) -> bool:
    """Whether a selector matches these labels; an empty selector matches everything.

    Raises:
        ValueError: There is no such operator in Kubernetes.
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


def _has_port(rule: Manifest, named: Mapping[str, int], port: int, protocol: str) -> bool:
    def covers(said: Manifest) -> bool:
        if said.get("protocol", "TCP") != protocol:
            return False
        first = said.get("port")
        if first is None:
            return True
        if isinstance(first, str):
            return named.get(first) == port
        return bool(first <= port <= (said.get("endPort") or first))

    return not rule.get("ports") or any(covers(said) for said in rule["ports"])


def _is_peer(peer: Manifest, namespaces: Mapping[str, Labels], own: End, other: End) -> bool:
    if "ipBlock" in peer:
        return _in_block(peer["ipBlock"], other)
    if not other.namespace:
        return False
    if "namespaceSelector" in peer:
        near = matches(peer["namespaceSelector"], namespaces.get(other.namespace, {}))
    else:
        near = other.namespace == own.namespace
    return near and matches(peer.get("podSelector"), other.labels)


def _in_block(block: Manifest, other: End) -> bool:
    """A pod's address isn't known in advance: only a block of all addresses is certain to contain it."""
    net = ipaddress.ip_network(block["cidr"], strict=False)
    if not other.address:
        return net.prefixlen == 0 and not block.get("except")
    address = ipaddress.ip_address(other.address)
    return address in net and not any(
        address in ipaddress.ip_network(one, strict=False) for one in block.get("except") or ()
    )
