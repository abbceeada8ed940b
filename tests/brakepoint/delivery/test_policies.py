"""Which connections NetworkPolicies allow, clause by clause."""

from typing import Any

import pytest

from brakepoint.delivery.policies import NAMESPACE_NAME, lets_in

BROKER, CAPTURE, OTHER = {"app": "broker", "part": "x"}, {"app": "capture"}, {"app": "other"}


def policy(**spec: Any) -> dict[str, Any]:
    return {"spec": {"podSelector": {"matchLabels": {"app": "broker"}}, "policyTypes": ["Ingress"], **spec}}


def rule(peers: list[dict[str, Any]] | None = None, port: int | None = 1883) -> dict[str, Any]:
    ports = {"ports": [{"port": port}]} if port else {}
    return {**ports, **({"from": peers} if peers is not None else {})}


FROM_CAPTURE = [{"podSelector": {"matchLabels": CAPTURE}}]
"""A peer of the same namespace."""


def test_who_is_spoken_of_by_no_policy_is_reached_by_everybody() -> None:
    assert lets_in([], BROKER, 1883, OTHER)
    assert lets_in([policy()], {"app": "monitor"}, 1883, OTHER)
    assert lets_in([policy(policyTypes=["Egress"])], BROKER, 1883, OTHER)


def test_a_policy_without_a_rule_lets_nobody_in() -> None:
    assert not lets_in([policy()], BROKER, 1883, CAPTURE)
    assert not lets_in([policy(ingress=None)], BROKER, 1883, CAPTURE)


def test_a_policy_that_names_no_type_is_about_what_comes_in() -> None:
    said = policy()
    del said["spec"]["policyTypes"]

    assert not lets_in([said], BROKER, 1883, CAPTURE)


@pytest.mark.parametrize("selector", [None, {}, {"matchLabels": None}])
def test_an_empty_selector_speaks_of_every_pod(selector) -> None:
    assert not lets_in([policy(podSelector=selector)], OTHER, 1883, CAPTURE)


def test_an_empty_rule_lets_everybody_in() -> None:
    assert lets_in([policy(ingress=[None])], BROKER, 9, OTHER, same_namespace=False)
    assert lets_in([policy(ingress=[{}])], BROKER, 9, OTHER, same_namespace=False)


@pytest.mark.parametrize(
    ("source", "port", "same_namespace", "let_in"),
    [
        (CAPTURE, 1883, True, True),
        (OTHER, 1883, True, False),
        (CAPTURE, 1884, True, False),
        (CAPTURE, 1883, False, False),
    ],
)
def test_pod_port_and_namespace_must_all_be_right(source, port, same_namespace, let_in) -> None:
    policies = [policy(ingress=[rule(FROM_CAPTURE)])]

    assert lets_in(policies, BROKER, port, source, same_namespace) is let_in


def test_a_pod_is_in_the_same_namespace_unless_it_is_said_otherwise() -> None:
    assert lets_in([policy(ingress=[rule(FROM_CAPTURE)])], BROKER, 1883, CAPTURE)


def test_a_rule_without_ports_is_about_all_and_a_port_without_number_too() -> None:
    assert lets_in([policy(ingress=[rule(FROM_CAPTURE, None)])], BROKER, 9, CAPTURE)
    assert lets_in([policy(ingress=[{"ports": [{"protocol": "TCP"}]}])], BROKER, 9, CAPTURE)


def test_what_one_policy_lets_in_no_other_keeps_out() -> None:
    assert lets_in([policy(), policy(ingress=[rule(FROM_CAPTURE)])], BROKER, 1883, CAPTURE)


@pytest.mark.parametrize("same_namespace", [True, False])
@pytest.mark.parametrize(
    ("selector", "let_in"), [({}, True), ({"matchLabels": {"network": "ingress"}}, False)]
)
def test_every_namespace_is_let_in_and_the_platforms_own_is_nobody_of_ours(
    selector, let_in, same_namespace
) -> None:
    policies = [policy(ingress=[rule([{"namespaceSelector": selector}])])]

    assert lets_in(policies, BROKER, 1883, OTHER, same_namespace) is let_in


def test_the_namespace_can_be_selected_by_its_name() -> None:
    own = [{"namespaceSelector": {"matchLabels": {NAMESPACE_NAME: "test"}}, "podSelector": {}}]
    policies = [{**policy(ingress=[rule(own)]), "metadata": {"namespace": "test"}}]

    assert lets_in(policies, BROKER, 1883, OTHER)
    assert not lets_in(policies, BROKER, 1883, OTHER, same_namespace=False)


@pytest.mark.parametrize(("cidr", "let_in"), [("0.0.0.0/0", True), ("10.0.0.0/8", False)])
def test_a_pods_address_is_not_known_so_only_a_block_of_everything_holds_it(cidr, let_in) -> None:
    policies = [policy(ingress=[rule([{"ipBlock": {"cidr": cidr}}])])]

    assert lets_in(policies, BROKER, 1883, CAPTURE) is let_in
