"""Reads from rendered manifests which containers a cluster would start, and how."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from brakepoint.delivery.credentials import Secrets
from brakepoint.delivery.rendering import Manifest, container_of, of_kind
from brakepoint.errors import UserError

HERE = "127.0.0.1"


@dataclass(frozen=True)
class Container:
    """One container of a Deployment.

    Attributes:
        name: Name of the Deployment.
        image: Image of the container.
        command: Command to run; empty for the image's own entry point.
        args: Arguments of the command.
        environment: All variables, including values from ConfigMaps and Secrets.
        files: Files mounted from ConfigMaps and Secrets, by path.
    """

    name: str
    image: str
    command: tuple[str, ...]
    args: tuple[str, ...]
    environment: dict[str, str]
    files: dict[str, str]


def containers(manifests: list[Manifest], secrets: Secrets) -> list[Container]:
    """Every container, in the order of the manifests.

    Raises:
        UserError: A container refers to a ConfigMap, a Secret or a key that is missing, or has a variable
            that is not text: a cluster would not start such a container.
    """
    return [_container(deployment, manifests, secrets) for deployment in of_kind(manifests, "Deployment")]


def _container(deployment: Manifest, manifests: list[Manifest], secrets: Secrets) -> Container:
    pod, said = deployment["metadata"]["name"], container_of(deployment)
    config: Secrets = {m["metadata"]["name"]: m.get("data") or {} for m in of_kind(manifests, "ConfigMap")}
    held = _Held(pod, {"ConfigMap": config, "Secret": secrets})
    volumes = deployment["spec"]["template"]["spec"].get("volumes") or ()
    command, args = (tuple(map(str, said.get(name) or ())) for name in ("command", "args"))
    environment, files = _environment(said, held), _mounted(said, volumes, held)
    return Container(pod, said.get("image", ""), command, args, environment, files)


def _environment(container: Manifest, held: "_Held") -> dict[str, str]:
    environment: dict[str, str] = {}
    for source in container.get("envFrom") or ():
        for kind, field in (("ConfigMap", "configMapRef"), ("Secret", "secretRef")):
            if field in source:
                found = held.content(kind, source[field])
                environment |= {f"{source.get('prefix', '')}{name}": value for name, value in found.items()}
    for variable in container.get("env") or ():
        value = _value(variable, held)
        if not isinstance(value, str | None):  # As YAML reads numbers and `true` without quotes.
            values = {"pod": held.pod, "name": variable["name"], "value": json.dumps(value)}
            raise UserError("delivery.error.not_text", **values)
        if value is not None:
            environment[variable["name"]] = value
    return environment


def _mounted(container: Manifest, volumes: Iterable[Manifest], held: "_Held") -> dict[str, str]:
    """The files of all mounts, by path."""
    by_name = {volume["name"]: volume for volume in volumes}
    files: dict[str, str] = {}
    for mount in container.get("volumeMounts") or ():
        if mount["name"] not in by_name:
            raise UserError("delivery.error.reference", pod=held.pod, what=f"volume {mount['name']}")
        there, place = _files(by_name[mount["name"]], held), mount["mountPath"]
        only = mount.get("subPath")  # One file of the volume, which is mounted without a folder.
        if only is None:
            files |= {f"{place}/{name}": words for name, words in there.items()}
        elif only in there:
            files[place] = there[only]
    return files


@dataclass(frozen=True)
class _Held:
    """The contents of the ConfigMaps and Secrets to which a pod may refer.

    Attributes:
        pod: Name of the pod.
        held: Keys and values by kind and name.
    """

    pod: str
    held: dict[str, Secrets]

    def content(self, kind: str, reference: Manifest) -> dict[str, str]:
        """All keys and values; none if the reference is optional and there is no such object."""
        name = _name_in(reference)
        if name in self.held[kind]:
            return self.held[kind][name]
        if reference.get("optional"):
            return {}
        raise UserError("delivery.error.reference", pod=self.pod, what=f"{kind} {name}")

    def value(self, kind: str, reference: Manifest, key: str) -> str | None:
        """The value of a key; None if the reference is optional and there is no such key."""
        found = self.content(kind, reference)
        if key in found or reference.get("optional"):
            return found.get(key)
        what = f"{kind} {_name_in(reference)}: {key}"
        raise UserError("delivery.error.reference", pod=self.pod, what=what)


def _name_in(reference: Manifest) -> str:
    """The name of the object to which a variable or a volume refers."""
    return str(reference.get("name") or reference.get("secretName", ""))


def _value(variable: Manifest, held: _Held) -> str | None:
    """The value of a variable, given directly or in a Secret or ConfigMap."""
    source = variable.get("valueFrom") or {}
    for kind, field in (("Secret", "secretKeyRef"), ("ConfigMap", "configMapKeyRef")):
        if field in source:
            return held.value(kind, source[field], source[field]["key"])
    value: str | None = variable.get("value")
    return "" if value is None else value


def _files(volume: Manifest, held: _Held) -> dict[str, str]:
    """The files of a volume by name; volumes that start empty have none."""
    files: dict[str, str] = {}
    for source in (volume, *((volume.get("projected") or {}).get("sources") or ())):
        for kind, field in (("ConfigMap", "configMap"), ("Secret", "secret")):
            if field not in source:
                continue
            said = source[field]
            if items := said.get("items"):
                found = {item["path"]: held.value(kind, said, item["key"]) for item in items}
                files |= {name: words for name, words in found.items() if words is not None}
            else:
                files |= held.content(kind, said)
    return files


def on_this_machine(
    made: list[Container], manifests: list[Manifest], ports: dict[str, int]
) -> list[Container]:
    """The same containers, with each Service on a local port.

    Args:
        made: The containers.
        manifests: The manifests that describe the containers.
        ports: A free port for each Service, by its name.
    """
    changes: list[tuple[str, str]] = []
    own: dict[str, list[tuple[str, str]]] = {container.name: [] for container in made}
    for service in of_kind(manifests, "Service"):
        name, spec = service["metadata"]["name"], service["spec"]
        if spec.get("type") == "ExternalName":  # Another name for a host outside the cluster.
            continue
        pod = next((m for m in of_kind(manifests, "Deployment") if _selects(service, m)), None)
        if pod is None:
            raise UserError("delivery.error.selects_nothing", service=name)
        port: Manifest = next(iter(spec.get("ports") or ()), {})
        target = _port_number(port.get("targetPort", port.get("port")), container_of(pod))
        if target is None:
            raise UserError("delivery.error.no_port", service=name, pod=pod["metadata"]["name"])
        changes.append((rf"\b{re.escape(name)}:{port['port']}\b", f"{HERE}:{ports[name]}"))
        own[pod["metadata"]["name"]] += [
            (rf"\b0\.0\.0\.0:{target}\b", f"{HERE}:{ports[name]}"),
            # As root, Mosquitto would switch to another user, who may not read its files here.
            (rf"^listener {target}$", f"listener {ports[name]} {HERE}\nuser root"),
        ]
    return [_changed(container, changes + own[container.name]) for container in made]


def _selects(service: Manifest, deployment: Manifest) -> bool:
    labels = (deployment["spec"]["template"].get("metadata") or {}).get("labels") or {}
    selector = service["spec"].get("selector") or {}
    return bool(selector and selector.items() <= labels.items())


def _port_number(target: int | str | None, container: Manifest) -> int | None:
    """The number of a container's port; None if the container has no port of that name."""
    named_ports = {port.get("name"): port["containerPort"] for port in container.get("ports", ())}
    number = named_ports.get(target, target)
    return number if isinstance(number, int) else None


def _changed(container: Container, changes: list[tuple[str, str]]) -> Container:
    def change(words: str) -> str:
        for pattern, replacement in changes:
            words = re.sub(pattern, replacement, words, flags=re.MULTILINE)
        return words

    return replace(
        container,
        environment={name: change(value) for name, value in container.environment.items()},
        files={path: change(words) for path, words in container.files.items()},
    )
