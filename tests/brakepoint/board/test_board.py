"""The board: who is where, who is stuck, and that nobody's own word for a score counts."""

import json
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from simulated_room import HANDLES, START, SimulatedRoom

from brakepoint.board.server import make_app
from brakepoint.board.watcher import Heard, State, Watcher, seat
from brakepoint.course import course
from brakepoint.room.outcomes import Scores
from brakepoint.texts import ORIGINAL, languages

LOCAL = "http://localhost:8001"
FIRST = course()[0]


@pytest.fixture
def room(tmp_path, monkeypatch) -> SimulatedRoom:
    monkeypatch.chdir(tmp_path)
    return SimulatedRoom()


def upload(room: SimulatedRoom, handle: str, content: object) -> None:
    written = content if isinstance(content, bytes) else json.dumps(content).encode()
    room.store.objects[room.room.place_of(handle)] = written


def shown(room: SimulatedRoom, handle: str):
    room.watcher.look()
    return next(seat for seat in room.watcher.seats if seat.handle == handle)


def heard(done: list[str], at_min: float, since_min: float) -> Heard:
    at, since = (START + timedelta(minutes=minute) for minute in (at_min, since_min))
    return Heard(digest="", done={FIRST.name: tuple(done)}, hints=0, at=at, since=since)


@pytest.mark.parametrize(
    ("at_min", "since_min", "state"),
    [(59, 55, State.WORKING), (59, 45, State.STUCK), (35, 35, State.SILENT)],
)
def test_who_passes_nothing_new_is_stuck_and_who_checks_nothing_is_silent(at_min, since_min, state) -> None:
    found = seat("jade", heard([FIRST.exercises[0]], at_min, since_min), None, START + timedelta(minutes=60))

    assert (found.state, found.step, found.exercise) == (state, FIRST.name, FIRST.exercises[1])
    assert found.minutes == 60 - since_min


def test_failing_again_is_no_progress_and_passing_is(room) -> None:
    first, second = FIRST.exercises[:2]
    room.minute = 0
    upload(room, "jade", {"steps": {FIRST.name: {"done": [first], "minutes": 1}}})
    assert shown(room, "jade").minutes == 0
    room.minute = 12
    upload(room, "jade", {"steps": {FIRST.name: {"done": [first], "minutes": 12}}})
    assert (shown(room, "jade").state, shown(room, "jade").minutes) == (State.STUCK, 12)
    upload(room, "jade", {"steps": {FIRST.name: {"done": [first, second], "minutes": 12}}})
    assert (shown(room, "jade").state, shown(room, "jade").minutes) == (State.WORKING, 0)


@pytest.mark.parametrize(
    "content",
    [
        b"no json",
        b"\xff\xfe",
        {"steps": 3},
        {"steps": {FIRST.name: {"done": ["invented"] * 50}, "step99": {"done": ["x"]}}},
        b'{"steps": {}}' + b" " * 100_000,
        b'{"steps": {"x": {"minutes": 1e999, "hints": {"y": -7}}}}',
        b'{"steps": ' + b"[" * 30_000,
    ],
)
def test_what_is_no_progress_counts_for_nothing_and_harms_nobody(room, content) -> None:
    upload(room, "jade", content)
    upload(room, "opal", {"steps": {FIRST.name: {"done": list(FIRST.exercises)}}})

    assert sum(shown(room, "jade").done.values()) == 0
    assert shown(room, "opal").done[FIRST.name] == len(FIRST.exercises)
    room.watcher = Watcher(room.room, room.store, room.watcher._clock)
    assert shown(room, "opal").done[FIRST.name] == len(FIRST.exercises), "nor does it harm what was kept"


def test_a_score_that_an_attendee_wrote_is_not_shown(room) -> None:
    upload(room, "jade", {"steps": {}, "score": 100, "map50": 1.0, "marks": {"best_score": 100}})

    assert (shown(room, "jade").score, shown(room, "jade").map50) == (None, None)


def test_a_restart_of_the_board_forgets_nothing(room) -> None:
    upload(room, "jade", {"steps": {FIRST.name: {"done": [FIRST.exercises[0]]}}})
    shown(room, "jade")
    room.minute = 15
    room.watcher = Watcher(room.room, room.store, room.watcher._clock)

    assert shown(room, "jade").minutes == 15


def test_three_hours_of_forty_end_with_most_of_them_finished_and_scored(room) -> None:
    room.run_until(180)
    states = [seat.state for seat in room.watcher.seats]

    assert len(states) == len(HANDLES) == 40
    assert states.count(State.FINISHED) > 20
    assert set(Scores.load(room.room.folder).marks) == {
        seat.handle for seat in room.watcher.seats if seat.state is State.FINISHED
    }


def test_the_page_speaks_every_language_and_knows_every_check(room) -> None:
    client = TestClient(make_app(room.watcher), base_url=LOCAL)
    words = client.get("/texts.json").json()["texts"]
    titles = {f"lab.{step.name}.{name}.title" for step in course() for name in step.exercises}

    assert client.get("/").status_code == client.get("/web/style.css").status_code == 200
    assert set(words) == set(languages())
    assert all(titles <= said.keys() == words[ORIGINAL].keys() for said in words.values())


@pytest.mark.parametrize(
    ("token", "host", "headers", "status"),
    [
        ("", LOCAL, {}, 200),
        ("", "http://elsewhere.example", {}, 400),
        ("secret", "http://board.local", {}, 403),
        ("secret", "http://board.local", {"X-Brakepoint-Token": "guess"}, 403),
        ("secret", "http://board.local", {"X-Brakepoint-Token": "secret"}, 200),
    ],
)
def test_the_room_is_shown_to_whom_it_may_be(room, token, host, headers, status) -> None:
    client = TestClient(make_app(room.watcher, token), base_url=host)

    assert client.get("/room.json", headers=headers).status_code == status


def test_nothing_that_the_page_is_told_is_a_secret(room) -> None:
    said = TestClient(make_app(room.watcher), base_url=LOCAL).get("/room.json").json()

    assert set(said) == {"room", "steps", "seats", "trouble"}
