"""A camera with twice the recorded focal length: near signs leave its picture early, and still count."""

import pytest

from brakepoint.train_file import RECORDED
from hardware.rehearsal import ENOUGH, calibrated, scores, worlds

NARROWEST = [world for world in worlds() if world.camera.focal_px > 1.9 * RECORDED.focal_px]


@pytest.mark.parametrize("world", NARROWEST, ids=lambda world: f"speed {world.speed}")
def test_a_train_with_a_narrow_camera_scores_on_every_line_once_it_is_calibrated(world) -> None:
    assert min(scores(world, calibrated(world))) >= ENOUGH
