"""`brakepoint replay` shows a finished run again, at any pace, without driving it again."""

from pathlib import Path
from typing import Any

import pytest
from driving import feed
from recordings import record, save_run

from brakepoint.cli import replay, run
from brakepoint.messages import Light
from brakepoint.rules import CONTROL_RATE_HZ
from brakepoint.texts import text

FEEDS = ("track-slowdown", "track-stop")


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    long = tmp_path_factory.mktemp("runs-in-a-folder-whose-path-is-longer-than-a-line-of-a-terminal")
    return save_run(long / "mission", *(record(feed(name)) for name in FEEDS))


def test_at_speed_0_the_end_of_each_feed_is_shown_at_once(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert run(["replay", str(folder), "--speed", "0"]) == 0

    out = capsys.readouterr().out
    assert all(name in out for name in FEEDS)
    assert out.count("Mission accomplished · 100 out of 100") == len(FEEDS)
    assert f"The page: {folder / 'index.html'}\n" in out, "however long it is, it can be clicked"


def test_one_feed_may_be_chosen(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert run(["replay", str(folder), "--speed", "0", "--feed", "track-stop"]) == 0

    out = capsys.readouterr().out
    assert "track-stop" in out
    assert "track-slowdown" not in out


def test_several_runs_are_a_race_whose_page_is_named(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    page = tmp_path / "new" / "race.html"

    assert run(["replay", str(folder), str(folder), "--feed", "track-stop", "--out", str(page)]) == 0
    assert capsys.readouterr().out == f"{text('race.written', path=page)}\n"
    assert str(folder) in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(("speed", "seconds"), [(1.0, 1.0), (4.0, 0.25), (0.5, 2.0)])
def test_ticks_are_shown_when_they_are_due(speed: float, seconds: float, monkeypatch: pytest.MonkeyPatch):
    clock = FakeClock()
    monkeypatch.setattr(replay, "time", clock)
    ticks = record(feed("track-stop")).run.ticks[: CONTROL_RATE_HZ + 2]

    shown = list(replay._paced(ticks, speed))

    assert shown == list(ticks)
    assert clock.now == pytest.approx(seconds)


def test_even_the_slowest_and_the_fastest_speed_can_be_waited_for(monkeypatch: pytest.MonkeyPatch):
    clock = FakeClock()
    monkeypatch.setattr(replay, "time", clock)
    ticks = record(feed("track-stop")).run.ticks
    slow = replay._paced(ticks, 1 / 15 / 3600 / 24)

    assert (next(slow), clock.now) == (ticks[0], 0)
    assert next(slow) is ticks[1]
    assert clock.now == pytest.approx(24 * 3600)
    assert clock.longest_s == pytest.approx(replay.SLEEP_MAX_S)
    assert list(replay._paced(ticks, 1e308))[-1] is ticks[-1]


def test_a_slow_terminal_skips_and_does_not_lag(monkeypatch: pytest.MonkeyPatch):
    clock = FakeClock()
    monkeypatch.setattr(replay, "time", clock)
    ticks = record(feed("track-stop")).run.ticks
    shown = []
    for tick in replay._paced(ticks, 1.0):
        shown.append(tick)
        clock.now += 1.0

    assert shown[-1] is ticks[-1]
    assert len(shown) == pytest.approx(ticks[-1].time_s, abs=3)


def test_the_light_is_yellow_while_it_is_on_and_dim_while_it_is_off():
    recording = record(feed("track-stop"))
    on, off = (
        next(tick for tick in recording.run.ticks if tick.light is light) for light in (Light.ON, Light.OFF)
    )

    for tick, lamp in ((on, ("☀", "yellow")), (off, ("·", "dim"))):
        shown: Any = replay._dashboard(recording, tick, over=False)
        title = shown.renderables[0]
        spans = {title.plain[span.start : span.end]: span.style for span in title.spans}
        assert lamp in spans.items()


@pytest.mark.parametrize(
    ("more", "said"),
    [(["--speed", "-1"], "-1"), (["--speed", "nan"], "nan"), (["--feed", "track-moon"], "track-moon")],
)
def test_bad_input_is_one_line(folder: Path, more: list[str], said: str, capsys: pytest.CaptureFixture[str]):
    assert run(["replay", str(folder), *more]) == 2
    assert said in capsys.readouterr().err


def test_a_folder_without_a_run_is_said_to_be_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert run(["replay", str(tmp_path)]) == 2
    assert "no finished run" in capsys.readouterr().err


class FakeClock:
    """A clock on which time passes only during a sleep."""

    def __init__(self) -> None:
        self.now = self.longest_s = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds + 1e-9
        self.longest_s = max(self.longest_s, seconds)
