import cv2
import numpy as np

from brakepoint.cli import run
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
