"""Helpers for tests of the film, the page and the replay: a feed with a video, and runs on it."""

from pathlib import Path

import av
import cv2
import numpy as np
from driving import drive, score, step

from brakepoint.mission.loop import Step
from brakepoint.mission.report import Recording, Report
from brakepoint.mission.scoring import score_run
from brakepoint.scenery.geometry import synthetic_truth
from brakepoint.scenery.scenario import load_scenario
from brakepoint.truth import GroundTruth, TruthFrame

SCENARIO = """
name: short
seed: 7
spacing_cm: 4
track:
  - {straight_cm: 150}
  - {curve: right, radius_cm: 32, angle_deg: 90}
signs:
  - {kind: stop, at_cm: 60, side: left}
  - {kind: danger-children, at_cm: 130, side: right}
"""


def make_feed(folder: Path) -> Path:
    """Writes `short.mp4`, in which signs are plain boxes, and its ground truth."""
    scenario = folder / "short.yaml"
    scenario.write_text(SCENARIO, encoding="utf-8")
    truth = synthetic_truth(load_scenario(scenario))
    folder.joinpath("short.json").write_text(truth.model_dump_json(), encoding="utf-8")
    with av.open(str(folder / "short.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=15)
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
        stream.options = {"preset": "ultrafast"}
        for frame in truth.frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(_picture(frame), format="bgr24")))
        container.mux(stream.encode())
    return folder / "short.mp4"


def _picture(frame: TruthFrame) -> np.ndarray:
    picture = np.full((480, 640, 3), (70, 80, 90), np.uint8)
    for sign in frame.signs:
        left, top, right, bottom = map(round, sign.box)
        cv2.rectangle(picture, (left, top), (right, bottom), (40, 200, 240), -1)
    return picture


def record(truth: GroundTruth, autopilot: Step = step) -> Recording:
    """Drives with perfect detections, so that every lost point is the autopilot's."""
    run = drive(truth, autopilot)
    return Recording.of(run, score_run(run, truth), score(truth, autopilot), truth)


def report_of(*recordings: Recording) -> Report:
    missions = tuple(recording.mission for recording in recordings)
    accomplished = all(mission.accomplished for mission in missions)
    return Report(steps="solutions", detector="oracle", accomplished=accomplished, missions=missions)


def save_run(folder: Path, *recordings: Recording) -> Path:
    """Saves a run as `brakepoint mission` does, except for the film and the page."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.joinpath("report.json").write_text(report_of(*recordings).to_json(), encoding="utf-8")
    for recording in recordings:
        folder.joinpath(f"{recording.feed}.run.json").write_text(recording.to_json(), encoding="utf-8")
    return folder
