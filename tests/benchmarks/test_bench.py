import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from onnx_models import NAMES, raw_output, save_constant_model

from benchmarks import detectors
from benchmarks.bench import main, trains_table
from benchmarks.live_trains import Served
from brakepoint.track import Straight
from brakepoint.truth import CameraModel, GroundTruth, TruthFrame

ROOT = Path(__file__).parents[2]
FRAMES, SPACING_CM = 30, 4.0


@pytest.fixture
def short_feed(tmp_path):
    """A straight track without signs, in grey frames."""
    path = tmp_path / "short.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=15)
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
        for level in range(FRAMES):
            picture = np.full((480, 640, 3), 5 * level, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode())
    truth = GroundTruth(
        feed="short",
        command="",
        seed=0,
        camera=CameraModel(),
        spacing_cm=SPACING_CM,
        track=(Straight(straight_cm=FRAMES * SPACING_CM),),
        signs=(),
        frames=tuple(TruthFrame(position_cm=number * SPACING_CM, signs=()) for number in range(FRAMES)),
        video_sha256="",
    )
    path.with_suffix(".json").write_text(truth.model_dump_json())
    return path


def test_a_broker_whose_memory_is_unknown_has_a_dash_in_the_table_of_trains():
    served = [Served(20, 2, 250.04, 12.0, 30.0, 60.0, 380.0, memory_mb) for memory_mb in (None, 91.0)]
    table = trains_table(served, "Mosquitto")

    assert "Mosquitto" in str(table.title)
    rows = [list(column.cells) for column in table.columns]
    assert [row[0] for row in rows] == ["20", "2", "250.0", "12.0", "30.0", "60.0", "380.0", "–"]
    assert rows[-1] == ["–", "91.0"]


def bench(*arguments, module="bench"):
    command = [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_table_has_what_was_measured(short_feed, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")
    monkeypatch.setattr(detectors, "WARM_UP", 1)
    monkeypatch.setattr(detectors, "PICTURES", 3)
    model = save_constant_model(tmp_path / "model.onnx", raw_output(), (1, 3, 48, 64), names=NAMES)
    main(str(short_feed), model, live=False)

    shown = capsys.readouterr().out
    for row in ("median", "95th percentile", "frames/s", "real time", "memory"):
        assert row in shown


def test_a_model_is_asked_in_every_way_and_rolled_back(short_feed, tmp_path):
    model = save_constant_model(tmp_path / "model.onnx", raw_output(), (1, 3, 48, 64), names=NAMES)
    result = bench("--feed", short_feed, "--detector", model, "--times", 2, module="serving")
    assert result.returncode == 0, result.stderr
    for row in ("model alone", "gRPC", "REST, binary", "REST, JSON", "JPEG", "rollback"):
        assert row in result.stdout


def test_a_missing_feed_is_one_clear_line(tmp_path):
    model = save_constant_model(tmp_path / "model.onnx", raw_output(), names=NAMES)
    result = bench("--feed", tmp_path / "none.mp4", "--detector", model)
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1
