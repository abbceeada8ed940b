"""Keeps boxes that can be plates; those that camera and track rule out are rejected at any confidence."""

from brakepoint.messages import Detection, Detections
from brakepoint.rules import PLATE_HEIGHT_CM
from brakepoint.truth import CameraModel

EDGE_PX = 2.0
"""A box this close to the edge of the examined area is cut off: it shows only a part of an unknown object."""
WIDEST = 1.5
"""Largest ratio of width to height: plates are about as wide as high, and narrower from the side."""
RAILS_CM = 2.5
"""There are no signs between the rails: within this distance on either side of the centre line."""
RAILS_SEEN_CM = 15.0
"""Boxes between the rails are rejected up to this distance ahead, where a bend does not matter yet."""
CLEAR_CM, CLOSE_CM = 40.0, 15.0
"""Between these distances ahead, a plate is large in the picture."""
NARROWEST = 2.0
"""`must_show` assumes cameras with up to this many times the recorded camera's focal length."""
INSIDE_PX = 30.0
"""A plate closer than this to the left or right edge of such a camera's picture may be about to leave it."""


def plates_only(detections: Detections, camera: CameraModel) -> Detections:
    """Removes detections that cannot be plates."""
    items = tuple(item for item in detections.items if can_be_a_plate(item, camera))
    return detections if items == detections.items else detections.model_copy(update={"items": items})


def can_be_a_plate(item: Detection, camera: CameraModel) -> bool:
    """Whether a box can be the box of a complete sign beside the track."""
    return (
        not is_cut_off(item, camera)
        and item.width_px <= WIDEST * item.height_px
        and not is_between_rails(item, camera)
    )


def is_cut_off(item: Detection, camera: CameraModel) -> bool:
    """Whether a box is cut off: by the frame's edge, or by the first row in which signs may be visible."""
    left, top, right, bottom = item.box
    return (
        min(left, top) <= EDGE_PX
        or abs(top - camera.signs_from_px) <= EDGE_PX
        or right >= camera.width_px - EDGE_PX
        or bottom >= camera.height_px - EDGE_PX
    )


def is_between_rails(item: Detection, camera: CameraModel) -> bool:
    """Whether a box is so close and central that the train would run over the sign."""
    ahead_cm = camera.focal_px * PLATE_HEIGHT_CM[item.sign_class] / item.height_px
    lateral_cm = ahead_cm * (item.centre_x_px - camera.width_px / 2) / camera.focal_px
    return ahead_cm <= RAILS_SEEN_CM and abs(lateral_cm) <= RAILS_CM


def must_show(ahead_cm: float, lateral_cm: float, camera: CameraModel) -> bool:
    """Whether a plate at a place must be visible: large, and well within the picture's left and right edges.

    Args:
        ahead_cm: The plate's distance ahead.
        lateral_cm: The plate's distance to the right of the line of travel.
        camera: The camera.
    """
    aside_px = camera.focal_px * abs(lateral_cm) / max(ahead_cm, CLOSE_CM)
    return CLOSE_CM <= ahead_cm <= CLEAR_CM and aside_px <= camera.width_px / 2 / NARROWEST - INSIDE_PX
