"""Checks the connections that the course needs, and those that must be blocked, under all NetworkPolicies."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from brakepoint.cluster.findings import Finding, Rule, found
from brakepoint.cluster.kit import Kit
from brakepoint.cluster.network import is_open
from brakepoint.cluster.pods import Manifest, Pod, namespace_of
from brakepoint.delivery.policies import End, matches

BROKER, LINK, PAGE, JUPYTER = 1883, 18831, 8000, 8888
NAME, PART, COMPONENT = "app.kubernetes.io/name", "app.kubernetes.io/part-of", "app.kubernetes.io/component"
OUTSIDE = "203.0.113.7"
"""An address for documentation (RFC 5737), for anything outside the cluster."""
STRANGERS = "somebody-s-project"
"""A namespace that any user of the cluster may have created."""


@dataclass(frozen=True)
class Way:
    """A connection.

    Attributes:
        source: Name of the connecting end.
        target: Name of the other end.
        ends: Both ends.
        port: Port of the target.
        wanted: Whether the connection must be open; otherwise it must be blocked.
        protocol: TCP or UDP.
    """

    source: str
    target: str
    ends: tuple[End, End]
    port: int
    wanted: bool
    protocol: str = "TCP"


def examine(kit: Kit) -> Iterator[Finding]:
    """Connections that are blocked but needed, or open but forbidden."""
    by_namespace: dict[str, list[Manifest]] = defaultdict(list)
    for policy in kit.of_kind("NetworkPolicy"):
        by_namespace[namespace_of(policy)].append(policy)
    namespaces = kit.namespaces | {STRANGERS: {"kubernetes.io/metadata.name": STRANGERS}}
    for where, way in ways(kit):
        source, target = way.ends
        policies = [
            *by_namespace[source.namespace],
            *(by_namespace[target.namespace] if target.namespace != source.namespace else ()),
        ]
        if is_open(policies, namespaces, source, target, way.port, way.protocol) != way.wanted:
            rule: Rule = "way_closed" if way.wanted else "way_open"
            yield found(rule, where, source=way.source, target=way.target, port=f"{way.port}/{way.protocol}")


def ways(kit: Kit) -> Iterator[tuple[str, Way]]:
    """Every relevant connection, with its namespace."""
    pods: dict[str, list[Pod]] = defaultdict(list)
    for pod in kit.pods:
        pods[pod.namespace].append(pod)
    peers = {name: End(peer["namespace"], peer["labels"]) for name, peer in kit.platform["peers"].items()}
    neighbours = dict(zip(kit.attendees, [*kit.attendees[1:], *kit.attendees[:1]], strict=True))
    for where, those in pods.items():
        here = _Place(kit, where, those, peers, neighbours.get(where, ""))
        for way in (
            *here.names(),
            *here.environment(),
            *here.models(),
            *here.training(),
            *here.workspace(),
            *here.metrics(),
        ):
            yield where, way


def end_of(pod: Pod) -> End:
    """A pod as one end of a connection."""
    ports = [port for container in pod.containers for port in container.get("ports") or ()]
    return End(pod.namespace, pod.labels, ports={p["name"]: p["containerPort"] for p in ports if "name" in p})


class _Place:
    """One namespace and its pods."""

    def __init__(self, kit: Kit, where: str, pods: list[Pod], peers: dict[str, End], neighbour: str) -> None:
        self._kit, self._where, self._pods, self._peers = kit, where, pods, peers
        self._neighbour = neighbour if neighbour != where else ""
        self._named = {pod.labels.get(NAME, ""): pod for pod in pods if pod.made_by == "Deployment"}

    def _of(self, made_by: str) -> list[Pod]:
        return [pod for pod in self._pods if pod.made_by == made_by]

    def _others(self) -> Iterator[tuple[str, End]]:
        """Those who must not connect: another pod of the namespace, another attendee, any user's project."""
        if not ({"train", "broker"} & self._named.keys() or self._where in self._kit.attendees):
            return  # A user's own project, whose inbound connections aren't ours to control.
        yield f"{STRANGERS}/pod", End(STRANGERS, {"app": "pod"})
        if self._neighbour:
            yield "another-attendee/pod", End(self._neighbour, {"app": "pod"})
            yield (
                "another-attendee/controller",
                End(self._neighbour, {NAME: "controller", PART: "brakepoint", COMPONENT: "service"}),
            )

    def names(self) -> Iterator[Way]:
        """The connections from each pod to the name server."""
        dns, port = self._peers["dns"], self._kit.platform["peers"]["dns"]["port"]
        for pod in self._pods:
            for protocol in ("UDP", "TCP"):
                yield Way(pod.name, "DNS", (end_of(pod), dns), port, True, protocol)

    def environment(self) -> Iterator[Way]:
        """The connections between train, broker, page and services of one environment."""
        train, broker, page = (self._named.get(name) for name in ("train", "broker", "monitor"))
        for pod in self._pods:
            is_service = pod.labels.get(COMPONENT) == "service" and pod.made_by == "Deployment"
            if broker and pod is not broker:
                yield Way(pod.name, "broker", (end_of(pod), end_of(broker)), BROKER, is_service)
            if train and pod is not train:
                wanted = pod.labels.get(NAME) == "controller"
                yield Way(pod.name, "train", (end_of(pod), end_of(train)), LINK, wanted)
        targets = ((broker, BROKER), (train, LINK), (page, PAGE))
        for pod, port in ((pod, port) for pod, port in targets if pod):
            for name, other in (("any-other-pod", End(self._where, {"app": "pod"})), *self._others()):
                yield Way(name, pod.name, (other, end_of(pod)), port, False)
        for pod in self._named.values() if train else ():
            if pod not in (broker, train, page):
                ports = [one["containerPort"] for one in pod.spec["containers"][0].get("ports") or ()]
                for name, other in (("any-other-pod", End(self._where, {"app": "pod"})), *self._others()):
                    yield Way(name, pod.name, (other, end_of(pod)), ports[0] if ports else PAGE, False)
        if train:
            yield Way("train", "internet", (end_of(train), End("", address=OUTSIDE)), 443, False)
        if page and "router" in self._peers:
            yield Way("router", page.name, (self._peers["router"], end_of(page)), PAGE, True)

    def _store(self) -> tuple[End, int] | None:
        """The attendee's object store as one end of a connection."""
        connection = next(
            (
                m
                for m in self._kit.within(self._where, "Secret")
                if "AWS_S3_ENDPOINT" in (m.get("stringData") or {})
            ),
            None,
        )
        if connection is None:
            return None
        address = urlsplit(connection["stringData"]["AWS_S3_ENDPOINT"])
        port = address.port or (443 if address.scheme == "https" else 80)
        name, _, rest = (address.hostname or "").partition(".")
        if not rest.endswith((".svc", ".svc.cluster.local")):
            return End("", address=OUTSIDE), port
        space = rest.partition(".")[0]
        service = next((m for m in self._kit.within(space, "Service") if m["metadata"]["name"] == name), None)
        if service is None:
            return End(space), port
        said: Manifest = next((one for one in service["spec"]["ports"] if one["port"] == port), {})
        labels = service["spec"].get("selector") or {}
        return next(
            (
                (end_of(p), _number(p, said.get("targetPort", port)))
                for p in self._kit.pods
                if p.namespace == space and labels.items() <= p.labels.items()
            ),
            (End(space, labels), port),
        )

    def _to_store(self, pods: Iterable[Pod]) -> Iterator[Way]:
        store = self._store()
        for pod in pods if store else ():
            assert store is not None
            yield Way(pod.name, "S3", (end_of(pod), store[0]), store[1], True)

    def models(self) -> Iterator[Way]:
        """Model servers: they read from the store, and the workspace calls them."""
        predictors, desks = self._of("InferenceService"), self._of("DevWorkspace")
        yield from self._to_store(predictors)
        for pod in predictors:
            ports = [
                one["containerPort"] for container in pod.containers for one in container.get("ports") or ()
            ]
            for port in ports:
                yield from (
                    Way(desk.name, pod.name, (end_of(desk), end_of(pod)), port, True) for desk in desks
                )
                yield from (
                    Way(name, pod.name, (other, end_of(pod)), port, False) for name, other in self._others()
                )
                exposed = pod.labels.get("networking.kserve.io/visibility") == "exposed"
                if exposed and "router" in self._peers:
                    yield Way("router", pod.name, (self._peers["router"], end_of(pod)), port, True)

    def training(self) -> Iterator[Way]:
        """Pipelines: their pods connect to store and pipeline server, and the workspace to that server."""
        tasks, servers = self._of("PipelineRun"), self._of("DataSciencePipelinesApplication")
        yield from self._to_store([*tasks, *servers])
        for server in (pod for pod in servers if "apiserver" in pod.name):
            for pod in (*tasks, *self._of("DevWorkspace")):
                yield Way(pod.name, server.name, (end_of(pod), end_of(server)), 8888, True)
            for name, other in self._others():
                yield Way(name, server.name, (other, end_of(server)), 8888, False)

    def workspace(self) -> Iterator[Way]:
        """A workspace can only be reached through DevSpaces."""
        for pod in self._of("DevWorkspace"):
            yield from self._to_store([pod])
            yield Way(pod.name, "internet", (end_of(pod), End("", address=OUTSIDE)), 443, True)
            for port in (PAGE, JUPYTER):
                if "devspaces" in self._peers:
                    yield Way("DevSpaces", pod.name, (self._peers["devspaces"], end_of(pod)), port, True)
                for name, other in self._others():
                    yield Way(name, pod.name, (other, end_of(pod)), port, False)

    def metrics(self) -> Iterator[Way]:
        """Prometheus can reach the pods that a monitor names."""
        for monitor in self._kit.within(self._where, "PodMonitor"):
            selector = monitor["spec"].get("selector")
            for pod in (pod for pod in self._pods if matches(selector, pod.labels)):
                for said in monitor["spec"].get("podMetricsEndpoints") or ():
                    port = _number(pod, said.get("port") or said.get("targetPort") or said.get("portNumber"))
                    if port and "monitoring" in self._peers:
                        yield Way(
                            "Prometheus", pod.name, (self._peers["monitoring"], end_of(pod)), port, True
                        )


def _number(pod: Pod, port: object) -> int:
    """A port of a pod by its name or number; 0 if there is none of that name."""
    return port if isinstance(port, int) else end_of(pod).ports.get(str(port), 0)
