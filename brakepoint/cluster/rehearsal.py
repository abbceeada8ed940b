"""The rehearsal: checks everything that would be applied against every rule."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from brakepoint.cluster import admission, course, images, paths, references, standards, tekton, wiring
from brakepoint.cluster.admission import Admitted
from brakepoint.cluster.findings import Finding, found
from brakepoint.cluster.kit import Kit
from brakepoint.cluster.pods import namespace_of
from brakepoint.course import ROOT
from brakepoint.texts import text

PLATFORM_NAMESPACES = ("openshift-", "kube-", "redhat-ods-", "nvidia-gpu-operator", "minio-operator")


@dataclass(frozen=True)
class Rehearsal:
    """The results of a rehearsal.

    Attributes:
        admitted: Admission result of each pod.
        findings: The findings of all rules.
        yours: What the instructor must provide, one sentence for each object.
    """

    admitted: list[Admitted]
    findings: list[Finding]
    yours: list[str]


def rehearse(kit: Kit, root: Path = ROOT) -> Rehearsal:
    """Checks a kit against every rule.

    Args:
        kit: What would be applied.
        root: Root of the project, for information outside the manifests.
    """
    kit = replace(kit)  # Cached results may be out of date.
    admitted = admission.examine(kit)
    missing, asked = references.unanswered(kit)
    of_images, placeholders = images.examine(kit)
    findings = [finding for one in admitted for finding in one.findings]
    findings += [*admission.over(kit), *missing, *of_images, *images.too_small(kit)]
    findings += [
        *standards.examine(kit),
        *wiring.examine(kit),
        *paths.examine(kit),
        *course.examine(kit, root),
        *_homeless(kit),
    ]
    yours = [text(f"cluster.yours.{one['reason']}") for one in asked if not one.get("given")]
    yours += [text("cluster.yours.placeholder", None, host=host) for host in placeholders]
    if any(pod.annotations.get(tekton.CHOSEN_NODE) == "true" for pod in kit.pods):
        yours.append(text("cluster.yours.arm64"))
    for image in {pod.spec["containers"][0]["image"] for pod in kit.pods if pod.made_by == "DevWorkspace"}:
        if "workbench" not in image:
            yours.append(text("cluster.yours.workbench", None, image=image))
    if kit.room and kit.room.repository:
        yours.append(text("cluster.yours.forks"))
    if kit.profile == "microshift" and kit.claims:
        yours.append(text("cluster.yours.volume_group"))
    return Rehearsal(admitted, list(dict.fromkeys(findings)), list(dict.fromkeys(yours)))


def _homeless(kit: Kit) -> Iterator[Finding]:
    """Namespaces that nothing creates."""
    made = {m["metadata"]["name"] for m in kit.of_kind("Namespace", "Project")}
    for application in kit.of_kind("Application"):
        options = (application["spec"].get("syncPolicy") or {}).get("syncOptions") or ()
        if "CreateNamespace=true" in options:
            made.add(application["spec"]["destination"].get("namespace", ""))
    for where in dict.fromkeys(namespace_of(manifest) for manifest in kit.manifests):
        theirs = where in kit.platform.get("apply_in", {}).values()
        if where and where not in made and not theirs and not where.startswith(PLATFORM_NAMESPACES):
            yield found("namespace", where, name=where)
