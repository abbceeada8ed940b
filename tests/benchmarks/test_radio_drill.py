"""The drill on the emulated radio: what it computes, what it considers wrong, and one round."""

from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.radio_drill import (
    MARKS,
    Round,
    _what_is_false,
    as_table,
    main,
    motion_at,
    play,
    write_pages,
)
from benchmarks.radio_stage import FAULTS
from brakepoint.cli.usage import run_alone
from brakepoint.locomotive import FULL_POWER, LAG_S, Motion, braking_distance_cm
from brakepoint.rules import FULL_SPEED_CM_S
from brakepoint.texts import text
from hardware.lwp3 import BRAKE


def test_a_train_moves_as_its_motor_was_set():
    history = [(10.0, BRAKE), (11.0, FULL_POWER), (21.0, BRAKE)]
    standing, driving, at_rest = (motion_at(history, at) for at in (10.9, 21.0, 60.0))

    assert standing == Motion()
    assert driving == Motion().pulled(FULL_POWER, 10.0)
    assert driving.speed_cm_s == pytest.approx(FULL_SPEED_CM_S)
    assert driving.position_cm == pytest.approx(FULL_SPEED_CM_S * (10 - LAG_S))
    assert at_rest.position_cm == pytest.approx(driving.position_cm + braking_distance_cm(FULL_SPEED_CM_S))


@pytest.mark.parametrize(
    ("said_at", "is_true"), [(5.0, False), (6.0, True), (6.5, True)], ids=["too soon", "at once", "later"]
)
def test_the_guards_word_is_false_if_the_motor_turns_then(said_at, is_true):
    stage: Any = SimpleNamespace(braked_at=[said_at])

    assert (_what_is_false(stage, [(1.0, 100), (6.0, BRAKE)]) == "") is is_true


def test_the_guards_word_is_false_if_the_motor_turns_again():
    stage: Any = SimpleNamespace(braked_at=[6.5])
    history = [(1.0, 100), (6.0, BRAKE), (7.0, BRAKE)]

    assert _what_is_false(stage, history) == ""
    assert _what_is_false(stage, [*history, (7.5, 100)]) != ""


def test_every_fault_has_its_name_and_the_table_its_worst():
    rounds = [Round(name, 0.5, 30.0) for name in FAULTS] + [Round("no_orders", 0.75, 41.0)]
    table = as_table(rounds, 1)
    cells = [list(column.cells) for column in table.columns]

    assert cells[0] == [text(f"bench.radio.faults.{name}") for name in FAULTS]
    row = cells[0].index(text("bench.radio.faults.no_orders"))
    assert [column[row] for column in cells[1:]] == ["2", "0.62", "0.75", "36", "41", "0"]


@pytest.mark.live
def test_a_train_whose_orders_end_is_braked(tmp_path, monkeypatch):
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "")
    (done,) = play("no_orders", [0.5])

    assert (done.fault, done.failure) == ("no_orders", "")
    assert done.braked_after_s is not None and done.rest_after_cm is not None


def test_a_fault_that_does_not_exist_is_refused(capsys):
    assert run_alone(main, "bench.radio.help", ["--fault", "meteor"]) == 2
    assert "meteor" in capsys.readouterr().err


def test_the_page_on_safety_is_given_the_worst_of_each_fault(tmp_path):
    for lang in ("en", "fr"):
        (tmp_path / lang).mkdir()
        (tmp_path / lang / "safety.md").write_text(f"before\n{MARKS[0]}\nold\n{MARKS[1]}\nafter\n", "utf-8")
    rounds = [Round("no_orders", 0.4, 41.0), Round("no_orders", 0.456, 43.6), Round("light_pulled")]
    write_pages(rounds, tmp_path)
    page = (tmp_path / "fr" / "safety.md").read_text("utf-8").splitlines()

    assert [page[0], page[-1]] == ["before", "after"]
    assert page[5] == f"| {text('bench.radio.faults.no_orders', 'fr')} | 2 | 0,46 | 44 |"
    assert page[6] == f"| {text('bench.radio.faults.light_pulled', 'fr')} | 1 | – | – |"
    assert "old" not in page
