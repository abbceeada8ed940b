"""The forms that registries, Kubernetes and Tekton accept, where kustomize accepts anything."""

import ipaddress
import re
from collections import Counter
from graphlib import CycleError, TopologicalSorter
from typing import Any

from brakepoint.delivery.rendering import Manifest
from brakepoint.workshop.verdicts import Wrong

IMAGE = re.compile(r"[A-Za-z0-9.-]+(:\d+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)+")
"""Names of images, with their registry and without a tag."""
RESULT = re.compile(r"\$\(tasks\.([\w-]+)\.results\.")
"""A task's result, wherever another task uses it."""
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
SELECTOR = ("matchLabels", "matchExpressions")
KEYS = {
    "ingress": ("from", "ports"),
    "from": ("podSelector", "namespaceSelector", "ipBlock"),
    "ports": ("port", "endPort", "protocol"),
    "podSelector": SELECTOR,
    "namespaceSelector": SELECTOR,
    "matchExpressions": ("key", "operator", "values"),
    "ipBlock": ("cidr", "except"),
}
"""The keys that are allowed below each key of a NetworkPolicy; below other keys, any key is allowed."""
WITH_VALUES, WITHOUT_VALUES = ("In", "NotIn"), ("Exists", "DoesNotExist")
"""The operators of `matchExpressions`."""


def must_be_image(name: str, digest: str) -> None:
    """Checks that a registry would accept the name of an image, and its digest, if there is one."""
    if not IMAGE.fullmatch(name):
        raise Wrong("step7.image.form", found=name)
    if digest and not DIGEST.fullmatch(digest):
        raise Wrong("step7.image.digest", found=digest)


def must_be_rules(rules: object) -> None:
    """Checks that Kubernetes would accept these rules of a NetworkPolicy."""
    for rule in _maps("ingress", rules):
        for peer in _maps("from", rule.get("from")):
            for name in ("podSelector", "namespaceSelector"):
                selector = must_be_map(name, peer.get(name))
                must_be_map("matchLabels", selector.get("matchLabels"))
                for expression in _maps("matchExpressions", selector.get("matchExpressions")):
                    _must_be_expression(expression)
            if "ipBlock" in peer and not _is_network(must_be_map("ipBlock", peer["ipBlock"]).get("cidr")):
                raise Wrong("step7.network.addresses")
        for said in _maps("ports", rule.get("ports")):
            if isinstance(said.get("endPort"), str):
                raise Wrong("step7.network.quoted", wanted=said["endPort"])


def must_be_map(name: str, value: Any) -> dict[str, Any]:
    """Checks what is below a key: nothing, or keys that are allowed there, with values."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Wrong("step7.needs_map", name=name)
    if unknown := [key for key in value if key not in KEYS.get(name, value)]:
        raise Wrong("step7.unknown_key", found=unknown[0], name=name, known=", ".join(KEYS[name]))
    return value


def _maps(name: str, entries: Any) -> list[dict[str, Any]]:
    if not isinstance(entries, list | None):
        raise Wrong("step7.needs_list", name=name)
    return [must_be_map(name, entry) for entry in entries or ()]


def _must_be_expression(expression: dict[str, Any]) -> None:
    operator, values = expression.get("operator"), expression.get("values")
    has_list = operator in WITH_VALUES and isinstance(values, list)
    has_none = operator in WITHOUT_VALUES and not values
    if "key" not in expression or not (has_list or has_none):
        raise Wrong("step7.network.expression")


def _is_network(block: object) -> bool:
    try:
        ipaddress.ip_network(str(block), strict=False)
    except ValueError:
        return False
    return True


def tasks_by_name(tasks: list[Manifest]) -> dict[str, Manifest]:
    """The tasks of a pipeline by name, after checking that Tekton would accept their form."""
    found: dict[str, Manifest] = {}
    for task in tasks:
        if "name" not in task:
            raise Wrong("step7.no_name")
        if task["name"] in found:
            raise Wrong("step7.same_name", name=task["name"])
        found[task["name"]] = task
        must_be_map("taskRef", task.get("taskRef"))
        for name, kind in (("runAfter", str), ("params", dict), ("workspaces", dict)):
            entries = task.get(name) or []
            if not (isinstance(entries, list) and all(isinstance(entry, kind) for entry in entries)):
                raise Wrong("step7.no_list", task=task["name"], name=name)
        for name in ("params", "workspaces"):
            given = Counter(entry.get("name") for entry in task.get(name) or ())
            if twice := [each for each, count in given.items() if count > 1]:
                raise Wrong("step7.given_twice", task=task["name"], name=name, found=twice[0])
    for task in tasks:
        if unknown := sorted(set(task.get("runAfter") or ()) - (found.keys() - {task["name"]})):
            raise Wrong("step7.unknown_task", task=task["name"], found=unknown[0])
    _must_end(found)
    return found


def _must_end(tasks: dict[str, Manifest]) -> None:
    """Checks that no task waits for itself, through `runAfter` or the results that it uses."""
    waits = {
        name: {*(task.get("runAfter") or ()), *RESULT.findall(str(task))} for name, task in tasks.items()
    }
    try:
        TopologicalSorter(waits).prepare()
    except CycleError as error:
        raise Wrong("step7.cycle", tasks=" → ".join(error.args[1])) from None
