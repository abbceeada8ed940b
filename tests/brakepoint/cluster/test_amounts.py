"""Quantities, LimitRange and ResourceQuota, by the rules and examples of the Kubernetes documentation.

Sources: reference/kubernetes-api/common-definitions/quantity, concepts/policy/limit-range,
concepts/policy/resource-quotas, concepts/workloads/pods/init-containers (resource sharing within containers).
"""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brakepoint.cluster.amounts import (
    claim_outside_limits,
    concerns,
    of_container,
    of_pod,
    outside_limits,
    over_quota,
    quantity,
    shown,
    taken,
    unlimited,
    unreadable,
)
from brakepoint.cluster.pods import Pod


def container(**resources: dict[str, str]) -> dict[str, Any]:
    return {"name": "one", "resources": resources}


def pod(*containers: dict[str, Any], first: tuple[dict[str, Any], ...] = (), **others: Any) -> Pod:
    return Pod("pod", "Pod", "here", {"containers": [*containers], "initContainers": [*first]}, **others)


def limit_range(**item: Any) -> dict[str, Any]:
    return {"kind": "LimitRange", "spec": {"limits": [{"type": "Container", **item}]}}


def quota(**hard: str) -> dict[str, Any]:
    return {
        "kind": "ResourceQuota",
        "spec": {"hard": {name.replace("_", "."): one for name, one in hard.items()}},
    }


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("100m", Fraction(1, 10)),
        ("0.5", Fraction(1, 2)),
        (2, Fraction(2)),
        ("128974848", Fraction(128_974_848)),
        ("129e6", Fraction(129_000_000)),
        ("129M", Fraction(129_000_000)),
        ("123Mi", Fraction(128_974_848)),
        ("1Gi", Fraction(2**30)),
        ("1k", Fraction(1000)),
        ("1Ki", Fraction(1024)),
        (".5Ei", Fraction(2**59)),
        ("1n", Fraction(1, 10**9)),
    ],
)
def test_quantities_are_read_as_kubernetes_reads_them(written, expected) -> None:
    assert quantity(written) == expected


@pytest.mark.parametrize(
    "written", ["", "1GB", "1 Gi", "gi", "1mi", "--1", "1e", "1.2.3", "two", "1e999999999"]
)
def test_what_is_not_a_quantity_is_refused(written) -> None:
    with pytest.raises(ValueError):
        quantity(written)


@given(st.integers(0, 10**6), st.sampled_from(["", "m", "k", "M", "Gi"]))
def test_a_larger_number_of_the_same_unit_is_more(number, unit) -> None:
    assert quantity(f"{number}{unit}") < quantity(f"{number + 1}{unit}")


def test_a_request_above_its_limit_and_a_bad_word_are_named() -> None:
    assert unreadable(container(requests={"cpu": "2"}, limits={"cpu": "1"})) == [
        "requests.cpu 2 > limits.cpu 1"
    ]
    assert unreadable(container(requests={"cpu": "1"}, limits={"cpu": "1"})) == []
    assert unreadable(container(requests={"memory": "1GB"})) == ["requests.memory: 1GB"]


def test_a_limit_alone_is_the_request_too() -> None:
    assert of_container(container(limits={"cpu": "2"}))["requests"] == {"cpu": 2}


def test_a_limit_range_fills_in_what_a_container_leaves_open() -> None:
    defaults = [limit_range(default={"cpu": "500m"}, defaultRequest={"cpu": "300m"})]

    assert of_container(container(), defaults) == {
        "requests": {"cpu": Fraction(3, 10)},
        "limits": {"cpu": Fraction(1, 2)},
    }
    own = of_container(container(limits={"cpu": "1"}), defaults)
    assert own == {"requests": {"cpu": 1}, "limits": {"cpu": 1}}
    assert of_container(container(), [limit_range(default={"cpu": "1"})])["requests"] == {"cpu": 1}


def test_a_pod_is_all_its_containers_or_the_largest_that_runs_before_them() -> None:
    small, large = container(requests={"cpu": "1"}), container(requests={"cpu": "5"})

    assert of_pod(pod(small, small, first=(small,)))["requests.cpu"] == 2
    assert of_pod(pod(small, small, first=(small, large)))["requests.cpu"] == 5


def test_a_container_that_stays_counts_beside_the_others() -> None:
    beside = {**container(requests={"cpu": "1"}), "restartPolicy": "Always"}

    assert of_pod(pod(container(requests={"cpu": "2"}), first=(beside,)))["requests.cpu"] == 3
    later = (beside, container(requests={"cpu": "5"}))
    assert of_pod(pod(container(requests={"cpu": "2"}), first=later))["requests.cpu"] == 6


def test_a_limit_range_refuses_too_much_too_little_and_too_wide() -> None:
    def refused(item: dict[str, Any], **resources: dict[str, str]) -> list[str]:
        return list(outside_limits(pod(container(**resources)), [limit_range(**item)]))

    assert refused({"max": {"cpu": "1"}}, limits={"cpu": "1"}) == []
    assert "one: limits.cpu 2 > 1" in refused({"max": {"cpu": "1"}}, limits={"cpu": "2"})
    assert refused({"min": {"cpu": "100m"}}, requests={"cpu": "100m"}) == []
    assert refused({"min": {"cpu": "100m"}}, requests={"cpu": "99m"}) == ["one: requests.cpu 0.099 < 100m"]
    wide = {"requests": {"cpu": "1"}, "limits": {"cpu": "3"}}
    assert refused({"maxLimitRequestRatio": {"cpu": "3"}}, **wide) == []
    too_wide = ["one: limits.cpu / requests.cpu > 2"]
    assert refused({"maxLimitRequestRatio": {"cpu": "2"}}, **wide) == too_wide
    assert refused({"maxLimitRequestRatio": {"cpu": "2"}}, requests={"cpu": "1"}) == too_wide
    assert refused({"maxLimitRequestRatio": {"cpu": "2"}}) == too_wide


def test_the_bounds_of_a_limit_range_are_its_defaults() -> None:
    """`SetDefaults_LimitRangeItem`: a maximum is the limit of who names none, a minimum the request."""
    bounds = [
        limit_range(max={"cpu": "2"}, min={"cpu": "1", "memory": "1Gi"}, defaultRequest={"memory": "2Gi"})
    ]

    assert of_container(container(), bounds) == {
        "requests": {"cpu": 2, "memory": 2 * 2**30},
        "limits": {"cpu": 2},
    }
    assert list(outside_limits(pod(container()), bounds)) == []
    whole = [{"spec": {"limits": [{"type": "Pod", "max": {"cpu": "2"}}]}}]
    assert list(outside_limits(pod(container()), whole)) == ["limits.cpu – > 2"]


def test_each_default_limit_is_the_request_of_who_names_none() -> None:
    defaults = [limit_range(default={"cpu": "1", "memory": "1Gi"}, defaultRequest={"cpu": "500m"})]

    assert of_container(container(), defaults)["requests"] == {"cpu": Fraction(1, 2), "memory": 2**30}


def test_a_request_above_the_default_limit_is_refused() -> None:
    defaults = [limit_range(default={"memory": "2Gi"})]
    refused = list(outside_limits(pod(container(requests={"memory": "3Gi"})), defaults))

    assert refused == ["one: requests.memory 3072Mi > limits.memory 2048Mi"]


def test_a_limit_range_bounds_volumes() -> None:
    def refused(**item: dict[str, str]) -> list[str]:
        ranges = [{"spec": {"limits": [{"type": "PersistentVolumeClaim", **item}]}}]
        return list(claim_outside_limits(claim("2Gi"), ranges))

    assert refused(max={"storage": "2Gi"}, min={"storage": "2Gi"}) == []
    assert refused(max={"storage": "1Gi"}) == ["storage 2048Mi > 1Gi"]
    assert refused(min={"storage": "3Gi"}) == ["storage 2048Mi < 3Gi"]


def test_a_limit_range_for_pods_adds_the_containers_up() -> None:
    item = {"kind": "LimitRange", "spec": {"limits": [{"type": "Pod", "max": {"cpu": "2"}}]}}
    one = container(limits={"cpu": "1"})

    assert list(outside_limits(pod(one, one), [item])) == []
    assert list(outside_limits(pod(one, one, one), [item])) == ["requests.cpu 3 > 2", "limits.cpu 3 > 2"]


def test_where_a_quota_counts_something_every_container_must_say_it() -> None:
    quotas = [quota(requests_cpu="1", limits_memory="1Gi", pods="3")]

    assert list(unlimited(pod(container()), quotas, [])) == ["one: limits.memory", "one: requests.cpu"]
    said = container(requests={"cpu": "1"}, limits={"memory": "1Gi"})
    assert list(unlimited(pod(said), quotas, [])) == []
    filled = [limit_range(default={"memory": "1Gi", "cpu": "1"})]
    assert list(unlimited(pod(container()), quotas, filled)) == []


def test_a_quota_of_cpu_is_one_of_requests() -> None:
    assert list(unlimited(pod(container()), [quota(cpu="1", memory="1Gi")], [])) == [
        "one: requests.cpu",
        "one: requests.memory",
    ]


@pytest.mark.parametrize(
    ("spec", "counted"),
    [
        ({"scopes": ["Terminating"]}, False),
        ({"scopes": ["NotTerminating"]}, True),
        ({"scopes": ["BestEffort"]}, False),
        ({"scopes": ["NotBestEffort", "NotTerminating"]}, True),
        ({"scopeSelector": {"matchExpressions": [("Exists", [])]}}, True),
        ({"scopeSelector": {"matchExpressions": [("DoesNotExist", [])]}}, False),
        ({"scopeSelector": {"matchExpressions": [("In", ["high", "low"])]}}, True),
        ({"scopeSelector": {"matchExpressions": [("NotIn", ["high"])]}}, False),
        ({"scopes": ["SomethingNew"]}, True),
    ],
)
def test_a_quota_counts_only_the_pods_in_its_scopes(spec, counted) -> None:
    for selector in spec.values():
        if isinstance(selector, dict):
            selector["matchExpressions"] = [
                {"scopeName": "PriorityClass", "operator": operator, "values": values}
                for operator, values in selector["matchExpressions"]
            ]
    important = pod(container(requests={"cpu": "1"}))
    important.spec["priorityClassName"] = "high"

    assert concerns({"spec": spec}, important) is counted


def test_of_pods_in_phases_the_largest_phase_counts() -> None:
    one = container(requests={"cpu": "1"})
    those = [
        pod(one, count=2),
        pod(one, phase="run/0"),
        pod(one, one, phase="run/1"),
        pod(one, phase="run/1"),
        pod(one, phase="other/0"),
    ]
    used = taken(those, [], [])

    assert used["requests.cpu"] == 2 + 3 + 1
    assert used["pods"] == 2 + 2 + 1


def test_of_pods_that_wait_for_room_only_the_largest_counts() -> None:
    small, large = (
        Pod(name, "TaskRun", "here", {"containers": [container(requests={"cpu": cores})]}, waits=True)
        for name, cores in (("small", "1"), ("large", "3"))
    )

    assert taken([small, large, small], [], [])["requests.cpu"] == 3
    assert taken([small, large, small], [], [])["pods"] == 1


def claim(size: str, occasion: str = "") -> dict[str, Any]:
    notes = {"brakepoint.io/occasion": occasion} if occasion else {}
    spec = {"resources": {"requests": {"storage": size}}}
    return {"kind": "PersistentVolumeClaim", "metadata": {"name": "c", "annotations": notes}, "spec": spec}


def test_claims_of_different_occasions_are_not_there_at_once() -> None:
    those = [
        claim("1Gi"),
        claim("2Gi", "PipelineRun"),
        claim("2Gi", "TriggerTemplate"),
        claim("2Gi", "TriggerTemplate"),
    ]
    used = taken([], those, [])

    assert used["requests.storage"] == 5 * 2**30
    assert used["persistentvolumeclaims"] == 3


def test_services_with_a_port_of_the_node_are_counted() -> None:
    def service(kind: str) -> dict[str, Any]:
        return {"kind": "Service", "metadata": {"name": "s"}, "spec": {"type": kind}}

    used = taken([], [service("ClusterIP"), service("NodePort"), service("LoadBalancer")], [])

    assert used["services"] == 3
    assert used["services.nodeports"] == 2
    assert used["services.loadbalancers"] == 1


def test_objects_are_counted_by_the_name_of_their_resource() -> None:
    def thing(kind: str, version: str) -> dict[str, Any]:
        return {"kind": kind, "apiVersion": version, "metadata": {"name": "x"}}

    used = taken(
        [],
        [
            thing("Deployment", "apps/v1"),
            thing("NetworkPolicy", "networking.k8s.io/v1"),
            thing("ConfigMap", "v1"),
        ],
        [],
    )

    counted = ("count/deployments.apps", "count/networkpolicies.networking.k8s.io", "count/configmaps")
    assert [used[name] for name in counted] == [1, 1, 1]


def test_a_quota_holds_exactly_what_it_says() -> None:
    used = {"requests.cpu": Fraction(2), "requests.memory": Fraction(3 * 2**20)}

    assert list(over_quota(used, [quota(requests_cpu="2", pods="0")])) == []
    assert list(over_quota(used, [quota(requests_cpu="1999m")])) == ["requests.cpu 2 > 1999m"]
    assert list(over_quota(used, [quota(requests_memory="2Mi")])) == ["requests.memory 3Mi > 2Mi"]


def test_amounts_are_shown_in_their_usual_units() -> None:
    assert shown("requests.storage", Fraction(2**30)) == "1024Mi"
    assert shown("limits.cpu", Fraction(3, 2)) == "1.5"
