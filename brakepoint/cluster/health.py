"""Checks whether an existing cluster is ready for a room, for `brakepoint cluster doctor`."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from brakepoint import __version__
from brakepoint.cluster.amounts import quantity
from brakepoint.cluster.api import Api, Manifest
from brakepoint.cluster.pods import Pod
from brakepoint.cluster.references import OPERATORS_ACCOUNTS
from brakepoint.cluster.shapes import checked
from brakepoint.errors import UserError
from brakepoint.room.attendee_delivery import IMAGES_NAMESPACE
from brakepoint.room.config import Room
from brakepoint.texts import number, text

OPERATORS = {
    "openshift-pipelines-operator-rh": (),
    "openshift-gitops-operator": (),
    "devspaces": (),
    "rhods-operator": (2, 19),
}
"""The operators of deploy/cluster, with the minimum version of the one whose pipeline server runs step 4."""
IMAGES = ("brakepoint-edge", "brakepoint-pipeline-cpu", "brakepoint-serving", "brakepoint-workbench")
"""The images that deploy/cluster builds."""
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
SHARED = re.compile(r"cephfs|nfs|efs\.csi|file\.csi|filestore|gluster", re.IGNORECASE)
"""Provisioners whose volumes can be mounted on several nodes at once, which the API does not show."""
GPU = "nvidia.com/gpu"
ARCH = "kubernetes.io/arch"
START_LEAST_S, IDLE_LEAST_S = 900, 4 * 3600
"""Least start and idle timeouts of a workspace: its images are large, and a workshop takes half a day."""
PULLING = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "SignatureValidationFailed")
AN_OPERATORS_OWN = "image-of-an-operator"
"""Stands for an image that only an operator knows: a pod without one is invalid, and a dry run pulls none."""


@dataclass(frozen=True)
class Answer:
    """The result of one check.

    Attributes:
        what: What was checked and found, in the reader's language.
        remedy: What to do; empty if the check passed.
    """

    what: str
    remedy: str = ""


def examine(api: Api, room: Room | None, pods: Iterable[Pod]) -> Iterator[Answer]:
    """Runs all checks on a cluster.

    Args:
        api: The cluster.
        room: The expected room; None if none is applied yet.
        pods: The pods that the cluster must accept: one of each kind is tried.

    Raises:
        UserError: The cluster does not answer, or refuses a query.
    """
    yield _version(api)
    yield from _operators(api)
    yield from _storage(api)
    yield from _nodes(api)
    yield _registry(api)
    yield from _devspaces(api)
    yield _built(api)
    yield _pulls(api, room)
    yield from _pipeline_servers(api, room)
    yield from _dry_runs(api, pods)


def _answer(name: str, /, *, well: bool, **values: object) -> Answer:
    """Texts: `cluster.doctor.{name}`, and `cluster.doctor.{name}_remedy` for what to do."""
    remedy = "" if well else text(f"cluster.doctor.{name}_remedy", None, **values)
    return Answer(text(f"cluster.doctor.{name}", None, **values), remedy)


def _read(api: Api, path: str, shape: str) -> Manifest:
    """The object at a path of the API, without null fields; empty if there is none.

    Raises:
        UserError: The cluster does not answer, or answers with something other than an object of that shape.
    """
    return dict(checked(api.get(path) or {}, shape, path))


def _items(api: Api, path: str, shape: str) -> list[Manifest]:
    return list(_read(api, path, shape).get("items") or ())


def _version(api: Api) -> Answer:
    found = _read(api, "/apis/config.openshift.io/v1/clusterversions/version", "ClusterVersion")
    said = found.get("status", {}).get("desired", {}).get("version", "–")
    return _answer("version", well=bool(found), version=said)


def _operators(api: Api) -> Iterator[Answer]:
    path = "/apis/operators.coreos.com/v1alpha1/subscriptions"
    subscriptions = {one["spec"]["name"]: one for one in _items(api, path, "Subscriptions")}
    for name, least in OPERATORS.items():
        found = subscriptions.get(name)
        installed = (found or {}).get("status", {}).get("installedCSV", "")
        if found is None or not installed:
            yield _answer("no_operator", well=False, name=name)
            continue
        space = found["metadata"].get("namespace", "")
        path = f"/apis/operators.coreos.com/v1alpha1/namespaces/{space}/clusterserviceversions/{installed}"
        version = _read(api, path, "ClusterServiceVersion")
        phase, said = version.get("status", {}).get("phase", "–"), version.get("spec", {}).get("version", "")
        if phase != "Succeeded":
            yield _answer("operator_phase", well=False, name=name, version=said, phase=phase)
            continue
        is_new_enough = tuple(map(int, re.findall(r"\d+", said)[:2])) >= least
        wanted = ".".join(map(str, least))
        yield _answer("operator", well=is_new_enough, name=name, version=said, least=wanted)


def _storage(api: Api) -> Iterator[Answer]:
    classes = _items(api, "/apis/storage.k8s.io/v1/storageclasses", "StorageClasses")
    default = [
        one["metadata"]["name"]
        for one in classes
        if (one["metadata"].get("annotations") or {}).get(DEFAULT_CLASS) == "true"
    ]
    yield _answer("default_class", well=len(default) == 1, names=", ".join(default) or "–")
    shared = [one["metadata"]["name"] for one in classes if SHARED.search(one["provisioner"])]
    yield _answer("shared_class", well=bool(shared), names=", ".join(shared) or "–")


def _nodes(api: Api) -> Iterator[Answer]:
    nodes = _items(api, "/api/v1/nodes", "Nodes")
    unready = [one["metadata"]["name"] for one in nodes if not _is_true(one, "Ready")]
    kinds = sorted({one["status"]["nodeInfo"]["architecture"] for one in nodes if _takes_pods(one)})
    well, names = bool(nodes) and not unready, ", ".join(unready) or "–"
    yield _answer("nodes", well=well, count=len(nodes), unready=names)
    yield _answer("architectures", well="amd64" in kinds, names=", ".join(kinds) or "–")
    gpus = {
        one["metadata"]["name"]: int(quantity(one["status"].get("allocatable", {}).get(GPU, 0)))
        for one in nodes
    }
    strange = sorted(
        taint["key"]
        for one in nodes
        for taint in one["spec"].get("taints") or ()
        if gpus[one["metadata"]["name"]] and taint["key"] != GPU and taint["effect"] != "PreferNoSchedule"
    )
    yield _answer(
        "gpus", well=not strange, count=sum(gpus.values()), taints=", ".join(dict.fromkeys(strange))
    )


def _takes_pods(node: Manifest) -> bool:
    """Whether pods without tolerations of their own are scheduled on a node; builds tolerate `ARCH`."""
    taints = node["spec"].get("taints") or ()
    return not node["spec"].get("unschedulable") and all(
        taint["effect"] == "PreferNoSchedule" or taint["key"] == ARCH for taint in taints
    )


def _registry(api: Api) -> Answer:
    found = _read(api, "/apis/imageregistry.operator.openshift.io/v1/configs/cluster", "RegistryConfig")
    state = found.get("spec", {}).get("managementState", "–")
    conditions = (found.get("status") or {}).get("conditions") or ()
    has_no_storage = any((one["type"], one["status"]) == ("Available", "False") for one in conditions)
    return _answer("registry", well=state == "Managed" and not has_no_storage, state=state)


def _devspaces(api: Api) -> Iterator[Answer]:
    found = _items(api, "/apis/org.eclipse.che/v2/checlusters", "CheClusters")
    if not found:
        yield _answer("no_devspaces", well=False)
        return
    settings = found[0]["spec"].get("devEnvironments") or {}
    names = settings.get("defaultNamespace") or {}
    made = names.get("autoProvision", True)
    yield _answer("workspace_namespace", well=not made, template=names.get("template", "–") if made else "–")
    is_off = settings.get("disableContainerBuildCapabilities") is True
    yield _answer("container_build", well=is_off)
    start, idle = (
        settings.get(key) or 0 for key in ("startTimeoutSeconds", "secondsOfInactivityBeforeIdling")
    )
    is_patient = start >= START_LEAST_S and (idle < 0 or idle >= IDLE_LEAST_S)
    yield _answer("workspace_time", well=is_patient, start=start, idle=idle)


def _built(api: Api) -> Answer:
    streams = {
        one["metadata"]["name"]: {
            tag["tag"]
            for tag in one.get("status", {}).get("tags") or ()
            if tag.get("items")  # Without any, an import has failed.
        }
        for one in _items(
            api, f"/apis/image.openshift.io/v1/namespaces/{IMAGES_NAMESPACE}/imagestreams", "ImageStreams"
        )
    }
    missing = [name for name in IMAGES if __version__ not in streams.get(name, ())]
    return _answer("built", well=not missing, missing=", ".join(missing), version=__version__)


def _pulls(api: Api, room: Room | None) -> Answer:
    own = (IMAGES_NAMESPACE, "brakepoint-test", *(map(room.place_of, room.everybody) if room else ()))
    stuck = [
        f"{pod['metadata']['namespace']}/{pod['metadata']['name']}: {status['image']}"
        for pod in _items(api, "/api/v1/pods", "Pods")
        if pod["metadata"].get("namespace") in own
        for kind in ("initContainerStatuses", "containerStatuses")
        for status in pod.get("status", {}).get(kind) or ()
        if status.get("state", {}).get("waiting", {}).get("reason") in PULLING
    ]
    return _answer("pulls", well=not stuck, first=stuck[0] if stuck else "", more=max(len(stuck) - 1, 0))


def _pipeline_servers(api: Api, room: Room | None) -> Iterator[Answer]:
    """Checks the pipeline servers.

    Each server queries its store from inside the cluster, which also tests that connection.
    """
    if room is None or not room.pipeline_image:
        return
    group = "datasciencepipelinesapplications.opendatahub.io"
    found = {
        one["metadata"].get("namespace"): one
        for one in _items(api, f"/apis/{group}/v1/datasciencepipelinesapplications", "PipelineServers")
    }
    places = [room.place_of(handle) for handle in room.everybody]
    for name, condition in (("servers", "Ready"), ("store", "ObjectStoreAvailable")):
        lacking = [place for place in places if place not in found or not _is_true(found[place], condition)]
        ready = number(len(places) - len(lacking))
        yield _answer(name, well=not lacking, ready=ready, count=len(places), first=(lacking or ["–"])[0])


def _dry_runs(api: Api, pods: Iterable[Pod]) -> Iterator[Answer]:
    """Tries one pod of each kind in each existing namespace."""
    tried: set[tuple[str, str]] = set()
    for pod in pods:
        if (pod.made_by, pod.account) in tried or api.get(f"/api/v1/namespaces/{pod.namespace}") is None:
            continue
        tried.add((pod.made_by, pod.account))
        why = api.refusal(_as_manifest(api, pod))
        yield _answer(
            "dry_run", well=not why, pod=pod.name, kind=pod.made_by, namespace=pod.namespace, why=why
        )


def _as_manifest(api: Api, pod: Pod) -> Manifest:
    """A pod as it would be created, apart from images and accounts that only an operator knows."""
    metadata = {
        "generateName": "brakepoint-doctor-",
        "namespace": pod.namespace,
        "labels": pod.labels,
        "annotations": pod.annotations,
    }
    spec = {**pod.spec, "serviceAccountName": _account(api, pod)}
    for kind in ("initContainers", "containers"):
        spec[kind] = [{**one, "image": one.get("image") or AN_OPERATORS_OWN} for one in spec.get(kind) or ()]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _account(api: Api, pod: Pod) -> str:
    """The pod's account; the default one until the operator has created the pod's own."""
    path = f"/api/v1/namespaces/{pod.namespace}/serviceaccounts/{pod.account}"
    is_later = pod.account.startswith(OPERATORS_ACCOUNTS) and api.get(path) is None
    return "default" if is_later else pod.account


def _is_true(manifest: Manifest, condition: str) -> bool:
    conditions = manifest.get("status", {}).get("conditions") or ()
    return any(one["type"] == condition and one["status"] == "True" for one in conditions)


def require_answer(api: Api) -> None:
    """Checks early that the cluster answers.

    Raises:
        UserError: The cluster does not answer.
    """
    if api.get("/version") is None:
        raise UserError("cluster.doctor.error.no_answer", path="/version", why="–")
