"""Security context constraints: upstream's own cases with known verdicts, and those of the platform.

The cases not named after the kit are those of openshift/apiserver-library-go, pkg/securitycontextconstraints:
`util/sort/byrestrictions_test.go`, and `sccadmission/admission_test.go` (TestAdmitCaps, TestAdmitSuccess,
TestAdmitFailure, TestAdmitWithPrioritizedSCC, TestAdmitSeccomp). The namespace there grants uid 1 to 3,
groups 2 to 3 and the level s0:c1,c0.
"""

from typing import Any

import pytest

from brakepoint.cluster.constraints import (
    Namespace,
    admit,
    apply,
    capability_points,
    in_order,
    points,
    shipped_constraints,
    volume_points,
)
from brakepoint.cluster.pods import Pod

UPSTREAM = Namespace(uids=(1, 3), groups=((2, 3),), level="s0:c1,c0")
EVERYBODY = {"groups": ["system:serviceaccounts"]}
SHIPPED = {one["metadata"]["name"]: one for one in shipped_constraints()}
RUNTIME_DEFAULT = {"seccompProfile": {"type": "RuntimeDefault"}}


def constraint(name: str, uid: int | None = None, **fields: Any) -> dict[str, Any]:
    """`restrictiveSCC` of upstream with a uid, `laxSCC` without one."""
    if uid is None:
        names = ("runAsUser", "seLinuxContext", "fsGroup", "supplementalGroups")
        strategies: dict[str, Any] = {name: {"type": "RunAsAny"} for name in names}
        rights = ("PrivilegedContainer", "HostNetwork", "HostPorts", "HostPID", "HostIPC")
        strategies |= {f"allow{right}": True for right in rights}
    else:
        group = {"type": "MustRunAs", "ranges": [{"min": uid, "max": uid}]}
        strategies = {
            "runAsUser": {"type": "MustRunAs", "uid": uid},
            "seLinuxContext": {"type": "MustRunAs", "seLinuxOptions": {"level": "s9:z0,z1"}},
            "fsGroup": group,
            "supplementalGroups": group,
        }
    return {"metadata": {"name": name}, **EVERYBODY, **strategies, **fields}


def of_namespace(**fields: Any) -> dict[str, Any]:
    """`saSCC` of upstream: everything as the namespace defines it."""
    names = ("seLinuxContext", "fsGroup", "supplementalGroups")
    strategies = {name: {"type": "MustRunAs"} for name in names}
    return {
        "metadata": {"name": "scc-sa"},
        **EVERYBODY,
        "runAsUser": {"type": "MustRunAsRange"},
        **strategies,
        **fields,
    }


def pod(
    shared: dict[str, Any] | None = None,
    own: dict[str, Any] | None = None,
    first: bool = False,
    **spec: Any,
) -> Pod:
    container = {"name": "container", "securityContext": own or {}}
    kind = "initContainers" if first else "containers"
    return Pod("pod", "Pod", "default", {"securityContext": shared or {}, kind: [container], **spec})


def verdict(of: Pod, *those: dict[str, Any], granted: tuple[str, ...] = ()) -> str:
    return admit(of, those, granted, UPSTREAM).constraint


RESTRICTIVE = constraint("restrictive", 999)


@pytest.mark.parametrize("first", [False, True], ids=["containers", "initContainers"])
@pytest.mark.parametrize(
    ("capabilities", "fields", "is_admitted"),
    [
        ({"add": ["foo"]}, {}, False),
        ({"add": ["foo"]}, {"allowedCapabilities": ["foo"]}, True),
        ({"add": ["foo"]}, {"defaultAddCapabilities": ["foo"]}, True),
        ({"add": ["foo"]}, {"requiredDropCapabilities": ["foo"]}, False),
        ({"drop": ["foo"]}, {"requiredDropCapabilities": ["foo"]}, True),
        ({}, {"defaultAddCapabilities": ["foo"]}, True),
        ({}, {"requiredDropCapabilities": ["foo"]}, True),
        ({"add": ["foo"]}, {"allowedCapabilities": ["*"]}, True),
    ],
)
def test_capabilities_are_judged_as_upstream_does(first, capabilities, fields, is_admitted) -> None:
    of = pod(own={"capabilities": capabilities}, first=first)

    assert bool(verdict(of, RESTRICTIVE, constraint("other", 999, **fields))) is is_admitted


def test_what_must_be_added_or_dropped_is_filled_in() -> None:
    for field, filled in (("defaultAddCapabilities", "add"), ("requiredDropCapabilities", "drop")):
        spec, reasons = apply(constraint("one", 999, **{field: ["foo"]}), pod(), UPSTREAM)

        assert spec["containers"][0]["securityContext"]["capabilities"] == {filled: ["foo"]}
        assert reasons == []


@pytest.mark.parametrize(
    ("fields", "own", "filled"),
    [
        ({}, {}, None),
        ({"allowPrivilegeEscalation": True}, {}, None),
        ({"allowPrivilegeEscalation": False}, {}, False),
        ({"allowPrivilegeEscalation": False}, {"allowPrivilegeEscalation": True}, True),
        ({"defaultAllowPrivilegeEscalation": True}, {}, True),
        ({"defaultAllowPrivilegeEscalation": False}, {"allowPrivilegeEscalation": True}, True),
    ],
)
def test_privilege_escalation_is_filled_in_only_where_the_constraint_decides_it(fields, own, filled) -> None:
    spec, _ = apply(constraint("one", 999, **fields), pod(own=own), UPSTREAM)

    assert spec["containers"][0]["securityContext"].get("allowPrivilegeEscalation") is filled


@pytest.mark.parametrize(
    ("shared", "own"),
    [
        ({}, {"runAsUser": 3}),
        ({}, {"seLinuxOptions": {"level": "s0:c1,c0"}}),
        ({"fsGroup": 2}, {}),
        ({"supplementalGroups": [3]}, {}),
        ({"seLinuxOptions": {"level": "s0:c1,c0"}}, {}),
    ],
)
def test_what_the_namespace_grants_is_admitted_by_the_constraint_that_fits(shared, own) -> None:
    exact = constraint("scc-sa-exact", 9999)

    assert verdict(pod(shared, own), exact, of_namespace()) == "scc-sa"


FAILURES: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ({}, {"runAsUser": 1001}, {}),
    ({}, {"seLinuxOptions": {"level": "s1:q0,q1"}}, {}),
    ({}, {"privileged": True}, {}),
    ({}, {}, {"hostNetwork": True}),
    ({}, {}, {"hostPID": True}),
    ({}, {}, {"hostIPC": True}),
    ({"supplementalGroups": [1]}, {}, {}),
    ({"fsGroup": 1}, {}, {}),
    ({"seLinuxOptions": {"user": "user", "type": "type", "role": "role", "level": "level"}}, {}, {}),
]


@pytest.mark.parametrize(("shared", "own", "spec"), FAILURES)
def test_what_the_namespace_does_not_grant_needs_a_laxer_constraint(shared, own, spec) -> None:
    of, strict = pod(shared, own, **spec), (constraint("scc-sa-exact", 9999), of_namespace())

    assert verdict(of, *strict) == ""
    assert verdict(of, *strict, constraint("scc-admin")) == "scc-admin"


def test_a_port_of_the_host_needs_a_laxer_constraint() -> None:
    of = pod()
    of.spec["containers"][0]["ports"] = [{"containerPort": 1, "hostPort": 1}]

    assert verdict(of, of_namespace()) == ""
    assert verdict(of, of_namespace(), constraint("scc-admin")) == "scc-admin"


def test_constraints_are_tried_by_priority_then_restriction_then_name() -> None:
    def lax(name: str, user: dict[str, Any], priority: int) -> dict[str, Any]:
        return constraint(name, runAsUser=user, priority=priority)

    five = {"type": "MustRunAs", "uid": 5}
    those = [
        lax("matchingPriorityAndScoreSCCTwo", {"type": "MustRunAs", "uid": 6}, 1),
        lax("matchingPrioritySCCTwo", {"type": "MustRunAsRange", "uidRangeMin": 5, "uidRangeMax": 5}, 5),
        lax("matchingPrioritySCCOne", five, 5),
        lax("matchingPriorityAndScoreSCCOne", {"type": "MustRunAs", "uid": 6}, 1),
        {**RESTRICTIVE, "priority": 100},
    ]

    assert [one["metadata"]["name"] for one in in_order(those)] == [
        "restrictive",
        "matchingPrioritySCCOne",
        "matchingPrioritySCCTwo",
        "matchingPriorityAndScoreSCCOne",
        "matchingPriorityAndScoreSCCTwo",
    ]
    assert verdict(pod(), *those) == "restrictive"
    assert verdict(pod(own={"runAsUser": 5}), *those) == "matchingPrioritySCCOne"
    assert verdict(pod(own={"runAsUser": 6}), *those) == "matchingPriorityAndScoreSCCOne"


@pytest.mark.parametrize(
    ("of_pod", "of_container", "allowed", "is_admitted"),
    [
        ("", "", [], True),
        ("foo", "bar", [], False),
        ("", "", ["foo"], True),
        ("foo", "", ["foo"], True),
        ("", "foo", ["foo"], True),
        ("foo", "bar", ["foo"], False),
        ("", "", ["*"], True),
        ("foo", "bar", ["*"], True),
    ],
)
def test_seccomp_profiles_are_judged_as_upstream_does(of_pod, of_container, allowed, is_admitted) -> None:
    def said(profile: str) -> dict[str, Any]:
        local = {"type": "Localhost", "localhostProfile": profile}
        return {"seccompProfile": local} if profile else {}

    known = [one if one == "*" else f"localhost/{one}" for one in allowed]
    of = pod(said(of_pod), said(of_container))

    assert bool(verdict(of, constraint("one", 999, seccompProfiles=known))) is is_admitted


@pytest.mark.parametrize(
    ("volumes", "expected"),
    [
        (["*"], 200_000),
        (["hostPath"], 200_000),
        (["hostPath", "awsElasticBlockStore", "secret"], 200_000),
        (["awsElasticBlockStore"], 100_000),
        (["awsElasticBlockStore", "secret"], 100_000),
        (["secret"], 0),
        (["configMap"], 0),
        (["emptyDir"], 0),
        (["downwardAPI"], 0),
        (["projected"], 0),
        (["none"], 0),
        ([], 0),
    ],
)
def test_volumes_score_as_upstream_scores_them(volumes, expected) -> None:
    assert volume_points({"volumes": volumes}) == expected


@pytest.mark.parametrize(
    ("added", "allowed", "dropped", "expected"),
    [
        ([], [], [], 5000),
        (["KILL", "MKNOD"], [], [], 5600),
        ([], ["KILL", "MKNOD"], [], 5020),
        ([], ["*"], [], 9000),
        ([], ["ALL"], [], 9000),
        ([], ["All"], [], 9000),
        ([], [], ["KILL", "MKNOD"], 4900),
        ([], [], ["ALL"], 2000),
        ([], [], ["all"], 2000),
        ([], [], ["*"], 4950),
        (["SETUID", "SETGID"], ["*"], ["SYS_CHROOT"], 9550),
        (["A", "B", "C"], ["*"] * 2, [], 9999),
        ([], [], ["ALL", "ALL"], 0),
    ],
)
def test_capabilities_score_as_upstream_scores_them(added, allowed, dropped, expected) -> None:
    said = {
        "defaultAddCapabilities": added,
        "allowedCapabilities": allowed,
        "requiredDropCapabilities": dropped,
    }

    assert capability_points(said) == expected


def test_every_strategy_scores_as_upstream_scores_it() -> None:
    user_points = {
        "RunAsAny": 40_000,
        "MustRunAsNonRoot": 30_000,
        "MustRunAsRange": 20_000,
        "MustRunAs": 10_000,
    }
    for user, expected in user_points.items():
        said = {"runAsUser": {"type": user}, "seLinuxContext": {"type": "MustRunAs"}}

        assert points(said) == expected + 10_000 + 5000
        assert points({**said, "allowPrivilegedContainer": True}) == 1_600_000 + expected + 15_000
        assert points({**said, "allowHostPorts": True}) == 800_000 + expected + 15_000
        assert points({**said, "allowHostNetwork": True}) == 400_000 + expected + 15_000


def test_a_user_a_group_or_a_role_lets_use_a_constraint() -> None:
    of = pod(serviceAccountName="builder")
    nobody = {**of_namespace(), "groups": []}

    assert verdict(of, nobody) == ""
    assert verdict(of, {**nobody, "users": ["system:serviceaccount:default:builder"]}) == "scc-sa"
    assert verdict(of, {**nobody, "users": ["system:serviceaccount:other:builder"]}) == ""
    assert verdict(of, {**nobody, "groups": ["system:serviceaccounts:default"]}) == "scc-sa"
    assert verdict(of, {**nobody, "groups": ["system:serviceaccounts:other"]}) == ""
    assert verdict(of, nobody, granted=("scc-sa",)) == "scc-sa"
    assert verdict(of, nobody, granted=("other",)) == ""


def test_without_a_grant_a_pod_has_restricted_v2_alone() -> None:
    assert verdict(pod(), *SHIPPED.values()) == "restricted-v2"
    assert verdict(pod(own={"runAsUser": 0}), *SHIPPED.values()) == ""


def test_restricted_v2_fills_in_what_pod_security_restricted_wants() -> None:
    spec, reasons = apply(SHIPPED["restricted-v2"], pod(), Namespace())

    assert reasons == []
    assert spec["containers"][0]["securityContext"] == {
        "runAsUser": 1_000_650_000,
        "runAsNonRoot": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }
    assert spec["securityContext"] == {
        "fsGroup": 1_000_650_000,
        "seLinuxOptions": {"level": "s0:c26,c5"},
        **RUNTIME_DEFAULT,
    }


def test_pipelines_scc_comes_first_and_takes_root_with_setfcap() -> None:
    build = pod(own={"runAsUser": 0, "capabilities": {"add": ["SETFCAP"]}})

    assert verdict(build, *SHIPPED.values(), granted=("pipelines-scc",)) == "pipelines-scc"
    assert verdict(pod(), *SHIPPED.values(), granted=("pipelines-scc",)) == "pipelines-scc"


@pytest.mark.parametrize(
    ("shared", "own", "reason"),
    [
        ({"fsGroup": 1000}, {}, "fsGroup 1000"),
        (RUNTIME_DEFAULT, {}, "seccompProfile runtime/default"),
        ({}, RUNTIME_DEFAULT, "container: seccompProfile runtime/default"),
        ({}, {"capabilities": {"add": ["SETUID"]}}, "container: capabilities.add SETUID"),
        ({}, {"allowPrivilegeEscalation": True}, "container: allowPrivilegeEscalation: true"),
    ],
)
def test_pipelines_scc_refuses_what_the_builds_once_asked_for(shared, own, reason) -> None:
    _, reasons = apply(SHIPPED["pipelines-scc"], pod(shared, own), Namespace())

    assert reason in reasons


def test_a_socket_of_the_host_with_a_seccomp_profile_is_refused_by_hostmount_anyuid() -> None:
    of = pod(RUNTIME_DEFAULT, volumes=[{"name": "bus", "hostPath": {"path": "/run/dbus"}}])
    result = admit(of, SHIPPED.values(), ("hostmount-anyuid",))

    assert result.constraint == ""
    assert result.refusals["restricted-v2"] == ["hostPath bus"]
    assert "seccompProfile runtime/default" in result.refusals["hostmount-anyuid"]


def test_unknown_and_forbidden_sysctls_are_refused() -> None:
    safe, unsafe = "kernel.shm_rmid_forced", "kernel.sem"
    for name, fields, is_admitted in (
        (safe, {}, True),
        (safe, {"forbiddenSysctls": [safe]}, False),
        (safe, {"forbiddenSysctls": ["*"]}, False),
        (unsafe, {}, False),
        (unsafe, {"allowedUnsafeSysctls": ["kernel.*"]}, True),
        (unsafe, {"allowedUnsafeSysctls": ["net.*"]}, False),
    ):
        of = pod({"sysctls": [{"name": name, "value": "1"}]})
        assert bool(verdict(of, of_namespace(**fields))) is is_admitted, (name, fields)


def test_a_read_only_root_is_demanded_and_filled_in() -> None:
    strict = of_namespace(readOnlyRootFilesystem=True)

    assert verdict(pod(), strict) == "scc-sa"
    assert verdict(pod(own={"readOnlyRootFilesystem": False}), strict) == ""


def test_a_user_namespace_is_demanded_by_restricted_v3() -> None:
    assert verdict(pod(), SHIPPED["restricted-v3"], granted=("restricted-v3",)) == ""
    assert (
        verdict(pod(hostUsers=False), SHIPPED["restricted-v3"], granted=("restricted-v3",)) == "restricted-v3"
    )


def test_nonroot_refuses_root_and_marks_a_pod_without_a_user() -> None:
    nonroot = SHIPPED["nonroot-v2"]

    assert apply(nonroot, pod(own={"runAsUser": 0}), Namespace())[1] == ["container: runAsUser 0"]
    assert apply(nonroot, pod(own={"runAsNonRoot": False}), Namespace())[1] == ["container: runAsUser 0"]
    assert apply(nonroot, pod(), Namespace())[0]["containers"][0]["securityContext"]["runAsNonRoot"] is True
    assert apply(nonroot, pod(own={"runAsUser": 7}), Namespace())[1] == []


def test_admission_leaves_the_pod_itself_as_it_was() -> None:
    of = pod()
    admit(of, SHIPPED.values(), ())

    assert of == pod()
