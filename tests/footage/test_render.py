from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from brakepoint.errors import UserError
from brakepoint.scenery.scenario import Scenario
from brakepoint.track import Straight
from footage import render


@pytest.fixture
def scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scenario:
    monkeypatch.setattr(render, "WORK_DIR", tmp_path / "frames")
    return Scenario(name="tiny", track=(Straight(straight_cm=60),), spacing_cm=10.0)


def paint_frames(scenario: Scenario) -> None:
    render.frames_folder(scenario).mkdir(parents=True)
    for number in range(scenario.frame_count):
        picture = np.full((384, 512, 3), 40 + 20 * number, np.uint8)
        cv2.imwrite(str(render.frame_file(scenario, number)), picture)


def test_every_second_frame_comes_first_and_none_is_left_out() -> None:
    order = render.coarse_to_fine(9)
    assert order[:5] == [0, 2, 4, 6, 8]
    assert sorted(order) == list(range(9))


def test_a_scenario_that_looks_different_has_a_folder_of_its_own(scenario: Scenario) -> None:
    assert render.frames_folder(scenario) != render.frames_folder(scenario.model_copy(update={"seed": 2}))


def test_a_feed_of_another_spacing_shares_its_frames(scenario: Scenario) -> None:
    finer = scenario.model_copy(update={"spacing_cm": 5.0})
    assert render.frame_file(scenario, 3) == render.frame_file(finer, 6)


def test_the_video_holds_every_frame_as_h264_at_the_camera_s_size(scenario: Scenario, tmp_path: Path) -> None:
    paint_frames(scenario)
    render.encode(scenario, tmp_path / "tiny.mp4")
    with av.open(str(tmp_path / "tiny.mp4")) as container:
        frames = list(container.decode(video=0))
        assert container.streams.video[0].codec_context.name == "h264"
    assert len(frames) == scenario.frame_count == 7
    assert (frames[0].width, frames[0].height) == (640, 480)


def test_a_frame_that_was_damaged_is_named(scenario: Scenario, tmp_path: Path) -> None:
    paint_frames(scenario)
    render.frame_file(scenario, 2).write_bytes(b"cut off")
    with pytest.raises(UserError, match="0002000"):
        render.encode(scenario, tmp_path / "tiny.mp4")
    assert not render.frame_file(scenario, 2).exists(), "the next render makes it anew"
