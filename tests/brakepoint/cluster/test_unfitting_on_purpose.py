"""Manifests broken on purpose: inconsistencies, open connections, and what a course would lack."""

import copy
from collections.abc import Callable

import pytest
from broken_kit import IMAGES, SEAT, TEST, TRAIN, Broken, found_anew, kit

from brakepoint.cluster.findings import Rule
from brakepoint.cluster.standards import ITSELF


def other_architecture(broken: Broken) -> None:
    broken.pod("detector")["nodeSelector"] = {"kubernetes.io/arch": "s390x"}


def other_selector(broken: Broken) -> None:
    broken.get("Service", "broker")["spec"]["selector"] = {"app.kubernetes.io/name": "mosquitto"}


def other_labels(broken: Broken) -> None:
    broken.get("Deployment", "train")["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/name"] = (
        "tram"
    )


def no_selector(broken: Broken) -> None:
    del broken.get("Deployment", "train")["spec"]["selector"]


def other_target_port(broken: Broken) -> None:
    broken.get("Service", "train")["spec"]["ports"][0]["targetPort"] = "radio"


def other_probe(broken: Broken) -> None:
    broken.container("train")["readinessProbe"]["tcpSocket"]["port"] = 18832


def page_for_itself(broken: Broken) -> None:
    (page,) = [one for one in broken.container("monitor")["env"] if one["name"] == "BRAKEPOINT_PAGE"]
    page["value"] = "127.0.0.1:8000"


def lost_volume(broken: Broken) -> None:
    broken.pod("autopilot")["volumes"].clear()


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


def task_twice(broken: Broken) -> None:
    (pipeline,) = broken.kit.of_kind("Pipeline")
    pipeline["spec"]["tasks"].append(pipeline["spec"]["tasks"][1])


def undeclared_parameter(broken: Broken) -> None:
    (pipeline,) = broken.kit.of_kind("Pipeline")
    pipeline["spec"]["tasks"][1]["params"][0]["value"] = "$(params.bass)"


def undeclared_workspace(broken: Broken) -> None:
    (pipeline,) = broken.kit.of_kind("Pipeline")
    pipeline["spec"]["tasks"][1]["workspaces"] = [{"name": "source", "workspace": "sauce"}]


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


def nobody_at_the_broker(broken: Broken) -> None:
    broken.get("Deployment", "broker")["spec"]["replicas"] = 0


def capital_letters(broken: Broken) -> None:
    broken.get("Service", "monitor")["metadata"]["name"] = "Monitor"


def label_with_a_space(broken: Broken) -> None:
    broken.get("Service", "monitor")["metadata"]["labels"] = {"app.kubernetes.io/part-of": "brake point"}


def long_port_name(broken: Broken) -> None:
    broken.container("broker")["ports"][0]["name"] = "message-queue-telemetry"


def old_version(broken: Broken) -> None:
    broken.get("Deployment", "train")["apiVersion"] = "apps/v1beta1"


def misspelt_kind(broken: Broken) -> None:
    broken.get("Service", "monitor")["kind"] = "Servcie"


def link_at_another_port(broken: Broken) -> None:
    (link,) = [one for one in broken.container("controller")["env"] if one["name"] == "BRAKEPOINT_LINK"]
    link["value"] = "train:18832"


def broker_at_another_port(broken: Broken) -> None:
    broken.get("Service", "broker")["spec"]["ports"][0]["port"] = 8883


def variable_without_quotes(broken: Broken) -> None:
    broken.container("controller")["env"].append({"name": "BRAKEPOINT_PORT", "value": 8000})


def variable_twice(broken: Broken) -> None:
    environment = broken.container("controller")["env"]
    environment.append(environment[0])


def namespace_without_argo(broken: Broken) -> None:
    (space,) = [m for m in broken.kit.of_kind("Namespace") if m["metadata"]["name"] == SEAT]
    space["metadata"]["labels"].pop("argocd.argoproj.io/managed-by")


def no_rights(broken: Broken) -> None:
    broken.remove("RoleBinding", "attendee", SEAT)


def store_of_another_machine(broken: Broken) -> None:
    connection = broken.get("Secret", "aws-connection-brakepoint", SEAT)
    connection["stringData"]["AWS_S3_ENDPOINT"] = "http://127.0.0.1:9100"


def run_of_no_task(broken: Broken) -> None:
    (template,) = broken.kit.of_kind("TriggerTemplate")
    specs = template["spec"]["resourcetemplates"][0]["spec"]["taskRunSpecs"]
    specs[0]["pipelineTaskName"] = "build-x86"


BREAKS: list[tuple[Callable[[Broken], None], str, Rule, str]] = [
    (other_architecture, "openshift", "node", "s390x"),
    (other_selector, "openshift", "selects_nothing", "broker"),
    (other_labels, "openshift", "selector", "train"),
    (no_selector, "openshift", "selector", "train"),
    (other_target_port, "openshift", "target_port", "radio"),
    (other_probe, "openshift", "probe", "18832"),
    (page_for_itself, "openshift", "local", "monitor"),
    (lost_volume, "openshift", "mount", "tmp"),
    (twice, "openshift", "twice", "broker"),
    (unknown_kind, "openshift", "kind", "broker"),
    (route_on_kind, "kind", "kind", "Route"),
    (lost_task, "openshift", "unfitting", "Task scan"),
    (task_twice, "openshift", "twice", "brakepoint-delivery/test"),
    (undeclared_parameter, "openshift", "unfitting", "params.bass"),
    (undeclared_workspace, "openshift", "unfitting", "workspaces.sauce"),
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
    (gpus_for_nobody, "openshift", "gpus", "asking for GPUs: 2"),
    (nothing_ships, "openshift", "unshipped", "labs/step7_delivery/overlay"),
    (metrics_for_itself, "openshift", "metrics_local", "monitor"),
    (unwatched, "openshift", "metrics_monitor", "PodMonitor"),
    (detector_on_the_processor, "microshift", "detector_cpu", "detector"),
    (engine_in_the_pod, "microshift", "engine_lost", "detector"),
    (nobody_at_the_broker, "openshift", "idle", "broker"),
    (capital_letters, "openshift", "name", "Monitor"),
    (label_with_a_space, "openshift", "name", "brake point"),
    (long_port_name, "openshift", "name", "telemetry"),
    (old_version, "openshift", "kind", "apps/v1beta1"),
    (misspelt_kind, "openshift", "kind", "Servcie"),
    (link_at_another_port, "openshift", "target_port", "18832"),
    (broker_at_another_port, "openshift", "target_port", "1883"),
    (variable_twice, "openshift", "twice", "controller/"),
    (variable_without_quotes, "openshift", "value", "8000"),
    (namespace_without_argo, "openshift", "unlabelled", "Argo CD"),
    (no_rights, "openshift", "rights", "attendee"),
    (store_of_another_machine, "openshift", "store_local", "127.0.0.1"),
    (run_of_no_task, "openshift", "unfitting", "build-x86"),
]


@pytest.mark.parametrize(
    ("break_", "profile", "rule", "word"), BREAKS, ids=[f"{one[0].__name__}-{one[1]}" for one in BREAKS]
)
def test_what_would_not_work_is_named(break_, profile, rule, word, monkeypatch) -> None:
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")
    new = found_anew(break_, profile)

    assert [one for one in new if one.rule == rule and word in one.sentence], [one.sentence for one in new]


def page_of_its_own_pod(broken: Broken) -> None:
    env = broken.container("controller").setdefault("env", [])
    env += [{"name": f"BRAKEPOINT_SIDE_{n}", "value": f"http://{at}:80/"} for n, at in enumerate(ITSELF[:2])]


def test_an_address_within_the_pod_needs_no_service() -> None:
    assert found_anew(page_of_its_own_pod, "openshift") == []
