"""The train of an overlay: each container runs in the root of its image, which is pulled by digest."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path

from brakepoint.cluster.images import OURS, parts
from brakepoint.cluster.kit import Kit
from brakepoint.delivery.containers import Container
from brakepoint.delivery.rendering import Manifest
from brakepoint.errors import UserError
from brakepoint.rollout.confinement import Confinement, of_deployments
from brakepoint.rollout.sandbox import Sandbox
from brakepoint.rollout.store import Pulled, Store
from brakepoint.services import ServiceSettings
from brakepoint.services.service_loop import HEARTBEAT_VARIABLE


@dataclass
class Train:
    """Determines how each container of an overlay is started.

    Attributes:
        manifests: The rendered overlay, which names images by digest.
        store: Store for the pulled images.
        folder: Folder for the containers' output.
        architecture: Architecture of the images.
    """

    manifests: list[Manifest]
    store: Store
    folder: Path
    architecture: str
    _pulled: dict[str, Pulled] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self._held = of_deployments(Kit("openshift", self.manifests))

    def launch(self, container: Container) -> tuple[list[str], dict[str, str]]:
        """The command line and the environment of a container of the kit's own image.

        Raises:
            UserError: The overlay names the image by a tag, or the registry does not have the image.
        """
        _, repository, tag = parts(container.image)
        if not tag.startswith("sha256:") or not OURS.search(repository):
            raise UserError("rollout.error.no_digest", pod=container.name, image=container.image)
        if container.image not in self._pulled:
            self._pulled[container.image] = self.store.pull(container.image, self.architecture)
        pulled = self._pulled[container.image]
        scratch = self.folder / container.name
        shutil.rmtree(scratch, ignore_errors=True)
        return started(pulled, container, scratch, self._held[container.name])


def started(
    image: Pulled, container: Container, scratch: Path, held: Confinement
) -> tuple[list[str], dict[str, str]]:
    """The command line and the environment with which a container runs in the root of its image.

    Args:
        image: The container's image.
        container: Its arguments and its environment.
        scratch: Folder that receives all writes.
        held: User, groups and capabilities.
    """
    sandbox = Sandbox((image.root,), scratch, held, whole=False)
    words = sandbox.command([*image.entry_point, *container.args], image.folder)
    environment = {**image.environment, **container.environment}
    environment.pop(HEARTBEAT_VARIABLE, None)  # There is no kubelet to check it here,
    environment["BRAKEPOINT_METRICS"] = ServiceSettings.metrics  # and no Prometheus outside this machine.
    return words, environment
