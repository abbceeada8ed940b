"""The limits of what is read from files, messages and the command line: none changes unnoticed."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo

import brakepoint

LIMITS = {
    "course.Step.core_minutes": "(0, ∞)",
    "course.Step.minutes": "(0, ∞)",
    "course._Course.set_up_minutes": "(0, ∞)",
    "incidents.site.Lens.buffers": "[1, 60]",
    "incidents.site.Lens.shutter_ms": "(0, 1000]",
    "incidents.site.Looking.confidence": "(0, 1)",
    "incidents.site.Looking.memory_mb": "[1, ∞)",
    "labels.coco._Image.height": "(0, 1000000]",
    "labels.coco._Image.width": "(0, 1000000]",
    "labels.label_studio_export.Rectangle.original_height": "(0, 1000000]",
    "labels.label_studio_export.Rectangle.original_width": "(0, 1000000]",
    "labels.label_studio_export.RectangleValue.height": "(0, 200]",
    "labels.label_studio_export.RectangleValue.width": "(0, 200]",
    "labels.label_studio_export.RectangleValue.x": "[-100, 200]",
    "labels.label_studio_export.RectangleValue.y": "[-100, 200]",
    "messages.Control.seconds": "(0, 10]",
    "messages.Detection.confidence": "[0, 1]",
    "messages.Detections.frame_id": "[0, ∞)",
    "messages.GivenOrder.number": "[0, ∞)",
    "messages.GivenOrder.run": "[-1, ∞)",
    "messages.MissionState.run": "[0, ∞)",
    "messages.Status.per_s": "[0, ∞)",
    "messages.Status.refused": "[0, ∞)",
    "messages.TrainState.power": "[-100, 100]",
    "messages.TrainState.speed_cm_s": "[0, ∞)",
    "messages.Wish.seconds": "(0, 10]",
    "mission.records.Score.score": "[0, 100]",
    "mission.report.Mission.score": "[0, 100]",
    "registry.version.Version.number": "[1, ∞)",
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
    "train_file.Drive.volts": "[4, 10]",
    "train_file.Eye.focal_px": "(0, 20000]",
    "train_file.Eye.height_cm": "(0, 30]",
    "train_file.Eye.height_px": "[16, 8192]",
    "train_file.Eye.latency_s": "[0, 0.3]",
    "train_file.Eye.pitch_deg": "[-30, 30]",
    "train_file.Eye.side_cm": "[-15, 15]",
    "train_file.Eye.width_px": "[16, 8192]",
    "train_file.Eye.yaw_deg": "[-30, 30]",
    "truth.GroundTruth.spacing_cm": "(0, ∞)",
    "truth.VisibleSign.distance_cm": "(0, ∞)",
    "truth.VisibleSign.visible": "[0, 1]",
}
"""Interval of each field that has limits; a bracket belongs to the interval, a parenthesis does not."""


def modules() -> Iterator[str]:
    """The modules that define what pydantic validates."""
    folder = Path(brakepoint.__path__[0])
    for path in sorted(folder.rglob("*.py")):
        if "pydantic" in path.read_text(encoding="utf-8"):
            yield ".".join(path.relative_to(folder.parent).with_suffix("").parts)


def below(base: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for model in base.__subclasses__():
        yield model
        yield from below(model)


def limits_in(annotation: object) -> Iterator[object]:
    """What is written beside a type, at any depth: the limits of the numbers in a tuple, for example."""
    yield from getattr(annotation, "__metadata__", ())
    for part in get_args(annotation):
        yield from limits_in(part)


def interval(field: FieldInfo) -> str | None:
    """The limits of a field, its own and those of its type; None if it has none."""
    low, high = "(-∞", "∞)"
    for limit in (*field.metadata, *limits_in(field.annotation)):
        match limit:
            case Ge(ge=least):
                low = f"[{least}"
            case Gt(gt=least):
                low = f"({least}"
            case Le(le=most):
                high = f"{most}]"
            case Lt(lt=most):
                high = f"{most})"
            case FieldInfo():
                return interval(limit)
    return None if (low, high) == ("(-∞", "∞)") else f"{low}, {high}"


@pytest.fixture(scope="module")
def fields() -> dict[str, FieldInfo]:
    for name in modules():
        importlib.import_module(name)
    models = {model for model in below(BaseModel) if model.__module__.startswith("brakepoint.")}
    return {
        f"{model.__module__.removeprefix('brakepoint.')}.{model.__name__}.{name}": field
        for model in models
        for name, field in model.model_fields.items()
    }


def test_no_limit_changes_unnoticed(fields: dict[str, FieldInfo]) -> None:
    assert {name: limits for name, field in fields.items() if (limits := interval(field))} == LIMITS
