import shutil

import av
import cv2
import numpy as np
import pytest

from brakepoint.cli import run
from brakepoint.errors import UserError
from brakepoint.feeds import find_feed
from brakepoint.synthesis import feed_frames
from brakepoint.truth import load_truth


def test_only_frames_without_a_sign_become_backgrounds(tmp_path, monkeypatch):
    monkeypatch.setattr(feed_frames, "feed_names", lambda: ["track-stop"])
    truth = load_truth(find_feed("track-stop").with_suffix(".json"))

    saved = list(feed_frames.save_signless_frames(tmp_path))

    numbers = [int(path.stem.rpartition("-")[2]) for path in saved]
    assert len(numbers) > 5
    assert not any(truth.frames[number].signs for number in numbers)
    assert {np.asarray(cv2.imread(str(path))).shape for path in saved} == {(480, 640, 3)}


def test_the_command_says_what_to_do_with_them(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(feed_frames, "feed_names", lambda: ["track-stop"])

    assert run(["backgrounds", "--out", str(tmp_path)]) == 0

    assert "synth --backgrounds" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("kind", ["another video", "sound alone"])
def test_a_video_that_its_ground_truth_does_not_describe_gives_no_backgrounds(
    short_feed, tmp_path, monkeypatch, kind
):
    video = tmp_path / "short.mp4"
    shutil.copy(short_feed.with_suffix(".json"), tmp_path)
    with av.open(str(video), "w") as container:
        if kind == "sound alone":
            sound = container.add_stream("aac", rate=44100)
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), "fltp", "mono")
            silence.rate = 44100
            container.mux([*sound.encode(silence), *sound.encode()])
        else:
            stream = container.add_stream("libx264", rate=15)
            stream.width, stream.height = 640, 480
            picture = av.VideoFrame.from_ndarray(np.zeros((480, 640, 3), np.uint8), "bgr24")
            container.mux([*stream.encode(picture), *stream.encode()])
    monkeypatch.setattr(feed_frames, "feed_names", lambda: ["short"])
    monkeypatch.setattr(feed_frames, "find_feed", lambda name: video)

    with pytest.raises(UserError, match=r"short\.mp4"):
        list(feed_frames.save_signless_frames(tmp_path / "out"))
