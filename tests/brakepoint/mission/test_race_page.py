"""The page of a race is self-contained, in both languages, and needs no network."""

import base64
import hashlib
import json
import re

import pytest
from driving import always_brakes, feed, never_brakes
from recordings import record

from brakepoint.errors import UserError
from brakepoint.mission.page.race import HEAT_SIZE, Racer, render_race
from brakepoint.rules import CONTROL_RATE_HZ
from brakepoint.texts import languages, text

FEED = "track-stop"


@pytest.fixture(scope="module")
def careful():
    return record(feed(FEED))


@pytest.fixture(scope="module")
def reckless():
    return record(feed(FEED), never_brakes)


def names(page: str) -> list[str]:
    return re.findall(r"<h3>(.*?)</h3>", page)


def runs(page: str) -> list[dict]:
    return [json.loads(run) for run in re.findall(r"data-run>(.*?)</script>", page)]


def test_each_racer_has_its_run_its_points_and_its_faults(careful, reckless):
    page = render_race([Racer("anna", careful), Racer("bela", reckless)])

    assert names(page) == ["anna", "bela"]
    (anna, bela), ticks = runs(page), careful.run.ticks
    assert anna["rate"] == CONTROL_RATE_HZ
    assert len(anna["share"]) == len(ticks)
    assert anna["share"][5] == round(ticks[5].position_cm / careful.length_cm, 4)
    assert anna["orders"][0] == [0, ticks[0].order.kind]
    assert [kind for _, kind in bela["orders"]] == ["full_speed"]
    for lang in languages():
        for rule, lost in reckless.mission.penalties.items():
            assert (text(f"score.penalty.{rule}", lang) in page) == (lost > 0)
        assert page.count(text("race.clean", lang)) == 1


def test_a_clock_that_changes_with_every_frame_is_not_read_out(careful):
    (clock,) = re.findall(r"<output .*?>", render_race([Racer("anna", careful)]))

    assert 'aria-live="off"' in clock  # By itself, an output is a live region.


def test_whose_fault_it_was_is_only_shown_where_it_is_known(reckless):
    lost = text("race.blame", "en", eyes="0", hands=f"{reckless.mission.lost.control:g}")

    assert lost in render_race([Racer("bela", reckless)])
    assert lost not in render_race([Racer("bela", reckless, has_blame=False)])


def test_the_best_race_last_and_stand_on_the_podium(careful, reckless):
    slow = record(feed(FEED), always_brakes)
    racers = [Racer(f"slow {number}", slow) for number in range(HEAT_SIZE)]
    page = render_race([Racer("anna", careful), *racers, Racer("bela", reckless)])
    heats = page.partition("<script>")[0].split("<section data-heat")[1:]

    assert [len(names(heat)) for heat in heats] == [2, HEAT_SIZE]
    assert names(heats[1])[:2] == ["anna", "bela"]
    assert names(heats[0]) == ["slow 6", "slow 7"]
    podium = page.partition('id="podium"')[2]
    assert re.findall(r"</strong> (.*?)<br>", podium) == ["anna", "bela", "slow 0"]
    assert 'id="next" hidden' not in page


def test_one_heat_needs_no_name_and_no_next_one(careful):
    page = render_race([Racer("anna", careful)])

    assert 'id="next" hidden' in page
    assert '<h2 id="heat-1" class="unseen">' in page


def test_among_equals_the_sooner_is_first(careful):
    later = careful.model_copy(
        update={"mission": careful.mission.model_copy(update={"duration_s": careful.mission.duration_s + 1})}
    )

    assert names(render_race([Racer("later", later), Racer("sooner", careful)])) == ["sooner", "later"]


def test_runs_on_different_lines_are_not_a_race(careful):
    other = record(feed("track-slowdown"))

    with pytest.raises(UserError, match="track-slowdown, track-stop"):
        render_race([Racer("anna", careful), Racer("bela", other)])


def test_a_name_cannot_bring_a_script_along(careful):
    page = render_race([Racer("</script><script>alert(1)</script>", careful)])

    assert "<script>alert" not in page


def test_the_page_runs_its_own_script_and_nothing_else(careful):
    page = render_race([Racer("anna", careful)])
    script = page.rpartition("<script>")[2].partition("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()

    assert f"script-src 'sha256-{digest}'" in page
    assert not re.findall(r'(?:src|href)="(?!#|data:)', page)
