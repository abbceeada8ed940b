"""`room plan` detects in advance what would stop the room on the day."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from brakepoint.cli import run
from brakepoint.errors import UserError
from brakepoint.room import findings as findings_module
from brakepoint.room.config import EmbeddedSettings, MinioSettings, Room
from brakepoint.room.findings import findings

OURS = {"url": "https://devspaces.acme.test", "repository": "https://git.acme.test/{handle}/kit.git"}


@pytest.fixture
def hidden(tmp_path, short_feed, monkeypatch) -> Path:
    monkeypatch.setattr(findings_module, "require_sandbox", lambda *hidden: None)
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")
    for path in (short_feed, short_feed.with_suffix(".json")):
        shutil.copy(path, tmp_path / f"hidden{path.suffix}")
    video, truth = tmp_path / "hidden.mp4", tmp_path / "hidden.json"
    said = json.loads(truth.read_text()) | {"video_sha256": hashlib.sha256(video.read_bytes()).hexdigest()}
    truth.write_text(json.dumps(said))
    return video


def room(hidden: Path | None, **values: object) -> Room:
    store = MinioSettings(kind="minio", endpoint="https://minio.acme.test")
    return Room.model_validate(
        {"name": "spring", "attendees": 2, "store": store, "hidden_feed": hidden} | values
    )


def only(found: Room) -> str:
    (said,) = findings(found)
    return said


def test_nothing_is_found_in_a_room_that_is_ready(hidden) -> None:
    assert list(findings(room(hidden, **OURS))) == []


def test_a_hidden_feed_that_is_not_there_is_found(hidden) -> None:
    assert "hidden_feed" in only(room(None))
    assert "elsewhere.mp4" in only(room(hidden.with_name("elsewhere.mp4")))


def test_a_feed_without_its_own_ground_truth_is_found(hidden) -> None:
    truth = hidden.with_suffix(".json")
    hidden.write_bytes(hidden.read_bytes() + b"x")
    assert "not the ground truth of hidden.mp4" in only(room(hidden))
    truth.write_text("{}")
    assert "hidden.json" in only(room(hidden))
    truth.unlink()
    assert "hidden.json" in only(room(hidden))


def test_a_machine_that_cannot_score_is_found(hidden, monkeypatch) -> None:
    def refuse(*hidden: Path) -> None:
        raise UserError("room.error.no_sandbox", why="bwrap")

    monkeypatch.setattr(findings_module, "require_sandbox", refuse)
    assert "no sandbox" in only(room(hidden))


@pytest.mark.parametrize("host", ["203.0.113.7", "no-such-host.invalid"])
def test_an_address_that_is_not_this_machines_is_found(hidden, host) -> None:
    said = only(room(hidden, store=EmbeddedSettings(host=host)))

    assert f"{host} is not one of this machine’s addresses" in said


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0"])
def test_cards_that_name_an_address_for_this_machine_alone_are_found(hidden, host) -> None:
    assert f"The cards say {host}" in only(room(hidden, store=EmbeddedSettings(host=host)))


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"url": "https://devspaces.example.org"}, "url"),
        ({"url": "https://example.com/x"}, "url"),
        ({"repository": "https://git.example.net/{handle}/kit.git"}, "repository"),
        ({"store": MinioSettings(kind="minio", endpoint="https://minio.example.org")}, "store.endpoint"),
        (
            {"store": MinioSettings(kind="minio", endpoint="https://m.test", inside="http://example.org")},
            "store.inside",
        ),
        ({"url": "http://127.0.0.1:8080"}, "url"),
        ({"url": "http://localhost:8080"}, "url"),
        ({"store": MinioSettings(kind="minio", endpoint="http://[::1]:9000")}, "store.endpoint"),
    ],
)
def test_what_is_still_an_example_or_of_this_machine_alone_is_found(hidden, values, name) -> None:
    assert only(room(hidden, **values)).startswith(name)


def test_a_name_that_only_looks_like_the_examples_is_none(hidden) -> None:
    assert list(findings(room(hidden, url="https://notexample.org"))) == []


def test_a_plan_says_what_was_found_and_touches_nothing(in_folder, capsys) -> None:
    Path("room.yaml").write_text("name: spring\nattendees: 1\nurl: https://devspaces.example.org\n")

    assert run(["room", "plan"]) == 0

    said = capsys.readouterr().out
    for word in (
        "hidden_feed",
        "The cards say 127.0.0.1",
        "url still has the example’s value",
        "Cards to print: seat-01",
    ):
        assert word in said
    assert not Path("runs").exists()
