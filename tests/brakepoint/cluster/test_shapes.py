"""Misshapen objects, in a file or from a cluster: a sentence names the place, the object and the field."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from broken_kit import Broken, kit

from brakepoint.cluster import shapes
from brakepoint.cluster.health import examine
from brakepoint.cluster.kit import collect, platforms
from brakepoint.cluster.rehearsal import rehearse
from brakepoint.errors import UserError
from brakepoint.texts import languages

FOLDER = "deploy/mine"
HEAD = "apiVersion: v1\nkind: Pod\nmetadata: {name: mine}\n"
CLAIM = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: mine}\n"
ODD = [None, 5, "x", [], {}, [5], [None], True, {"a": 1}]


def rehearsed(monkeypatch, root: Path, written: bytes | str) -> None:
    (root / FOLDER).mkdir(parents=True)
    content = written if isinstance(written, bytes) else written.encode()
    (root / FOLDER / "pod.yaml").write_bytes(content)
    monkeypatch.setitem(platforms()["kind"], "apply", [FOLDER])
    rehearse(collect("kind", root=root), root)


@pytest.mark.parametrize("lang", languages())
@pytest.mark.parametrize(
    ("written", "words"),
    [
        (HEAD + "spec: {containers: [{image: a}]}", ["Pod mine", "spec.containers #1.name"]),
        (HEAD + "spec: {containers: {name: a}}", ["Pod mine", "spec.containers"]),
        (HEAD + "spec: {containers: []}", ["Pod mine", "spec.containers"]),
        (HEAD + "spec:", ["Pod mine", "spec"]),
        (HEAD + "spec: {containers: [{name: 5}]}", ["Pod mine", "spec.containers #1.name"]),
        (HEAD + "spec: {containers: [{name: a, ports: [8000]}]}", ["spec.containers #1.ports #1"]),
        (HEAD + "spec: {containers: [{name: a, ports: [{containerPort: '80'}]}]}", ["#1.containerPort"]),
        (HEAD + "spec: {containers: [{name: a}], volumes: {name: v}}", ["spec.volumes"]),
        (
            HEAD + "spec: {containers: [{name: a, livenessProbe: {httpGet: {port: [1]}}}]}",
            ["httpGet.port"],
        ),
        (HEAD + "spec: {containers: [{name: a, securityContext: no}]}", ["#1.securityContext"]),
        (CLAIM + "spec: {resources: {requests: {storage: 1Gi}}}", ["accessModes"]),
        (CLAIM + "spec: {accessModes: [ReadWriteOnce]}", ["PersistentVolumeClaim mine", "spec.resources"]),
        ("apiVersion: v1\nkind: Pod\n", ["Pod", "metadata"]),
        ("apiVersion: v1\nkind: [Pod]\nmetadata: {name: mine}\n", ["kind"]),
        ("- a\n- b\n", ["named fields", "champs nommés"]),
        ("{a: [", ["YAML"]),
        (b"\xff\xfe\x00", ["YAML"]),
    ],
)
def test_a_misshapen_manifest_is_refused_with_its_file_and_field(
    lang: str, written: bytes | str, words: list[str], tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setenv("BRAKEPOINT_LANG", lang)
    with pytest.raises(UserError) as refused:
        rehearsed(monkeypatch, tmp_path, written)

    assert f"{FOLDER}/pod.yaml" in str(refused.value)
    assert "{" not in str(refused.value)
    assert any(word in str(refused.value) for word in words)


@pytest.mark.parametrize("written", ["", "---\n---\n", HEAD + "spec: {containers: [{name: a, image: }]}"])
def test_empty_documents_and_null_fields_are_ignored_as_a_cluster_does(
    written: str, tmp_path: Path, monkeypatch
) -> None:
    rehearsed(monkeypatch, tmp_path, written)


def places(thing: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every field."""
    inside = thing.items() if isinstance(thing, dict) else enumerate(thing) if isinstance(thing, list) else ()
    for key, value in inside:
        yield (*before, key)
        yield from places(value, (*before, key))


@pytest.mark.parametrize("profile", ["kind", "microshift"])
def test_a_rule_stumbles_over_no_odd_field(profile: str) -> None:
    """Every field of the applied objects, each with another odd value: refused, or read by every rule."""
    whole, tried = kit(profile), set()
    for index, manifest in enumerate(whole.manifests):
        for number, where in enumerate(places(manifest)):
            general = (manifest["kind"], *("#" if isinstance(key, int) else key for key in where))
            if general in tried:
                continue
            tried.add(general)
            broken = Broken(profile).kit
            inside: Any = broken.manifests[index]
            for key in where[:-1]:
                inside = inside[key]
            inside[where[-1]] = ODD[number % len(ODD)]
            try:
                broken.manifests[index] = shapes.object_of(broken.manifests[index], "file")
            except UserError:
                continue
            rehearse(dataclasses.replace(broken))


@pytest.mark.parametrize(
    ("kind", "where", "value"),
    [
        ("EventListener", ("spec", "triggers", 0, "interceptors", 0, "params", 0, "value"), "x"),
        ("TriggerTemplate", ("spec", "resourcetemplates", 0, "spec", "workspaces"), 5),
        ("TriggerTemplate", ("spec", "resourcetemplates", 0, "spec", "taskRunSpecs", 0), {}),
        ("Trigger", ("spec", "bindings", 0), {"value": "x"}),
        ("Application", ("spec", "destination"), {}),
        ("ImageStream", ("spec", "tags", 0, "from"), {"kind": "ImageStreamTag"}),
        ("LimitRange", ("spec", "limits", 0, "max"), {"cpu": "much"}),
        ("RoleBinding", ("subjects", 0), "anna"),
    ],
)
def test_an_odd_object_of_an_operator_is_refused_or_read(
    kind: str, where: tuple[Any, ...], value: object
) -> None:
    broken = Broken().kit
    manifest = next(broken.of_kind(kind))
    inside: Any = manifest
    for key in where[:-1]:
        inside = inside[key]
    inside[where[-1]] = value
    try:
        shapes.object_of(manifest, "file")
        rehearse(broken)
    except UserError as refused:
        assert kind in str(refused) or manifest["metadata"]["name"] in str(refused)


def test_every_shape_names_only_known_shapes() -> None:
    def named(shape: Any) -> Iterator[str]:
        if isinstance(shape, str):
            yield shape
        for one in (
            shape[:1] if isinstance(shape, list) else shape.values() if isinstance(shape, dict) else ()
        ):
            yield from named(one)

    known = {*shapes.shapes(), *shapes.TYPES}
    assert {name for shape in shapes.shapes().values() for name in named(shape)} <= known


class Odd:
    """A cluster whose answers at one path are odd."""

    def __init__(self, path: str, answer: Any) -> None:
        self._path, self._answer = path, answer

    def get(self, path: str) -> Any:
        return self._answer if self._path in path else None

    def refusal(self, _: Any) -> str:
        return ""


@pytest.mark.parametrize(
    ("path", "answer", "field"),
    [
        ("/nodes", {"items": [{"metadata": {"name": "a"}, "spec": {}}]}, "items #1.status"),
        ("/nodes", {"items": {"a": 1}}, "items"),
        ("/subscriptions", {"items": [{"metadata": {"name": "a"}, "spec": {"name": []}}]}, "#1.spec.name"),
        ("/storageclasses", {"items": [{"metadata": {"name": "a"}}]}, "items #1.provisioner"),
        ("/clusterversions", {"status": {"desired": "4.18"}}, "status.desired"),
        ("/checlusters", {"items": [{"spec": []}]}, "items #1.spec"),
        ("/imagestreams", {"items": [5]}, "items #1"),
        ("/pods", {"items": [{"metadata": {"name": "a"}, "status": "lost"}]}, "items #1.status"),
        ("/configs/cluster", {"status": {"conditions": [{}]}}, "status.conditions #1.type"),
    ],
)
def test_an_odd_answer_of_a_cluster_is_refused_with_its_path_and_field(
    path: str, answer: Any, field: str
) -> None:
    with pytest.raises(UserError) as refused:
        list(examine(Odd(path, answer), None, []))

    assert path in str(refused.value) and field in str(refused.value)


def test_a_cluster_may_answer_with_null_fields() -> None:
    assert list(examine(Odd("/", {"items": None, "status": None, "spec": None}), None, []))
