"""Pictures for simulated cameras, taken in advance, so that the camera itself is not measured."""

from contextlib import closing

import numpy as np

from brakepoint.adapters import open_camera
from brakepoint.messages import Frame, Light, TrainState

AT_REST = TrainState(at=0, position_cm=0, speed_cm_s=0, power=0, braking=True, light=Light.OFF)
PLACES_CM = np.linspace(0, 150, 16)


def take_pictures(feed: str) -> list[Frame]:
    """Pictures of a feed, along its first stretch."""
    with closing(open_camera(f"video:{feed}")) as camera:
        frames = [camera.read(AT_REST.model_copy(update={"position_cm": at})) for at in PLACES_CM]
    return [frame for frame in frames if frame is not None]
