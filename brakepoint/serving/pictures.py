"""Decodes untrusted JPEG files."""

import numpy as np

from brakepoint.texts import text

JPEG_START, JPEG_SCAN, JPEG_END = b"\xff\xd8", b"\xff\xda", b"\xff\xd9"
"""JPEG markers for the start of the file, each scan, and the end."""
PIXELS_MOST = 2**24
"""A small file may claim any size. OpenCV enforces this limit if `PIXELS_VARIABLE` is set before import."""
PIXELS_VARIABLE = "OPENCV_IO_MAX_IMAGE_PIXELS"


def decode_jpeg(content: bytes) -> np.ndarray:
    """Decodes a JPEG.

    Returns:
        `(height, width, 3)` uint8, blue-green-red.

    Raises:
        InvalidInput: The content isn't a JPEG, is truncated, or has more pixels than `PIXELS_MOST`.
    """
    import cv2
    from kserve.errors import InvalidInput

    if not content.startswith(JPEG_START):
        raise InvalidInput(text("serving.bad.no_jpeg"))
    # OpenCV fills the missing part of a truncated JPEG with grey and continues.
    if content.rfind(JPEG_END) < content.rfind(JPEG_SCAN):
        raise InvalidInput(text("serving.bad.truncated"))
    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        image = None
    if image is None or image.shape[0] * image.shape[1] > PIXELS_MOST:
        raise InvalidInput(text("serving.bad.no_jpeg"))
    return np.asarray(image)
