"""NetworkPolicies: the recipes of the Kubernetes documentation, with the verdicts that it states.

Source: kubernetes.io, concepts/services-networking/network-policies (the example, default policies,
targeting a range of ports).
"""

from typing import Any

import pytest

from brakepoint.cluster.network import is_open
from brakepoint.delivery.policies import End, matches

NAMESPACES = {
    "default": {"kubernetes.io/metadata.name": "default"},
    "my-project": {"kubernetes.io/metadata.name": "my-project", "project": "myproject"},
    "other": {"kubernetes.io/metadata.name": "other"},
}
DB = End("default", {"role": "db"}, ports={"sql": 6379})
FRONTEND = End("default", {"role": "frontend"})


def policy(selector: dict[str, Any], namespace: str = "default", **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "p", "namespace": namespace}, "spec": {"podSelector": selector, **spec}}


def opened(
    policies: list[dict[str, Any]], source: End, target: End, port: int = 6379, protocol: str = "TCP"
) -> bool:
    return is_open(policies, NAMESPACES, source, target, port, protocol)


EXAMPLE = policy(
    {"matchLabels": {"role": "db"}},
    policyTypes=["Ingress", "Egress"],
    ingress=[
        {
            "from": [
                {"ipBlock": {"cidr": "172.17.0.0/16", "except": ["172.17.1.0/24"]}},
                {"namespaceSelector": {"matchLabels": {"project": "myproject"}}},
                {"podSelector": {"matchLabels": {"role": "frontend"}}},
            ],
            "ports": [{"protocol": "TCP", "port": 6379}],
        }
    ],
    egress=[{"to": [{"ipBlock": {"cidr": "10.0.0.0/24"}}], "ports": [{"protocol": "TCP", "port": 5978}]}],
)


@pytest.mark.parametrize(
    ("source", "is_let_in"),
    [
        (FRONTEND, True),
        (End("default", {"role": "backend"}), False),
        (End("my-project", {"role": "any"}), True),
        (End("other", {"role": "frontend"}), False),
        (End("", address="172.17.0.9"), True),
        (End("", address="172.17.2.255"), True),
        (End("", address="172.17.1.7"), False),
        (End("", address="172.18.0.1"), False),
    ],
)
def test_the_example_lets_in_whom_the_documentation_names(source, is_let_in) -> None:
    assert opened([EXAMPLE], source, DB) is is_let_in


def test_the_example_speaks_of_one_port_and_one_protocol() -> None:
    assert not opened([EXAMPLE], FRONTEND, DB, 6380)
    assert not opened([EXAMPLE], FRONTEND, DB, protocol="UDP")


def test_the_example_lets_out_to_one_network_at_one_port() -> None:
    assert opened([EXAMPLE], DB, End("", address="10.0.0.5"), 5978)
    assert not opened([EXAMPLE], DB, End("", address="10.0.0.5"), 5979)
    assert not opened([EXAMPLE], DB, End("", address="10.0.1.5"), 5978)


def test_a_pod_that_no_policy_selects_is_open() -> None:
    assert opened([EXAMPLE], DB, FRONTEND) is False, "its own egress is closed"
    assert opened([EXAMPLE], End("other"), FRONTEND)


def test_the_default_policies_deny_and_allow_as_documented() -> None:
    deny_in, deny_out = policy({}, policyTypes=["Ingress"]), policy({}, policyTypes=["Egress"])
    allow_in = policy({}, policyTypes=["Ingress"], ingress=[{}])
    allow_out = policy({}, policyTypes=["Egress"], egress=[{}])

    assert not opened([deny_in], FRONTEND, DB)
    assert opened([deny_in], FRONTEND, End("other"))
    assert not opened([deny_out], FRONTEND, End("other"))
    assert opened([deny_in, allow_in], FRONTEND, DB), "policies add up"
    assert opened([deny_out, allow_out], FRONTEND, End("other"))


def test_types_that_are_not_said_follow_from_what_is() -> None:
    assert not opened([policy({})], FRONTEND, DB)
    assert opened([policy({})], DB, End("other"))
    assert opened([policy({}, egress=[])], DB, End("other")), "an empty list says as little as none"
    assert not opened([policy({}, egress=[{"to": [{"podSelector": {}}]}])], DB, End("other"))


def test_both_ends_must_agree() -> None:
    lets_in = policy({"matchLabels": {"role": "db"}}, ingress=[{}])
    keeps_in = policy({"matchLabels": {"role": "frontend"}}, policyTypes=["Egress"])

    assert opened([lets_in], FRONTEND, DB)
    assert not opened([lets_in, keeps_in], FRONTEND, DB)


def test_namespace_and_pod_in_one_peer_must_both_match() -> None:
    both = {
        "namespaceSelector": {"matchLabels": {"project": "myproject"}},
        "podSelector": {"matchLabels": {"role": "client"}},
    }
    spoken = policy({}, ingress=[{"from": [both]}])

    assert opened([spoken], End("my-project", {"role": "client"}), DB)
    assert not opened([spoken], End("my-project", {"role": "other"}), DB)
    assert not opened([spoken], End("default", {"role": "client"}), DB)


def test_ranges_and_names_of_ports_are_understood() -> None:
    ranged = policy({}, ingress=[{"ports": [{"port": 32000, "endPort": 32768}]}])
    named = policy({}, ingress=[{"ports": [{"port": "sql"}]}])

    for port, is_in in ((31999, False), (32000, True), (32768, True), (32769, False)):
        assert opened([ranged], FRONTEND, DB, port) is is_in
    assert opened([named], FRONTEND, DB, 6379)
    assert not opened([named], FRONTEND, DB, 6380)


def test_a_port_without_a_number_is_every_port_of_its_protocol() -> None:
    udp = policy({}, ingress=[{"ports": [{"protocol": "UDP"}]}])

    assert opened([udp], FRONTEND, DB, 53, "UDP")
    assert not opened([udp], FRONTEND, DB, 53, "TCP")


def test_a_block_of_everything_holds_pods_as_well_and_a_smaller_one_is_not_trusted_to() -> None:
    everything = policy({}, ingress=[{"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}])
    most = policy({}, ingress=[{"from": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}}]}])

    assert opened([everything], FRONTEND, DB)
    assert not opened([most], FRONTEND, DB)


@pytest.mark.parametrize(
    ("operator", "values", "labels", "expected"),
    [
        ("In", ["a", "b"], {"key": "a"}, True),
        ("In", ["a"], {"key": "c"}, False),
        ("In", ["a"], {}, False),
        ("NotIn", ["a"], {"key": "b"}, True),
        ("NotIn", ["a"], {}, True),
        ("NotIn", ["a"], {"key": "a"}, False),
        ("Exists", [], {"key": ""}, True),
        ("Exists", [], {}, False),
        ("DoesNotExist", [], {}, True),
        ("DoesNotExist", [], {"key": ""}, False),
    ],
)
def test_expressions_select_as_documented(operator, values, labels, expected) -> None:
    selector = {"matchExpressions": [{"key": "key", "operator": operator, "values": values}]}

    assert matches(selector, labels) is expected
    assert matches({"matchLabels": {"other": "x"}, **selector}, labels) is False


def test_an_unknown_operator_is_not_a_policy() -> None:
    with pytest.raises(ValueError, match="Near"):
        matches({"matchExpressions": [{"key": "key", "operator": "Near"}]}, {})


def test_an_empty_selector_selects_everything() -> None:
    assert matches({}, {}) and matches(None, {"a": "b"})
