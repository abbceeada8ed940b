"""`python -m hardware.rehearsal` shows a row for each train, and fails if calibration does not help one."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple

import pytest

from brakepoint.cli.usage import run_alone
from brakepoint.texts import text
from brakepoint.train_file import RECORDED
from hardware import rehearsal
from hardware.rehearsal import ENOUGH, FEEDS, Rehearsal, worlds
from hardware.simulation import World


@pytest.fixture
def driven(monkeypatch: pytest.MonkeyPatch) -> dict[float, list[float]]:
    """The scores of calibrated trains, by their speed; the trains themselves are not driven."""
    scores: dict[float, list[float]] = {}

    def rehearse(world: World) -> Rehearsal:
        return Rehearsal(world, [20.0, 50.4], scores.get(world.speed, [100.0, 95.0]))

    monkeypatch.setenv("BRAKEPOINT_LANG", "en")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(rehearsal, "rehearse", rehearse)
    monkeypatch.setattr(rehearsal, "ProcessPoolExecutor", lambda workers, _: ThreadPoolExecutor(workers))
    return scores


def printed(capsys: pytest.CaptureFixture[str]) -> list[list[str]]:
    """The cells of each line that has any."""
    lines = capsys.readouterr().out.translate(str.maketrans("┃│", "||")).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if any(letter.isalnum() for letter in row[0])]


def test_each_train_shows_how_it_differs_and_its_lowest_and_mean_score_before_and_after(driven, capsys):
    trains = list(worlds())
    different = next(number for number, world in enumerate(trains) if world.camera.height_cm < 7.0)

    assert run_alone(rehearsal.main, "rehearsal.help", []) == 0

    title, heads, *rows, said = printed(capsys)
    assert title == [text("rehearsal.title", feeds=len(FEEDS))]
    assert heads == [
        text(f"rehearsal.{name}")
        for name in ("speed", "volts", "focal", "height", "pitch", "latency", "default", "calibrated")
    ]
    assert len(rows) == len(trains)
    assert rows[0] == ["× 1.00", "9.0", "× 1.0", "+0", "+0", "0", "20 (35)", "95 (98)"]
    assert rows[different] == ["× 1.00", "9.0", "× 1.0", "-4", "+0", "0", "20 (35)", "95 (98)"]
    assert rows[-1][:6] == ["× 1.40", "7.2", "× 2.0", "+4", "-5", "200"]
    assert said == [text("rehearsal.holds", score=ENOUGH)]


def test_one_calibrated_train_that_fails_on_one_line_fails_the_rehearsal(driven, capsys):
    driven[0.7] = [100.0, 94.9, 100.0]

    assert run_alone(rehearsal.main, "rehearsal.help", ["--first", "1"]) == 0
    assert run_alone(rehearsal.main, "rehearsal.help", ["--first", "2"]) == 1
    assert printed(capsys)[-1] == [text("rehearsal.fails", score=ENOUGH)]


def test_every_deviation_is_rehearsed_alone_before_it_is_combined_with_others():
    usual = World()

    def deviations(world: World) -> int:
        own = (*astuple(world)[:2], world.latency_s, *world.camera.model_dump().values())
        kits = (*astuple(usual)[:2], usual.latency_s, *RECORDED.model_dump().values())
        return sum(mine != theirs for mine, theirs in zip(own, kits, strict=True))

    assert [deviations(world) for world in worlds()] == [0, *[1] * 15, 6, 5, 6]
