"""The embedded store works on folders."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from brakepoint.room.stores.embedded import EmbeddedRoomStore


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


def test_everybody_reaches_the_store_at_one_address(small_room) -> None:
    assert small_room.inside == small_room.outside == f"http://127.0.0.1:{small_room.store.port}"


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


def test_two_buckets_are_exchanged_whole(store) -> None:
    store.put("spring-anna", "mine", b"anna's")
    store.put("spring-bela", "room/mine", b"bela's")
    store.swap("spring-anna", "spring-bela")

    assert store.read("spring-bela", "mine", 10) == b"anna's"
    assert store.read("spring-anna", "room/mine", 10) == b"bela's"
    assert store.buckets() == {"spring-anna", "spring-bela"}


@pytest.mark.parametrize("renamed", [1, 2])
def test_an_exchange_that_was_broken_off_is_completed_by_the_next_apply(store, monkeypatch, renamed) -> None:
    store.put("spring-anna", "mine", b"anna's")
    store.put("spring-bela", "mine", b"bela's")
    left, rename = [renamed], Path.rename

    def killed(path: Path, target: Path) -> Path:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return rename(path, target)

    with monkeypatch.context() as patches, pytest.raises(KeyboardInterrupt):
        patches.setattr(Path, "rename", killed)
        store.swap("spring-anna", "spring-bela")
    gone = {"spring-anna", "spring-bela"} - store.buckets()
    store.make_bucket(*gone)

    assert store.read("spring-anna", "mine", 10) == b"bela's"
    assert store.read("spring-bela", "mine", 10) == b"anna's"


def test_an_exchange_that_was_broken_off_is_completed_although_the_other_bucket_was_removed(store) -> None:
    (store.room.folder / "aside" / "spring-anna+spring-bela").mkdir(parents=True)
    (store.room.folder / "aside" / "spring-anna+spring-bela" / "mine").write_bytes(b"anna's")
    store.folder.mkdir()
    for _ in range(2):
        store.make_bucket("spring-anna")

    assert store.read("spring-bela", "mine", 10) == b"anna's"
    assert store.objects("spring-anna") == {}
    assert not any((store.room.folder / "aside").iterdir())


def test_what_attendees_store_is_measured_without_the_shared_data_and_without_links(store, tmp_path) -> None:
    (tmp_path / "outside").write_bytes(b"x" * 100)
    store.put("spring-shared", "x", b"12345")
    store.put("spring-anna", "a/b", b"12")
    store.put("spring-anna", "c", b"1")
    (store.folder / "spring-anna" / "link").symlink_to(tmp_path / "outside")
    store.make_bucket("spring-bela")

    assert store.sizes() == {"spring-anna": 3, "spring-bela": 0}
