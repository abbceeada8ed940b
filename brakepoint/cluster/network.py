"""Which connections are open, by all NetworkPolicies together.

The rules are those of networking.k8s.io/v1: a pod that no policy selects is open. Where some select it, each
adds what it allows, by direction, and both ends must allow a connection.
"""

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from brakepoint.cluster.pods import Manifest, namespace_of
from brakepoint.delivery.policies import matches

Labels = Mapping[str, str]


@dataclass(frozen=True)
class End:
    """One end of a connection.

    Attributes:
        namespace: Where the pod is; empty for what is outside of the cluster.
        labels: The pod's.
        address: Of what is outside.
        ports: Numbers of the ports that have a name.
    """

    namespace: str
    labels: Labels = field(default_factory=dict)
    address: str = ""
    ports: Mapping[str, int] = field(default_factory=dict)


def is_open(
    policies: Iterable[Manifest],
    namespaces: Mapping[str, Labels],
    source: End,
    target: End,
    port: int,
    protocol: str = "TCP",
) -> bool:
    """Whether a connection is allowed at both ends.

    Args:
        policies: All of the cluster.
        namespaces: Labels of each namespace.
        source: Who connects.
        target: To whom.
        port: Of the target's container.
        protocol: TCP, UDP or SCTP.
    """
    policies = list(policies)
    return all(
        _lets(policies, namespaces, direction, own, other, target.ports, port, protocol)
        for direction, own, other in (("Egress", source, target), ("Ingress", target, source))
        if own.namespace
    )


def _lets(
    policies: list[Manifest],
    namespaces: Mapping[str, Labels],
    direction: str,
    own: End,
    other: End,
    named: Mapping[str, int],
    port: int,
    protocol: str,
) -> bool:
    about = [policy["spec"] for policy in policies if _speaks_of(policy, direction, own)]
    rules = [rule or {} for spec in about for rule in spec.get(direction.lower()) or ()]
    side = "to" if direction == "Egress" else "from"
    return not about or any(
        _has_port(rule, named, port, protocol)
        and (not rule.get(side) or any(_is_peer(peer, namespaces, own, other) for peer in rule[side]))
        for rule in rules
    )


def _speaks_of(policy: Manifest, direction: str, end: End) -> bool:
    spec = policy["spec"]
    types = spec.get("policyTypes") or ["Ingress", *(["Egress"] if "egress" in spec else [])]
    here = namespace_of(policy) == end.namespace
    return here and direction in types and matches(spec.get("podSelector"), end.labels)


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
    """A pod's address is not known beforehand: only a block of everything is sure to hold it."""
    net = ipaddress.ip_network(block["cidr"], strict=False)
    if not other.address:
        return net.prefixlen == 0 and not block.get("except")
    address = ipaddress.ip_address(other.address)
    return address in net and not any(
        address in ipaddress.ip_network(one, strict=False) for one in block.get("except") or ()
    )
