"""How many examples the tests of readers use: a few in `make test`, thousands in `make soak`."""

from hypothesis import settings

SHARE = settings(max_examples=max(25, settings().max_examples // 16))
"""With the profile `soak`, 625 for each test: over 10,000 in all."""
