"""Pod Security levels: the fixtures and cases of Kubernetes' own admission, with its verdicts.

Sources, in kubernetes/kubernetes, staging/src/k8s.io/pod-security-admission: test/testdata (what passes and
fails at each level) and policy/check_*_test.go (seccompProfile_restricted, runAsNonRoot,
capabilities_restricted, allowPrivilegeEscalation, hostPorts).
"""

from typing import Any

import pytest

from brakepoint.cluster.podsecurity import violations

OWN = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
SHARED = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}


def spec(
    shared: dict[str, Any] | None = None, own: dict[str, Any] | None = None, **others: Any
) -> dict[str, Any]:
    """`base_linux.yaml` of the level restricted, changed."""
    container = {"name": "container1", "securityContext": {**OWN, **(own or {})}}
    first = {"name": "initcontainer1", "securityContext": OWN}
    return {
        "securityContext": {**SHARED, **(shared or {})},
        "containers": [container],
        "initContainers": [first],
        **others,
    }


def test_the_base_passes_every_level() -> None:
    for level in ("privileged", "baseline", "restricted"):
        assert violations(level, spec(os={"name": "linux"})) == []


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (spec(hostNetwork=True), "hostNetwork"),
        (spec(hostPID=True), "hostPID"),
        (spec(hostIPC=True), "hostIPC"),
        (spec(volumes=[{"name": "v", "hostPath": {"path": "/a"}}]), "hostPath v"),
        (spec(own={"privileged": True}), "container1: privileged"),
        (
            spec(own={"capabilities": {"drop": ["ALL"], "add": ["NET_RAW"]}}),
            "container1: capabilities.add NET_RAW",
        ),
        (spec(own={"procMount": "Unmasked"}), "container1: procMount Unmasked"),
        (spec({"seccompProfile": {"type": "Unconfined"}}), "seccompProfile Unconfined"),
        (spec(own={"seccompProfile": {"type": "Unconfined"}}), "container1: seccompProfile Unconfined"),
        (spec({"seLinuxOptions": {"type": "spc_t"}}), "seLinuxOptions"),
        (spec({"seLinuxOptions": {"user": "system_u"}}), "seLinuxOptions"),
        (spec(own={"seLinuxOptions": {"role": "system_r"}}), "container1: seLinuxOptions"),
        (spec({"sysctls": [{"name": "kernel.msgmax"}]}), "sysctl kernel.msgmax"),
        (spec({"windowsOptions": {"hostProcess": True}}), "hostProcess"),
        (spec({"appArmorProfile": {"type": "Unconfined"}}), "appArmorProfile Unconfined"),
    ],
)
def test_what_fails_at_baseline_fails_at_both_levels(changed, reason) -> None:
    assert violations("privileged", changed) == []
    assert reason in violations("baseline", changed)
    assert reason in violations("restricted", changed)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (spec(own={"allowPrivilegeEscalation": True}), "container1: allowPrivilegeEscalation"),
        (spec(own={"allowPrivilegeEscalation": None}), "container1: allowPrivilegeEscalation"),
        (spec(own={"capabilities": {"drop": ["KILL"]}}), "container1: capabilities.drop"),
        (
            spec(own={"capabilities": {"drop": ["ALL"], "add": ["CHOWN"]}}),
            "container1: capabilities.add CHOWN",
        ),
        (spec({"runAsNonRoot": False}), "container1: runAsNonRoot"),
        (spec(own={"runAsNonRoot": False}), "container1: runAsNonRoot"),
        (spec({"runAsUser": 0}), "runAsUser 0"),
        (spec(own={"runAsUser": 0}), "container1: runAsUser 0"),
        (spec({"seccompProfile": None}), "container1: seccompProfile –"),
        (spec(volumes=[{"name": "volume1", "flexVolume": {"driver": "test"}}]), "flexVolume volume1"),
        (spec(volumes=[{"name": "volume1", "nfs": {}}]), "nfs volume1"),
    ],
)
def test_what_fails_at_restricted_alone_passes_at_baseline(changed, reason) -> None:
    assert reason in violations("restricted", changed)
    assert violations("baseline", changed) == []


@pytest.mark.parametrize(
    "changed",
    [
        spec(own={"capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}}),
        spec({"runAsNonRoot": None}, hostUsers=False),
        spec({"seccompProfile": {"type": "Localhost", "localhostProfile": "x"}}),
        spec({"seLinuxOptions": {"type": "container_kvm_t"}}),
        spec({"sysctls": [{"name": "net.ipv4.tcp_keepalive_time"}]}),
        spec(
            volumes=[
                {"name": str(n), kind: {}} for n, kind in enumerate(("secret", "csi", "projected", "image"))
            ]
        ),
        spec(own={"runAsNonRoot": True}, shared={"runAsNonRoot": None}, initContainers=[]),
    ],
)
def test_what_passes_upstream_passes_here(changed) -> None:
    assert violations("restricted", changed) == []


def test_only_ports_of_the_host_count() -> None:
    containers = [
        {"name": "a", "ports": [{"hostPort": 0}]},
        {"name": "b", "ports": [{"hostPort": 0}, {"hostPort": 10}, {"hostPort": 20}]},
    ]

    assert violations("baseline", {"containers": containers}) == ["b: hostPort 10", "b: hostPort 20"]


def test_containers_inherit_a_profile_and_each_that_has_another_is_named() -> None:
    profiles = {"a": None, "c": "Unconfined", "d": "Unconfined", "e": "RuntimeDefault"}
    containers = [
        {"name": name, "securityContext": {**OWN, **({"seccompProfile": {"type": kind}} if kind else {})}}
        for name, kind in profiles.items()
    ]
    found = violations("restricted", {"securityContext": SHARED, "containers": containers})

    assert found == ["c: seccompProfile Unconfined", "d: seccompProfile Unconfined"]


def test_a_probe_of_another_host_is_refused() -> None:
    changed = spec()
    changed["containers"][0]["livenessProbe"] = {"httpGet": {"host": "192.0.2.1", "port": 80}}

    assert violations("baseline", changed) == ["container1: host of a probe"]


def test_an_app_armor_annotation_is_read() -> None:
    key = "container.apparmor.security.beta.kubernetes.io/container1"

    assert violations("baseline", spec(), {key: "localhost/mine"}) == []
    assert violations("baseline", spec(), {key: "unconfined"}) == ["appArmor unconfined"]
