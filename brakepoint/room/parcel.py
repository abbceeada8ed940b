"""A submission in a bucket: one object, so that the two files of one `brakepoint submit` stay together.

Two objects could be read between their uploads, as a pair that nobody has submitted.
"""

import hashlib
import re

from brakepoint.errors import UserError
from brakepoint.room.model_check import MODEL_MAX_BYTES

SUBMISSION_KEY = "room/submission"
MODEL_KEY, AUTOPILOT_KEY = "room/model.onnx", "room/step6_autopilot.py"
"""The two objects of a submission by an older kit, which are read if the one object is missing."""
AUTOPILOT_MAX_BYTES = 200_000
HEAD_MAX_BYTES = 128
LIMITS = {
    SUBMISSION_KEY: HEAD_MAX_BYTES + MODEL_MAX_BYTES + AUTOPILOT_MAX_BYTES,
    MODEL_KEY: MODEL_MAX_BYTES,
    AUTOPILOT_KEY: AUTOPILOT_MAX_BYTES,
}
"""Each object of a submission, and its maximum size in bytes."""
HEAD = re.compile(rb"brakepoint submission 1, sha256 ([0-9a-f]{64}), autopilot (\d{1,9})\n")
"""The first line; the autopilot's bytes follow, then the model's. The hash is that of both."""


def packed(model: bytes, autopilot: bytes) -> bytes:
    """A submission as one object."""
    content = autopilot + model
    digest = hashlib.sha256(content).hexdigest()
    return f"brakepoint submission 1, sha256 {digest}, autopilot {len(autopilot)}\n".encode() + content


def unpacked(data: bytes) -> tuple[bytes, bytes]:
    """Model and autopilot of an object; one of them exceeds its maximum if the object does.

    Raises:
        UserError: The object is incomplete, or not a submission.
    """
    head = HEAD.match(data)
    if head is None:
        raise UserError("room.error.not_whole")
    content, size = data[head.end() :], int(head[2])
    is_cut_off = len(data) > LIMITS[SUBMISSION_KEY]  # No more was read, and no more is needed to refuse it.
    if not is_cut_off and hashlib.sha256(content).hexdigest().encode() != head[1]:
        raise UserError("room.error.not_whole")
    return content[size:], content[:size]
