"""Everything that the kit would apply to a platform, for tests that break it on purpose."""

import copy
import dataclasses
from collections.abc import Callable
from functools import cache
from typing import Any

from brakepoint.cluster.findings import Finding
from brakepoint.cluster.kit import Kit, collect, default_room
from brakepoint.cluster.rehearsal import Rehearsal, rehearse

SEAT, TEST, IMAGES, TRAIN = "spring-seat-01", "brakepoint-test", "brakepoint-images", "brakepoint-train"
Manifest = dict[str, Any]


@cache
def kit(profile: str, attendees: int = 2) -> Kit:
    return collect(profile, default_room(attendees))


@cache
def before(profile: str) -> frozenset[Finding]:
    return frozenset(rehearse(kit(profile)).findings)


class Broken:
    """A copy of everything that is applied, which a test breaks."""

    def __init__(self, profile: str = "openshift") -> None:
        self.kit = dataclasses.replace(copy.deepcopy(kit(profile)))

    def get(self, kind: str, name: str, where: str = TEST) -> Manifest:
        (found,) = [m for m in self.kit.within(where, kind) if m["metadata"]["name"] == name]
        return found

    def remove(self, kind: str, name: str, where: str = TEST) -> None:
        found = self.get(kind, name, where)
        self.kit.manifests[:] = [one for one in self.kit.manifests if one is not found]

    def pod(self, name: str, where: str = TEST) -> Manifest:
        spec: Manifest = self.get("Deployment", name, where)["spec"]["template"]["spec"]
        return spec

    def container(self, name: str, where: str = TEST) -> Manifest:
        container: Manifest = self.pod(name, where)["containers"][0]
        return container

    def step(self, task: str) -> Manifest:
        step: Manifest = self.get("Task", task, IMAGES)["spec"]["steps"][0]
        return step

    def found(self) -> Rehearsal:
        return rehearse(self.kit)


def found_anew(break_: Callable[[Broken], None], profile: str) -> list[Finding]:
    """The findings that appeared after something was broken."""
    broken = Broken(profile)
    break_(broken)
    return [finding for finding in broken.found().findings if finding not in before(profile)]
