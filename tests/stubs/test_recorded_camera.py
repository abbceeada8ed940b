import hashlib
from pathlib import Path

import av
import numpy as np
import pytest

from brakepoint.adapters import open_camera
from brakepoint.errors import UserError
from brakepoint.messages import Light, TrainState
from brakepoint.scenery.geometry import synthetic_truth
from brakepoint.scenery.scenario import Scenario
from brakepoint.track import Straight
from brakepoint.truth import GroundTruth
from stubs.recorded_camera import RecordedCamera

FRAMES = 51


def at(position_cm: float, speed_cm_s: float = 0.0, now: float = 0.0) -> TrainState:
    return TrainState(
        at=now, position_cm=position_cm, speed_cm_s=speed_cm_s, power=0, braking=False, light=Light.ON
    )


def write_video(path: Path, frames: int = FRAMES, size: tuple[int, int] = (640, 480)) -> None:
    """A bright upright bar that moves to the right by four pixels per frame."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "18"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for number in range(frames):
            image = np.full((*size[::-1], 3), 60, np.uint8)
            image[:, 100 + 4 * number : 120 + 4 * number] = 200
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode())


@pytest.fixture(scope="module")
def feed(tmp_path_factory) -> tuple[Path, GroundTruth]:
    video = tmp_path_factory.mktemp("videos") / "wander.mp4"
    write_video(video)
    truth = synthetic_truth(Scenario(name="wander", track=(Straight(straight_cm=100),)))
    truth = truth.model_copy(update={"video_sha256": hashlib.sha256(video.read_bytes()).hexdigest()})
    video.with_suffix(".json").write_text(truth.model_dump_json())
    return video, truth


@pytest.fixture
def camera(feed):
    camera = RecordedCamera(*feed)
    yield camera
    camera.close()


def bar_px(image: np.ndarray) -> float:
    """The position of the bright bar."""
    return float(np.flatnonzero(image.mean(axis=(0, 2)) > 130).mean())


@pytest.mark.parametrize("position_cm", [0, 10, 60, 100])
def test_it_shows_the_frame_for_where_the_train_is(camera, position_cm):
    image = camera.read(at(position_cm)).image

    assert bar_px(image) == pytest.approx(109.5 + 4 * position_cm / 2, abs=2)


def test_it_shows_the_last_frame_beyond_the_end(camera):
    assert bar_px(camera.read(at(500)).image) == pytest.approx(109.5 + 4 * 50, abs=2)


def test_a_train_at_rest_sees_the_same_place_and_never_the_same_picture(camera):
    images = [camera.read(at(40)).image.astype(int) for _ in range(5)]

    assert all((images[0] != image).mean() > 0.3 for image in images[1:])
    assert all(np.abs(images[0] - image).mean() < 6 for image in images[1:])


def test_every_capture_has_a_number_and_a_time_of_its_own(camera):
    frames = [camera.read(at(0, now=now)) for now in (0.0, 0.5, 1.0)]

    assert [frame.captured_at for frame in frames] == [0.0, 0.5, 1.0]
    assert len({frame.frame_id for frame in frames}) == 3


def test_it_says_in_which_rows_signs_may_show(camera, feed):
    assert camera.read(at(30)).signs_from_px == feed[1].camera.signs_from_px > 0


def test_the_same_seed_gives_the_same_pictures(feed):
    one, same, other = (RecordedCamera(feed[0], feed[1], seed).read(at(20, 30)).image for seed in (7, 7, 8))

    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_edges_blur_as_the_train_goes_faster(feed):
    def sharpness(speed_cm_s: float) -> float:
        image = RecordedCamera(*feed).read(at(0, speed_cm_s)).image
        return float(np.abs(np.diff(image.astype(int).mean(axis=(0, 2)))).max())

    assert sharpness(0) > sharpness(25) > sharpness(50)


def test_it_may_be_closed_twice(feed):
    camera = RecordedCamera(*feed)
    camera.close()
    camera.close()


def test_it_opens_by_the_path_of_its_video(feed):
    assert open_camera(f"video:{feed[0]}").read(at(0)) is not None


def test_a_video_may_end_in_capital_letters(feed, tmp_path):
    video = tmp_path / "wander.MP4"
    video.write_bytes(feed[0].read_bytes())
    video.with_suffix(".json").write_text(feed[1].model_dump_json())

    assert open_camera(f"video:{video}").read(at(0)) is not None


def refused(video: Path, truth: GroundTruth) -> str:
    with pytest.raises(UserError) as caught:
        camera = RecordedCamera(video, truth)
        for position_cm in range(0, 101, 2):
            camera.read(at(position_cm))
    assert "\n" not in str(caught.value)
    return caught.value.key


def test_a_missing_video_is_refused(feed, tmp_path):
    assert refused(tmp_path / "wander.mp4", feed[1]) == "feed.missing"


@pytest.mark.parametrize("part", [0, 0.01, 0.5, 0.99])
def test_a_truncated_video_is_refused(feed, tmp_path, part):
    video = tmp_path / "wander.mp4"
    content = feed[0].read_bytes()
    video.write_bytes(content[: int(part * len(content))])

    assert refused(video, feed[1]) in ("feed.damaged", "feed.changed")


def test_a_video_with_a_hole_in_it_is_refused(feed, tmp_path):
    video = tmp_path / "wander.mp4"
    content = bytearray(feed[0].read_bytes())
    content[len(content) // 3 : len(content) // 3 + 40] = bytes(40)
    video.write_bytes(content)

    assert refused(video, feed[1]) in ("feed.changed", "feed.damaged")


def write_sound(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())


def write_text(path: Path) -> None:
    path.write_text("not a video\n" * 100)


def write_joined(path: Path) -> None:
    """Two recordings of different sizes, joined byte by byte, as their formats allow."""
    for size in ((640, 480), (320, 240)):
        part = path.with_name(f"{size[0]}.ts")
        write_video(part, size=size)
        with path.open("ab") as joined:
            joined.write(part.read_bytes())


@pytest.mark.parametrize("write", [write_sound, write_text, write_joined])
def test_a_file_that_holds_something_else_is_refused(feed, tmp_path, write):
    write(tmp_path / "wander.mp4")
    frames = feed[1].frames
    longer = feed[1].model_copy(
        update={"video_sha256": "", "frames": frames + frames, "track": feed[1].track}
    )
    with pytest.raises(UserError) as caught:
        camera = RecordedCamera(tmp_path / "wander.mp4", longer)
        for _ in range(2 * FRAMES):
            camera._go_to(camera._number + 1)
    assert caught.value.key in ("feed.damaged", "feed.size")


def test_pictures_at_uneven_times_are_shown_by_their_number(feed, tmp_path):
    video = tmp_path / "wander.mp4"
    with av.open(str(feed[0])) as before, av.open(str(video), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
        for number, frame in enumerate(before.decode(video=0)):
            frame.pts = number * 2000 + 700 * (number % 3)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    camera = RecordedCamera(video, feed[1].model_copy(update={"video_sha256": ""}))

    assert bar_px(camera.read(at(60)).image) == pytest.approx(
        bar_px(RecordedCamera(*feed).read(at(60)).image), abs=2
    )


def test_the_truth_of_another_feed_is_refused(feed):
    assert refused(feed[0], feed[1].model_copy(update={"feed": "other"})) == "feed.other_truth"


def test_a_truth_of_another_length_is_refused(feed):
    shorter = feed[1].model_copy(update={"frames": feed[1].frames[:-1]})

    assert refused(feed[0], shorter) == "feed.frame_count"


def test_the_truth_of_another_rendering_is_refused(feed):
    assert refused(feed[0], feed[1].model_copy(update={"video_sha256": "0" * 64})) == "feed.changed"


@pytest.mark.parametrize("size", [(320, 240), (640, 478), (1280, 720), (-640, 480), (10**6, 10**6)])
def test_a_truth_of_pictures_of_another_size_is_refused(feed, size):
    camera = feed[1].camera.model_copy(update={"width_px": size[0], "height_px": size[1]})

    assert refused(feed[0], feed[1].model_copy(update={"camera": camera})) == "feed.size"


@pytest.mark.parametrize("size", [(320, 240), (1280, 720)])
def test_a_video_of_another_size_is_refused_even_if_its_truth_agrees(feed, tmp_path, size):
    video = tmp_path / "wander.mp4"
    write_video(video, size=size)
    truth = feed[1].model_copy(update={"video_sha256": ""})
    agrees = truth.camera.model_copy(update={"width_px": size[0], "height_px": size[1]})

    assert refused(video, truth) == "feed.size"
    assert refused(video, truth.model_copy(update={"camera": agrees})) == "feed.size"
