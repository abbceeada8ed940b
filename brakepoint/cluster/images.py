"""Checks whether each image can be pulled, and contains everything that its containers need."""

import re
from collections.abc import Iterator
from functools import cache
from importlib import resources

import yaml

from brakepoint.cluster.amounts import quantity
from brakepoint.cluster.findings import Finding, found
from brakepoint.cluster.kit import Kit
from brakepoint.cluster.pods import Manifest, Pod, namespace_of

OURS = re.compile(r"(?:^|/)brakepoint-[a-z-]+$")
"""The images that the kit builds: the stages of deploy/images/Containerfile."""
PUSHING = re.compile(r"buildah (?:manifest )?push")
PLACEHOLDER_HOST = re.compile(r"(?:^|\.)example\.(?:com|org|net)(?::|$)")
INTERNAL = "image-registry.openshift-image-registry.svc"


@cache
def known() -> Manifest:
    """Data about images that others publish, and about what commands need."""
    file = resources.files(__package__) / "data" / "images.yaml"
    return dict(yaml.safe_load(file.read_text(encoding="utf-8")))


def parts(image: str) -> tuple[str, str, str]:
    """Registry, repository with the registry in front, and tag or digest of an image's name."""
    name, _, digest = image.partition("@")
    first, slash, rest = name.partition("/")
    has_registry = bool(slash) and ("." in first or ":" in first or first == "localhost")
    path = rest if has_registry else name
    path, _, tag = path.partition(":")
    return first if has_registry else "", f"{first}/{path}" if has_registry else path, digest or tag


def examine(kit: Kit) -> tuple[list[Finding], list[str]]:
    """Problems with the images of all pods, and the registries that the instructor must provide."""
    findings: list[Finding] = []
    placeholders: list[str] = []
    pushed = pushes(kit)
    for pod in kit.pods:
        for container in pod.containers:
            image = container.get("image", "")
            if not image:  # An operator's own image, which comes with the operator.
                continue
            registry, _, _ = parts(image)
            if PLACEHOLDER_HOST.search(registry):
                placeholders.append(registry)
            findings += _of_image(kit, pushed, pod, image)
            findings += _of_script(pod, container)
    for push in kit.of_kind("ImageStream"):
        for tag in push["spec"].get("tags") or ():
            source = tag.get("from") or {}
            if source.get("kind") == "ImageStreamTag":
                owner = source.get("namespace", namespace_of(push))
                user = Pod(push["metadata"]["name"], "ImageStream", namespace_of(push), {})
                name = f"{kit.platform['registry']}/{owner}/{source['name']}"
                findings += _of_image(kit, pushed, user, name)
    for cluster in kit.of_kind("CheCluster"):
        puller = ((cluster["spec"].get("components") or {}).get("imagePuller") or {}).get("spec") or {}
        for said in re.findall(r"=([^;\s]+)", puller.get("images", "")):
            user = Pod("image-puller", "CheCluster", namespace_of(cluster), {})
            findings += _of_image(kit, pushed, user, said)
    return findings, sorted(set(placeholders))


Pushes = list[tuple[str, set[str]]]


def _of_image(kit: Kit, pushed: Pushes, pod: Pod, image: str) -> Iterator[Finding]:
    registry, repository, tag = parts(image)
    values = {"pod": pod.name, "image": image}
    if "$(" in image:
        return
    if not registry:
        yield found("image_unqualified", pod.namespace, **values)
        return
    if registry.startswith(INTERNAL) and kit.platform["registry"] is None:
        yield found("image_registry", pod.namespace, **values)
        return
    said, is_pushed = known()["published"].get(repository) or {}, _is_pushed(kit, pushed, repository, tag)
    if (not tag or tag.endswith("latest")) and not (said.get("floating") or is_pushed):
        yield found("image_latest", pod.namespace, **values)
        return
    if OURS.search(repository):
        if not is_pushed:
            yield found("image_unpushed", pod.namespace, **values)
    elif repository not in known()["published"]:
        yield found("image_unknown", pod.namespace, **values)


def _is_pushed(kit: Kit, pushed: Pushes, repository: str, tag: str) -> bool:
    """Whether a run, a build or a documented command pushes the image; a digest implies a push."""
    name = OURS.search(repository)
    if tag.startswith("sha256:") or any(repository == one and tag in tags for one, tags in pushed):
        return True
    elsewhere = known()["by_hand"].get(name[0].strip("/") if name else "", {})
    return kit.profile in elsewhere.get("profiles", ()) and tag in elsewhere.get("tags", ())


def pushes(kit: Kit) -> Pushes:
    """The repositories and tags to which the kit's manifests push."""
    found_: Pushes = []
    for use in kit.uses:
        for step in use.spec.get("steps") or ():
            if not PUSHING.search(step.get("script") or ""):
                continue
            values = [str(one.get("value", "")) for one in step.get("env") or ()]
            for value in values:
                registry, repository, tag = parts(value)
                if registry:
                    found_.append((repository, {tag} if tag else set(values)))
    for build in kit.of_kind("BuildConfig"):
        to = (build["spec"].get("output") or {}).get("to") or {}
        name, _, tag = to.get("name", "").partition(":")
        if to.get("kind") == "ImageStreamTag":
            name = f"{kit.platform['registry']}/{to.get('namespace', namespace_of(build))}/{name}"
        found_.append((name, {tag}))
    return found_


def _of_script(pod: Pod, container: Manifest) -> Iterator[Finding]:
    """What a container's script needs and its image or volumes lack."""
    script = container.get("script") or ""
    shebang = re.match(r"#!\s*(\S+)", script)
    _, repository, _ = parts(container["image"])
    shells = (known()["published"].get(repository) or {}).get("shells")
    if shebang and shells is not None and shebang[1] not in shells:
        yield found("shell", pod.namespace, pod=pod.name, image=container["image"], shell=shebang[1])
    if re.search(r"buildah (bud|build|manifest)\b", script):
        yield from _of_build(pod, container)
    if re.search(r"cosign sign\b", script) and "--tlog-upload" not in script:
        yield found("public_log", pod.namespace, pod=pod.name)


def _of_build(pod: Pod, container: Manifest) -> Iterator[Finding]:
    """Buildah needs root, or a user namespace of the pod: CRI-O's seccomp profile lets it create none."""
    shared, own = pod.spec.get("securityContext") or {}, container.get("securityContext") or {}
    user = own.get("runAsUser", shared.get("runAsUser"))
    added = (own.get("capabilities") or {}).get("add") or ()
    environment = {one["name"]: one.get("value") for one in container.get("env") or ()}
    problems = []
    if user != 0 and pod.spec.get("hostUsers") is not False:
        problems.append(f"runAsUser {user if user is not None else '–'}")
    if user == 0 and "SETFCAP" not in added:
        problems.append("capabilities.add SETFCAP")
    if environment.get("BUILDAH_ISOLATION") != "chroot":
        problems.append("BUILDAH_ISOLATION")
    if environment.get("STORAGE_DRIVER") != "vfs":
        problems.append("STORAGE_DRIVER")
    mounts = {one["mountPath"] for one in container.get("volumeMounts") or ()}
    if user == 0 and "/var/lib/containers" not in mounts:
        problems.append("/var/lib/containers")
    if problems:
        yield found("build", pod.namespace, pod=pod.name, why=", ".join(problems))


def too_small(kit: Kit) -> Iterator[Finding]:
    """Volumes that are too small for the files that a script writes to them."""
    sizes = {
        (namespace_of(claim), claim["metadata"]["name"]): (
            (claim["spec"].get("resources") or {}).get("requests") or {}
        ).get("storage", 0)
        for claim in kit.claims
    }
    for pod in kit.pods:
        sizes_here = {v["name"]: _size(v, pod, sizes) for v in pod.spec.get("volumes") or ()}
        for container in pod.containers:
            script = " ".join(
                [
                    container.get("script") or "",
                    *(str(one.get("value", "")) for one in container.get("env") or ()),
                ]
            )
            for needed in known()["needs"]:
                if not re.search(needed["runs"], script):
                    continue
                for mount in container.get("volumeMounts") or ():
                    size = sizes_here.get(mount["name"])
                    if size is not None and quantity(size) < quantity(needed["storage"]):
                        yield found(
                            "too_small", pod.namespace, pod=pod.name, size=size, needed=needed["storage"]
                        )


def _size(volume: Manifest, pod: Pod, claims: dict[tuple[str, str], object]) -> object:
    """The size of a pod's volume; None if it is not limited, or holds no files of the pod's own."""
    if "emptyDir" in volume:
        return volume["emptyDir"].get("sizeLimit")
    return claims.get((pod.namespace, (volume.get("persistentVolumeClaim") or {}).get("claimName", "")))
