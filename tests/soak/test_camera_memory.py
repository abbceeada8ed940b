"""Ten minutes of pictures: a camera's memory does not grow. Needs GStreamer; `make soak` runs it."""

import os
import time
from pathlib import Path

import typer

from brakepoint.errors import UserError
from brakepoint.messages import Light, TrainState
from hardware.csi_camera import HEIGHT_PX, RATE_HZ, WIDTH_PX, ChildSource, pipeline
from hardware.real_camera import RealCamera

MINUTES = float(os.environ.get("BRAKEPOINT_SOAK_MINUTES", "10"))
GROWTH_MAX_MB = 20.0
"""Of three raw pictures; what leaks one picture a minute grows by more."""
NOW = TrainState(at=0, position_cm=0, speed_cm_s=0, power=0, braking=True, light=Light.OFF)


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def test_a_camera_that_stalls_and_ends_again_and_again_does_not_grow():
    source = f"videotestsrc is-live=true num-buffers=300 ! video/x-raw,width={WIDTH_PX},height={HEIGHT_PX}"
    command = pipeline(f"{source},framerate={RATE_HZ}/1", WIDTH_PX, HEIGHT_PX)
    camera = RealCamera("csi:0", lambda: ChildSource("csi:0", command, WIDTH_PX, HEIGHT_PX))
    began_at, frames, ends, least_mb = time.monotonic(), 0, 0, 0.0
    try:
        while (elapsed_s := time.monotonic() - began_at) < 60 * MINUTES:
            try:
                frames += camera.read(NOW) is not None
            except UserError:
                ends += 1
            if elapsed_s < 6 * MINUTES:
                least_mb = resident_mb()
    finally:
        camera.close()
    grown_mb = resident_mb() - least_mb
    said = f"{MINUTES:g} min, {frames} frames, {ends} ends of stream, grown by {grown_mb:.1f} MB"
    typer.echo(said)

    assert frames > 60 * MINUTES
    assert grown_mb < GROWTH_MAX_MB, said
