"""Collects the manifests that the kit would apply to a cluster, and derives all pods from these."""

import copy
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from brakepoint.cluster import operators, shapes, tekton
from brakepoint.cluster.pods import Manifest, Pod, built_in, namespace_of
from brakepoint.course import ROOT
from brakepoint.delivery.credentials import make_secrets
from brakepoint.delivery.rendering import render
from brakepoint.errors import UserError
from brakepoint.files import load_yaml_documents
from brakepoint.room.accounts import Account
from brakepoint.room.config import Room, load_room
from brakepoint.room.manifests import namespace_manifests, secret_manifests

CLUSTER_WIDE = {
    "Namespace",
    "ClusterRole",
    "ClusterRoleBinding",
    "RuntimeClass",
    "PriorityClass",
    "StorageClass",
    "SecurityContextConstraints",
    "CustomResourceDefinition",
    "TektonConfig",
    "ClusterPolicy",
    "DataScienceCluster",
    "DSCInitialization",
    "OAuth",
    "KubernetesImagePuller",
    "ClusterQueue",
    "ResourceFlavor",
    "PersistentVolume",
}
KUSTOMIZE = ("Kustomization", "Component")
"""Kinds that kubectl renders and does not send."""
DEVFILE = "devfile.yaml"
STEP_4 = Path("solutions/step4_pipeline.py")


@cache
def platforms() -> dict[str, Manifest]:
    """Platforms by name: what each provides, and which parts of the kit are applied there."""
    file = resources.files(__package__) / "data" / "platforms.yaml"
    return dict(yaml.safe_load(file.read_text(encoding="utf-8")))


def default_room(attendees: int | None = None) -> Room:
    """The room to rehearse if no file is given."""
    with resources.as_file(resources.files(__package__) / "data" / "room.yaml") as path:
        return load_room(path, attendees)


@dataclass
class Kit:
    """Everything that would be applied; the rules only read it.

    Attributes:
        profile: Name of the platform.
        manifests: All manifests, each with its namespace.
        room: The room; None on a platform without rooms.
        devfile: Devfile of the workspaces.
        origins: Manifests by the folder from which they are applied.
        pipeline: Step 4, compiled: the pipeline, and its Kubernetes part.
    """

    profile: str
    manifests: list[Manifest]
    room: Room | None = None
    devfile: Manifest = field(default_factory=dict)
    pipeline: list[Manifest] = field(default_factory=list)
    origins: dict[str, list[Manifest]] = field(default_factory=dict)

    @property
    def platform(self) -> Manifest:
        """What the platform provides."""
        return platforms()[self.profile]

    @cached_property
    def _by_kind(self) -> dict[str, dict[str, list[Manifest]]]:
        """The manifests by kind and namespace."""
        index: dict[str, dict[str, list[Manifest]]] = defaultdict(lambda: defaultdict(list))
        for manifest in self.manifests:
            index[manifest["kind"]][namespace_of(manifest)].append(manifest)
        return index

    def of_kind(self, *kinds: str) -> Iterator[Manifest]:
        """The manifests of these kinds."""
        for kind in kinds:
            for those in self._by_kind.get(kind, {}).values():
                yield from those

    def within(self, namespace: str, *kinds: str) -> Iterator[Manifest]:
        """The manifests of a kind in a namespace."""
        for kind in kinds:
            yield from self._by_kind.get(kind, {}).get(namespace, ())

    @property
    def attendees(self) -> list[str]:
        """The namespace of each attendee."""
        return [self.room.place_of(handle) for handle in self.room.everybody] if self.room else []

    @property
    def che(self) -> Manifest:
        """The CheCluster's settings for workspaces."""
        found = next(self.of_kind("CheCluster"), {})
        return dict((found.get("spec") or {}).get("devEnvironments") or {})

    @property
    def tekton_settings(self) -> Manifest:
        """The settings of TektonConfig, with OpenShift's default account."""
        found = next(self.of_kind("TektonConfig"), {})
        return {"default-service-account": "pipeline", **((found.get("spec") or {}).get("pipeline") or {})}

    @cached_property
    def namespaces(self) -> dict[str, dict[str, str]]:
        """The labels of every namespace, including the platform's own."""
        labels = {peer["namespace"]: peer["namespace_labels"] for peer in self.platform["peers"].values()}
        labels |= {namespace_of(manifest): {} for manifest in self.manifests if namespace_of(manifest)}
        made = {m["metadata"]["name"]: m["metadata"].get("labels") or {} for m in self.of_kind("Namespace")}
        return {name: {"kubernetes.io/metadata.name": name, **own} for name, own in (labels | made).items()}

    @cached_property
    def uses(self) -> list[tekton.Use]:
        """Each task that each run of a pipeline starts."""
        return list(tekton.uses(self.manifests))

    @cached_property
    def pods(self) -> list[Pod]:
        """Every resulting pod."""
        found = list(built_in(self.manifests))
        found += tekton.pods(self.uses, self.tekton_settings)
        found += operators.predictors(self.manifests)
        found += operators.pipeline_servers(self.manifests)
        servers = {
            namespace_of(m): m["metadata"]["name"] for m in self.of_kind("DataSciencePipelinesApplication")
        }
        for namespace in self.attendees:
            if self.devfile:
                found.append(operators.workspace(self.devfile, namespace, self.che))
            if self.pipeline:
                found += operators.pipeline_pods(self.pipeline, namespace, servers.get(namespace, "dspa"))
        return found

    @cached_property
    def claims(self) -> list[Manifest]:
        """Every volume claim, including those that operators create."""
        found = list(self.of_kind("PersistentVolumeClaim"))
        found += [*tekton.claims(self.manifests), *operators.server_claims(self.manifests)]
        if self.devfile:
            found += [operators.workspace_claim(namespace, self.che) for namespace in self.attendees]
        return found


def collect(profile: str, room: Room | None = None, root: Path = ROOT) -> Kit:
    """Renders and compiles everything for a platform.

    Args:
        profile: One of `platforms()`.
        room: The room, which is also applied if the platform has rooms.
        root: Root of the project.

    Raises:
        UserError: A manifest cannot be rendered or read, or does not have the shape of its kind.
    """
    platform = platforms()[profile]
    origins = {place: _applied(root, place, platform.get("instead")) for place in platform["apply"]}
    manifests = _once(one for those in origins.values() for one in those)
    for place, namespace in platform.get("apply_in", {}).items():
        manifests += in_namespace(_applied(root, place), namespace)
    if not platform["each_attendee"]:
        return Kit(profile, manifests + _secrets_beside(manifests), origins=origins)
    room = room or default_room()
    for_each = {place: _applied(root, place) for place in platform["each_attendee"]}
    # Without repositories Argo CD deploys nothing for attendees, who deploy from their workspaces.
    shared = [one for those in for_each.values() for one in those] if room.repository else []
    account = Account.new()
    everybody = [one for handle in room.everybody for one in _attendee(room, handle, account, shared)]
    origins |= for_each
    kit = Kit(profile, manifests + _secrets_beside(manifests) + everybody, room, origins=origins)
    (devfile,) = _read_file(root / DEVFILE, DEVFILE) or [{}]
    kit.devfile = shapes.checked(devfile, "devfile", DEVFILE)
    variables = _connection(kit)["stringData"]
    if any(kit.within(kit.attendees[0], "DataSciencePipelinesApplication")):
        kit.pipeline = operators.compiled(root / STEP_4, variables)
    return kit


def _once(manifests: Iterable[Manifest]) -> list[Manifest]:
    """Removes duplicates of manifests in several folders: applying one twice changes nothing."""
    kept: list[Manifest] = []
    seen: dict[tuple[str, str, str], list[Manifest]] = {}
    for manifest in manifests:
        key = (manifest["kind"], namespace_of(manifest), manifest["metadata"]["name"])
        if manifest not in seen.setdefault(key, []):
            seen[key].append(manifest)
            kept.append(manifest)
    return kept


def _applied(root: Path, place: str, instead: str | None = None) -> list[Manifest]:
    """A folder as `kubectl apply` reads it: with kustomize if it has a kustomization, else file by file."""
    folder = root / place
    if not folder.is_dir() and instead:
        folder = root / instead
    if (folder / "kustomization.yaml").is_file():
        return _with_extra_files(root, folder, [shapes.object_of(one, place) for one in render(folder)])
    if not folder.is_dir():
        return []
    found = _documents(sorted(folder.glob("*.yaml")), root)
    for below in sorted(path for path in folder.iterdir() if path.is_dir()):
        found += _applied(root, str(below.relative_to(root)))
    return found


def _with_extra_files(root: Path, folder: Path, rendered: list[Manifest]) -> list[Manifest]:
    """Adds the runs in `first/`, created by hand because they lack the fixed name that kustomize requires."""
    spaces = [namespace_of(manifest) for manifest in rendered if namespace_of(manifest)]
    extra = _documents(sorted(folder.glob("first/*.yaml")), root)
    for manifest in extra:
        manifest["metadata"].setdefault("namespace", spaces[0] if spaces else "")
    return rendered + extra


def _documents(files: Iterable[Path], root: Path) -> list[Manifest]:
    """The objects in files; one whose name will be generated is named by the beginning of that name."""
    found = []
    for file in files:
        place = str(file.relative_to(root))
        for one in _read_file(file, place):
            if isinstance(one, dict) and one.get("kind") in KUSTOMIZE:
                continue
            if isinstance(one, dict) and isinstance(meta := one.get("metadata"), dict):
                meta.setdefault("name", str(meta.get("generateName", "")).rstrip("-"))
            found.append(shapes.object_of(one, place))
    return found


def _read_file(file: Path, place: str) -> list[Any]:
    """The documents of a YAML file.

    Raises:
        UserError: The file is not YAML, or not text.
    """
    try:
        return load_yaml_documents(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError("cluster.error.yaml", place=place, why=" ".join(str(error).split())) from error


def in_namespace(manifests: Iterable[Manifest], namespace: str) -> list[Manifest]:
    """Copies of manifests in another namespace, as kustomize moves them."""
    moved = copy.deepcopy(list(manifests))
    for manifest in moved:
        if manifest["kind"] not in CLUSTER_WIDE:
            manifest["metadata"]["namespace"] = namespace
    return moved


def _attendee(room: Room, handle: str, account: Account, shared: list[Manifest]) -> list[Manifest]:
    """Everything in one attendee's namespace: what the room creates, and what Argo CD deploys."""
    space = room.place_of(handle)
    own = load_yaml_documents(namespace_manifests(room, handle))
    own += load_yaml_documents(secret_manifests(room, handle, account, room.inside))
    rest = in_namespace(shared, space)
    return [*own, *rest, *_secrets_beside(rest)]


def _connection(kit: Kit) -> Manifest:
    """The data connection of an attendee."""
    return next(
        m for m in kit.within(kit.attendees[0], "Secret") if "AWS_S3_BUCKET" in (m.get("stringData") or {})
    )


def _secrets_beside(manifests: list[Manifest]) -> list[Manifest]:
    """What `brakepoint deploy --secrets` creates in each namespace with a broker."""
    spaces = {
        namespace_of(m) for m in manifests if (m["kind"], m["metadata"]["name"]) == ("Deployment", "broker")
    }
    made = make_secrets()
    return [
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "namespace": space},
            "stringData": content,
        }
        for space in sorted(spaces)
        for name, content in made.items()
    ]
