import json
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


TRACK = "track: [{straight_cm: 100}]\n"


@pytest.fixture
def line(tmp_path: Path) -> Path:
    path = tmp_path / "my-line.yaml"
    path.write_text(TRACK)
    return path


def rendered(out: Path, name: str, command: str) -> None:
    out.mkdir(exist_ok=True)
    (out / f"{name}.mp4").touch()
    (out / f"{name}.json").write_text(json.dumps({"command": command}))


def test_a_scenario_with_a_name_of_its_own_is_rendered(line: Path, tmp_path: Path) -> None:
    assert render.scenario_for(line, tmp_path / "videos").name == "my-line"


def test_a_copy_that_kept_the_name_of_a_feed_of_the_kit_is_refused(line: Path, tmp_path: Path) -> None:
    line.write_text("name: track-stop\n" + TRACK)
    with pytest.raises(UserError, match="would replace the feed track-stop"):
        render.render_feed(line, tmp_path, lambda done, total: None)


def test_a_copy_whose_file_kept_that_name_is_refused_as_well(line: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="would replace the feed track-stop"):
        render.scenario_for(line.rename(tmp_path / "track-stop.yaml"), tmp_path)


def test_the_feeds_of_the_kit_can_be_rendered_again(tmp_path: Path) -> None:
    videos = Path(__file__).parents[2] / "videos"
    for shipped in render.SCENARIOS_DIR.glob("*.yaml"):
        assert render.scenario_for(shipped, videos).name == shipped.stem


def test_a_changed_scenario_replaces_its_own_feed(line: Path, tmp_path: Path) -> None:
    rendered(tmp_path, "my-line", "brakepoint footage render my-line.yaml --out videos")
    assert render.scenario_for(line, tmp_path).name == "my-line"


@pytest.mark.parametrize(
    "truth",
    ['{"command": "brakepoint footage render my-line.yaml2 --out x"}', "{}", "[]", "no", "[" * 100_000],
    ids=["another file", "no command", "a list", "no JSON", "brackets without end"],
)
def test_a_feed_that_was_made_of_something_else_is_not_replaced(
    line: Path, tmp_path: Path, truth: str
) -> None:
    rendered(tmp_path, "my-line", "")
    (tmp_path / "my-line.json").write_text(truth)
    with pytest.raises(UserError, match=r"my-line\.mp4 already exists"):
        render.scenario_for(line, tmp_path)


def test_a_film_without_ground_truth_is_not_replaced(line: Path, tmp_path: Path) -> None:
    (tmp_path / "my-line.mp4").touch()
    with pytest.raises(UserError, match=r"my-line\.mp4 already exists"):
        render.scenario_for(line, tmp_path)


def test_what_a_feed_says_of_its_origin_lets_it_be_rendered_again(line: Path, tmp_path: Path) -> None:
    command = f"{render._command(line)} --out videos"
    rendered(tmp_path, "my-line", command)
    assert command == "brakepoint footage render my-line.yaml --out videos"
    assert render.scenario_for(line, tmp_path).seed == 1
