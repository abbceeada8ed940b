"""The manifests keep the rules of a restricted cluster, and what they refer to exists."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from brakepoint.delivery.credentials import BROKER_USERS, make_secrets
from brakepoint.delivery.policies import lets_in
from brakepoint.delivery.rendering import container_of, named, of_kind, render
from brakepoint.services import SERVICES
from brakepoint.services.topics import TOPICS

ROOT = Path(__file__).parents[2]
DEPLOY, DELIVERY = ROOT / "deploy", ROOT / "solutions" / "step7_delivery"
OURS = ("base", "components", "overlays", "tekton", "argocd")
FILES = sorted(
    file for folder in (*(DEPLOY / name for name in OURS), DELIVERY) for file in folder.rglob("*.yaml")
)
STUB, JETSON = render(DEPLOY / "overlays" / "stub"), render(DEPLOY / "overlays" / "jetson")
KIND = render(DEPLOY / "overlays" / "kind")
TEKTON = render(DEPLOY / "tekton")
OURS_LABEL = {"app.kubernetes.io/part-of": "brakepoint"}
"""Of each pod of ours: others in the namespace, an attendee's workspace for instance, are left alone."""
AS_ROOT = {"build", "manifest"}
"""Tasks that run as root: tests/deploy/test_tekton_pods.py says what they may do."""
SECRET_LIKE = re.compile(
    r"(?i)(password|token|secret|key)\s*[=:]\s*['\"]?[A-Za-z0-9+/_-]{16,}|BEGIN [A-Z ]*PRIVATE KEY"
)

each_overlay = pytest.mark.parametrize("manifests", [STUB, JETSON, KIND], ids=["stub", "jetson", "kind"])


def documents(file: Path) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(file.read_text("utf-8")) if document]


def pods(manifests: list[dict[str, Any]]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    deployments = list(of_kind(manifests, "Deployment"))
    assert deployments
    specs = [deployment["spec"]["template"]["spec"] for deployment in deployments]
    return [(spec, container) for spec in specs for container in spec["containers"]]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_each_file_is_yaml_without_a_secret_in_it(file: Path) -> None:
    assert documents(file)
    assert "kind: Secret\n" not in file.read_text("utf-8")
    assert not SECRET_LIKE.search(file.read_text("utf-8"))


@each_overlay
def test_pods_fit_restricted_v2(manifests) -> None:
    for pod, container in pods(manifests):
        wanted = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
        assert pod["securityContext"].items() >= wanted.items()
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
        assert pod["automountServiceAccountToken"] is False
        assert {"name": "tmp", "mountPath": "/tmp"} in container["volumeMounts"]


def test_only_the_real_hardware_mounts_something_of_the_host() -> None:
    assert not [pod for pod, _ in pods(STUB) for volume in pod["volumes"] if "hostPath" in volume]
    with_host = [pod for pod, _ in pods(JETSON) if any("hostPath" in volume for volume in pod["volumes"])]
    assert {pod["serviceAccountName"] for pod in with_host} == {"brakepoint-hardware"}


@each_overlay
def test_pods_are_probed_and_limited(manifests) -> None:
    for _, container in pods(manifests):
        if container["name"] == "service":  # Beside it, the guard of the real train is its own probe.
            assert {"startupProbe", "readinessProbe", "livenessProbe"} <= container.keys()
        for kind in ("requests", "limits"):
            assert {"cpu", "memory"} <= container["resources"][kind].keys()


@each_overlay
def test_a_service_that_is_restarted_in_its_pod_has_the_time_of_a_first_start(manifests, tmp_path) -> None:
    """The volume outlives the container, so the heartbeat of the previous one is still there."""
    detector = named(manifests, "Deployment", "detector")
    assert detector is not None
    heartbeat, log = tmp_path / "heartbeat", tmp_path / "termination-log"
    places = {"/tmp/heartbeat": heartbeat, "/dev/termination-log": log}
    command = [str(places.get(word, word)) for word in probe(container_of(detector), "startupProbe")]
    log.touch()
    assert subprocess.run(command, check=False).returncode == 1
    heartbeat.touch()
    os.utime(log, (heartbeat.stat().st_mtime + 1,) * 2)
    assert subprocess.run(command, check=False).returncode == 1
    os.utime(heartbeat, (log.stat().st_mtime + 1,) * 2)
    assert subprocess.run(command, check=False).returncode == 0


@each_overlay
def test_a_program_that_probes_a_service_has_seconds(manifests) -> None:
    """It shares the processor time of the service, whose limit may be used up."""
    for _, container in pods(manifests):
        for name in ("startupProbe", "readinessProbe", "livenessProbe"):
            if probe(container, name):
                assert container[name]["timeoutSeconds"] >= 5


def probe(container: dict[str, Any], name: str) -> list[str]:
    command: list[str] = container.get(name, {}).get("exec", {}).get("command", [])
    return command


@each_overlay
def test_ports_need_no_privilege(manifests) -> None:
    for service in of_kind(manifests, "Service"):
        assert all(port["port"] > 1024 for port in service["spec"]["ports"])
    for _, container in pods(manifests):
        assert all(port["containerPort"] > 1024 for port in container.get("ports", ()))


@each_overlay
def test_images_are_named_in_the_overlay_alone_and_never_latest(manifests) -> None:
    in_base = {
        container["image"]
        for file in (DEPLOY / "base").glob("*.yaml")
        for document in documents(file)
        if document.get("kind") == "Deployment"
        for container in document["spec"]["template"]["spec"]["containers"]
        if "image" in container
    }
    assert in_base == {"brakepoint-edge", "mosquitto"}
    for _, container in pods(manifests):
        name, _, tag = container["image"].rpartition("/")[2].partition(":")
        assert tag and tag != "latest", container["image"]
        assert name


@each_overlay
def test_whatever_a_pod_refers_to_is_there(manifests) -> None:
    secrets = make_secrets()
    config = {m["metadata"]["name"]: m["data"] for m in of_kind(manifests, "ConfigMap")}
    for pod, container in pods(manifests):
        for variable in container.get("env", ()):
            reference = variable.get("valueFrom", {}).get("secretKeyRef")
            assert reference is None or reference["key"] in secrets[reference["name"]]
        assert all(source["configMapRef"]["name"] in config for source in container.get("envFrom", ()))
        volumes = {volume["name"] for volume in pod["volumes"]}
        assert {mount["name"] for mount in container["volumeMounts"]} <= volumes


@each_overlay
def test_nobody_talks_to_anybody_unless_a_policy_allows_it(manifests) -> None:
    policies = {m["metadata"]["name"]: m["spec"] for m in of_kind(manifests, "NetworkPolicy")}
    deny = policies.pop("deny-all")
    assert deny == {"podSelector": {"matchLabels": OURS_LABEL}, "policyTypes": ["Ingress", "Egress"]}
    for deployment in of_kind(manifests, "Deployment"):
        assert deployment["spec"]["template"]["metadata"]["labels"].items() >= OURS_LABEL.items()
    for name, policy in policies.items():
        for rule in [*policy.get("ingress", ()), *policy.get("egress", ())]:
            assert rule.get("ports") and (rule.get("from") or rule.get("to")), name


@each_overlay
def test_the_page_is_open_only_with_a_token(manifests) -> None:
    monitor = named(manifests, "Deployment", "monitor")
    assert monitor is not None
    variables = {variable["name"]: variable for variable in container_of(monitor)["env"]}
    assert variables["BRAKEPOINT_PAGE"]["value"] == "0.0.0.0:8000"
    assert variables["BRAKEPOINT_TOKEN"]["valueFrom"]["secretKeyRef"]["name"] == "brakepoint-monitor"


@pytest.mark.parametrize("manifests", [STUB, JETSON], ids=["stub", "jetson"])
def test_the_page_is_reached_by_tls_alone(manifests) -> None:
    route = named(manifests, "Route", "monitor")
    assert route is not None
    assert route["spec"]["tls"] == {"termination": "edge", "insecureEdgeTerminationPolicy": "Redirect"}


def test_every_service_is_deployed_and_the_stub_has_a_train() -> None:
    assert {m["metadata"]["name"] for m in of_kind(STUB, "Deployment")} == set(SERVICES)
    assert {m["metadata"]["name"] for m in of_kind(JETSON, "Deployment")} >= set(SERVICES) - {"train"}


def test_the_replicas_of_a_detector_have_the_same_trains_and_replace_each_other(tmp_path: Path) -> None:
    overlay = {
        "resources": [os.path.relpath(DEPLOY / "overlays" / "stub", tmp_path.resolve())],
        "components": [os.path.relpath(DEPLOY / "components" / "detectors", tmp_path.resolve())],
    }
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(overlay), encoding="utf-8")
    rendered = render(tmp_path)
    detector, autopilot = (named(rendered, "Deployment", name) for name in ("detector", "autopilot"))
    assert detector is not None and autopilot is not None
    told = {variable["name"]: variable.get("value") for variable in container_of(detector)["env"]}

    assert (detector["spec"]["replicas"], detector["spec"]["strategy"]) == (2, {"type": "RollingUpdate"})
    assert len(told["BRAKEPOINT_TRAIN_ID"].split(",")) > 1 and "BRAKEPOINT_HEARTBEAT" in told
    assert (autopilot["spec"]["replicas"], autopilot["spec"]["strategy"]) == (1, {"type": "Recreate"})


def test_each_user_of_the_broker_has_rights_of_its_own_and_to_known_topics() -> None:
    acl = (DEPLOY / "base" / "acl").read_text("utf-8")
    assert tuple(re.findall(r"^user (\w+)$", acl, re.MULTILINE)) == BROKER_USERS
    said = set(re.findall(r"^topic (?:read|write|readwrite) brakepoint/\+/(\w+)", acl, re.MULTILINE))
    assert {topic.name for topic in TOPICS} <= said
    assert "user anonymous" not in acl


def test_each_step_of_the_pipeline_is_limited_and_none_is_privileged() -> None:
    for task in of_kind(TEKTON, "Task"):
        for step in task["spec"]["steps"]:
            context = step["securityContext"]
            if task["metadata"]["name"] not in AS_ROOT:
                assert context["runAsNonRoot"] is True
                assert context["capabilities"] == {"drop": ["ALL"]}
            assert "privileged" not in context
            assert {"requests", "limits"} <= step["computeResources"].keys()
            assert step["image"].startswith("$(params.")
            assert not re.search(r"\$\(params\.(url|revision|branch|model-key)\)", step["script"]), task


def test_the_pipeline_uses_its_tasks_with_the_parameters_that_they_have() -> None:
    tasks = {task["metadata"]["name"]: task["spec"] for task in of_kind(TEKTON, "Task")}
    (pipeline,) = of_kind(TEKTON, "Pipeline")
    for use in pipeline["spec"]["tasks"]:
        task = tasks[use["taskRef"]["name"]]
        given = [*use.get("params", ()), *use.get("matrix", {}).get("params", ())]
        assert {p["name"] for p in given} == {p["name"] for p in task.get("params", ())}, use["name"]
        assert {w["name"] for w in use["workspaces"]} <= {w["name"] for w in task["workspaces"]}
        wanted = {w["name"] for w in task["workspaces"] if not w.get("optional")}
        assert wanted <= {w["name"] for w in use["workspaces"]}
    assert set(tasks) == {use["taskRef"]["name"] for use in pipeline["spec"]["tasks"]}


def test_who_is_given_a_right_is_named_with_its_namespace() -> None:
    accounts = {m["metadata"]["name"]: m["metadata"]["namespace"] for m in of_kind(TEKTON, "ServiceAccount")}
    bindings = [*of_kind(TEKTON, "RoleBinding"), *of_kind(TEKTON, "ClusterRoleBinding")]

    assert len(bindings) == 4
    for subject in (subject for binding in bindings for subject in binding["subjects"]):
        assert subject["namespace"] == accounts[subject["name"]]


def test_a_build_sees_what_the_image_is_made_of_and_nothing_else() -> None:
    build = named(TEKTON, "Task", "build")
    assert build is not None
    assert "--ignorefile deploy/images/ignore" in build["spec"]["steps"][0]["script"]


def test_an_attendee_of_a_room_gets_a_namespace_and_a_project_of_his_own() -> None:
    for name in ("applicationset.yaml", "projects.yaml"):
        (application_set,) = documents(DEPLOY / "argocd" / "room" / name)
        assert application_set["spec"]["goTemplateOptions"] == ["missingkey=error"]
        (generator,) = application_set["spec"]["generators"]
        (pattern,) = generator["git"]["files"]
        (attendee,) = [documents(file)[0] for file in ROOT.glob(pattern["path"])]
        used = set(re.findall(r"{{ \.(\w+) }}", (DEPLOY / "argocd" / "room" / name).read_text("utf-8")))
        assert used <= attendee.keys()
    (project,) = render(DEPLOY / "argocd" / "room" / "project")
    assert "clusterResourceWhitelist" not in project["spec"]
    allowed = {(kind["group"], kind["kind"]) for kind in project["spec"]["namespaceResourceWhitelist"]}
    needed = {(m["apiVersion"].rpartition("/")[0], m["kind"]) for m in STUB}
    assert needed == allowed


def test_an_attendee_sees_the_own_environment_in_argo_cd_and_no_other() -> None:
    (template,) = render(DEPLOY / "argocd" / "room" / "project")
    (projects,) = documents(DEPLOY / "argocd" / "room" / "projects.yaml")
    (patch,) = projects["spec"]["template"]["spec"]["source"]["kustomize"]["patches"]
    changes = yaml.safe_load(patch["patch"].replace("{{ .namespace }}", "spring-anna").replace("{{ .", "{{"))
    by_path = {change["path"]: change["value"] for change in changes}

    (role,) = template["spec"]["roles"]
    assert by_path["/spec/roles/0/groups/0"] == "spring-anna" and len(role["groups"]) == 1
    assert by_path["/spec/roles/0/policies"] == [
        policy.replace("brakepoint-attendee", "spring-anna") for policy in role["policies"]
    ]
    for policy in by_path["/spec/roles/0/policies"]:
        _, subject, _, action, what, verdict = policy.split(", ")
        assert (subject, what, verdict) == ("proj:spring-anna:attendee", "spring-anna/*", "allow")
        assert action in ("get", "sync")


def test_a_project_outlives_the_applications_in_it() -> None:
    finalizer = ["resources-finalizer.argocd.argoproj.io"]
    for path in ("project.yaml", "room/project/project.yaml"):
        (project,) = documents(DEPLOY / "argocd" / path)
        assert project["metadata"]["finalizers"] == finalizer
    for path in ("applicationset.yaml", "projects.yaml"):
        (application_set,) = documents(DEPLOY / "argocd" / "room" / path)
        assert application_set["spec"]["template"]["metadata"]["finalizers"] == finalizer


@each_overlay
def test_prometheus_reaches_the_metrics_of_every_service_and_nobody_else_does(manifests) -> None:
    (monitor,) = documents(DEPLOY / "grafana" / "podmonitor.yaml")
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    policies = list(of_kind(manifests, "NetworkPolicy"))
    for deployment in of_kind(manifests, "Deployment"):
        name, container = deployment["metadata"]["name"], container_of(deployment)
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        if name == "broker":
            continue
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        said = {variable["name"]: variable.get("value") for variable in container["env"]}
        assert said["BRAKEPOINT_METRICS"] == f"0.0.0.0:{ports[endpoint['port']]}"
        assert monitor["spec"]["selector"]["matchLabels"].items() <= labels.items()
        assert not lets_in(policies, labels, ports["metrics"], {"app.kubernetes.io/name": "workspace"})
    (policy,) = (p for p in policies if p["metadata"]["name"] == "metrics-from-monitoring")
    ((source,),) = (rule["from"] for rule in policy["spec"]["ingress"])
    (named_,) = source["namespaceSelector"]["matchExpressions"]
    assert "openshift-user-workload-monitoring" in named_["values"]


def test_plain_kubernetes_is_asked_for_nothing_that_it_does_not_know() -> None:
    assert {m["apiVersion"] for m in KIND} <= {"v1", "apps/v1", "networking.k8s.io/v1"}
    names = named(KIND, "NetworkPolicy", "names")
    assert names is not None
    (rule,) = names["spec"]["egress"]
    assert {port["port"] for port in rule["ports"]} == {53}
    (target,) = rule["to"]
    assert target["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "kube-system"}


def test_where_nobody_assigns_a_uid_every_pod_says_one() -> None:
    """An image whose user is root does not start with runAsNonRoot alone."""
    assert all(pod["securityContext"]["runAsUser"] > 0 for pod, _ in pods(KIND))


def test_on_plain_kubernetes_no_image_comes_from_a_registry_of_openshift() -> None:
    assert not [c["image"] for _, c in pods(KIND) if "openshift" in c["image"]]
