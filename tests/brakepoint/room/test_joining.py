"""A laptop joins a room by the code on a card."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest
from room_day import STEP, connection

from brakepoint import course
from brakepoint import room as room_package
from brakepoint.cli import run, workshop
from brakepoint.course import TRACK_VARIABLE, Track
from brakepoint.magic import FOLDER_VARIABLE, load_ipython_extension
from brakepoint.room import joining
from brakepoint.room.accounts import Accounts
from brakepoint.room.joining import join, join_code
from brakepoint.room.sharing import share_incidents
from brakepoint.room.stores import serving
from brakepoint.steps import SOURCE_VARIABLE
from brakepoint.workshop import progress
from brakepoint.workshop.labs import closed, lab_text
from brakepoint.workshop.verdicts import Result

pytestmark = pytest.mark.usefixtures("small_kit")


@pytest.fixture
def laptop(tmp_path, monkeypatch) -> Iterator[Path]:
    path = tmp_path / "laptop" / "joined.json"
    monkeypatch.setattr(room_package, "JOINED_PATH", path)
    for name in ("AWS_S3_ENDPOINT", "BRAKEPOINT_ROOM"):
        monkeypatch.delenv(name, raising=False)
    yield path


def test_the_code_on_a_card_is_all_that_a_laptop_needs(small, laptop, monkeypatch, capsys) -> None:
    found = re.search(r"anna\.spring:[^<\s]+", (small.folder / "handouts.html").read_text())
    assert found is not None
    with serving(small):
        assert run(["join", f" {found[0].upper()} "]) == 0
        assert "spring-anna" in capsys.readouterr().out
        assert laptop.stat().st_mode & 0o777 == 0o600
        for name in ("AWS_S3_BUCKET", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
            monkeypatch.delenv(name, raising=False)
        environment: dict[str, str] = {}
        monkeypatch.setattr(room_package.os, "environ", environment)
        room_package.take_joined()
    assert environment["BRAKEPOINT_ROOM"] == "spring"
    assert environment["AWS_S3_BUCKET"] == environment["AWS_ACCESS_KEY_ID"] == "spring-anna"
    assert environment["AWS_S3_ENDPOINT"] == f"http://127.0.0.1:{small.store.port}"


@pytest.mark.parametrize(
    "content",
    [
        b"5",
        b"null",
        b"[1]",
        b'{"a": 1}',
        b"\xff",
        b'{"a',
        b"[" * 100_000,
        b'{"a": "\\u0000"}',
        b'{"\\u0000": "a"}',
        b'{"a=b": "a"}',
    ],
)
def test_a_damaged_file_counts_as_no_room(laptop, content) -> None:
    laptop.parent.mkdir(parents=True, exist_ok=True)
    laptop.write_bytes(content)

    assert room_package.joined() == {}


def test_a_code_that_does_not_open_the_bucket_is_reported_and_nothing_is_kept(small, laptop, capsys) -> None:
    code = join_code("spring", "anna", "wrong-key", small.outside)
    with serving(small):
        assert run(["join", code]) == 2
    assert not laptop.exists()
    assert run(["join", code]) == 2, "nobody answers"
    assert not laptop.exists()


@pytest.mark.parametrize(
    "code",
    [
        "anna",
        "anna.spring@host:1",
        "a b@c",
        "anna.spring:key@host:1+short",
        "anna.spring:key@http://a/b",
        "@",
    ],
)
def test_what_is_not_a_code_is_reported_with_an_example(laptop, capsys, monkeypatch, code) -> None:
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")

    assert run(["join", code]) == 2
    assert "anna.spring:" in capsys.readouterr().err


def test_a_room_that_has_moved_is_joined_by_its_address_alone(laptop, monkeypatch) -> None:
    monkeypatch.setattr(joining, "_entered", lambda variables: None)
    assert run(["join", "@10.0.0.2:9100"]) == 2, "there is no room to move with yet"
    join("anna.spring:abcd-efgh@10.0.0.1:9100")
    before = room_package.joined()
    join("@10.0.0.2:9100")

    assert room_package.joined() == before | {"AWS_S3_ENDPOINT": "http://10.0.0.2:9100"}
    join("@https://minio.example.org")
    assert room_package.joined()["AWS_S3_ENDPOINT"] == "https://minio.example.org"


@pytest.mark.parametrize(("track", "ending"), [(Track.FULL, ""), (Track.CORE, "+core")], ids=["full", "core"])
def test_a_card_says_which_track_the_room_takes(laptop, monkeypatch, track, ending) -> None:
    monkeypatch.setattr(joining, "_entered", lambda variables: None)
    code = join_code("spring", "anna", "abcd-efgh", "http://10.0.0.1:9100", track)
    join(code)

    assert code == f"anna.spring:abcd-efgh@10.0.0.1:9100{ending}"
    assert room_package.joined()[TRACK_VARIABLE] == track
    assert room_package.joined()["AWS_S3_ENDPOINT"] == "http://10.0.0.1:9100"


def test_who_joins_a_room_of_the_core_finds_what_goes_further_filled_in(
    laptop, monkeypatch, tmp_path
) -> None:
    monkeypatch.setattr(joining, "_entered", lambda variables: SimpleNamespace(bucket="spring-anna"))
    monkeypatch.setattr(course, "LABS_DIR", tmp_path / "labs")
    monkeypatch.setattr(progress, "PROGRESS_PATH", tmp_path / "progress.json")
    monkeypatch.delenv(TRACK_VARIABLE, raising=False)
    STEP.lab.parent.mkdir()
    STEP.lab.write_text(lab_text(STEP), "utf-8")
    assert run(["join", "anna.spring:abcd-efgh@10.0.0.1:9100"]) == 0
    assert STEP.lab.read_text("utf-8") == lab_text(STEP)
    assert run(["join", "anna.spring:abcd-efgh@10.0.0.1:9100+core"]) == 0

    assert STEP.lab.read_text("utf-8") == closed(STEP, STEP.parts[0], lab_text(STEP), STEP.further)
    assert progress.Progress.load().of(STEP).filled == list(STEP.further)


def test_what_the_environment_says_outweighs_the_room_that_was_joined(laptop, monkeypatch) -> None:
    monkeypatch.setattr(joining, "_entered", lambda variables: None)
    join("anna.spring:abcd-efgh@10.0.0.1:9100")
    environment = {"AWS_S3_ENDPOINT": "https://mine"}
    monkeypatch.setattr(room_package, "os", SimpleNamespace(environ=environment))
    room_package.take_joined()

    assert environment["AWS_S3_ENDPOINT"] == "https://mine" and environment["BRAKEPOINT_ROOM"] == "spring"
    laptop.write_text("{")
    assert room_package.joined() == {}


def test_a_notebook_takes_part_in_the_room_that_the_laptop_has_joined(laptop, monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(joining, "_entered", lambda variables: None)
    join("anna.spring:abcd-efgh@10.0.0.1:9100")
    environment = {FOLDER_VARIABLE: str(tmp_path), SOURCE_VARIABLE: "solutions"}
    monkeypatch.setattr(os, "environ", environment)
    monkeypatch.chdir(tmp_path)
    load_ipython_extension(MagicMock())

    assert environment["BRAKEPOINT_ROOM"] == "spring"


@pytest.mark.parametrize("url", ["", "https://devspaces.example.com"])
def test_a_card_speaks_of_a_login_only_where_there_is_one(in_folder, url) -> None:
    Path("room.yaml").write_text(f"name: spring\nattendees: 1\nurl: '{url}'\n")
    run(["room", "apply"])
    card = Path("runs/room/spring/handouts.html").read_text()
    account = Accounts.load(Path("runs/room/spring")).accounts["seat-01"]

    assert (account.password in card) == bool(url) == ("Log in" in card)
    assert f"seat-01.spring:{account.secret_key}@127.0.0.1:9100" in card


def test_who_moves_to_another_laptop_finds_the_work_of_the_last_check_there(
    small, laptop, monkeypatch, tmp_path, capsys
) -> None:
    labs, elsewhere = tmp_path / "labs", tmp_path / "elsewhere"
    for folder in (labs, elsewhere):
        monkeypatch.setattr(course, "LABS_DIR", folder)
        monkeypatch.setattr(progress, "PROGRESS_PATH", folder / "progress.json")
        monkeypatch.setattr(workshop, "BACKUPS_DIR", folder / "backups")
        STEP.lab.parent.mkdir()
        STEP.lab.write_text(f"# written in {folder.name}")
        (folder / "progress.json").write_text("{}")
        if folder is labs:
            for name, value in joining.data_connection(
                "spring", "anna", connection("anna").secret_key, small.outside
            ).items():
                monkeypatch.setenv(name, value)
            monkeypatch.setattr(workshop, "check", lambda step: Result(()))
            with serving(small):
                workshop.check_and_record(STEP)
                (folder / "incidents.json").write_text('{"incidents": {}}')
                share_incidents(progress.PROGRESS_PATH)
    code = join_code("spring", "anna", connection("anna").secret_key, small.outside)
    with serving(small):
        assert run(["join", code]) == 0
        assert STEP.lab.read_text() == "# written in elsewhere", "nothing is brought unless that is asked for"
        assert run(["join", code, "--work"]) == 0
        assert "bucket: 3;" in capsys.readouterr().out
        assert run(["join", code, "--work"]) == 0
        assert "bucket: 0;" in capsys.readouterr().out

    assert STEP.lab.read_text() == "# written in labs"
    assert (elsewhere / "progress.json").read_text() == (labs / "progress.json").read_text()
    assert (elsewhere / "incidents.json").read_text() == '{"incidents": {}}'
    kept = {path.read_text() for path in (elsewhere / "backups").iterdir()}
    assert kept == {"# written in elsewhere", "{}"}
