"""The results of a mission are complete, and identical to the byte for the same mission."""

import json
import math
from pathlib import Path

import pytest
from driving import feed, never_brakes
from recordings import record, report_of, save_run

from brakepoint.errors import UserError
from brakepoint.mission.report import DECIMALS, Recording, Report, load_run, publishing, rounded

TRACK = "track-stop-and-slowdown"
OLD, NEW = (
    json.dumps({"format": "brakepoint-report/1", "steps": steps, "missions": [{"feed": steps}]})
    for steps in ("old", "new")
)
ODD = '{"format": "brakepoint-report/1", "missions": {"feed": 3}}'


def test_two_runs_give_the_same_report_to_the_byte():
    first, second = (report_of(record(feed(TRACK))).to_json() for _ in range(2))

    assert first == second


def test_a_report_has_the_promised_fields_and_can_be_read_again():
    report = report_of(record(feed(TRACK)))
    mission = json.loads(report.to_json())["missions"][0]

    assert mission.keys() >= {
        "feed",
        "accomplished",
        "score",
        "distance_cm",
        "signs",
        "false_stops",
        "overspeed_s",
        "derailed",
        "lost",
        "first_wrong",
        "orders",
    }
    assert mission["lost"].keys() == {"perception", "control"}
    assert Report.model_validate_json(report.to_json()).to_json() == report.to_json()


def test_each_lost_point_is_somebodys_fault():
    mission = record(feed(TRACK), never_brakes).mission

    assert mission.lost.control == pytest.approx(100 - mission.score)
    assert mission.lost.perception == 0
    assert mission.control_penalties == mission.penalties


def test_a_run_of_a_version_with_another_rule_is_refused(tmp_path):
    recording = record(feed(TRACK))
    save_run(tmp_path, recording)
    file = tmp_path / f"{recording.feed}.run.json"
    file.write_text(file.read_text("utf-8").replace('"dawdling"', '"daydreaming"'), "utf-8")

    with pytest.raises(UserError, match=r"daydreaming.*dawdling"):
        load_run(tmp_path)


def test_floats_are_rounded_wherever_they_hide():
    assert rounded({"a": [1 / 3, {"b": 2 / 3}], "c": 1, "d": "0.3333333"}) == {
        "a": [round(1 / 3, DECIMALS), {"b": round(2 / 3, DECIMALS)}],
        "c": 1,
        "d": "0.3333333",
    }


def test_a_recording_can_be_read_again():
    recording = record(feed(TRACK))

    assert Recording.model_validate_json(recording.to_json()).to_json() == recording.to_json()


def test_a_run_is_loaded_from_its_folder(tmp_path: Path):
    report, recordings = load_run(save_run(tmp_path / "run", record(feed(TRACK))))

    assert report.missions[0] == recordings[0].mission
    assert recordings[0].feed == TRACK


@pytest.mark.parametrize(
    "damage", [lambda file: file.unlink(), lambda file: file.write_text('{"format": 1}')]
)
@pytest.mark.parametrize("name", ["report.json", f"{TRACK}.run.json"])
def test_a_folder_without_a_whole_run_is_refused(tmp_path: Path, damage, name: str):
    folder = save_run(tmp_path / "run", record(feed(TRACK)))
    damage(folder / name)

    with pytest.raises(UserError, match="no finished run"):
        load_run(folder)


def changed(file: Path, value: object, *place: str | int) -> None:
    content = found = json.loads(file.read_text(encoding="utf-8"))
    for name in place[:-1]:
        found = found[name]
    found[place[-1]] = value
    file.write_text(json.dumps(content), encoding="utf-8")


@pytest.mark.parametrize(
    ("value", "place"),
    [
        (0, ("length_cm",)),
        (math.nan, ("length_cm",)),
        (math.nan, ("run", "ticks", 0, "position_cm")),
        (math.inf, ("run", "ticks", 0, "speed_cm_s")),
        (math.nan, ("mission", "dawdling_s")),
        ("\x1b[2J", ("run", "feed")),
        ("\u202e", ("mission", "feed")),
    ],
)
def test_a_recording_of_what_cannot_be_is_refused(
    tmp_path: Path, value: object, place: tuple[str | int, ...]
):
    folder = save_run(tmp_path / "run", record(feed(TRACK)))
    changed(folder / f"{TRACK}.run.json", value, *place)

    with pytest.raises(UserError, match="no finished run"):
        load_run(folder)


@pytest.mark.parametrize("beyond", ["../other/{}", "{}/../../other/track-stop"])
def test_a_report_leads_to_no_file_elsewhere(tmp_path: Path, beyond: str):
    save_run(tmp_path / "other", record(feed(TRACK)))
    folder = save_run(tmp_path / "run", record(feed(TRACK)))
    changed(folder / "report.json", beyond.format(TRACK), "missions", 0, "feed")

    with pytest.raises(UserError, match=r"missions #1\.feed: the value must match"):
        load_run(folder)


def test_a_new_run_takes_the_place_of_the_older_when_it_is_complete(tmp_path: Path):
    out = tmp_path / "runs" / "mission"
    with publishing(out) as scratch:
        (scratch / "report.json").write_text(OLD)
        for name in ("old.mp4", "old.jpg", "old.run.json", "index.html", ".DS_Store", "Thumbs.db"):
            (scratch / name).touch()
    with publishing(out) as scratch:
        (scratch / "report.json").write_text(NEW)
        assert (out / "report.json").read_text() == OLD

    assert (out / "report.json").read_text() == NEW
    assert [path.name for path in out.iterdir()] == ["report.json"]
    assert [path.name for path in out.parent.iterdir()] == ["mission"]


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, UserError("mission.error.no_feeds")])
def test_an_interrupted_run_leaves_the_older_one_and_nothing_else(tmp_path: Path, interruption):
    out = tmp_path / "mission"
    with publishing(out) as scratch:
        (scratch / "report.json").write_text(OLD)
    with pytest.raises((KeyboardInterrupt, UserError)), publishing(out) as scratch:
        (scratch / "report.json").write_text("half")
        raise interruption

    assert (out / "report.json").read_text() == OLD
    assert [path.name for path in tmp_path.iterdir()] == ["mission"]


@pytest.mark.parametrize(
    "report",
    ["", "[]", '{"tests": 3}', '{"format": "other/1"}', '{"format": null}', 9999 * "[", None, OLD, ODD],
)
@pytest.mark.parametrize("own", ["thesis.txt", "holiday.jpg", ".env", "old.mp4/film.mp4"])
def test_what_is_not_an_earlier_run_is_left_alone(tmp_path: Path, report: str | None, own: str):
    (tmp_path / own).parent.mkdir(exist_ok=True)
    (tmp_path / own).touch()
    if report is not None:  # Other programs write a file of that name, too.
        (tmp_path / "report.json").write_text(report)
    before = sorted(tmp_path.iterdir())

    with pytest.raises(UserError, match="nothing in it is touched"), publishing(tmp_path):
        pass

    assert sorted(tmp_path.iterdir()) == before


def test_a_run_goes_where_a_link_leads_and_the_link_stays(tmp_path: Path):
    out, place = tmp_path / "runs", tmp_path / "large disk"
    place.mkdir()
    out.symlink_to(place)
    for report in (OLD, NEW):
        with publishing(out) as scratch:
            (scratch / "report.json").write_text(report)

    assert out.is_symlink() and (place / "report.json").read_text() == NEW
    assert sorted(tmp_path.iterdir()) == [place, out]


@pytest.mark.parametrize("folder", [".", "..", "../here"])
def test_the_folder_in_which_a_person_works_is_not_replaced(tmp_path: Path, folder: str, monkeypatch):
    (tmp_path / "here").mkdir()
    (tmp_path / "report.json").write_text(OLD)
    monkeypatch.chdir(tmp_path / "here")

    with pytest.raises(UserError, match="current folder"), publishing(Path(folder)):
        pass

    assert sorted(path.name for path in tmp_path.iterdir()) == ["here", "report.json"]


def test_a_mounted_volume_is_refused_before_the_run_and_a_folder_in_it_is_not(tmp_path: Path, monkeypatch):
    volume = tmp_path / "volume"
    volume.mkdir()
    monkeypatch.setattr(Path, "is_mount", lambda path: path == volume)

    with pytest.raises(UserError, match="volume/mission"), publishing(volume):
        raise AssertionError("the run was driven")
    with publishing(volume / "mission") as scratch:
        (scratch / "report.json").write_text(NEW)


def test_a_place_that_cannot_be_written_to_is_refused(tmp_path: Path):
    (tmp_path / "file").touch()

    with pytest.raises(UserError, match="cannot be written"), publishing(tmp_path / "file" / "mission"):
        pass
