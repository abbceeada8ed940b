"""The embedded store works on folders, and serves only a room that was applied."""

import socket
from datetime import UTC, datetime, timedelta

import pytest

from brakepoint.errors import UserError
from brakepoint.room.config import EmbeddedSettings
from brakepoint.room.stores import embedded
from brakepoint.room.stores.embedded import EmbeddedRoomStore, serve_room


@pytest.fixture
def store(small_room) -> EmbeddedRoomStore:
    return EmbeddedRoomStore(small_room, small_room.store)


def test_a_room_without_keys_has_none(store) -> None:
    assert store.secrets() == {} and store.keys() == set()


def test_keys_are_granted_and_revoked_one_by_one_and_only_their_owner_reads_them(store) -> None:
    store.grant("spring-anna", "one")
    store.grant("spring-bela", "two")
    store.revoke("spring-anna")

    assert store.secrets() == {"spring-bela": "two"}
    assert (store.folder.parent / "keys.json").stat().st_mode & 0o777 == 0o600


def test_a_room_that_is_not_applied_is_not_served(small_room) -> None:
    with pytest.raises(UserError) as refused, serve_room(small_room, small_room.store):
        pass

    assert refused.value.key == "room.error.not_applied"
    assert "anna, bela" in str(refused.value)


def test_a_port_that_is_taken_is_named_before_any_server_is_started(small_room, store, monkeypatch) -> None:
    monkeypatch.setattr(embedded, "run_server", lambda *_: pytest.fail("a server was started"))
    for handle in small_room.everybody:
        store.grant(small_room.place_of(handle), "key")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        settings = EmbeddedSettings(first_port=port)
        with pytest.raises(UserError) as refused, serve_room(small_room, settings):
            pass

    assert refused.value.key == "room.error.port"
    assert str(port) in str(refused.value)


def test_each_attendee_has_a_port_of_ones_own(small_room, store) -> None:
    first = small_room.store.first_port

    assert store.endpoint("anna") == f"http://127.0.0.1:{first}"
    assert store.endpoint("bela") == f"http://127.0.0.1:{first + 1}"


def test_what_is_put_is_listed_with_its_size_and_time(store) -> None:
    store.put("spring-anna", "a/b.txt", b"12345")
    objects = store.objects("spring-anna")

    assert set(objects) == {"a/b.txt"}
    assert objects["a/b.txt"].size_bytes == 5
    assert abs(objects["a/b.txt"].modified_at - datetime.now(UTC)) < timedelta(hours=1)


def test_no_more_is_read_than_shows_that_it_is_too_much(store) -> None:
    store.put("spring-anna", "long", b"x" * 100)

    assert store.read("spring-anna", "long", 10) == b"x" * 11


def test_a_link_is_neither_listed_nor_read(store, tmp_path) -> None:
    (tmp_path / "secret").write_text("secret")
    store.make_bucket("spring-anna")
    store.make_bucket("spring-anna")
    (store.folder / "spring-anna" / "link").symlink_to(tmp_path / "secret")

    assert store.objects("spring-anna") == {}
    with pytest.raises(FileNotFoundError):
        store.read("spring-anna", "link", 10)


def test_a_bucket_is_there_until_it_is_removed(store) -> None:
    store.put("spring-anna", "x", b"x")
    (store.folder / "no-bucket").write_text("a file")
    assert store.buckets() == {"spring-anna"}
    store.remove_bucket("spring-anna")
    store.remove_bucket("spring-anna")

    assert store.buckets() == set()
