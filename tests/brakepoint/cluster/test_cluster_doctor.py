"""What the doctor reports about a cluster, which is a small substitute for its API."""

import json
import threading
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from brakepoint import __version__
from brakepoint.cluster.api import AS_THE_CLUSTER, Kubectl, Manifest
from brakepoint.cluster.health import IMAGES, OPERATORS, Answer, examine, require_answer
from brakepoint.cluster.pods import Pod
from brakepoint.course import ROOT
from brakepoint.delivery.rendering import of_kind, render
from brakepoint.errors import UserError
from brakepoint.room.config import MinioSettings, Room

ROOM = Room(
    name="spring",
    attendees=2,
    handles=("anna", "bela"),
    store=MinioSettings(kind="minio", endpoint="https://minio.example.org"),
    pipeline_image="registry.example.org/pipeline:1",
)
TEKTON = Pod("clone", "TaskRun", "brakepoint-images", {"containers": []})
TRAIN = Pod("train", "Deployment", "spring-anna", {"serviceAccountName": "x", "containers": []})
CSVS = "/apis/operators.coreos.com/v1alpha1/namespaces/openshift-operators/clusterserviceversions"
SERVERS = "/apis/datasciencepipelinesapplications.opendatahub.io/v1/datasciencepipelinesapplications"
CHE = "/apis/org.eclipse.che/v2/checlusters"
NODES = "/api/v1/nodes"
STORAGE = "/apis/storage.k8s.io/v1/storageclasses"
SUBSCRIPTIONS = "/apis/operators.coreos.com/v1alpha1/subscriptions"
STREAMS = "/apis/image.openshift.io/v1/namespaces/brakepoint-images/imagestreams"
REGISTRY = "/apis/imageregistry.operator.openshift.io/v1/configs/cluster"
PODS = "/api/v1/pods"


@pytest.fixture(autouse=True)
def english(monkeypatch) -> None:
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")


def meta(name: str, namespace: str = "", **annotations: str) -> Manifest:
    return {"name": name, "namespace": namespace, "annotations": annotations}


def conditions(**said: str) -> list[Manifest]:
    return [{"type": kind, "status": status} for kind, status in said.items()]


def server(namespace: str, **said: str) -> Manifest:
    return {"metadata": meta("dspa", namespace), "status": {"conditions": conditions(**said)}}


def node(name: str, arch: str = "amd64", gpus: str = "0", ready: str = "True", **taints: str) -> Manifest:
    return {
        "metadata": meta(name),
        "spec": {
            "taints": [{"key": key.replace("_", "/"), "effect": effect} for key, effect in taints.items()]
        },
        "status": {
            "nodeInfo": {"architecture": arch},
            "allocatable": {"nvidia.com/gpu": gpus},
            "conditions": conditions(Ready=ready),
        },
    }


def cordoned(one: Manifest) -> Manifest:
    return {**one, "spec": {**one["spec"], "unschedulable": True}}


def storage(name: str, provisioner: str, default: str = "false") -> Manifest:
    annotations = {"storageclass.kubernetes.io/is-default-class": default}
    return {"metadata": {"name": name, "annotations": annotations}, "provisioner": provisioner}


@cache
def workspaces() -> Manifest:
    cluster = render(ROOT / "deploy" / "cluster" / "platform")
    (che,) = of_kind(cluster, "CheCluster")
    return {"items": [che]}


def healthy() -> dict[str, Manifest]:
    """The API of a cluster as deploy/cluster prepares it, by path."""
    subscriptions = [
        {
            "metadata": meta(name, "openshift-operators"),
            "spec": {"name": name},
            "status": {"installedCSV": f"{name}.v2.25.0"},
        }
        for name in OPERATORS
    ]
    versions: dict[str, Manifest] = {
        f"{CSVS}/{name}.v2.25.0": {"spec": {"version": "2.25.0"}, "status": {"phase": "Succeeded"}}
        for name in OPERATORS
    }
    streams = [
        {
            "metadata": meta(name),
            "status": {
                "tags": [{"tag": tag, "items": [{"image": "sha256:1"}]} for tag in ("x", __version__)]
            },
        }
        for name in IMAGES
    ]
    return versions | {
        "/version": {"gitVersion": "v1.31"},
        "/apis/config.openshift.io/v1/clusterversions/version": {
            "status": {"desired": {"version": "4.18.3"}}
        },
        SUBSCRIPTIONS: {"items": subscriptions},
        STORAGE: {
            "items": [
                storage("fast", "ebs.csi.aws.com", "true"),
                storage("files", "openshift-storage.cephfs.csi"),
            ]
        },
        NODES: {"items": [node("one"), node("two", "arm64", "4", nvidia_x="PreferNoSchedule")]},
        REGISTRY: {"spec": {"managementState": "Managed"}},
        CHE: deepcopy(workspaces()),
        STREAMS: {"items": streams},
        PODS: {"items": []},
        SERVERS: {
            "items": [
                server(place, Ready="True", ObjectStoreAvailable="True")
                for place in ("spring-anna", "spring-bela")
            ]
        },
        "/api/v1/namespaces/spring-anna": {},
        "/api/v1/namespaces/brakepoint-images": {},
    }


class StandIn:
    """Answers from a dictionary, and admits the given users."""

    def __init__(self, there: dict[str, Manifest], refused: str = "") -> None:
        self.there, self.refused = there, refused
        self.tried: list[Manifest] = []

    def get(self, path: str) -> Manifest | None:
        return self.there.get(path)

    def refusal(self, pod: Manifest) -> str:
        self.tried.append(pod)
        return self.refused


def ask(there: dict[str, Manifest], room: Room | None = ROOM, refused: str = "") -> list[Answer]:
    return list(examine(StandIn(there, refused), room, [TEKTON, TRAIN]))


def wrong(there: dict[str, Manifest], room: Room | None = ROOM, refused: str = "") -> list[Answer]:
    return [answer for answer in ask(there, room, refused) if answer.remedy]


def test_a_cluster_as_it_should_be_has_nothing_to_correct() -> None:
    answers = ask(healthy())

    assert [answer for answer in answers if answer.remedy] == []
    said = "\n".join(answer.what for answer in answers)
    for word in ("4.18.3", "rhods-operator 2.25.0", "fast", "files", "amd64, arm64", "slices of them: 4"):
        assert word in said
    assert "pipeline servers that reach the object store: 2 of 2" in said


def test_the_operators_asked_for_are_those_that_deploy_cluster_installs() -> None:
    subscribed = {
        one["spec"]["name"] for one in of_kind(render(ROOT / "deploy/cluster/operators"), "Subscription")
    }

    assert set(OPERATORS) == subscribed


def changed(path: str, change: Any) -> dict[str, Manifest]:
    there = deepcopy(healthy())
    there[path] = change(there[path])
    return there


def without(path: str) -> dict[str, Manifest]:
    return {key: value for key, value in healthy().items() if key != path}


def settings(**values: Any) -> Any:
    def change(found: Manifest) -> Manifest:
        found["items"][0]["spec"]["devEnvironments"].update(values)
        return found

    return change


def waiting(namespace: str, kind: str = "containerStatuses", reason: str = "ImagePullBackOff") -> Manifest:
    status = {kind: [{"image": "registry/none:1", "state": {"waiting": {"reason": reason}}}]}
    return {"items": [{"metadata": meta("pod", namespace), "status": status}]}


def fewer(found: Manifest) -> Manifest:
    return {"items": found["items"][1:]}


def first_alone(found: Manifest) -> Manifest:
    return {"items": found["items"][:1]}


def more(one: Manifest) -> Any:
    return lambda found: {"items": [*found["items"], one]}


def first_is(**values: Any) -> Any:
    return lambda found: {"items": [{**found["items"][0], **values}, *found["items"][1:]]}


CASES = {
    "no OpenShift": (without("/apis/config.openshift.io/v1/clusterversions/version"), "not OpenShift"),
    "no operator": (changed(SUBSCRIPTIONS, fewer), "deploy/cluster/operators"),
    "operator not installed": (
        changed(SUBSCRIPTIONS, first_is(status={})),
        "deploy/cluster/operators",
    ),
    "operator failed": (
        changed(f"{CSVS}/devspaces.v2.25.0", lambda found: {**found, "status": {"phase": "Failed"}}),
        "clusterserviceversion",
    ),
    "old OpenShift AI": (
        changed(f"{CSVS}/rhods-operator.v2.25.0", lambda found: {**found, "spec": {"version": "2.18.9"}}),
        "2.19",
    ),
    "no default class": (changed(STORAGE, fewer), "exactly one"),
    "two default classes": (
        changed(STORAGE, more(storage("more", "x", "true"))),
        "exactly one",
    ),
    "no shared class": (changed(STORAGE, first_alone), "ReadWriteMany"),
    "no nodes at all": (changed(NODES, lambda _: {"items": []}), "Not ready: –"),
    "no nodes of amd64": (changed(NODES, fewer), "amd64"),
    "no node of amd64 that takes pods": (
        changed(NODES, lambda found: {"items": [node("one", control_plane="NoSchedule"), found["items"][1]]}),
        "amd64",
    ),
    "a node of amd64 that is being emptied": (
        changed(NODES, lambda found: {"items": [cordoned(found["items"][0]), found["items"][1]]}),
        "amd64",
    ),
    "a node that is not ready": (changed(NODES, more(node("three", ready="Unknown"))), "three"),
    "a strange taint": (
        changed(NODES, more(node("three", gpus="1", team="NoSchedule"))),
        "team",
    ),
    "no registry": (
        changed(REGISTRY, lambda found: {"spec": {"managementState": "Removed"}}),
        "managementState",
    ),
    "a registry without storage": (
        changed(REGISTRY, lambda found: {**found, "status": {"conditions": conditions(Available="False")}}),
        "storage",
    ),
    "no DevSpaces": (without(CHE), "devspaces.yaml"),
    "own namespaces": (
        changed(CHE, settings(defaultNamespace={"template": "<username>-devspaces"})),
        "<username>-devspaces",
    ),
    "container build": (
        changed(CHE, settings(disableContainerBuildCapabilities=False)),
        "disableContainerBuildCapabilities",
    ),
    "short start": (changed(CHE, settings(startTimeoutSeconds=899)), "startTimeoutSeconds"),
    "short rest": (
        changed(CHE, settings(secondsOfInactivityBeforeIdling=14399)),
        "secondsOfInactivityBeforeIdling",
    ),
    "image not built": (changed(STREAMS, fewer), IMAGES[0]),
    "image of another version": (
        changed(STREAMS, first_is(status={"tags": []})),
        IMAGES[0],
    ),
    "image not imported": (
        changed(STREAMS, first_is(status={"tags": [{"tag": __version__, "items": None}]})),
        IMAGES[0],
    ),
    "image not pulled": (changed(PODS, lambda _: waiting("spring-bela")), "registry/none:1"),
    "init image not pulled": (
        changed(PODS, lambda _: waiting("brakepoint-images", "initContainerStatuses", "ErrImagePull")),
        "registry/none:1",
    ),
    "no pipeline server": (changed(SERVERS, fewer), "spring-anna"),
    "store out of reach": (
        changed(SERVERS, first_is(**server("spring-anna", Ready="True", ObjectStoreAvailable="False"))),
        "The pipeline server in spring-anna does not reach the store",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_wrong_is_said_with_what_to_do(name: str) -> None:
    there, said = CASES[name]
    found = wrong(there)

    assert any(said in answer.remedy for answer in found), found
    assert len(found) <= 2, "and nothing else is called wrong"


@pytest.mark.parametrize(
    "there",
    [
        changed(CHE, settings(secondsOfInactivityBeforeIdling=-1)),
        changed(CHE, settings(startTimeoutSeconds=900, secondsOfInactivityBeforeIdling=14400)),
        changed(PODS, lambda _: waiting("somebody-else")),
        changed(PODS, lambda _: waiting("spring-anna", reason="ContainerCreating")),
        changed(f"{CSVS}/rhods-operator.v2.25.0", lambda found: {**found, "spec": {"version": "2.19.0"}}),
        changed(NODES, more(node("three", team="NoSchedule"))),
        changed(NODES, more(node("three", gpus="1", **{"nvidia.com_gpu": "NoSchedule"}))),
    ],
    ids=[
        "never idle",
        "just enough",
        "another's pod",
        "still creating",
        "just new enough",
        "taint without GPU",
        "GPU's own taint",
    ],
)
def test_what_does_not_matter_is_not_called_wrong(there) -> None:
    assert wrong(there) == []


def test_without_a_room_only_the_cluster_is_asked() -> None:
    assert wrong(without(SERVERS), room=None) == []


def test_a_pod_that_is_refused_is_said_with_the_cluster_s_own_words() -> None:
    found = wrong(healthy(), refused="violates PodSecurity")

    assert [answer.what.split()[0] for answer in found] == ["TaskRun", "Deployment"]
    assert all("violates PodSecurity" in answer.remedy for answer in found)


def test_one_pod_of_each_kind_and_account_is_tried_where_its_namespace_is_there() -> None:
    api = StandIn(healthy())
    elsewhere = Pod("train", "DevWorkspace", "not-there", {"containers": []})

    list(examine(api, None, [TEKTON, TEKTON, TRAIN, elsewhere]))

    assert [pod["metadata"]["namespace"] for pod in api.tried] == ["brakepoint-images", "spring-anna"]
    assert api.tried[1]["spec"] == {**TRAIN.spec, "initContainers": []} and api.tried[1]["kind"] == "Pod"


@pytest.mark.parametrize("account", ["workspace-sa", "brakepoint-tasks"])
@pytest.mark.parametrize("is_there", [True, False])
def test_what_only_an_operator_knows_does_not_make_a_tried_pod_invalid(account: str, is_there: bool) -> None:
    """The API server refuses a container without an image, and a pod whose account does not exist."""
    accounts = f"/api/v1/namespaces/spring-anna/serviceaccounts/{account}"
    api = StandIn({**healthy(), **({accounts: {}} if is_there else {})})
    own, other = {"name": "own", "image": "registry/own:1"}, {"name": "operator-s", "image": ""}
    spec = {"serviceAccountName": account, "initContainers": [other], "containers": [own]}

    list(examine(api, None, [Pod("workspace", "DevWorkspace", "spring-anna", spec)]))

    tried = api.tried[0]["spec"]
    assert all(one["image"] for one in (*tried["initContainers"], *tried["containers"]))
    assert tried["containers"] == [own]
    is_later = account == "workspace-sa" and not is_there
    assert tried["serviceAccountName"] == ("default" if is_later else account)


class ApiServer(BaseHTTPRequestHandler):
    """The part of an API server that kubectl uses."""

    seen: list[tuple[str, str, str]] = []  # noqa: RUF012

    def _answer(self, content: Manifest, status: int = 200) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _refuse(self, code: int, reason: str, message: str) -> None:
        status = {"kind": "Status", "apiVersion": "v1", "status": "Failure"}
        self._answer({**status, "code": code, "reason": reason, "message": message}, code)

    def _given(self) -> bytes:
        """The body, which kubectl sends in chunks."""
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        return body

    def do_GET(self) -> None:
        if self.path.startswith("/secret"):
            self._refuse(403, "Forbidden", "you may not")
        elif self.path.startswith("/version"):
            self._answer({"gitVersion": "v1.31"})
        else:
            self._refuse(404, "NotFound", "nothing here")

    def do_POST(self) -> None:
        pod = json.loads(self._given())
        self.seen.append((self.path, self.headers.get("Impersonate-User", ""), pod["kind"]))
        if pod["spec"].get("hostNetwork"):
            self._refuse(403, "Forbidden", "unable to validate against any security context constraint")
        else:
            self._answer(pod, 201)

    def log_message(self, *arguments: object) -> None:
        """Logs nothing."""


@pytest.fixture
def cluster(tmp_path, monkeypatch) -> Iterator[Kubectl]:
    """kubectl with a kubeconfig that leads to a substitute."""
    http = ThreadingHTTPServer(("127.0.0.1", 0), ApiServer)
    threading.Thread(target=http.serve_forever, daemon=True).start()
    monkeypatch.setattr(ApiServer, "seen", [])
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
        "clusters": [{"name": "here", "cluster": {"server": f"http://127.0.0.1:{http.server_port}"}}],
        "users": [{"name": "me", "user": {"token": "t"}}],
    }
    path = Path(tmp_path, "kubeconfig")
    path.write_text(yaml.safe_dump(config))
    monkeypatch.setenv("KUBECONFIG", str(path))
    monkeypatch.setenv("HOME", str(tmp_path))
    yield Kubectl()
    http.shutdown()
    http.server_close()


def pod(**spec: object) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"generateName": "x-", "namespace": "there"},
        "spec": spec,
    }


def test_kubectl_says_what_is_there_what_is_not_and_what_it_may_not_see(cluster) -> None:
    assert cluster.get("/version") == {"gitVersion": "v1.31"}
    assert cluster.get("/apis/nothing") is None
    with pytest.raises(UserError) as caught:
        cluster.get("/secret")
    assert "you may not" in str(caught.value) and "/secret" in str(caught.value)


def test_a_pod_is_tried_as_the_cluster_s_controller_would_and_nothing_is_made(cluster) -> None:
    assert cluster.refusal(pod()) == ""
    assert "security context constraint" in cluster.refusal(pod(hostNetwork=True))

    for path, user, kind in ApiServer.seen:
        assert path.startswith("/api/v1/namespaces/there/pods?") and "dryRun=All" in path
        assert (user, kind) == (AS_THE_CLUSTER, "Pod")


def test_a_cluster_that_does_not_answer_is_reported_at_once(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.setenv("HOME", str(tmp_path))

    with pytest.raises(UserError) as caught:
        require_answer(Kubectl())
    assert "oc login" in str(caught.value)
    with pytest.raises(UserError):
        require_answer(StandIn({}))
