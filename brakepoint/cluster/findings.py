"""The findings of rules, and their sentences."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from brakepoint.texts import text

Rule = Literal[
    "constraint",
    "podsecurity",
    "level",
    "quantity",
    "limits",
    "unlimited",
    "quota",
    "missing",
    "namespace",
    "twice",
    "kind",
    "selector",
    "name",
    "value",
    "idle",
    "unlabelled",
    "rights",
    "store_local",
    "mount",
    "probe",
    "local",
    "node",
    "selects_nothing",
    "target_port",
    "format",
    "project",
    "project_roles",
    "project_finalizer",
    "unfitting",
    "image_unqualified",
    "image_registry",
    "image_latest",
    "image_unpushed",
    "image_unknown",
    "image_lacks",
    "pull",
    "shell",
    "public_log",
    "build",
    "too_small",
    "way_closed",
    "way_open",
    "workspace_start",
    "workspace_idle",
    "workspace_namespace",
    "pipeline_server",
    "pipeline_store",
    "pipeline_rights",
    "pipeline_newer",
    "gpus",
    "dashboard",
    "model_route",
    "unshipped",
    "metrics_local",
    "metrics_monitor",
    "detector_cpu",
    "engine_lost",
    "unapplied",
    "bus_user",
]
"""The kinds of findings; each has a sentence in the catalogue."""

SUBJECTS = ("pod", "source")
"""The placeholders for pods: several pods may share a sentence."""


@dataclass(frozen=True)
class Finding:
    """One thing that a platform would refuse or lack.

    Attributes:
        rule: Which rule was violated; the finding's sentence is the text `cluster.finding.{rule}`.
        where: The namespace; empty for the whole cluster.
        values: Values of the sentence's placeholders.
    """

    rule: Rule
    where: str
    values: tuple[tuple[str, str], ...] = ()

    @property
    def sentence(self) -> str:
        """The finding in the reader's language."""
        return text(f"cluster.finding.{self.rule}", None, **dict(self.values))


def found(rule: Rule, where: str = "", **values: object) -> Finding:
    """A finding; the values are converted to text."""
    return Finding(rule, where, tuple((name, str(value)) for name, value in values.items()))


def merged(findings: Iterable[Finding]) -> list[tuple[Finding, list[str]]]:
    """Each finding once, with all namespaces in which it occurs, since a room's namespaces are alike.

    Findings that differ only in the pod and occur in the same namespaces become one.
    """
    places: dict[Finding, list[str]] = defaultdict(list)
    for finding in dict.fromkeys(findings):
        places[replace(finding, where="")].append(finding.where)
    together: dict[tuple[object, ...], list[Finding]] = defaultdict(list)
    for finding, where in places.items():
        rest = tuple(pair for pair in finding.values if pair[0] not in SUBJECTS)
        together[finding.rule, rest, tuple(where)].append(finding)
    return [(_joined(those), places[those[0]]) for those in together.values()]


def _joined(those: list[Finding]) -> Finding:
    """Merges several findings into one that lists their subjects."""
    subjects: dict[str, dict[str, None]] = defaultdict(dict)
    for name, value in (pair for one in those for pair in one.values):
        subjects[name][value] = None
    return replace(those[0], values=tuple((name, ", ".join(values)) for name, values in subjects.items()))
