"""Pictures for models in tests: grey, 64 by 48 pixels, with a sign."""

import cv2
import numpy as np

from brakepoint.messages import SignClass
from brakepoint.show.album import ShownSign

DANGER = ShownSign(sign_class=SignClass.DANGER_AHEAD, box=(0.25, 0.125, 0.5, 0.75))


def jpeg(grey: int = 90) -> bytes:
    return cv2.imencode(".jpg", np.full((48, 64, 3), grey, np.uint8))[1].tobytes()
