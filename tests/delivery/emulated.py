"""What the tests of both architectures share: this machine's own one, and the one that it emulates."""

from collections.abc import Sequence

import pytest

from brakepoint.messages import Detection
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


def assert_alike(own: Sequence[Detection], other: Sequence[Detection]) -> None:
    """Asserts that the network has found the same single sign on both architectures."""
    assert [one.sign_class for one in own] == [one.sign_class for one in other]
    assert len(own) == 1
    for one, same in zip(own, other, strict=True):
        assert same.confidence == pytest.approx(one.confidence, abs=CONFIDENCE_WITHIN)
        assert same.box == pytest.approx(one.box, abs=BOX_WITHIN_PX)
