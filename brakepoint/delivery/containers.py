"""Reads from rendered manifests which containers a cluster would start, and how."""

import re
from collections.abc import Callable
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
        UserError: A container refers to a ConfigMap, a Secret or a key that is missing: a cluster would not
            start such a container.
    """
    return [_container(deployment, manifests, secrets) for deployment in of_kind(manifests, "Deployment")]


def _container(deployment: Manifest, manifests: list[Manifest], secrets: Secrets) -> Container:
    pod, said = deployment["metadata"]["name"], container_of(deployment)
    config: Secrets = {m["metadata"]["name"]: m.get("data", {}) for m in of_kind(manifests, "ConfigMap")}
    held = {"ConfigMap": config, "Secret": secrets}

    def content(kind: str, name: str) -> dict[str, str]:
        if name not in held[kind]:
            raise UserError("delivery.error.reference", pod=pod, what=f"{kind} {name}")
        return held[kind][name]

    def value(kind: str, name: str, key: str) -> str:
        if key not in content(kind, name):
            raise UserError("delivery.error.reference", pod=pod, what=f"{kind} {name}: {key}")
        return content(kind, name)[key]

    environment: dict[str, str] = {}
    for source in said.get("envFrom") or ():
        environment |= content("ConfigMap", source["configMapRef"]["name"])
    for variable in said.get("env") or ():
        environment[variable["name"]] = _value(variable, value)
    files: dict[str, str] = {}
    volumes = {volume["name"]: volume for volume in deployment["spec"]["template"]["spec"].get("volumes", ())}
    for mount in said.get("volumeMounts") or ():
        for name, words in _files(volumes[mount["name"]], content, value).items():
            files[f"{mount['mountPath']}/{name}"] = words
    command, args = (tuple(map(str, said.get(name) or ())) for name in ("command", "args"))
    return Container(pod, said["image"], command, args, environment, files)


def _value(variable: Manifest, value: Callable[[str, str, str], str]) -> str:
    """The value of a variable, given directly or in a Secret or ConfigMap."""
    source = variable.get("valueFrom", {})
    for kind, field in (("Secret", "secretKeyRef"), ("ConfigMap", "configMapKeyRef")):
        if field in source:
            return value(kind, source[field]["name"], source[field]["key"])
    return str(variable.get("value", ""))


def _files(
    volume: Manifest, content: Callable[[str, str], dict[str, str]], value: Callable[[str, str, str], str]
) -> dict[str, str]:
    """The files of a volume by name; volumes that start empty have none."""
    if "configMap" in volume:
        return content("ConfigMap", volume["configMap"]["name"])
    if "secret" not in volume:
        return {}
    name, items = volume["secret"]["secretName"], volume["secret"].get("items")
    if not items:
        return content("Secret", name)
    return {item["path"]: value("Secret", name, item["key"]) for item in items}


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
        name, port = service["metadata"]["name"], service["spec"]["ports"][0]
        changes.append((rf"\b{re.escape(name)}:{port['port']}\b", f"{HERE}:{ports[name]}"))
        pod = next((m for m in of_kind(manifests, "Deployment") if _selects(service, m)), None)
        if pod is None:
            raise UserError("delivery.error.selects_nothing", service=name)
        target = _port_number(port.get("targetPort", port["port"]), container_of(pod))
        own[pod["metadata"]["name"]] += [
            (rf"\b0\.0\.0\.0:{target}\b", f"{HERE}:{ports[name]}"),
            # As root, Mosquitto would switch to another user, who may not read its files here.
            (rf"^listener {target}$", f"listener {ports[name]} {HERE}\nuser root"),
        ]
    return [_changed(container, changes + own[container.name]) for container in made]


def _selects(service: Manifest, deployment: Manifest) -> bool:
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    return bool(service["spec"]["selector"].items() <= labels.items())


def _port_number(target: int | str, container: Manifest) -> int:
    named_ports = {port.get("name"): port["containerPort"] for port in container.get("ports", ())}
    return int(named_ports.get(target, target))


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
