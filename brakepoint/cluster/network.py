"""Which connections are open in a cluster under all NetworkPolicies: both ends must allow each."""

from collections.abc import Iterable, Mapping

from brakepoint.cluster.pods import Manifest, namespace_of
from brakepoint.delivery.policies import End, Labels, lets


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
        policies: All policies of the cluster.
        namespaces: Labels of each namespace.
        source: The pod that connects.
        target: The pod to which it connects.
        port: Port of the target's container.
        protocol: TCP, UDP or SCTP.
    """
    policies = list(policies)
    return all(
        lets(
            [policy for policy in policies if namespace_of(policy) == own.namespace],
            namespaces,
            direction,
            own,
            other,
            port,
            protocol,
        )
        for direction, own, other in (("Egress", source, target), ("Ingress", target, source))
        if own.namespace
    )
