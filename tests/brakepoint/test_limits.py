"""The limits of what is read from files, messages and the command line: none changes unnoticed."""

import math
from collections.abc import Iterator
from typing import get_args

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from data_classes import models
from pydantic.fields import FieldInfo

LIMITS = {
    "course.Step.core_minutes": "(0, ∞)",
    "course.Step.minutes": "(0, ∞)",
    "course._Course.set_up_minutes": "(0, ∞)",
    "incidents.site.Clocks.autopilot": "(-∞, ∞)",
    "incidents.site.Clocks.capture": "(-∞, ∞)",
    "incidents.site.Clocks.controller": "(-∞, ∞)",
    "incidents.site.Clocks.detector": "(-∞, ∞)",
    "incidents.site.Lens.buffers": "[1, 60]",
    "incidents.site.Lens.shutter_ms": "(0, 1000]",
    "incidents.site.Looking.confidence": "(0, 1)",
    "incidents.site.Looking.memory_mb": "[1, ∞)",
    "labels.coco._Image.height": "(0, 1000000]",
    "labels.coco._Image.width": "(0, 1000000]",
    "labels.label_studio_export.Rectangle.original_height": "(0, 1000000]",
    "labels.label_studio_export.Rectangle.original_width": "(0, 1000000]",
    "labels.label_studio_export.RectangleValue.height": "(0, 200]",
    "labels.label_studio_export.RectangleValue.rotation": "(-∞, ∞)",
    "labels.label_studio_export.RectangleValue.width": "(0, 200]",
    "labels.label_studio_export.RectangleValue.x": "[-100, 200]",
    "labels.label_studio_export.RectangleValue.y": "[-100, 200]",
    "messages.Control.at": "(-∞, ∞)",
    "messages.Control.seconds": "(0, 10]",
    "messages.Detection.box": "(-∞, ∞)",
    "messages.Detection.confidence": "[0, 1]",
    "messages.Detections.captured_at": "(-∞, ∞)",
    "messages.Detections.frame_id": "[0, ∞)",
    "messages.GivenOrder.at": "(-∞, ∞)",
    "messages.GivenOrder.number": "[0, ∞)",
    "messages.GivenOrder.run": "[-1, ∞)",
    "messages.GivenOrder.seen_at": "(-∞, ∞)",
    "messages.MissionState.at": "(-∞, ∞)",
    "messages.MissionState.run": "[0, ∞)",
    "messages.MissionState.since": "(-∞, ∞)",
    "messages.Order.at": "(-∞, ∞)",
    "messages.Status.at": "(-∞, ∞)",
    "messages.Status.latency_ms": "(-∞, ∞)",
    "messages.Status.latency_p95_ms": "(-∞, ∞)",
    "messages.Status.per_s": "[0, ∞)",
    "messages.Status.refused": "[0, ∞)",
    "messages.TrainState.at": "(-∞, ∞)",
    "messages.TrainState.position_cm": "(-∞, ∞)",
    "messages.TrainState.power": "[-100, 100]",
    "messages.TrainState.speed_cm_s": "[0, ∞)",
    "messages.Wish.seconds": "(0, 10]",
    "mission.records.Lost.control": "(-∞, ∞)",
    "mission.records.Lost.perception": "(-∞, ∞)",
    "mission.records.Moment.position_cm": "(-∞, ∞)",
    "mission.records.Moment.time_s": "(-∞, ∞)",
    "mission.records.Score.dawdling_s": "(-∞, ∞)",
    "mission.records.Score.distance_cm": "(-∞, ∞)",
    "mission.records.Score.overspeed_s": "(-∞, ∞)",
    "mission.records.Score.penalties": "(-∞, ∞)",
    "mission.records.Score.score": "[0, 100]",
    "mission.records.SignOutcome.at_cm": "(-∞, ∞)",
    "mission.records.SignOutcome.stopped_at_cm": "(-∞, ∞)",
    "mission.records.Tick.position_cm": "(-∞, ∞)",
    "mission.records.Tick.speed_cm_s": "(-∞, ∞)",
    "mission.records.Tick.time_s": "(-∞, ∞)",
    "mission.report.Mission.control_penalties": "(-∞, ∞)",
    "mission.report.Mission.dawdling_s": "(-∞, ∞)",
    "mission.report.Mission.distance_cm": "(-∞, ∞)",
    "mission.report.Mission.duration_s": "(-∞, ∞)",
    "mission.report.Mission.overspeed_s": "(-∞, ∞)",
    "mission.report.Mission.penalties": "(-∞, ∞)",
    "mission.report.Mission.score": "[0, 100]",
    "mission.report.OrderChange.position_cm": "(-∞, ∞)",
    "mission.report.OrderChange.speed_cm_s": "(-∞, ∞)",
    "mission.report.OrderChange.time_s": "(-∞, ∞)",
    "mission.report.Recording.length_cm": "(0, ∞)",
    "registry.version.Production.history": "[1, ∞)",
    "registry.version.Version.metrics": "[0, 1]",
    "registry.version.Version.number": "[1, ∞)",
    "registry.version.Version.published_at": "[2000-01-01 00:00:00+00:00, 9000-01-01 00:00:00+00:00]",
    "registry.version.Version.size_bytes": "(0, ∞)",
    "room.config.EmbeddedSettings.limit_mb": "[100, ∞)",
    "room.config.EmbeddedSettings.port": "[1024, 65535]",
    "room.config.MinioSettings.limit_mb": "[100, ∞)",
    "room.config.Quota.cpu": "[1, ∞)",
    "room.config.Quota.gpus": "[0, ∞)",
    "room.config.Quota.memory_gib": "[2, ∞)",
    "room.config.Quota.pods": "[1, ∞)",
    "room.config.Quota.storage_gib": "[1, ∞)",
    "room.config.Room.attendees": "[1, 200]",
    "room.config.Room.map50_min": "[0, 1]",
    "room.config.Room.tries": "[1, ∞)",
    "room.history.Solved.found_min": "[0, 999]",
    "room.history.Solved.mended_min": "[0, 999]",
    "room.outcomes.Marks.tries": "[0, ∞)",
    "room.outcomes.SubmissionOutcome.map50": "[0, 1]",
    "room.outcomes.SubmissionOutcome.score": "[0, 100]",
    "scenery.scenario.Scenario.clutter": "[0, 1]",
    "scenery.scenario.Scenario.seed": "[0, 4294967296)",
    "scenery.scenario.Scenario.spacing_cm": "[0.5, 10]",
    "scenery.scenario.ScenarioSign.at_cm": "[0, ∞)",
    "scenery.scenario.ScenarioSign.offset_cm": "[4.0, 200]",
    "scenery.scenario.ScenarioSign.tilt_deg": "[-30, 30]",
    "scenery.scenario.ScenarioSign.turn_deg": "[-60, 60]",
    "services.link.FromTrain.heard_at": "(-∞, ∞)",
    "services.link.FromTrain.seen_at": "(-∞, ∞)",
    "show.album.ShownSign.box": "[0, 1]",
    "synthesis.cutouts.CutoutRecord.distance_cm": "(0, ∞)",
    "synthesis.cutouts.CutoutRecord.pitch_deg": "[-180, 180]",
    "synthesis.cutouts.CutoutRecord.plate": "[0, 4096]",
    "synthesis.cutouts.CutoutRecord.roll_deg": "[-180, 180]",
    "synthesis.cutouts.CutoutRecord.yaw_deg": "[-180, 180]",
    "track.Curve.angle_deg": "(0, 360]",
    "track.Curve.radius_cm": "[20, 1000]",
    "track.Straight.straight_cm": "(0, 1000]",
    "train_file.Drive.braking_cm_s2": "[10, 1000]",
    "train_file.Drive.full_power": "(0, 100]",
    "train_file.Drive.full_speed_cm_s": "(20.0, 50.0]",
    "train_file.Drive.lag_s": "(0.01, 3]",
    "train_file.Drive.low_power": "(0, 100]",
    "train_file.Drive.start_power": "[0, 100)",
    "train_file.Drive.volts": "[4.0, 10.0]",
    "train_file.Eye.focal_px": "(0, 20000]",
    "train_file.Eye.height_cm": "(0, 30]",
    "train_file.Eye.height_px": "[16, 8192]",
    "train_file.Eye.latency_s": "[0, 0.3]",
    "train_file.Eye.pitch_deg": "[-30, 30]",
    "train_file.Eye.side_cm": "[-15, 15]",
    "train_file.Eye.width_px": "[16, 8192]",
    "train_file.Eye.yaw_deg": "[-30, 30]",
    "truth.CameraModel.focal_px": "(0, ∞)",
    "truth.CameraModel.height_cm": "(0, ∞)",
    "truth.CameraModel.height_px": "(0, ∞)",
    "truth.CameraModel.pitch_deg": "(-90, 90)",
    "truth.CameraModel.width_px": "(0, ∞)",
    "truth.GroundTruth.seed": "[0, ∞)",
    "truth.GroundTruth.spacing_cm": "(0, ∞)",
    "truth.TruthFrame.position_cm": "(-∞, ∞)",
    "truth.TruthSign.at_cm": "(-∞, ∞)",
    "truth.TruthSign.height_cm": "(0, ∞)",
    "truth.TruthSign.offset_cm": "(-∞, ∞)",
    "truth.VisibleSign.box": "(-∞, ∞)",
    "truth.VisibleSign.distance_cm": "(0, ∞)",
    "truth.VisibleSign.visible": "[0, 1]",
}
"""Interval of each number that has limits; a bracket belongs to the interval, a parenthesis does not.

So a number below `∞)` is finite, and one below `∞]` need not be.
"""
LENGTHS = {
    "course.Step.core": (1, math.inf),
    "course.Step.exercises": (1, math.inf),
    "course._Course.step": (1, math.inf),
    "labels.coco._Image.file_name": (1, math.inf),
    "messages.Control.feed": (0, 200),
    "messages.Detections.items": (0, 300),
    "messages.Detections.picture_hash": (0, 32),
    "messages.GivenOrder.giver": (0, 64),
    "messages.MissionState.feed": (0, 200),
    "messages.Status.service": (0, 32),
    "messages.Wish.feed": (0, 200),
    "mission.records.Run.ticks": (1, math.inf),
    "mission.report.Report.missions": (1, math.inf),
    "room.history._Incidents.incidents": (0, 99),
    "room.submission.Answer.items": (0, 300),
    "scenery.scenario.Scenario.signs": (0, 60),
    "scenery.scenario.Scenario.track": (1, 50),
    "show.server.ShownPicture.signs": (0, 50),
    "synthesis.cutouts.CutoutRecord.plate": (3, math.inf),
    "truth.GroundTruth.frames": (2, math.inf),
    "truth.GroundTruth.track": (1, math.inf),
}
"""Least and greatest length of each text or list that has limits."""


def fields() -> Iterator[tuple[str, list[object]]]:
    """Each field of a model, with the types and the limits that it is made of, at any depth."""
    for model, each in models().items():
        finite = FieldInfo(allow_inf_nan=each.model_config.get("allow_inf_nan"))
        for name, field in each.model_fields.items():
            yield f"{model}.{name}", [*parts(field), *parts(finite)]


def parts(annotation: object) -> Iterator[object]:
    if isinstance(annotation, FieldInfo):
        yield from annotation.metadata
        yield from parts(annotation.annotation)
        return
    yield annotation
    for part in (*getattr(annotation, "__metadata__", ()), *get_args(annotation)):
        yield from parts(part)


def interval(parts: list[object]) -> str | None:
    """The limits of a number; None if it has none."""
    is_finite = float not in parts or any(getattr(part, "allow_inf_nan", None) is False for part in parts)
    low, high = unlimited = ("(-∞", "∞)") if is_finite else ("[-∞", "∞]")
    for part in parts:
        match part:
            case Ge(ge=least):
                low = f"[{least}"
            case Gt(gt=least):
                low = f"({least}"
            case Le(le=most):
                high = f"{most}]"
            case Lt(lt=most):
                high = f"{most})"
    is_limited = (low, high) != unlimited or (is_finite and float in parts)
    return f"{low}, {high}" if is_limited else None


def lengths(parts: list[object]) -> tuple[float, float] | None:
    """The least and the greatest length; None if neither is limited."""
    least, most = 0.0, math.inf
    for part in parts:
        match part:
            case MinLen(min_length=length):
                least = length
            case MaxLen(max_length=length):
                most = length
    return None if (least, most) == (0, math.inf) else (least, most)


def test_no_limit_of_a_number_changes_unnoticed() -> None:
    assert {name: limits for name, parts in fields() if (limits := interval(parts))} == LIMITS


def test_no_limit_of_a_length_changes_unnoticed() -> None:
    assert {name: limits for name, parts in fields() if (limits := lengths(parts))} == LENGTHS
