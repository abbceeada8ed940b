"""Access to an existing cluster through kubectl, which knows how to log in to the cluster."""

import json
import subprocess
from typing import Any, Protocol

from brakepoint.cluster.shapes import checked
from brakepoint.delivery.rendering import kubectl
from brakepoint.errors import UserError

Manifest = dict[str, Any]
PATIENCE = "20s"
"""Timeout for one answer."""
AS_THE_CLUSTER = "system:serviceaccount:kube-system:replicaset-controller"
"""The account that creates a Deployment's pods.

An administrator's rights would admit what the cluster refuses.
"""
LINE_MAX = 200
"""If an answer does not come from the API, at most this many of its characters are shown."""
NOT_THERE = ("NotFound", "could not find the requested resource", "doesn't have a resource type")


class Api(Protocol):
    """The queries of `health`; tests replace this class."""

    def get(self, path: str) -> Manifest | None:
        """Returns the object at a path of the API.

        Args:
            path: Such as `/api/v1/nodes`.

        Returns:
            The object; None if there is none, or the kind is unknown.

        Raises:
            UserError: The cluster does not answer, or refuses.
        """

    def refusal(self, pod: Manifest) -> str:
        """Why the cluster would refuse a pod; empty if it would accept it. Nothing is created."""


class Kubectl:
    """See `Api`; uses kubectl's kubeconfig."""

    def get(self, path: str) -> Manifest | None:
        """Uses `kubectl get --raw`."""
        done = self._run("get", "--raw", path)
        if done.returncode == 0:
            try:
                return dict(checked(json.loads(done.stdout), "table", path))
            except ValueError as error:  # A proxy's page, for instance.
                why = _last_line(done.stdout)[:LINE_MAX]
                raise UserError("cluster.doctor.error.no_answer", path=path, why=why) from error
        if any(words in done.stderr for words in NOT_THERE):
            return None
        raise UserError("cluster.doctor.error.no_answer", path=path, why=_last_line(done.stderr))

    def refusal(self, pod: Manifest) -> str:
        """Uses a server-side dry run, as the cluster's own controller does."""
        path = f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods?dryRun=All"
        words = ("create", "--raw", path, "--as", AS_THE_CLUSTER, "--filename", "-")
        done = self._run(*words, given=json.dumps(pod))
        return "" if done.returncode == 0 else _last_line(done.stderr)

    def _run(self, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
        command = [kubectl(), f"--request-timeout={PATIENCE}", *words]
        return subprocess.run(command, input=given, capture_output=True, text=True, check=False)


def _last_line(said: str) -> str:
    return (said.strip().splitlines() or ["–"])[-1]
