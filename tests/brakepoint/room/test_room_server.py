"""One server for the whole room: what takes effect immediately, and that no one else notices."""

import errno
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from brakepoint.cli import room as room_command
from brakepoint.cli import run
from brakepoint.errors import UserError
from brakepoint.room import stores
from brakepoint.room.accounts import Accounts
from brakepoint.room.config import Room
from brakepoint.room.provisioning import Provisioner
from brakepoint.room.stores import open_store, server, whose_key
from brakepoint.room.stores.server import RoomServer, serve_room
from brakepoint.store import Connection


def quiet(done: int, total: int) -> None:
    """Shows no progress."""


def connection(room: Room, handle: str) -> Connection:
    account = Accounts.load(room.folder).accounts[handle]
    place = room.place_of(handle)
    return Connection(room.outside, place, place, account.secret_key)


def works(of: Connection) -> bool:
    """Whether that key can upload a file."""
    try:
        of.client.put_object(Bucket=of.bucket, Key="room/work", Body=b"work")
    except ClientError:
        return False
    return True


@pytest.fixture
def served(small_room, monkeypatch):
    """A room that is served, its server, which looks on demand, and the buckets that it reported as full."""
    monkeypatch.setattr(server, "LOOK_EVERY_S", 3600.0)
    servers: list[RoomServer] = []
    full: list[str] = []
    begin = RoomServer._begin

    def begin_and_remember(self: RoomServer) -> None:
        servers.append(self)
        begin(self)

    monkeypatch.setattr(RoomServer, "_begin", begin_and_remember)
    Provisioner(small_room, open_store(small_room)).apply(quiet)
    with serve_room(small_room, small_room.store, full.append):
        yield small_room, servers[0], full


def test_a_room_that_is_not_applied_is_not_served(small_room) -> None:
    with pytest.raises(UserError) as refused, serve_room(small_room, small_room.store, print):
        pass

    assert refused.value.key == "room.error.not_applied"
    assert "anna, bela" in str(refused.value)


def test_a_port_that_is_taken_is_named_before_a_server_is_started(small_room, monkeypatch) -> None:
    monkeypatch.setattr(server, "RoomServer", lambda *_: pytest.fail("a server was started"))
    Provisioner(small_room, open_store(small_room)).apply(quiet)
    with (
        socket.create_server(("127.0.0.1", small_room.store.port)),
        pytest.raises(UserError) as refused,
        serve_room(small_room, small_room.store, print),
    ):
        pass

    assert refused.value.key == "room.error.port"
    assert str(small_room.store.port) in str(refused.value)


def test_a_replaced_key_counts_at_once_and_the_old_one_opens_nothing(served) -> None:
    room, at_work, _ = served
    old, other = connection(room, "anna"), connection(room, "bela")
    assert works(old) and works(other)

    Provisioner(room, open_store(room)).replace_account("anna", quiet)
    before = at_work._process
    at_work.look()

    assert before.poll() is not None, "it would answer, too, and still knows the old key"
    assert not works(old)
    assert works(connection(room, "anna")) and works(other)
    assert connection(room, "anna").client.get_object(Bucket="spring-anna", Key="room/work")["Body"].read()


def test_a_late_arrival_is_let_in_without_another_server(served) -> None:
    room, at_work, _ = served
    assert works(connection(room, "bela"))
    process = at_work._process
    larger = room.model_copy(update={"attendees": 3, "handles": ("anna", "bela", "zoe")})
    Provisioner(larger, open_store(larger)).apply(quiet)
    at_work.look()

    assert works(connection(larger, "zoe"))
    assert at_work._process is process


def test_anyone_who_has_left_is_no_longer_let_in(served) -> None:
    room, at_work, _ = served
    gone = connection(room, "bela")
    assert works(gone)
    smaller = room.model_copy(update={"attendees": 1})
    Provisioner(smaller, open_store(smaller)).apply(quiet)
    at_work.look()

    assert not works(gone)
    assert works(connection(room, "anna"))


def test_an_attendee_who_has_stored_too_much_can_only_read_and_delete_and_nobody_else_notices(served) -> None:
    room, at_work, full = served
    anna, bela = connection(room, "anna"), connection(room, "bela")
    assert works(anna) and works(bela)
    large = room.folder / "store" / "spring-anna" / "large"
    with large.open("wb") as file:
        file.truncate(500_000_001)
    for _ in range(server.MEASURE_EVERY):
        at_work.look()

    assert full == ["spring-anna"]
    assert not works(anna) and works(bela)
    assert anna.client.get_object(Bucket="spring-anna", Key="room/work")["Body"].read() == b"work"
    anna.client.delete_object(Bucket="spring-anna", Key="large")
    assert not large.exists()
    for _ in range(server.MEASURE_EVERY):
        at_work.look()
    assert full == ["spring-anna"], "it is said once"
    said = whose_key.answer("spring-anna", room.folder, "spring-shared")
    assert ":nc" not in said["upstreams"], "rclone asks again within five minutes"


def full_disk(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_what_a_full_disk_kept_from_taking_effect_is_tried_again(served, monkeypatch) -> None:
    room, at_work, full = served
    anna, bela = connection(room, "anna"), connection(room, "bela")
    assert works(anna) and works(bela)
    with (room.folder / "store" / "spring-anna" / "large").open("wb") as file:
        file.truncate(500_000_001)
    with monkeypatch.context() as patches:
        patches.setattr(server, "write", full_disk)
        for _ in range(server.MEASURE_EVERY):
            with suppress(OSError):
                at_work.look()
    assert works(anna) and full == []
    for _ in range(server.MEASURE_EVERY):
        at_work.look()

    assert full == ["spring-anna"] and not works(anna)


def test_a_key_is_revoked_even_while_the_disk_is_full_and_after_an_error_it_is_tried_again(
    served, monkeypatch
) -> None:
    room, at_work, _ = served
    anna, bela = connection(room, "anna"), connection(room, "bela")
    assert works(anna) and works(bela)
    open_store(room).revoke("spring-anna")
    monkeypatch.setattr(server, "write", full_disk)
    with monkeypatch.context() as patches, pytest.raises(OSError):
        patches.setattr(server, "running", full_disk)
        at_work.look()
    assert works(anna)
    at_work.look()

    assert not works(anna) and works(bela)


def test_no_single_file_grows_beyond_the_limit(small_room, monkeypatch) -> None:
    monkeypatch.setattr(server, "BYTES_IN_MB", 10_000)
    monkeypatch.setattr(server, "LOOK_EVERY_S", 3600.0)
    Provisioner(small_room, open_store(small_room)).apply(quiet)
    with serve_room(small_room, small_room.store, lambda name: None):
        anna = connection(small_room, "anna")
        with pytest.raises(ClientError):
            anna.client.put_object(Bucket="spring-anna", Key="large", Body=b"x" * 5_000_001)
        anna.client.put_object(Bucket="spring-anna", Key="fits", Body=b"x" * 4_000_000)

    assert not (small_room.folder / "store" / "spring-anna" / "large").exists()


def test_a_server_that_has_died_is_replaced(served) -> None:
    room, at_work, _ = served
    at_work._process.kill()
    at_work._process.wait()
    at_work.look()

    assert works(connection(room, "anna"))


def test_a_server_ends_with_its_room(small_room) -> None:
    Provisioner(small_room, open_store(small_room)).apply(quiet)
    threads = threading.active_count()
    with serve_room(small_room, small_room.store, lambda name: None):
        assert works(connection(small_room, "anna"))

    assert threading.active_count() == threads
    socket.create_server(("127.0.0.1", small_room.store.port)).close()


@pytest.mark.parametrize("folder", ["a b", "o'clock", 'say "so"'])
def test_a_room_may_be_in_a_folder_of_any_name(small_room, tmp_path, monkeypatch, folder) -> None:
    (tmp_path / folder).mkdir()
    monkeypatch.chdir(tmp_path / folder)
    Provisioner(small_room, open_store(small_room)).apply(quiet)
    (small_room.folder / "full.json").write_text('["spring-bela"]')
    with serve_room(small_room, small_room.store, lambda name: None):
        anna = connection(small_room, "anna")
        assert works(anna)
        assert anna.client.get_object(Bucket="spring-shared", Key="SHA256SUMS")["Body"].read()


def test_a_key_that_nobody_has_is_not_a_key(small_room, tmp_path) -> None:
    (tmp_path / "keys.json").write_text('{"spring-anna": "one"}')

    assert whose_key.answer("spring-anna", tmp_path, "spring-shared")["_secret_access_key"] == "one"
    with pytest.raises(KeyError):
        whose_key.answer("spring-zoe", tmp_path, "spring-shared")


def test_a_server_that_does_not_start_is_reported_with_its_log(small_room, monkeypatch) -> None:
    monkeypatch.setattr(server, "_command", lambda: [sys.executable, "-c", "print('too old')"])
    Provisioner(small_room, open_store(small_room)).apply(quiet)
    with (
        pytest.raises(UserError, match=server.LOG_NAME) as refused,
        serve_room(small_room, small_room.store, print),
    ):
        pytest.fail("it was taken for ready")

    assert refused.value.key == "store.error.not_started"
    assert "too old" in (small_room.folder / server.LOG_NAME).read_text()


def test_a_room_that_is_removed_while_it_is_served_is_not_made_again(served) -> None:
    room, at_work, _ = served
    Provisioner(room, open_store(room)).remove(quiet)
    for _ in range(server.MEASURE_EVERY):
        at_work.look()

    assert not room.folder.exists()


def test_the_command_serves_the_room_until_it_is_told_to_stop(small, monkeypatch, capsys) -> None:
    served: list[bool] = []

    class Stopping(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            served.append(works(connection(small, "anna")))
            return True

    monkeypatch.setattr(room_command, "stop_event", Stopping)

    assert run(["room", "serve"]) == 0
    assert served == [True]
    assert f"ready at 127.0.0.1:{small.store.port}" in capsys.readouterr().out


def test_the_command_names_whoever_has_stored_too_much(small, monkeypatch, capsys) -> None:
    @contextmanager
    def full_at_once(room: Room, on_full: Callable[[str], None]) -> Iterator[None]:
        on_full("spring-anna")
        yield

    stopped = threading.Event()
    stopped.set()
    monkeypatch.setattr(room_command, "stop_event", lambda: stopped)
    monkeypatch.setattr(stores, "serving", full_at_once)

    assert run(["room", "serve"]) == 0
    assert f"spring-anna contains more than {small.store.limit_mb} MB" in capsys.readouterr().err


def test_a_store_that_runs_by_itself_is_not_started(in_folder, capsys) -> None:
    endpoint = "https://minio.example.org"
    Path("room.yaml").write_text(
        f"name: spring\nattendees: 2\nstore: {{kind: minio, endpoint: '{endpoint}'}}\n"
    )

    assert run(["room", "serve"]) == 2
    assert f"{endpoint}, has its own server" in capsys.readouterr().err
