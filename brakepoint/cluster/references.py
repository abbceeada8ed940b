"""Checks that the kit, the platform or the instructor provides every object to which another refers."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from urllib.parse import urlsplit

import yaml

from brakepoint.cluster.findings import Finding, found
from brakepoint.cluster.kit import Kit
from brakepoint.cluster.operators import CONNECTION, runtime_of
from brakepoint.cluster.pods import Manifest, Pod, namespace_of
from brakepoint.cluster.shapes import checked

GIVEN = {
    ("ConfigMap", "kube-root-ca.crt"),
    ("ConfigMap", "openshift-service-ca.crt"),
    ("ConfigMap", "trusted-ca"),
}
"""Objects that exist in every namespace by default."""
SERVING_CERTIFICATE = "service.beta.openshift.io/serving-cert-secret-name"
INJECTED_CA = "config.openshift.io/inject-trusted-cabundle"
OPERATORS_ACCOUNTS = ("ds-pipeline-", "pipeline-runner-", "workspace-sa")


@dataclass(frozen=True)
class Reference:
    """A reference to an object by name.

    Attributes:
        user: The object that contains the reference.
        kind: Kind of the object that is referred to: `Secret`, `ConfigMap`, …
        name: Name of that object.
        where: Namespace of that object; empty for cluster-wide objects.
        key: The key that the object must have; empty if none is required.
    """

    user: str
    kind: str
    name: str
    where: str
    key: str = ""


@cache
def yours() -> list[Manifest]:
    """What the instructor must provide: kind, name, and the key of the reason."""
    file = resources.files(__package__) / "data" / "yours.yaml"
    return list(yaml.safe_load(file.read_text(encoding="utf-8")))


def of_pod(pod: Pod) -> Iterator[Reference]:
    """Everything that a pod needs, without optional references."""
    where, spec = pod.namespace, pod.spec
    yield Reference(pod.name, "ServiceAccount", pod.account, where)
    if spec.get("runtimeClassName"):
        yield Reference(pod.name, "RuntimeClass", spec["runtimeClassName"], "")
    if spec.get("priorityClassName"):
        yield Reference(pod.name, "PriorityClass", spec["priorityClassName"], "")
    for secret in spec.get("imagePullSecrets") or ():
        yield Reference(pod.name, "Secret", secret["name"], where)
    for volume in spec.get("volumes") or ():
        yield from _of_volume(pod.name, where, volume)
    for container in pod.containers:
        for source in container.get("envFrom") or ():
            for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
                if field in source and not source[field].get("optional"):
                    yield Reference(pod.name, kind, source[field]["name"], where)
        for variable in container.get("env") or ():
            for field, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
                said = (variable.get("valueFrom") or {}).get(field)
                if said and not said.get("optional"):
                    yield Reference(pod.name, kind, said["name"], where, said["key"])


def _of_volume(user: str, where: str, volume: Manifest) -> Iterator[Reference]:
    for source in [volume, *((volume.get("projected") or {}).get("sources") or ())]:
        for field, kind, named in (("secret", "Secret", "secretName"), ("configMap", "ConfigMap", "name")):
            said = source.get(field)
            if not said or said.get("optional"):
                continue
            name = said.get(named) or said.get("name", "")
            keys = [item["key"] for item in said.get("items") or ()] or [""]
            yield from (Reference(user, kind, name, where, key) for key in keys)
    claim = volume.get("persistentVolumeClaim")
    if claim:
        yield Reference(user, "PersistentVolumeClaim", claim["claimName"], where)


def of_objects(kit: Kit) -> Iterator[Reference]:
    """What objects other than pods need."""
    for manifest in kit.manifests:
        name, where, spec = manifest["metadata"]["name"], namespace_of(manifest), manifest.get("spec") or {}
        match manifest["kind"]:
            case "DataSciencePipelinesApplication":
                storage = (spec.get("objectStorage") or {}).get("externalStorage") or {}
                secret: Manifest = storage.get("s3CredentialsSecret") or {}
                for key in ("accessKey", "secretKey") if secret else ():
                    yield Reference(name, "Secret", secret["secretName"], where, secret[key])
            case "InferenceService":
                model = spec["predictor"].get("model") or {}
                if runtime_of(manifest, kit.manifests) is None:
                    yield Reference(name, "ServingRuntime", model.get("runtime", "–"), where)
                if (model.get("storage") or {}).get("key"):
                    yield Reference(name, "Connection", model["storage"]["key"], where)
            case "EventListener":
                yield Reference(name, "ServiceAccount", spec.get("serviceAccountName", "default"), where)
                for trigger in spec.get("triggers") or ():
                    yield from _of_trigger(name, where, trigger)
            case "Trigger":
                yield from _of_trigger(name, where, spec)
            case "RoleBinding" | "ClusterRoleBinding":
                role = manifest["roleRef"]
                yield Reference(name, role["kind"], role["name"], where if role["kind"] == "Role" else "")
                for subject in manifest.get("subjects") or ():
                    if subject["kind"] == "ServiceAccount":
                        place = subject.get("namespace") or where
                        yield Reference(name, "ServiceAccount", subject["name"], place)
            case "Secret" if host := _store_of(manifest):
                service, _, rest = host.partition(".")
                space, _, suffix = rest.partition(".")
                if suffix in ("svc", "svc.cluster.local"):
                    yield Reference(name, "Service", service, space)
    for claim in kit.claims:
        name, said = claim["metadata"]["name"], claim["spec"]
        if said.get("storageClassName"):
            yield Reference(name, "StorageClass", said["storageClassName"], "")
        for mode in said.get("accessModes") or ():
            yield Reference(name, "StorageClass", mode, "")


def _store_of(secret: Manifest) -> str:
    """The address of a data connection's object store."""
    return urlsplit((secret.get("stringData") or {}).get("AWS_S3_ENDPOINT", "")).hostname or ""


def _of_trigger(name: str, where: str, trigger: Manifest) -> Iterator[Reference]:
    if "ref" in (trigger.get("template") or {}):
        yield Reference(name, "TriggerTemplate", trigger["template"]["ref"], where)
    for binding in trigger.get("bindings") or ():
        if "ref" in binding:
            yield Reference(name, binding.get("kind", "TriggerBinding"), binding["ref"], where)
    for interceptor in trigger.get("interceptors") or ():
        for parameter in interceptor.get("params") or ():
            if parameter["name"] == "secretRef":
                said = checked(parameter["value"], "secret_reference", f"{where}/{name}")
                yield Reference(name, "Secret", said["secretName"], where, said["secretKey"])


def unanswered(kit: Kit) -> tuple[list[Finding], list[Manifest]]:
    """The unresolved references, and those that the instructor must provide."""
    findings, asked = [], []
    made = _made(kit)
    everything = [reference for pod in kit.pods for reference in of_pod(pod)]
    for reference in dict.fromkeys([*everything, *of_objects(kit)]):
        answer = _answer(reference, kit, made)
        if answer is True:
            continue
        if answer:
            asked.append(answer)
            continue
        thing = f"{reference.name}[{reference.key}]" if reference.key else reference.name
        findings.append(
            found("missing", reference.where, who=reference.user, kind=reference.kind, name=thing)
        )
    return findings, asked


Made = dict[tuple[str, str, str], set[str] | None]


def _made(kit: Kit) -> Made:
    """Everything that exists, by kind, namespace and name, with its known keys."""
    made: Made = {}
    for manifest in kit.manifests:
        name, where = manifest["metadata"]["name"], namespace_of(manifest)
        keys = None
        if manifest["kind"] in ("Secret", "ConfigMap"):
            keys = {
                key for field in ("data", "stringData", "binaryData") for key in manifest.get(field) or ()
            }
        notes = manifest["metadata"].get("annotations") or {}
        if (manifest["metadata"].get("labels") or {}).get(INJECTED_CA) == "true":
            keys = None
        made[manifest["kind"], where, name] = keys
        if SERVING_CERTIFICATE in notes:
            made["Secret", where, notes[SERVING_CERTIFICATE]] = {"tls.crt", "tls.key"}
        if (
            manifest["kind"] == "Secret"
            and (manifest["metadata"].get("labels") or {}).get(CONNECTION) == "true"
        ):
            made["Connection", where, name] = None
    for claim in kit.claims:
        made["PersistentVolumeClaim", namespace_of(claim), claim["metadata"]["name"]] = None
    return made


def _answer(reference: Reference, kit: Kit, made: Made) -> bool | Manifest:
    """True if the object exists, False if nothing creates it; otherwise what the instructor must provide."""
    place = (reference.kind, reference.where, reference.name)
    if place in made:
        keys = made[place]
        return keys is None or not reference.key or reference.key in keys
    if (reference.kind, reference.name) in GIVEN:
        return True
    match reference.kind:
        case "ServiceAccount":
            operators = reference.name.startswith(OPERATORS_ACCOUNTS)
            if operators or reference.name in kit.platform["accounts"]:
                return True
        case "StorageClass" if reference.name in kit.platform["storage"]:
            return True
    return next((one for one in yours() if _is_meant(one, reference, kit)), False)


def _is_meant(one: Manifest, reference: Reference, kit: Kit) -> bool:
    same = (one["kind"], one["name"]) == (reference.kind, reference.name)
    keys = one.get("keys")
    return (
        same
        and kit.profile in one.get("profiles", [kit.profile])
        and (not keys or not reference.key or reference.key in keys)
        and (one.get("where") in (None, reference.where))
    )
