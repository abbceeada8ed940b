"""The two worlds in which signs stand."""

from enum import StrEnum


class World(StrEnum):
    """Where the signs stand: along the train's track, or on the roads of Europe.

    Speed limits look the same in both. A danger sign of the track is a yellow triangle; on a road it is white
    with a red border.
    """

    TRACK = "track"
    ROAD = "road"
