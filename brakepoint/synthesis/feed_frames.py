"""Frames of the recorded feeds without any visible sign: backgrounds that look like the track."""

from collections.abc import Iterator
from pathlib import Path

import av
import cv2

from brakepoint.adapters import open_camera
from brakepoint.errors import UserError
from brakepoint.feeds import feed_names, find_feed
from brakepoint.files import write_whole
from brakepoint.truth import load_truth

EVERY = 3
"""Neighbouring frames are 2 cm apart and very similar, so one frame in this many is enough."""


def save_signless_frames(out_dir: Path) -> Iterator[Path]:
    """Writes the frames as PNG files, and yields each path once the file is written.

    Raises:
        UserError: A feed cannot be decoded, has no ground truth, or has that of another video.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    for name in feed_names():
        video, last = find_feed(name), -EVERY
        open_camera(f"video:{video}").close()  # Detects the ground truth of another video.
        frames = load_truth(video.with_suffix(".json")).frames
        try:
            with av.open(str(video)) as container:
                for number, (seen, picture) in enumerate(
                    zip(frames, container.decode(video=0), strict=False)
                ):
                    if seen.signs or number - last < EVERY:
                        continue
                    last = number
                    _, png = cv2.imencode(".png", picture.to_ndarray(format="bgr24"))
                    path = out_dir / f"{name}-{number:03d}.png"
                    write_whole(path, png.tobytes())
                    yield path
        except av.FFmpegError as error:
            raise UserError("feed.damaged", path=video) from error
