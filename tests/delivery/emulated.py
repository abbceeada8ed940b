"""What the tests of both architectures share: this machine's own one, and the one that it emulates."""

from brakepoint.rollout.architectures import MACHINES, own_architecture
from brakepoint.rollout.confinement import Confinement

OWN = own_architecture()
(OTHER,) = MACHINES.keys() - {OWN}
ARCHITECTURES = (OWN, OTHER)
ANYBODY = Confinement(12345, read_only=True)
EMULATED_WITHIN_S = 900.0
"""How long the emulated detector may take to load its network, which takes a second elsewhere."""
FEED, PICTURE = "track-stop", 176
"""A picture that shows one danger."""
CONFIDENCE_WITHIN, BOX_WITHIN_PX = 1e-3, 0.05
"""How far the arithmetic of two architectures may differ."""
