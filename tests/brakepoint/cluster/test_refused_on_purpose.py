"""Manifests broken on purpose: what admission refuses, and what would be missing."""

from collections.abc import Callable

import pytest
from broken_kit import IMAGES, SEAT, TEST, TRAIN, Broken, found_anew

from brakepoint.cluster.findings import Rule


def privileged(broken: Broken) -> None:
    broken.container("detector")["securityContext"]["privileged"] = True


def root(broken: Broken) -> None:
    broken.container("autopilot")["securityContext"]["runAsUser"] = 0


def capability(broken: Broken) -> None:
    broken.container("capture")["securityContext"]["capabilities"]["add"] = ["NET_ADMIN"]


def escalation(broken: Broken) -> None:
    broken.container("capture")["securityContext"]["allowPrivilegeEscalation"] = True


def unconfined(broken: Broken) -> None:
    broken.pod("monitor")["securityContext"]["seccompProfile"] = {"type": "Unconfined"}


def host_network(broken: Broken) -> None:
    broken.pod("controller")["hostNetwork"] = True


def host_folder(broken: Broken) -> None:
    broken.pod("capture")["volumes"].append({"name": "video", "hostPath": {"path": "/dev/video0"}})


def host_port(broken: Broken) -> None:
    broken.container("broker")["ports"][0]["hostPort"] = 1883


def fs_group(broken: Broken) -> None:
    broken.pod("broker")["securityContext"]["fsGroup"] = 1000


def build_with_seccomp(broken: Broken) -> None:
    broken.step("build")["securityContext"]["seccompProfile"] = {"type": "RuntimeDefault"}


def build_without_grant(broken: Broken) -> None:
    broken.remove("RoleBinding", "brakepoint-builder-pipelines-scc", IMAGES)


def guarded_helpers(broken: Broken) -> None:
    (settings,) = broken.kit.of_kind("TektonConfig")
    settings["spec"]["pipeline"]["set-security-context"] = True


def hardware_without_grant(broken: Broken) -> None:
    for binding in list(broken.kit.within(TRAIN, "RoleBinding")):
        broken.kit.manifests.remove(binding)


def workspaces_that_build(broken: Broken) -> None:
    (che,) = broken.kit.of_kind("CheCluster")
    che["spec"]["devEnvironments"]["disableContainerBuildCapabilities"] = False


def stricter_namespace(broken: Broken) -> None:
    (space,) = [m for m in broken.kit.of_kind("Namespace") if m["metadata"]["name"] == IMAGES]
    space["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] = "restricted"


def unknown_level(broken: Broken) -> None:
    (space,) = [m for m in broken.kit.of_kind("Namespace") if m["metadata"]["name"] == IMAGES]
    space["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] = "strict"


def bad_quantity(broken: Broken) -> None:
    broken.container("monitor")["resources"]["limits"]["memory"] = "320MB"


def request_over_limit(broken: Broken) -> None:
    broken.container("monitor")["resources"]["requests"]["cpu"] = "2"


def small_quota(broken: Broken) -> None:
    broken.get("ResourceQuota", "attendee", SEAT)["spec"]["hard"]["requests.cpu"] = "1"


def few_pods(broken: Broken) -> None:
    broken.get("ResourceQuota", "attendee", SEAT)["spec"]["hard"]["pods"] = "5"


def small_storage(broken: Broken) -> None:
    broken.get("ResourceQuota", "attendee", SEAT)["spec"]["hard"]["requests.storage"] = "1Gi"


def limits_in_another_unit(broken: Broken) -> None:
    broken.get("LimitRange", "attendee", SEAT)["spec"]["limits"][0]["default"]["memory"] = "2GB"


def small_volumes(broken: Broken) -> None:
    limits = broken.get("LimitRange", "attendee", SEAT)["spec"]["limits"]
    limits.append({"type": "PersistentVolumeClaim", "max": {"storage": "1Gi"}})


def low_limit(broken: Broken) -> None:
    broken.get("LimitRange", "attendee", SEAT)["spec"]["limits"][0]["max"] = {"cpu": "100m"}


def no_defaults(broken: Broken) -> None:
    broken.remove("LimitRange", "attendee", SEAT)


def no_secret(broken: Broken) -> None:
    broken.remove("Secret", "brakepoint-monitor")


def no_key(broken: Broken) -> None:
    del broken.get("Secret", "brakepoint-broker")["stringData"]["autopilot"]


def no_config(broken: Broken) -> None:
    (settings,) = [
        m
        for m in broken.kit.within(TEST, "ConfigMap")
        if m["metadata"]["name"].startswith("brakepoint-settings")
    ]
    broken.kit.manifests.remove(settings)


def no_account(broken: Broken) -> None:
    broken.pod("capture")["serviceAccountName"] = "camera"


def no_claim(broken: Broken) -> None:
    broken.remove("PersistentVolumeClaim", "detector-engine", TRAIN)


def no_runtime_class(broken: Broken) -> None:
    for made in list(broken.kit.of_kind("RuntimeClass")):
        broken.kit.manifests.remove(made)


def no_storage_class(broken: Broken) -> None:
    broken.get("PersistentVolumeClaim", "detector-engine", TRAIN)["spec"]["storageClassName"] = "fast"


def no_role(broken: Broken) -> None:
    broken.get("RoleBinding", "attendee", SEAT)["roleRef"]["name"] = "brakepoint-attendee"


def no_connection(broken: Broken) -> None:
    broken.get("Secret", "aws-connection-brakepoint", SEAT)["metadata"]["labels"].pop(
        "opendatahub.io/managed"
    )


def no_runtime(broken: Broken) -> None:
    broken.remove("ServingRuntime", "brakepoint-jpeg", SEAT)


def no_namespace(broken: Broken) -> None:
    (space,) = [m for m in broken.kit.of_kind("Namespace") if m["metadata"]["name"] == IMAGES]
    broken.kit.manifests.remove(space)


def latest(broken: Broken) -> None:
    broken.container("broker")["image"] = "docker.io/library/eclipse-mosquitto:latest"


def without_tag(broken: Broken) -> None:
    broken.container("broker")["image"] = "docker.io/library/eclipse-mosquitto"


def without_registry(broken: Broken) -> None:
    broken.container("train")["image"] = "brakepoint-edge:0.1.0"


def never_pushed(broken: Broken) -> None:
    broken.container("train")["image"] = broken.container("train")["image"].replace("0.1.0", "0.9.9")


def of_whom(broken: Broken) -> None:
    broken.container("broker")["image"] = "quay.io/somebody/mosquitto:2.0.22"


def registry_of_another_platform(broken: Broken) -> None:
    internal = "image-registry.openshift-image-registry.svc:5000/brakepoint-images/brakepoint-edge:0.1.0"
    broken.container("autopilot", TRAIN)["image"] = internal


def another_shell(broken: Broken) -> None:
    broken.step("sign")["script"] = broken.step("sign")["script"].replace("#!/busybox/sh", "#!/bin/bash")


def published_signature(broken: Broken) -> None:
    step = broken.step("sign")
    step["script"] = step["script"].replace("--tlog-upload", "--log")


def build_as_somebody(broken: Broken) -> None:
    broken.step("build")["securityContext"]["runAsUser"] = 1000


def build_without_room(broken: Broken) -> None:
    broken.step("build")["volumeMounts"] = []


def small_copy(broken: Broken) -> None:
    broken.get("Task", "test", IMAGES)["spec"]["volumes"][0]["emptyDir"]["sizeLimit"] = "1Gi"


def lost_service(broken: Broken) -> None:
    broken.remove("Service", "monitor")


def no_pull(broken: Broken) -> None:
    for binding in list(broken.kit.within(IMAGES, "RoleBinding")):
        if binding["roleRef"]["name"] == "system:image-puller":
            broken.kit.manifests.remove(binding)


def link_to_nobody(broken: Broken) -> None:
    (link,) = [one for one in broken.container("controller")["env"] if one["name"] == "BRAKEPOINT_LINK"]
    link["value"] = "tram:18831"


def shared_engine(broken: Broken) -> None:
    broken.get("PersistentVolumeClaim", "detector-engine", TRAIN)["spec"]["accessModes"] = ["ReadWriteMany"]


def weak_own_constraint(broken: Broken) -> None:
    for made in broken.kit.of_kind("SecurityContextConstraints"):
        made.pop("seccompProfiles")


def camera_without_gstreamer(broken: Broken) -> None:
    container = broken.container("capture", TRAIN)
    container["image"] = container["image"].replace("brakepoint-jetson", "brakepoint-edge")


BREAKS: list[tuple[Callable[[Broken], None], str, Rule, str]] = [
    (privileged, "openshift", "constraint", "privileged"),
    (root, "openshift", "constraint", "runAsUser 0"),
    (capability, "openshift", "constraint", "NET_ADMIN"),
    (escalation, "openshift", "constraint", "allowPrivilegeEscalation"),
    (unconfined, "openshift", "constraint", "seccompProfile unconfined"),
    (host_network, "openshift", "constraint", "hostNetwork"),
    (host_folder, "openshift", "constraint", "hostPath video"),
    (host_port, "openshift", "constraint", "hostPort 1883"),
    (fs_group, "openshift", "constraint", "fsGroup 1000"),
    (privileged, "kind", "podsecurity", "privileged"),
    (root, "kind", "podsecurity", "runAsUser 0"),
    (build_with_seccomp, "openshift", "constraint", "seccompProfile runtime/default"),
    (build_without_grant, "openshift", "constraint", "build"),
    (guarded_helpers, "openshift", "constraint", "prepare"),
    (hardware_without_grant, "microshift", "constraint", "hostPath"),
    (workspaces_that_build, "openshift", "podsecurity", "SETUID"),
    (stricter_namespace, "openshift", "podsecurity", "build"),
    (unknown_level, "openshift", "level", "strict"),
    (bad_quantity, "openshift", "quantity", "320MB"),
    (request_over_limit, "openshift", "quantity", "requests.cpu 2 > limits.cpu"),
    (small_quota, "openshift", "quota", "requests.cpu"),
    (few_pods, "openshift", "quota", "pods"),
    (small_storage, "openshift", "quota", "requests.storage"),
    (low_limit, "openshift", "limits", "100m"),
    (limits_in_another_unit, "openshift", "limits", "2GB"),
    (small_volumes, "openshift", "limits", "storage 10240Mi > 1Gi"),
    (no_defaults, "openshift", "unlimited", "wait: limits.cpu"),
    (no_secret, "openshift", "missing", "brakepoint-monitor[token]"),
    (no_key, "openshift", "missing", "brakepoint-broker[autopilot]"),
    (no_config, "openshift", "missing", "ConfigMap"),
    (no_account, "openshift", "missing", "ServiceAccount camera"),
    (no_claim, "microshift", "missing", "PersistentVolumeClaim detector-engine"),
    (no_runtime_class, "microshift", "missing", "RuntimeClass nvidia"),
    (no_storage_class, "microshift", "missing", "StorageClass fast"),
    (no_role, "openshift", "missing", "ClusterRole brakepoint-attendee"),
    (no_connection, "openshift", "missing", "Connection aws-connection-brakepoint"),
    (no_runtime, "openshift", "missing", "ServingRuntime brakepoint-jpeg"),
    (no_namespace, "openshift", "namespace", IMAGES),
    (latest, "openshift", "image_latest", "mosquitto:latest"),
    (without_tag, "openshift", "image_latest", "eclipse-mosquitto"),
    (without_registry, "openshift", "image_unqualified", "brakepoint-edge:0.1.0"),
    (never_pushed, "openshift", "image_unpushed", "0.9.9"),
    (of_whom, "openshift", "image_unknown", "somebody"),
    (registry_of_another_platform, "microshift", "image_registry", "autopilot"),
    (another_shell, "openshift", "shell", "/bin/bash"),
    (published_signature, "openshift", "public_log", "sign"),
    (build_as_somebody, "openshift", "build", "runAsUser 1000"),
    (build_without_room, "openshift", "build", "/var/lib/containers"),
    (small_copy, "openshift", "too_small", "1Gi"),
    (lost_service, "openshift", "missing", "Service monitor"),
    (no_pull, "openshift", "pull", IMAGES),
    (link_to_nobody, "openshift", "missing", "Service tram"),
    (shared_engine, "microshift", "missing", "ReadWriteMany"),
    (weak_own_constraint, "microshift", "constraint", "seccompProfile"),
    (camera_without_gstreamer, "microshift", "image_lacks", "gst"),
]


@pytest.mark.parametrize(
    ("break_", "profile", "rule", "word"), BREAKS, ids=[f"{one[0].__name__}-{one[1]}" for one in BREAKS]
)
def test_what_a_cluster_would_refuse_or_not_find_is_named(break_, profile, rule, word, monkeypatch) -> None:
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")
    new = found_anew(break_, profile)

    assert [one for one in new if one.rule == rule and word in one.sentence], [one.sentence for one in new]
