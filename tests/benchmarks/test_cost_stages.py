import pytest
from onnx_models import NAMES, raw_output, save_constant_model

from benchmarks import stages
from benchmarks.load import measure_load
from benchmarks.stages import OF_FRAME, OF_MISSION, live_stages, mission_stages
from brakepoint.mission.drive import ORACLE
from brakepoint.services.live_mission import DRIVING


def test_every_stage_of_a_mission_is_measured(short_feed, monkeypatch):
    monkeypatch.setattr(stages, "feed_names", lambda: [str(short_feed)])
    spent = mission_stages(ORACLE)

    assert tuple(spent) == tuple(stage for stage in OF_MISSION if stage != "detector")
    assert all(each.wall_s and each.processor_s > 0 for each in spent.values())


@pytest.mark.live
def test_every_stage_of_a_live_frame_is_measured(tmp_path):
    model = save_constant_model(tmp_path / "model.onnx", raw_output(), (1, 3, 480, 640), names=NAMES)
    spent = live_stages("track-stop", str(model), frames=8)

    assert tuple(spent) == OF_FRAME
    assert all(spent[stage].processor_s > 0 for stage in OF_FRAME if stage != "broker")
    assert spent["receive"].wall_s is None
    assert all(each.wall_s for stage, each in spent.items() if stage != "receive")


@pytest.mark.live
def test_the_load_of_a_train_is_that_of_its_services_and_of_the_page_that_is_open():
    load = measure_load("track-stop", "oracle", page=True, seconds=1.0)

    assert list(load) == ["broker", *DRIVING, "monitor"]
    assert all(0 <= share < 4 for share in load.values())
    assert load["capture"] > 0
    assert load["monitor"] > 0
