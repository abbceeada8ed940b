from collections import Counter

import pytest
from rich.console import Console

from benchmarks.drill import Report, Round, as_table, drill, make_plan
from brakepoint.locomotive import STOPPING_LIMIT_CM
from brakepoint.services import ServiceSettings
from brakepoint.services.faults import FAULTS, TRAIN_KILLED
from brakepoint.texts import languages, text

pytestmark = pytest.mark.live

GOOD = Round("autopilot_killed", 100.0, 50.0, rest_after_cm=STOPPING_LIMIT_CM - 1, drives_after_s=3.0)


def report(*rounds, **findings):
    return Report(seed=1, rounds=list(rounds), **findings)


def test_a_drill_with_real_processes_holds():
    done = report()
    drill(make_plan(1, 7, ["controller_killed", TRAIN_KILLED]), done, ServiceSettings(detector="oracle"))

    assert done.holds, done
    assert {each.fault for each in done.rounds} == {"controller_killed", TRAIN_KILLED}


def test_every_fault_strikes_as_often_as_asked_wherever_the_train_is():
    plan = make_plan(20, 1, [*FAULTS])

    assert Counter(fault for fault, _ in plan) == dict.fromkeys(FAULTS, 20)
    assert len({place_cm for _, place_cm in plan}) == len(plan)
    assert plan == make_plan(20, 1, [*FAULTS]) != make_plan(20, 2, [*FAULTS])


def test_an_interrupted_drill_resumes_where_it_was(tmp_path):
    plan = make_plan(2, 1, [GOOD.fault])
    report(GOOD).save(tmp_path / "drill.json")

    assert Report.load(tmp_path / "drill.json", 1, plan).rounds == [GOOD]


@pytest.mark.parametrize(
    "written",
    [
        report(GOOD, GOOD),
        report(Round("broker_hung", 1.0, 2.0)),
        Report(seed=2, rounds=[GOOD]),
    ],
    ids=["complete", "other faults", "other seed"],
)
def test_any_other_drill_starts_from_the_beginning(written, tmp_path):
    written.save(tmp_path / "drill.json")

    assert Report.load(tmp_path / "drill.json", 1, make_plan(2, 1, [GOOD.fault])) == report()


def test_what_happened_decides():
    assert report(GOOD).holds


@pytest.mark.parametrize(
    "bad",
    [
        report(GOOD, Round("broker_hung", 100.0, 50.0, rest_after_cm=STOPPING_LIMIT_CM + 0.1)),
        report(GOOD, Round("broker_hung", 100.0, 50.0, failure="it did not")),
        report(GOOD, zombies=1),
        report(GOOD, left_behind=1),
        report(GOOD, growth_mb={"detector 1": 100.0}),
    ],
    ids=["too far", "no recovery", "zombie", "left behind", "growing"],
)
def test_one_bad_round_or_process_spoils_it(bad):
    assert not bad.holds


@pytest.mark.parametrize("lang", languages())
def test_the_table_names_every_fault(lang, monkeypatch):
    monkeypatch.setenv("BRAKEPOINT_LANG", lang)
    console = Console(width=120)
    rounds = [Round(fault, 1.0, 2.0, 3.0, 4.0) for fault in (*FAULTS, TRAIN_KILLED)]
    with console.capture() as printed:
        console.print(as_table(report(*rounds)))

    for fault in (*FAULTS, TRAIN_KILLED):
        assert text(f"bench.drill.faults.{fault}") in printed.get()
