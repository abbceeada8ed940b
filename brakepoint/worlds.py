"""The two worlds with signs."""

from enum import StrEnum


class World(StrEnum):
    """Where the signs are: along the train's track, or on European roads.

    Speed limits look the same in both worlds. A danger sign of the track is a yellow triangle; a danger sign
    of a road is white with a red border.
    """

    TRACK = "track"
    ROAD = "road"
