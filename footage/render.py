"""Renders a scenario into a feed: `NAME.mp4` and its ground truth `NAME.json`.

Each frame is written to a file in a separate folder, and reused when an interrupted render resumes. Several
processes render at once, because some of the work on a frame uses only one core.
"""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np

from brakepoint.errors import UserError
from brakepoint.files import whole_file
from brakepoint.scenery.geometry import truth_signs, visible_signs
from brakepoint.scenery.scenario import SCENARIOS_DIR, Scenario, load_scenario
from brakepoint.truth import CameraModel, GroundTruth, TruthFrame

WORK_DIR = Path(".footage")
"""Folder for rendered frames, which may be deleted when the feeds are done."""
LOOK_VERSION = 1
"""Part of the name of a scenario's folder: increase it when changes to the scene's code affect frames."""
VIDEO_FPS = 15
CRF = 20
"""x264's constant rate factor: a four-metre feed takes about 3 MB."""

Progress = Callable[[int, int], None]
"""Called with the number of frames done and the total."""


def frames_folder(scenario: Scenario) -> Path:
    """Folder of a scenario's frames; its name changes with anything that affects their look."""
    look = scenario.model_dump_json(exclude={"spacing_cm"}) + str(LOOK_VERSION)
    return WORK_DIR / f"{scenario.name}-{hashlib.sha256(look.encode()).hexdigest()[:10]}"


def frame_file(scenario: Scenario, number: int) -> Path:
    """The picture of a frame, named after the frame's position in tenths of a millimetre."""
    return frames_folder(scenario) / f"{round(number * scenario.spacing_cm * 100):07d}.png"


def coarse_to_fine(count: int) -> list[int]:
    """Orders frames so that an unfinished render is a coarser feed, not a part of a feed."""
    return [*range(0, count, 2), *range(1, count, 2)]


def scenario_for(path: Path, out: Path) -> Scenario:
    """Reads a scenario whose feed would not replace another one.

    Args:
        path: The scenario's YAML file.
        out: Folder for the feed.

    Raises:
        UserError: The scenario cannot be read; or its name belongs to a feed of the kit or, in `out`, to a
            feed that was not rendered from a file of this name.
    """
    scenario = load_scenario(path)
    shipped = SCENARIOS_DIR / f"{scenario.name}.yaml"
    if shipped.exists() and not shipped.samefile(path):
        raise UserError("scenario.shipped_name", path=path, name=scenario.name)
    video = out / f"{scenario.name}.mp4"
    if video.exists() and not _command_of(video).startswith(f"{_command(path)} "):
        raise UserError("scenario.other_feed", video=video, path=path)
    return scenario


def _command(scenario_path: Path) -> str:
    return f"brakepoint footage render {scenario_path.name}"


def _command_of(video: Path) -> str:
    """The command that rendered a feed; empty if unknown."""
    try:
        truth = json.loads(video.with_suffix(".json").read_text(encoding="utf-8"))
        return str(truth["command"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""


def render_share(scenario_path: Path, share: int, shares: int) -> None:
    """Renders every `shares`-th missing frame; the work of one process."""
    from footage.scene.stage import Stage

    scenario = load_scenario(scenario_path)
    todo = [
        number
        for number in coarse_to_fine(scenario.frame_count)[share::shares]
        if not frame_file(scenario, number).exists()
    ]
    if not todo:
        return
    stage = Stage(scenario, CameraModel())
    stage.expose()
    for number in todo:
        target = frame_file(scenario, number)
        unfinished = target.with_suffix(f".{share}.part.png")
        stage.look_from(number * scenario.spacing_cm)
        stage.picture(unfinished)
        unfinished.replace(target)


def render_feed(
    scenario_path: Path, out: Path, progress: Progress, workers: int | None = None
) -> GroundTruth:
    """Renders a scenario and writes its feed.

    Args:
        scenario_path: The scenario's YAML file.
        out: Folder for `NAME.mp4` and `NAME.json`.
        progress: Called after each frame.
        workers: Number of processes; by default one per core.

    Raises:
        UserError: The scenario cannot be read or has another feed's name, Blender is not installed, or a
            process failed.
    """
    scenario = scenario_for(scenario_path, out)
    frames_folder(scenario).mkdir(parents=True, exist_ok=True)
    out.mkdir(parents=True, exist_ok=True)
    _render_missing(scenario_path, scenario, progress, workers or os.cpu_count() or 1)
    return _write_feed(scenario_path, scenario, out)


def _done(scenario: Scenario) -> int:
    return sum(frame_file(scenario, number).exists() for number in range(scenario.frame_count))


def _render_missing(scenario_path: Path, scenario: Scenario, progress: Progress, workers: int) -> None:
    if _done(scenario) == scenario.frame_count:
        return
    log_path = frames_folder(scenario) / "blender.log"
    environment = {**os.environ, "BRAKEPOINT_RENDER_THREADS": "1"}
    with log_path.open("w") as log:
        processes = [
            subprocess.Popen(
                [sys.executable, "-m", "footage.render", str(scenario_path), str(share), str(workers)],
                stdout=log,
                stderr=log,
                env=environment,
            )
            for share in range(workers)
        ]
        try:
            while any(process.poll() is None for process in processes):
                progress(_done(scenario), scenario.frame_count)
                time.sleep(1)
        finally:
            for process in processes:
                process.terminate()
                process.wait()
    progress(_done(scenario), scenario.frame_count)
    if any(process.returncode for process in processes):
        raise UserError("footage.blender_failed", log=log_path)


def _write_feed(scenario_path: Path, scenario: Scenario, out: Path) -> GroundTruth:
    """Writes the video and the ground truth under temporary names, then renames both."""
    video = out / f"{scenario.name}.mp4"
    with whole_file(video) as unfinished, whole_file(video.with_suffix(".json")) as document:
        encode(scenario, unfinished)
        truth = GroundTruth(
            feed=scenario.name,
            command=f"{_command(scenario_path)} --out {out.name}",
            seed=scenario.seed,
            camera=CameraModel(),
            spacing_cm=scenario.spacing_cm,
            track=scenario.track,
            signs=truth_signs(scenario),
            frames=_truth_frames(scenario),
            video_sha256=hashlib.sha256(unfinished.read_bytes()).hexdigest(),
        )
        document.write_text(written_truth(truth), encoding="utf-8")
    return truth


def written_truth(truth: GroundTruth) -> str:
    """The text of a ground truth file: one value per line, so that a diff shows what changed."""
    return json.dumps(json.loads(truth.model_dump_json()), indent=1) + "\n"


def _truth_frames(scenario: Scenario) -> tuple[TruthFrame, ...]:
    from footage.scene.stage import Stage

    stage = Stage(scenario, CameraModel())
    return tuple(
        TruthFrame(
            position_cm=round(number * scenario.spacing_cm, 3),
            signs=visible_signs(scenario, number, visibility=stage.visible),
        )
        for number in range(scenario.frame_count)
    )


def encode(scenario: Scenario, path: Path) -> None:
    """Writes a scenario's frames as an H.264 video, as the train's camera would have recorded them."""
    import av

    from footage.finish import CameraLook

    camera = CameraModel()
    look = CameraLook(scenario.seed, camera.width_px, camera.height_px)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(VIDEO_FPS))
        stream.width, stream.height, stream.pix_fmt = camera.width_px, camera.height_px, "yuv420p"
        stream.options = {"crf": str(CRF), "preset": "slow", "g": "15"}
        for number in range(scenario.frame_count):
            picture = look(_read_frame(frame_file(scenario, number)))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode())


def _read_frame(path: Path) -> np.ndarray:
    """Reads a rendered frame; a damaged frame is deleted, so that the next call renders it again."""
    import cv2

    picture = cv2.imread(str(path))
    if picture is None:
        path.unlink()
        raise UserError("footage.damaged_frame", path=path)
    return picture


if __name__ == "__main__":
    render_share(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
