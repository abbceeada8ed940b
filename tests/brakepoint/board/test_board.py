"""The board: who is where, who is stuck, and that no one's own claim of a score counts."""

import errno
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi.testclient import TestClient
from simulated_room import HANDLES, START, SimulatedRoom

from brakepoint.board.server import make_app
from brakepoint.board.watcher import Heard, Seat, State, Watcher, seat
from brakepoint.cli import run
from brakepoint.course import Track, course
from brakepoint.errors import UserError
from brakepoint.room.outcomes import Failure, Marks, Scores, SubmissionOutcome
from brakepoint.texts import ORIGINAL, languages, text

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


@pytest.mark.parametrize(
    ("at_min", "since_min", "state"),
    [(60, 50.1, State.WORKING), (60, 50, State.STUCK), (40.1, 40.1, State.STUCK), (40, 40, State.SILENT)],
)
def test_ten_minutes_without_anything_new_are_too_long_and_so_are_twenty_without_a_word(
    at_min, since_min, state
) -> None:
    found = seat("jade", heard([], at_min, since_min), None, START + timedelta(minutes=60))

    assert found.state is state


def test_of_whom_nothing_was_heard_nothing_is_shown() -> None:
    assert seat("jade", None, None, START) == Seat(
        handle="jade",
        state=State.ABSENT,
        step="",
        exercise="",
        done={},
        minutes=0.0,
        hints=0,
        map50=None,
        score=None,
        reason={},
    )


@pytest.mark.parametrize("failure", [None, Failure.NETWORK])
def test_the_best_is_shown_and_why_the_last_submission_failed_in_every_language(failure) -> None:
    last = SubmissionOutcome(digest="", at=START, reason=failure, detail="there")
    found = seat("jade", None, Marks(best_map50=0.8, best_score=95.0, last=last), START)

    assert (found.map50, found.score) == (0.8, 95.0)
    assert set(found.reason) == (set(languages()) if failure else set())


def test_a_clock_that_is_set_back_makes_nobody_wait_for_less_than_nothing() -> None:
    assert seat("jade", heard([], 60, 60), None, START).minutes == 0


def test_from_the_final_on_its_score_counts() -> None:
    last, final = SubmissionOutcome(digest="", at=START), SubmissionOutcome(digest="", at=START, score=71.5)
    marks = Marks(best_map50=0.8, best_score=95.0, last=last, final=final)

    assert seat("jade", None, marks, START).score == 71.5


def test_the_first_exercise_that_is_not_done_comes_next() -> None:
    done = [name for name in FIRST.exercises if name != FIRST.exercises[1]]
    found = seat("jade", heard(done, 1, 1), None, START)

    assert (found.exercise, found.done[FIRST.name]) == (FIRST.exercises[1], len(done))


def test_who_has_done_everything_has_finished_however_long_ago() -> None:
    everything = {step.name: step.exercises for step in course()}
    all_done = Heard(digest="", done=everything, hints=3, at=START, since=START)
    found = seat("jade", all_done, None, START + timedelta(hours=5))

    assert (found.state, found.step, found.exercise, found.hints) == (State.FINISHED, "", "", 3)
    assert found.minutes == 300


def test_in_a_room_of_the_core_the_core_is_all_and_more_is_counted_by_itself() -> None:
    core = {step.name: step.core for step in course()}
    more = core | {FIRST.name: FIRST.exercises}
    found = [
        seat("jade", Heard(digest="", done=done, hints=0, at=START, since=START), None, START, Track.CORE)
        for done in (core, more, core | {FIRST.name: (*FIRST.core[1:], *FIRST.further)})
    ]

    assert [each.state for each in found] == [State.FINISHED, State.FINISHED, State.WORKING]
    assert [each.further for each in found] == [0, len(FIRST.further), len(FIRST.further)]
    assert [each.done[FIRST.name] for each in found] == [
        len(FIRST.core),
        len(FIRST.core),
        len(FIRST.core) - 1,
    ]
    assert found[2].exercise == FIRST.core[0]


def test_hints_are_counted_over_all_exercises_and_no_further_than_three_digits(room) -> None:
    upload(room, "jade", {"steps": {FIRST.name: {"hints": {"a": 2, "b": 3}}}})
    assert shown(room, "jade").hints == 5
    upload(room, "jade", {"steps": {FIRST.name: {"hints": {"a": 10**9}}}})
    assert shown(room, "jade").hints == 999
    upload(room, "jade", {"steps": {FIRST.name: {"hints": {"a": -5}}}})
    assert shown(room, "jade").hints == 0


@pytest.mark.parametrize(("size_bytes", "counts"), [(64_000, True), (64_001, False)])
def test_a_progress_file_has_64_kilobytes_at_most(room, size_bytes, counts) -> None:
    content = json.dumps({"steps": {FIRST.name: {"done": [FIRST.exercises[0]]}}}).encode()
    upload(room, "jade", content.ljust(size_bytes))

    assert bool(shown(room, "jade").done) is counts


def test_what_was_heard_twice_is_news_only_once(room) -> None:
    content = {"steps": {FIRST.name: {"done": [FIRST.exercises[0]]}}}
    upload(room, "jade", content)
    shown(room, "jade")
    history = room.room.folder / "board.json"
    written = history.stat().st_mtime_ns
    room.minute = 25

    assert shown(room, "jade").state is State.SILENT, "the same upload is no sign of life"
    assert history.stat().st_mtime_ns == written


def test_a_store_that_does_not_answer_is_reported_until_it_does(room, monkeypatch) -> None:
    looks: list[dict[str, str]] = []
    waits: list[float] = []

    def look() -> None:
        looks.append(room.watcher.trouble)
        if len(looks) == 1:
            raise UserError("store.error.disk_full")

    stopping: Any = SimpleNamespace(is_set=lambda: len(waits) == 3, wait=waits.append)
    monkeypatch.setattr(room.watcher, "look", look)
    room.watcher.watch(stopping)

    assert looks == [{}, {lang: text("store.error.disk_full", lang) for lang in languages()}, {}]


def test_a_full_disk_is_reported_on_the_page_which_stays_as_it_was(room, monkeypatch) -> None:
    upload(room, "jade", {"steps": {FIRST.name: {"hints": {"a": 2}}}})
    shown(room, "jade")
    before = list(room.watcher.seats)
    upload(room, "jade", {"steps": {FIRST.name: {"hints": {"a": 3}}}})

    def no_space(*what: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/home/somebody/board.json")

    monkeypatch.setattr("brakepoint.room.kept.write", no_space)
    waits: list[float] = []
    stopping: Any = SimpleNamespace(is_set=lambda: len(waits) == 1, wait=waits.append)
    room.watcher.watch(stopping)

    assert room.watcher.trouble == {
        lang: text("room.error.board_disk", lang, why=text("system.ENOSPC", lang)) for lang in languages()
    }
    assert room.watcher.seats == before


def test_failing_again_is_not_progress_and_passing_is(room) -> None:
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
def test_what_is_not_progress_counts_for_nothing_and_harms_nobody(room, content) -> None:
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


def test_nothing_that_the_page_receives_is_a_secret(room) -> None:
    said = TestClient(make_app(room.watcher), base_url=LOCAL).get("/room.json").json()

    assert set(said) == {"room", "steps", "seats", "trouble"}


def tell_incidents(room: SimulatedRoom, handle: str, content: bytes) -> None:
    room.store.incidents[room.room.place_of(handle)] = content


def incidents(*entries: tuple[int, float | None, float | None]) -> bytes:
    said = {
        number: {"started_at": "2026-01-01T09:00:00Z", "found_min": found, "mended_min": mended, "hints": 2}
        for number, found, mended in entries
    }
    return json.dumps({"incidents": said}).encode()


def test_how_long_an_incident_took_is_shown_once_its_cause_was_found(room) -> None:
    upload(room, "jade", {})
    tell_incidents(room, "jade", incidents((4, 3.0, 4.5), (2, 7.5, None), (9, None, None)))

    assert shown(room, "jade").model_dump()["incidents"] == {
        2: {"found_min": 7.5, "mended_min": None},
        4: {"found_min": 3.0, "mended_min": 4.5},
    }


def test_who_only_fixes_trains_is_shown_too(room) -> None:
    tell_incidents(room, "jade", incidents((4, 3.0, None)))

    found = shown(room, "jade")
    assert list(found.incidents) == [4]
    assert (found.state, found.step) == (State.WORKING, FIRST.name)


def test_times_outlast_more_progress_and_a_restart(room) -> None:
    upload(room, "jade", {})
    tell_incidents(room, "jade", incidents((4, 3.0, 4.5)))
    shown(room, "jade")
    room.store.incidents.clear()
    upload(room, "jade", {"steps": {FIRST.name: {"done": [FIRST.exercises[0]]}}})

    assert list(shown(room, "jade").incidents) == [4]
    assert list(shown(SimulatedRoom(), "jade").incidents) == [4]


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"[]",
        incidents((4, -1.0, None)),
        incidents((4, 1e4, None)),
        b'{"incidents": {"4": {"found_min": NaN}}}',
        b'{"incidents": {"four": {"found_min": 1}}}',
        incidents(*((number, 1.0, 1.0) for number in range(1, 101))),
        b'{"incidents": {"4": {"found_min": 1}}}' + b" " * 64_000,
    ],
)
def test_what_is_not_a_record_of_incidents_counts_for_nothing(room, content: bytes) -> None:
    upload(room, "jade", {})
    tell_incidents(room, "jade", content)

    assert shown(room, "jade").incidents == {}
    assert shown(room, "jade").state is State.WORKING


def test_a_number_that_no_incident_can_have_is_left_out(room) -> None:
    upload(room, "jade", {})
    tell_incidents(room, "jade", incidents((0, 1.0, 1.0), (1, 1.0, 999.0), (99, 1.0, 1.0), (100, 1.0, 1.0)))

    assert list(shown(room, "jade").incidents) == [1, 99]


def test_the_command_serves_the_page_where_it_is_asked_and_guards_it_beyond_this_machine(
    room, monkeypatch, tmp_path, capsys
) -> None:
    (tmp_path / "room.yaml").write_text("name: spring\nattendees: 2\n", encoding="utf-8")
    served: list[tuple[Any, str, int]] = []

    @contextmanager
    def serve(app: Any, host: str, port: int) -> Iterator[None]:
        served.append((app, host, port))
        yield

    monkeypatch.setattr("brakepoint.web.server.served", serve)
    monkeypatch.setattr(Watcher, "watch", lambda self, stopping: None)
    assert run(["board", "room.yaml", "--page", "0.0.0.0:8123"]) == 0

    ((app, host, port),) = served
    assert (host, port) == ("0.0.0.0", 8123)
    link = re.search(r"#token=(\S+)", capsys.readouterr().out)
    assert link, "the address has the token that opens the page"
    client = TestClient(app, base_url="http://board.local")
    assert client.get("/room.json").status_code == 403
    shown = client.get("/room.json", headers={"X-Brakepoint-Token": link[1]})
    assert shown.status_code == 200
    assert shown.json()["room"] == "spring"
