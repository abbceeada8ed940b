"""The checks of step 7: they read the rendered overlay and pipeline, as a cluster would."""

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from brakepoint.delivery.credentials import MONITOR_SECRET, TOKEN_KEY
from brakepoint.delivery.policies import NAMESPACE_NAME, lets_in, matches
from brakepoint.delivery.rendering import Manifest, container_of, named, of_kind, render_step
from brakepoint.errors import UserError
from brakepoint.feeds import feed_names
from brakepoint.files import load_yaml
from brakepoint.services import ServiceSettings
from brakepoint.workshop.checks.forms import must_be_image, must_be_map, must_be_rules, tasks_by_name
from brakepoint.workshop.checks.quantities import amount
from brakepoint.workshop.verdicts import Wrong

EDGE = "brakepoint-edge"
"""The name of the services' image in the base."""
SETTINGS = "brakepoint-settings"
FEED, TRAIN_ID, HUB = "BRAKEPOINT_FEED", "BRAKEPOINT_TRAIN_ID", "BRAKEPOINT_HUB"
LANGUAGE = "BRAKEPOINT_LANG"
"""A variable that every command reads, although it is not a field of the services' settings."""
GIVEN = {FEED, TRAIN_ID, HUB}
"""The settings of the base; an overlay that replaces them loses every setting that it does not repeat."""
HASH = re.compile(r"-[a-z0-9]{10}$")
"""The hash that kustomize appends to the name of a ConfigMap by default."""
TASK_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
"""Valid names of Tekton tasks."""
VERSION = re.compile(r"(?!(arm|amd|aarch)\d|x86)[A-Za-z]*\d[\w.]*")
"""The part of a tag that identifies a state: a version, a date or a commit, but not an architecture."""
FEED_WANTED, TRAIN_WANTED = "track-stop-and-slowdown", "test-1"
PAGE, TOKEN, PAGE_PORT = "BRAKEPOINT_PAGE", "BRAKEPOINT_TOKEN", 8000
LOCALHOST = ("localhost", "127.0.0.1", "::1", "[::1]")
NAME_LABEL, LINK_PORT = "app.kubernetes.io/name", 18831
DETECTOR_LEAST_CORES, DETECTOR_LEAST_MI, DETECTOR_MOST_CORES, DETECTOR_MOST_MI = 0.1, 256, 1.0, 1024
"""The least that the detector needs, and the most that an attendee's namespace allows."""
LIMIT_FACTOR = 2
"""A limit may be this many times the largest request: for a short while, there is room for that."""
MEBIBYTE = 2**20
DIGEST_RESULTS = ["$(tasks.build-amd64.results.image)", "$(tasks.build-arm64.results.image)"]
NAME_OF_KIND = "brakepoint-$(params.kind)"
LIST_DIGEST = "$(tasks.manifest.results.digest)"


def check_settings(lab: Path) -> None:
    """The test environment drives a different feed, with a train name of its own, and loses no setting."""
    for generator in _entries(lab, "configMapGenerator"):
        if generator.get("name") == SETTINGS and generator.get("behavior") in (None, "create"):
            raise Wrong("step7.settings.behavior")
    maps = of_kind(_rendered(lab, "overlay"), "ConfigMap")
    by_name = {HASH.sub("", manifest["metadata"]["name"]): manifest.get("data") or {} for manifest in maps}
    data = by_name[SETTINGS]
    given, known = (data.get(FEED), data.get(TRAIN_ID)), {*ServiceSettings().environment(), LANGUAGE}
    if extra := sorted(by_name.keys() - {SETTINGS, "brakepoint-mosquitto"}):
        raise Wrong("step7.settings.other_map", name=extra[0])
    if given == (ServiceSettings.feed, ServiceSettings.train_id) and data.keys() == GIVEN:
        raise NotImplementedError
    if spaced := sorted(name for name in data.keys() - known if name.strip() in known):
        raise Wrong("step7.settings.space", name=spaced[0].strip())
    if unknown := sorted(data.keys() - known):
        raise Wrong("step7.settings.unused", name=unknown[0])
    if lost := sorted(GIVEN - data.keys()):
        raise Wrong("step7.settings.lost", name=lost[0])
    if data[FEED] not in feed_names():
        raise Wrong("step7.settings.no_feed", feed=data[FEED], feeds=", ".join(feed_names()))
    for name, wanted in ((FEED, FEED_WANTED), (TRAIN_ID, TRAIN_WANTED), (HUB, ServiceSettings.hub)):
        if data[name] != wanted:
            raise Wrong("step7.settings.value", name=name, found=data[name], wanted=wanted)


def check_image(lab: Path) -> None:
    """Every service runs from the same image, with an exact version."""
    image = container_of(_deployment(lab, "autopilot"))["image"]
    if image == EDGE:
        given = [entry.get("name") for entry in _entries(lab, "images")]
        others = [name for name in given if name not in (None, "mosquitto")]
        if others:
            raise Wrong("step7.image.other_name", name=others[0])
        raise NotImplementedError
    for entry in _with_number(_entries(lab, "images")):
        raise Wrong("step7.image.number", found=entry["newTag"])
    name, _, digest = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    if not tag and not digest:
        raise Wrong("step7.image.no_tag", image=image)
    if "latest" in tag.split("-"):
        raise Wrong("step7.image.latest")
    if not digest and not any(VERSION.fullmatch(part) for part in tag.split("-")):
        raise Wrong("step7.image.moving", tag=tag)
    registry, *path = name.split("/")
    if not path or not any(sign in registry for sign in ".:"):
        raise Wrong("step7.image.no_registry", image=image)
    if len(path) == 1:
        raise Wrong("step7.image.no_project", image=image)
    must_be_image(name.removesuffix(f":{tag}"), digest)


def check_resources(lab: Path) -> None:
    """The detector has requests and limits, and both are of a suitable size."""
    resources = container_of(_deployment(lab, "detector")).get("resources")
    if not resources:
        raise NotImplementedError
    if not isinstance(resources, dict):
        raise Wrong("step7.resources.no_map")
    for kind in ("requests", "limits"):
        said = must_be_map(kind, resources.get(kind))
        for what in ("cpu", "memory"):
            if what not in said:
                raise Wrong(f"step7.resources.no_{kind}", what=what)
    amounts = {
        (kind, what): amount(what, resources[kind][what])
        for kind in ("requests", "limits")
        for what in ("cpu", "memory")
    }
    for kind in ("requests", "limits"):
        if amounts[kind, "cpu"] < DETECTOR_LEAST_CORES:
            raise Wrong("step7.resources.no_cores", found=resources[kind]["cpu"])
        memory_mi = amounts[kind, "memory"] / MEBIBYTE
        if memory_mi < 1:
            raise Wrong("step7.resources.unit", found=resources[kind]["memory"])
        if memory_mi < DETECTOR_LEAST_MI:
            found = str(resources[kind]["memory"])
            enough = found.endswith("M") and amount("memory", f"{found}i") >= DETECTOR_LEAST_MI * MEBIBYTE
            name, is_mi = "decimal" if enough else "starved", round(memory_mi)
            raise Wrong(f"step7.resources.{name}", found=found, is_mi=is_mi, least=DETECTOR_LEAST_MI)
    for what in ("cpu", "memory"):
        if amounts["requests", what] > amounts["limits", what]:
            raise Wrong("step7.resources.upside_down", what=what)
    cores, memory = amounts["requests", "cpu"], amounts["requests", "memory"]
    if cores > DETECTOR_MOST_CORES or memory > DETECTOR_MOST_MI * MEBIBYTE:
        raise Wrong("step7.resources.too_much", cores=DETECTOR_MOST_CORES, memory=DETECTOR_MOST_MI)
    cores, memory = amounts["limits", "cpu"], amounts["limits", "memory"]
    if cores > LIMIT_FACTOR * DETECTOR_MOST_CORES or memory > LIMIT_FACTOR * DETECTOR_MOST_MI * MEBIBYTE:
        values = {"cores": LIMIT_FACTOR * DETECTOR_MOST_CORES, "memory": LIMIT_FACTOR * DETECTOR_MOST_MI}
        raise Wrong("step7.resources.limit", **values)


def check_page(lab: Path) -> None:
    """The page is reachable from outside its pod, and requires a token that comes from a Secret."""
    env = container_of(_deployment(lab, "monitor")).get("env")
    if not env:  # `env:` with nothing below it deletes the base's variables.
        raise NotImplementedError
    variables = {variable["name"]: variable for variable in env}
    page, token = str(variables.get(PAGE, {}).get("value", "")), variables.get(TOKEN)
    host, _, port = page.rpartition(":")
    if host == "127.0.0.1" and token is None:
        raise NotImplementedError
    if host in LOCALHOST:
        raise Wrong("step7.page.localhost", found=page)
    if host != "0.0.0.0":
        raise Wrong("step7.page.address", found=page)
    if port != str(PAGE_PORT):
        raise Wrong("step7.page.port", found=port, wanted=PAGE_PORT)
    if token is None:
        raise Wrong("step7.page.no_token")
    if "value" in token:
        raise Wrong("step7.page.plain")
    source = token.get("valueFrom") or {}
    if source and "secretKeyRef" not in source:
        raise Wrong("step7.page.no_secret", found=next(iter(source)))
    reference = must_be_map("secretKeyRef", source.get("secretKeyRef"))
    if (reference.get("name"), reference.get("key")) != (MONITOR_SECRET, TOKEN_KEY):
        raise Wrong(
            "step7.page.other_secret", name=reference.get("name", "–"), entry=reference.get("key", "–")
        )
    if reference.get("optional"):
        raise Wrong("step7.page.optional")


def check_network(lab: Path) -> None:
    """The controller can reach the train, and nothing else can."""
    manifests = _rendered(lab, "overlay")
    policies = list(of_kind(manifests, "NetworkPolicy"))
    own = named(manifests, "NetworkPolicy", "train-from-controller")
    train, controller = (_labels(lab, name) for name in ("train", "controller"))
    if own is None or not own["spec"].get("ingress"):
        raise NotImplementedError
    must_be_rules(own["spec"]["ingress"])
    named_ports = _ports(lab, "train")
    ports = [said for rule in own["spec"]["ingress"] for said in rule.get("ports") or ()]
    if not lets_in(policies, train, LINK_PORT, controller, named=named_ports):
        _check_own_port(ports, named_ports)
        raise Wrong("step7.network.not_controller")
    peers = [peer for rule in own["spec"]["ingress"] for peer in rule.get("from") or ()]
    everyone = lets_in(policies, train, LINK_PORT, {}, same_namespace=False, named=named_ports)
    others = _others(lab)
    let_in = [name for name in others if lets_in(policies, train, LINK_PORT, others[name], named=named_ports)]
    if (everyone or let_in) and {"namespaceSelector"} in map(set, peers) and len(peers) > 1:
        raise Wrong("step7.network.two_items")
    if everyone:
        raise Wrong("step7.network.everyone")
    if len(let_in) == len(others):
        raise Wrong("step7.network.whole_namespace")
    if let_in:
        raise Wrong("step7.network.other_pod", name=let_in[0])
    here = {NAMESPACE_NAME: own["metadata"].get("namespace", "")}
    selectors = [peer["namespaceSelector"] for peer in peers if "namespaceSelector" in peer]
    if lets_in(policies, train, LINK_PORT, controller, same_namespace=False, named=named_ports) or not all(
        matches(selector, here) for selector in selectors
    ):
        raise Wrong("step7.network.other_namespaces")
    if any("ipBlock" in peer for peer in peers):
        raise Wrong("step7.network.addresses")
    if others_in := [said["protocol"] for said in ports if said.get("protocol", "TCP") != "TCP"]:
        raise Wrong("step7.network.protocol", found=others_in[0])
    numbers = (named_ports.get(said.get("port"), said.get("port")) for said in ports)
    said_ports = {number for number in numbers if isinstance(number, int)}
    for port in sorted({1, LINK_PORT - 1, LINK_PORT + 1, *said_ports} - {LINK_PORT}):
        if lets_in(policies, train, port, controller, named=named_ports):
            key = "all_ports" if port == 1 else "other_port"
            raise Wrong(f"step7.network.{key}", found=port, wanted=LINK_PORT)


def _check_own_port(ports: list[dict[str, Any]], named_ports: dict[str, int]) -> None:
    """Reports why the rules do not open the train's port, if the port is what is wrong."""
    numbers = [named_ports.get(said.get("port", LINK_PORT), said.get("port", LINK_PORT)) for said in ports]
    if str(LINK_PORT) in numbers:
        raise Wrong("step7.network.quoted", wanted=LINK_PORT)
    if ports and LINK_PORT not in numbers:
        raise Wrong("step7.network.port", found=ports[0]["port"], wanted=LINK_PORT)
    protocols = [said.get("protocol", "TCP") for said in ports]
    if protocols and "TCP" not in protocols:
        raise Wrong("step7.network.protocol", found=protocols[0])


def _others(lab: Path) -> dict[str, dict[str, str]]:
    """The labels of pods that must not reach the train: those of other services, and of an unknown pod."""
    names = [manifest["metadata"]["name"] for manifest in of_kind(_rendered(lab, "overlay"), "Deployment")]
    others = {name: _labels(lab, name) for name in names if name not in ("train", "controller")}
    return {**others, "any-other-pod": {NAME_LABEL: "any-other-pod"}}


def check_build(lab: Path) -> None:
    """After the tests, two builds run in parallel that differ only in the architecture."""
    tasks = _tasks(lab)
    builds = [task for task in tasks.values() if (task.get("taskRef") or {}).get("name") == "build"]
    if len(builds) < 2:
        raise NotImplementedError
    if "build-arm64" not in tasks:
        raise Wrong("step7.build.name", found=builds[-1]["name"])
    if "build-amd64" not in tasks:
        raise Wrong("step7.build.no_amd64")
    amd64, arm64 = _params(tasks["build-amd64"]), _params(tasks["build-arm64"])
    if arm64.get("arch") != "arm64":
        raise Wrong("step7.build.same_arch", found=arm64.get("arch", "–"))
    if missing := sorted(amd64.keys() - arm64.keys()):
        raise Wrong("step7.build.missing", name=missing[0])
    if other := sorted(name for name in amd64 if name != "arch" and amd64[name] != arm64[name]):
        raise Wrong("step7.build.differs", name=other[0], found=arm64[other[0]], wanted=amd64[other[0]])
    if lost := sorted(_workspaces(tasks["build-amd64"]) - _workspaces(tasks["build-arm64"]) - {"source"}):
        raise Wrong("step7.build.no_credentials", name=lost[0])
    after = tasks["build-arm64"].get("runAfter") or []
    if "build-amd64" in after:
        raise Wrong("step7.build.one_after_other")
    if "test" not in after:
        raise Wrong("step7.build.untested")
    if "source" not in _workspaces(tasks["build-arm64"]):
        raise Wrong("step7.build.no_source")


def check_manifest(lab: Path) -> None:
    """The manifest list combines the images of the two builds, by digest."""
    images = _params(_tasks(lab)["manifest"]).get("images")
    if not images:
        raise NotImplementedError
    if not isinstance(images, list):
        raise Wrong("step7.manifest.no_list")
    images = [str(image) for image in images]
    if assembled := [image for image in images if "@" in image]:
        raise Wrong("step7.manifest.assembled", found=assembled[0])
    if any(".results.digest)" in image for image in images):
        raise Wrong("step7.manifest.no_name")
    if any(".results." not in image for image in images):
        raise Wrong("step7.manifest.by_tag")
    if unknown := sorted(set(images) - set(DIGEST_RESULTS)):
        raise Wrong("step7.manifest.unknown", found=unknown[0])
    if sorted(images) != DIGEST_RESULTS:
        raise Wrong("step7.manifest.one_arch", found=len(set(images)))


def check_commit(lab: Path) -> None:
    """The digest of the signed manifest list is written into the overlay on the branch."""
    task = next((t for t in _tasks(lab).values() if (t.get("taskRef") or {}).get("name") == "commit"), None)
    if task is None:
        raise NotImplementedError
    if not TASK_NAME.fullmatch(str(task["name"])):
        raise Wrong("step7.commit.task_name", found=task["name"])
    params = _params(task)
    wanted = {"name", "image", "digest", "overlay", "branch", "kustomize-image"}
    if missing := sorted(wanted - params.keys()):
        raise Wrong("step7.commit.missing", name=missing[0])
    if "build-" in str(params["digest"]):
        raise Wrong("step7.commit.one_arch")
    if params["digest"] != LIST_DIGEST:
        raise Wrong("step7.commit.digest", found=params["digest"])
    if "sign" not in (task.get("runAfter") or []):
        raise Wrong("step7.commit.unsigned")
    if params["branch"] != "$(params.branch)":
        raise Wrong("step7.commit.branch", found=params["branch"])
    if params["name"] == EDGE:
        raise Wrong("step7.commit.literal", found=EDGE, wanted=NAME_OF_KIND)
    if params["name"] != NAME_OF_KIND:
        raise Wrong("step7.commit.name", found=params["name"], wanted=NAME_OF_KIND)
    for name in ("image", "overlay", "kustomize-image"):
        if params[name] != f"$(params.{name})":
            raise Wrong("step7.commit.param", name=name, found=params[name])
    given = _workspaces(task)
    if missing := [name for name in ("source", "git-credentials") if name not in given]:
        raise Wrong("step7.commit.workspace", name=missing[0])


@cache
def _rendered(lab: Path, part: str) -> list[Manifest]:
    """The rendered manifests of one folder of the lab, wherever the lab is."""
    try:
        with _tags_as_words(lab) as folder:
            return render_step(folder, part)
    except UserError as error:
        raise Wrong("step7.not_rendered", part=part, why=str(error)) from error


@contextmanager
def _tags_as_words(lab: Path) -> Iterator[Path]:
    """A lab that renders although a version is a number: the exercise `image` reports this mistake."""
    kustomization = _kustomization(lab)
    if not (entries := _with_number(_dicts(kustomization.get("images")))):
        yield lab
        return
    for entry in entries:
        entry["newTag"] = str(entry["newTag"])
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copytree(lab, Path(folder, lab.name), symlinks=True)
        (copy / "overlay" / "kustomization.yaml").write_text(yaml.safe_dump(kustomization), encoding="utf-8")
        yield copy


def _with_number(images: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The images whose tag isn't a string in YAML."""
    return [entry for entry in images if not isinstance(entry.get("newTag", ""), str)]


def _entries(lab: Path, name: str) -> list[dict[str, Any]]:
    """The entries of a list in the overlay's own file."""
    return _dicts(_kustomization(lab).get(name))


def _dicts(entries: object) -> list[dict[str, Any]]:
    """The well-formed entries of a list: kustomize itself explains what is wrong with the others."""
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def _kustomization(lab: Path) -> dict[str, Any]:
    """The content of the overlay's own file; nothing if there is no such file, which rendering reports.

    Raises:
        Wrong: The file is not YAML.
    """
    try:
        content = load_yaml((lab / "overlay" / "kustomization.yaml").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark, why = getattr(error, "problem_mark", None), getattr(error, "problem", None) or str(error)
        raise Wrong("step7.not_yaml", line=mark.line + 1 if mark else 1, why=why) from error
    return content if isinstance(content, dict) else {}


def _deployment(lab: Path, name: str) -> Manifest:
    found = named(_rendered(lab, "overlay"), "Deployment", name)
    if found is None:
        raise Wrong("step7.no_deployment", name=name)
    return found


def _ports(lab: Path, name: str) -> dict[str, int]:
    """The numbers of a Deployment's ports, by their names."""
    ports = container_of(_deployment(lab, name)).get("ports") or ()
    return {port["name"]: port["containerPort"] for port in ports if "name" in port}


def _labels(lab: Path, name: str) -> dict[str, str]:
    labels: dict[str, str] = _deployment(lab, name)["spec"]["template"]["metadata"]["labels"]
    return labels


def _tasks(lab: Path) -> dict[str, Manifest]:
    """The pipeline's tasks, in the form that Tekton accepts: kustomize does not know that form."""
    (pipeline,) = of_kind(_rendered(lab, "pipeline"), "Pipeline")
    return tasks_by_name(pipeline["spec"]["tasks"])


def _params(task: Manifest) -> dict[str, Any]:
    """The parameters that have a value."""
    params = {param.get("name"): param.get("value") for param in task.get("params") or ()}
    return {name: value for name, value in params.items() if value is not None}


def _workspaces(task: Manifest) -> set[str]:
    return {workspace.get("name", "") for workspace in task.get("workspaces") or ()}
