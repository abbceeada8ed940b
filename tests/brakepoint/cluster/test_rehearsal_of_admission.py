"""The kit would be admitted as it is, and whatever is broken on purpose is found and named."""

import copy
import dataclasses
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from brakepoint.cli import run
from brakepoint.cluster.findings import Finding, Rule, merged
from brakepoint.cluster.kit import Kit, collect, default_room
from brakepoint.cluster.pods import namespace_of
from brakepoint.cluster.rehearsal import Rehearsal, rehearse
from brakepoint.texts import languages

SEAT, TEST, IMAGES, TRAIN = "spring-seat-01", "brakepoint-test", "brakepoint-images", "brakepoint-train"
Manifest = dict[str, Any]


@cache
def kit(profile: str, attendees: int = 2) -> Kit:
    return collect(profile, default_room(attendees))


@cache
def before(profile: str) -> frozenset[Finding]:
    return frozenset(rehearse(kit(profile)).findings)


class Broken:
    """A copy of what is applied, to break."""

    def __init__(self, profile: str = "openshift") -> None:
        self.kit = dataclasses.replace(copy.deepcopy(kit(profile)))

    def get(self, kind: str, name: str, where: str = TEST) -> Manifest:
        (found,) = [m for m in self.kit.within(where, kind) if m["metadata"]["name"] == name]
        return found

    def remove(self, kind: str, name: str, where: str = TEST) -> None:
        found = self.get(kind, name, where)
        self.kit.manifests[:] = [one for one in self.kit.manifests if one is not found]

    def pod(self, name: str, where: str = TEST) -> Manifest:
        spec: Manifest = self.get("Deployment", name, where)["spec"]["template"]["spec"]
        return spec

    def container(self, name: str, where: str = TEST) -> Manifest:
        container: Manifest = self.pod(name, where)["containers"][0]
        return container

    def step(self, task: str) -> Manifest:
        step: Manifest = self.get("Task", task, IMAGES)["spec"]["steps"][0]
        return step

    def found(self) -> Rehearsal:
        return rehearse(self.kit)


@pytest.mark.parametrize("profile", ["openshift", "microshift", "kind"])
def test_nothing_would_be_refused_and_nothing_is_missing(profile: str) -> None:
    rehearsal = rehearse(kit(profile, 40) if profile == "openshift" else kit(profile))

    assert [finding.sentence for finding, _ in merged(rehearsal.findings)] == []
    assert rehearsal.admitted


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


def small_sources(broken: Broken) -> None:
    (template,) = broken.kit.of_kind("TriggerTemplate")
    claim = template["spec"]["resourcetemplates"][0]["spec"]["workspaces"][0]["volumeClaimTemplate"]
    claim["spec"]["resources"]["requests"]["storage"] = "1Gi"


def other_architecture(broken: Broken) -> None:
    broken.pod("detector")["nodeSelector"] = {"kubernetes.io/arch": "s390x"}


def other_selector(broken: Broken) -> None:
    broken.get("Service", "broker")["spec"]["selector"] = {"app.kubernetes.io/name": "mosquitto"}


def other_labels(broken: Broken) -> None:
    broken.get("Deployment", "train")["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/name"] = (
        "tram"
    )


def other_target_port(broken: Broken) -> None:
    broken.get("Service", "train")["spec"]["ports"][0]["targetPort"] = "radio"


def other_probe(broken: Broken) -> None:
    broken.container("train")["readinessProbe"]["tcpSocket"]["port"] = 18832


def page_for_itself(broken: Broken) -> None:
    (page,) = [one for one in broken.container("monitor")["env"] if one["name"] == "BRAKEPOINT_PAGE"]
    page["value"] = "127.0.0.1:8000"


def lost_volume(broken: Broken) -> None:
    broken.pod("autopilot")["volumes"].clear()


def lost_service(broken: Broken) -> None:
    broken.remove("Service", "monitor")


def twice(broken: Broken) -> None:
    other = copy.deepcopy(broken.get("Service", "broker"))
    other["spec"]["ports"][0]["port"] = 1884
    broken.kit.manifests.append(other)


def unknown_kind(broken: Broken) -> None:
    broken.get("Service", "broker")["apiVersion"] = "serving.knative.dev/v1"


def route_on_kind(broken: Broken) -> None:
    route = copy.deepcopy(next(kit("openshift").within(TEST, "Route")))
    broken.kit.manifests.append(route)


def lost_task(broken: Broken) -> None:
    broken.remove("Task", "scan", IMAGES)


def lost_parameter(broken: Broken) -> None:
    (pipeline,) = broken.kit.of_kind("Pipeline")
    pipeline["spec"]["tasks"][0]["params"].pop()


def lost_workspace(broken: Broken) -> None:
    (pipeline,) = broken.kit.of_kind("Pipeline")
    pipeline["spec"]["tasks"][0]["workspaces"].clear()


def other_result(broken: Broken) -> None:
    broken.get("Task", "clone", IMAGES)["spec"]["results"][0]["name"] = "sha"


def forbidden_kind(broken: Broken) -> None:
    for project in broken.kit.of_kind("AppProject"):
        del project["spec"]["namespaceResourceWhitelist"][1:]


def project_without_roles(broken: Broken) -> None:
    for project in broken.kit.of_kind("AppProject"):
        project["spec"].pop("roles", None)


def train_for_all(broken: Broken) -> None:
    spec = broken.get("NetworkPolicy", "train-from-controller")["spec"]
    spec["ingress"] = [{}]


def train_for_nobody(broken: Broken) -> None:
    broken.get("NetworkPolicy", "train-from-controller")["spec"]["ingress"] = []


def no_names(broken: Broken) -> None:
    broken.get("NetworkPolicy", "names")["spec"]["egress"][0]["ports"][0]["port"] = 53


def no_denial(broken: Broken) -> None:
    for name in ("deny-all", "names"):
        broken.remove("NetworkPolicy", name)


def nobody_to_the_page(broken: Broken) -> None:
    broken.remove("NetworkPolicy", "page-from-router")


def other_broker_port(broken: Broken) -> None:
    broken.get("NetworkPolicy", "broker-from-services")["spec"]["ingress"][0]["ports"][0]["port"] = 1884


def room_for_all(broken: Broken) -> None:
    broken.get("NetworkPolicy", "attendee", SEAT)["spec"]["ingress"].append({})


def room_for_the_unlabelled(broken: Broken) -> None:
    anybody = {"matchExpressions": [{"key": "brakepoint.io/room", "operator": "DoesNotExist"}]}
    rule = broken.get("NetworkPolicy", "attendee", SEAT)["spec"]["ingress"][0]
    rule["from"].append({"namespaceSelector": anybody})


def predictor_in_the_train_s_policies(broken: Broken) -> None:
    labels = broken.get("InferenceService", "track", SEAT)["metadata"]["labels"]
    labels["app.kubernetes.io/part-of"] = "brakepoint"


def pipeline_elsewhere(broken: Broken) -> None:
    server = broken.get("DataSciencePipelinesApplication", "dspa", SEAT)
    server["spec"]["objectStorage"]["externalStorage"]["bucket"] = "brakepoint"


def no_pipeline_server(broken: Broken) -> None:
    broken.remove("DataSciencePipelinesApplication", "dspa", SEAT)


def no_pipeline_rights(broken: Broken) -> None:
    broken.remove("RoleBinding", "workspace", SEAT)


def old_openshift_ai(broken: Broken) -> None:
    for subscription in broken.kit.of_kind("Subscription"):
        if subscription["spec"]["name"] == "rhods-operator":
            subscription["spec"]["channel"] = "stable-2.16"
    broken.kit.pipeline[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]["exec-training"] = {
        "emptyDirMounts": [{"volumeName": "shm", "mountPath": "/dev/shm"}]
    }


def unseen_model(broken: Broken) -> None:
    broken.get("InferenceService", "track", SEAT)["metadata"]["labels"].pop("opendatahub.io/dashboard")


def model_without_route(broken: Broken) -> None:
    broken.get("InferenceService", "track", SEAT)["metadata"]["labels"].pop("networking.kserve.io/visibility")


def other_format(broken: Broken) -> None:
    broken.get("InferenceService", "track", SEAT)["spec"]["predictor"]["model"]["modelFormat"]["name"] = (
        "pickle"
    )


def impatient_workspaces(broken: Broken) -> None:
    (che,) = broken.kit.of_kind("CheCluster")
    che["spec"]["devEnvironments"]["startTimeoutSeconds"] = 300


def sleepy_workspaces(broken: Broken) -> None:
    (che,) = broken.kit.of_kind("CheCluster")
    che["spec"]["devEnvironments"]["secondsOfInactivityBeforeIdling"] = 1800


def workspaces_elsewhere(broken: Broken) -> None:
    (che,) = broken.kit.of_kind("CheCluster")
    che["spec"]["devEnvironments"]["defaultNamespace"]["autoProvision"] = True


def gpus_for_nobody(broken: Broken) -> None:
    room = broken.kit.room
    assert room is not None
    broken.kit.room = room.model_copy(update={"quota": room.quota.model_copy(update={"gpus": 1})})
    for made in list(broken.kit.of_kind("ClusterPolicy", "ConfigMap")):
        if "slicing" in str(made).lower():
            broken.kit.manifests.remove(made)


def no_pull(broken: Broken) -> None:
    for binding in list(broken.kit.within(IMAGES, "RoleBinding")):
        if binding["roleRef"]["name"] == "system:image-puller":
            broken.kit.manifests.remove(binding)


def nothing_ships(broken: Broken) -> None:
    for trigger in broken.kit.of_kind("Trigger"):
        trigger["spec"]["bindings"] = [one for one in trigger["spec"]["bindings"] if one["name"] != "overlay"]


def metrics_for_itself(broken: Broken) -> None:
    container = broken.container("monitor")
    container["env"] = [one for one in container["env"] if one["name"] != "BRAKEPOINT_METRICS"]
    container["env"].append({"name": "BRAKEPOINT_METRICS", "value": "127.0.0.1:0"})


def unwatched(broken: Broken) -> None:
    for monitor in list(broken.kit.within(TEST, "PodMonitor")):
        broken.kit.manifests.remove(monitor)


def detector_on_the_processor(broken: Broken) -> None:
    container = broken.container("detector", TRAIN)
    container["env"] = [one for one in container["env"] if one["name"] != "BRAKEPOINT_RUNTIME"]


def engine_in_the_pod(broken: Broken) -> None:
    container = broken.container("detector", TRAIN)
    for one in container["env"]:
        if one["name"] == "BRAKEPOINT_ENGINE_CACHE":
            one["value"] = "/tmp/engines"


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
    (small_sources, "openshift", "too_small", "1Gi"),
    (other_architecture, "openshift", "node", "s390x"),
    (other_selector, "openshift", "selects_nothing", "broker"),
    (other_labels, "openshift", "selector", "train"),
    (other_target_port, "openshift", "target_port", "radio"),
    (other_probe, "openshift", "probe", "18832"),
    (page_for_itself, "openshift", "local", "monitor"),
    (lost_volume, "openshift", "mount", "tmp"),
    (lost_service, "openshift", "missing", "Service monitor"),
    (twice, "openshift", "twice", "broker"),
    (unknown_kind, "openshift", "kind", "broker"),
    (route_on_kind, "kind", "kind", "Route"),
    (lost_task, "openshift", "unfitting", "Task scan"),
    (lost_parameter, "openshift", "unfitting", "params"),
    (lost_workspace, "openshift", "unfitting", "workspaces.source"),
    (other_result, "openshift", "unfitting", "tasks.clone.results.commit"),
    (forbidden_kind, "openshift", "project", "brakepoint"),
    (project_without_roles, "openshift", "project_roles", "brakepoint"),
    (train_for_all, "openshift", "way_open", "18831"),
    (train_for_nobody, "openshift", "way_closed", "controller"),
    (no_names, "openshift", "way_closed", "DNS"),
    (no_denial, "openshift", "way_open", "internet"),
    (nobody_to_the_page, "openshift", "way_closed", "router"),
    (other_broker_port, "openshift", "way_closed", "broker"),
    (room_for_all, "openshift", "way_open", "another-attendee/pod"),
    (room_for_the_unlabelled, "openshift", "way_open", "somebody-s-project/pod"),
    (predictor_in_the_train_s_policies, "openshift", "way_closed", "track-predictor"),
    (pipeline_elsewhere, "openshift", "pipeline_store", "bucket"),
    (no_pipeline_server, "openshift", "pipeline_server", "step 4"),
    (no_pipeline_rights, "openshift", "pipeline_rights", "Route"),
    (old_openshift_ai, "openshift", "pipeline_newer", "2.16"),
    (unseen_model, "openshift", "dashboard", "track"),
    (model_without_route, "openshift", "model_route", "track"),
    (other_format, "openshift", "format", "track"),
    (impatient_workspaces, "openshift", "workspace_start", "300"),
    (sleepy_workspaces, "openshift", "workspace_idle", "1800"),
    (workspaces_elsewhere, "openshift", "workspace_namespace", "autoProvision"),
    (gpus_for_nobody, "openshift", "gpus", "2 attendees"),
    (no_pull, "openshift", "pull", IMAGES),
    (nothing_ships, "openshift", "unshipped", "labs/step7_delivery/overlay"),
    (metrics_for_itself, "openshift", "metrics_local", "monitor"),
    (unwatched, "openshift", "metrics_monitor", "PodMonitor"),
    (detector_on_the_processor, "microshift", "detector_cpu", "detector"),
    (engine_in_the_pod, "microshift", "engine_lost", "detector"),
    (camera_without_gstreamer, "microshift", "image_lacks", "gst"),
]


@pytest.mark.parametrize(
    ("break_", "profile", "rule", "word"), BREAKS, ids=[f"{one[0].__name__}-{one[1]}" for one in BREAKS]
)
def test_what_is_broken_on_purpose_is_found_and_named(break_, profile, rule, word, monkeypatch) -> None:
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")
    broken = Broken(profile)
    break_(broken)
    new = [finding for finding in broken.found().findings if finding not in before(profile)]

    assert [one for one in new if one.rule == rule and word in one.sentence], [one.sentence for one in new]


@pytest.mark.parametrize("lang", languages())
def test_every_finding_is_a_sentence_in_each_language(lang: str, monkeypatch) -> None:
    monkeypatch.setenv("BRAKEPOINT_LANG", lang)
    broken = Broken()
    for break_ in (small_quota, latest, train_for_all, another_shell):
        break_(broken)
    new = [finding for finding in broken.found().findings if finding not in before("openshift")]

    assert {one.rule for one in new} >= {"quota", "image_latest", "way_open", "shell"}
    assert all("{" not in one.sentence and one.sentence.endswith(".") for one in new)


def test_what_holds_for_all_attendees_is_said_once() -> None:
    broken = Broken()
    for seat in broken.kit.attendees:
        broken.get("LimitRange", "attendee", seat)["spec"]["limits"][0]["max"] = {"cpu": "100m"}
    found = merged(one for one in broken.found().findings if one.rule == "limits")

    assert all(places == broken.kit.attendees for _, places in found)


def test_the_command_says_that_all_is_well(capsys, monkeypatch) -> None:
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")

    assert run(["cluster", "rehearse", "--profile", "kind"]) == 0
    assert "kind: 7 pods, nothing would be refused and nothing is missing." in capsys.readouterr().out


def test_the_command_says_what_is_wrong_in_a_sentence_each_and_fails(capsys, monkeypatch) -> None:
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")
    broken = Broken("kind")
    latest(broken)
    privileged(broken)
    monkeypatch.setattr("brakepoint.cluster.kit.collect", lambda profile, room: broken.kit)

    assert run(["cluster", "rehearse", "--profile", "kind"]) == 1
    said = capsys.readouterr().out
    assert "kind: 7 pods, findings: 2." in said
    assert (
        "brakepoint-test: broker: the image docker.io/library/eclipse-mosquitto:latest may be another" in said
    )
    assert "✗ detector" in said and "✓ broker" in said


def test_the_command_knows_three_platforms(capsys) -> None:
    assert run(["cluster", "rehearse", "--profile", "swarm"]) == 2
    assert "openshift, microshift, kind" in capsys.readouterr().err


def test_the_command_rehearses_the_room_that_is_named(tmp_path, capsys, monkeypatch) -> None:
    file = tmp_path / "room.yaml"
    file.write_text("name: autumn\nattendees: 9\n", encoding="utf-8")
    rooms: list[Any] = []
    monkeypatch.setattr(
        "brakepoint.cluster.kit.collect", lambda profile, room: rooms.append(room) or kit("kind")
    )

    assert run(["cluster", "rehearse", str(file), "--attendees", "3"]) == 0
    assert [(room.name, room.attendees) for room in rooms] == [("autumn", 3)]


def test_a_copy_to_break_leaves_the_kit_as_it_was() -> None:
    broken = Broken()
    latest(broken)

    assert kit("openshift").manifests != broken.kit.manifests
    assert {namespace_of(m) for m in kit("openshift").manifests} == {
        namespace_of(m) for m in broken.kit.manifests
    }
