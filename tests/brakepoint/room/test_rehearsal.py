"""A rehearsal simulates the room and reports what was slow and what failed."""

from pathlib import Path

import pytest
import yaml

from brakepoint.cli import run
from brakepoint.room import rehearsal
from brakepoint.room.provisioning import Provisioner
from brakepoint.room.rehearsal import PATIENCE_S, Phase, rehearse
from brakepoint.room.stores import open_store, serving
from brakepoint.store.content import CONTENT_DIR


@pytest.fixture
def applied(small_room, in_folder):
    Provisioner(small_room, open_store(small_room)).apply(lambda done, total: None)
    in_folder.joinpath("room.yaml").write_text(yaml.safe_dump(small_room.model_dump(mode="json")))
    return small_room


def test_a_small_room_is_played_through_and_leaves_nothing_behind(
    applied, monkeypatch, short_feed, capsys
) -> None:
    monkeypatch.setattr(rehearsal, "FEED", str(short_feed))
    monkeypatch.setattr(rehearsal, "DETECTOR", "oracle")
    before = {bucket: set(open_store(applied).objects(bucket)) for bucket in open_store(applied).buckets()}

    assert run(["room", "rehearse"]) == 0, capsys.readouterr().out

    said = capsys.readouterr().out
    assert "make the dataset" in said and "drive a mission" in said
    assert {bucket: set(open_store(applied).objects(bucket)) for bucket in before} == before


def test_what_fails_is_reported_with_its_attendee(applied, monkeypatch, capsys) -> None:
    monkeypatch.setattr(rehearsal, "PATIENCE_S", {name: PATIENCE_S[name] for name in ("pull", "upload")})
    annotations = applied.folder / "store" / "spring-bela" / "stills" / "annotations.json"
    assert annotations.stat().st_size == (CONTENT_DIR / "stills" / "annotations.json").stat().st_size
    annotations.write_bytes(b"damaged")

    with serving(applied):
        phases = {phase.name: phase for phase in rehearse(applied, open_store(applied))}

    assert set(phases["pull"].failures) == {"bela"}
    assert "damaged" in phases["pull"].failures["bela"]
    assert not phases["upload"].failures


def test_a_rehearsal_in_which_something_failed_has_status_1_and_one_that_was_slow_has_not(
    applied, monkeypatch, capsys
) -> None:
    phases = [Phase("start", 1.0, 99.0, "anna", {})]
    monkeypatch.setattr(rehearsal, "rehearse", lambda *_: phases)
    assert run(["room", "rehearse"]) == 0
    phases.insert(0, Phase("pull", 1.0, 2.0, "anna", {"bela": "damaged"}))

    assert run(["room", "rehearse"]) == 1
    assert "bela: damaged" in capsys.readouterr().out


def test_a_room_that_is_not_applied_cannot_be_rehearsed(in_folder, capsys) -> None:
    in_folder.joinpath("room.yaml").write_text("name: spring\nattendees: 2\n")

    assert run(["room", "rehearse"]) == 2
    assert "room apply" in capsys.readouterr().err


def test_a_phase_has_the_median_wait_the_longest_and_whose_that_was(applied, monkeypatch) -> None:
    waits = {"anna": (1.0, ""), "bela": (4.0, "damaged")}

    class Rehearser:
        def __init__(self, handle: str, variables: object, folder: Path) -> None:
            self.folder, self.pull = folder, lambda: waits[handle]

    monkeypatch.setattr(rehearsal, "PATIENCE_S", {"pull": 30.0})
    monkeypatch.setattr(rehearsal, "Rehearser", Rehearser)
    monkeypatch.setattr(rehearsal, "_timed", lambda work: work())

    assert list(rehearse(applied, open_store(applied))) == [
        Phase("pull", 2.5, 4.0, "bela", {"bela": "damaged"})
    ]


@pytest.mark.parametrize(("slowest_s", "is_slow"), [(10.0, False), (10.1, True)])
def test_slow_is_what_an_attendee_would_wonder_at(slowest_s, is_slow) -> None:
    assert Phase("start", 1.0, slowest_s, "anna", {}).is_slow is is_slow
