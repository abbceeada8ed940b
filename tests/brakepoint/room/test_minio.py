"""A room on MinIO: users and policies by its own library, against a substitute with its encryption."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from minio.credentials import StaticProvider
from minio.minioadmin import MinioAdmin
from minio_stand_in import ADMIN, StandIn, stand_in

from brakepoint.errors import UserError
from brakepoint.room.accounts import Accounts
from brakepoint.room.config import MinioSettings, Room
from brakepoint.room.provisioning import Provisioner
from brakepoint.room.stores import minio, open_store
from brakepoint.room.stores.minio import MinioRoomStore, policy
from brakepoint.store import Connection
from brakepoint.store.embedded import serve_s3

SETTINGS = MinioSettings(kind="minio", endpoint="https://minio.example.org", inside="http://minio.svc:9000")


def quiet(done: int, total: int) -> None:
    """Shows no progress."""


@pytest.fixture
def room(in_folder) -> Room:
    return Room(name="spring", attendees=2, handles=("anna", "bela"), store=SETTINGS)


@pytest.fixture
def server() -> Iterator[StandIn]:
    with stand_in() as server:
        yield server


@pytest.fixture
def store(room, server, tmp_path) -> Iterator[MinioRoomStore]:
    admin = MinioAdmin(
        endpoint=f"127.0.0.1:{server.server_port}", credentials=StaticProvider(*ADMIN), secure=False
    )
    with serve_s3(tmp_path / "s3") as (endpoint, key, secret):
        yield MinioRoomStore(room, SETTINGS, Connection(endpoint, "spring-shared", key, secret), admin)


def test_a_room_on_minio_is_made_left_alone_and_removed(room, store, server) -> None:
    provisioner = Provisioner(room, store)
    provisioner.apply(quiet)
    accounts = Accounts.load(room.folder).accounts

    assert {name: user["secret"] for name, user in server.users.items()} == {
        "spring-anna": accounts["anna"].secret_key,
        "spring-bela": accounts["bela"].secret_key,
    }
    assert set(server.policies) == set(server.users)
    assert server.quotas == {place: {"quota": 500_000_000, "quotatype": "hard"} for place in server.users}
    assert store.buckets() == {"spring-shared", "spring-anna", "spring-bela"}
    assert provisioner.plan() == []

    provisioner.remove(quiet)

    assert not server.users and not server.policies and not store.buckets()
    assert not room.folder.exists()


def test_another_rooms_buckets_and_users_are_left_alone(room, store, server) -> None:
    store._client.create_bucket(Bucket="autumn-shared")
    server.users["autumn-anna"] = {"secret": "s", "policy": "autumn-anna"}
    provisioner = Provisioner(room, store)
    provisioner.apply(quiet)
    provisioner.remove(quiet)

    assert set(server.users) == {"autumn-anna"}
    assert [bucket["Name"] for bucket in store._client.list_buckets()["Buckets"]] == ["autumn-shared"]


def test_a_reset_attendee_has_another_key(room, store, server) -> None:
    provisioner = Provisioner(room, store)
    provisioner.apply(quiet)
    before = {name: user["secret"] for name, user in server.users.items()}
    provisioner.reset("anna", quiet)
    after = {name: user["secret"] for name, user in server.users.items()}

    assert before["spring-anna"] != after["spring-anna"]
    assert before["spring-bela"] == after["spring-bela"]


def contents(store: MinioRoomStore, bucket: str) -> dict[str, bytes]:
    return {key: store.read(bucket, key, 1000) for key in store.objects(bucket)}


ANNAS = {"kit": b"same", "room/model.onnx": b"anna's", "hers": b"1", "an é+b c": b"3"}
BELAS = {"kit": b"same", "room/model.onnx": b"bela's", "theirs": b"2"}


def fill(store: MinioRoomStore) -> None:
    for bucket, objects in (("spring-anna", ANNAS), ("spring-bela", BELAS)):
        store.make_bucket(bucket)
        for key in store.objects(bucket).keys() - objects.keys():
            store._client.delete_object(Bucket=bucket, Key=key)
        for key, data in objects.items():
            store.put(bucket, key, data)


def test_two_buckets_are_exchanged_whole_whatever_the_limit_is_by_now(store) -> None:
    fill(store)
    store._limit_bytes = 3
    store.swap("spring-anna", "spring-bela")

    assert contents(store, "spring-anna") == BELAS
    assert contents(store, "spring-bela") == ANNAS


def test_wherever_an_exchange_is_broken_off_nothing_is_lost(store, monkeypatch) -> None:
    call = store._client._make_api_call
    for requests in range(10):
        left = [requests]

        def cut_off(operation: str, parameters: Any, left: list[int] = left) -> Any:
            if operation in ("PutObject", "CopyObject", "DeleteObject"):
                left[0] -= 1
                if left[0] < 0:
                    raise EndpointConnectionError(endpoint_url="https://minio.example.org")
            return call(operation, parameters)

        fill(store)
        with monkeypatch.context() as patches, pytest.raises(UserError):
            patches.setattr(store._client, "_make_api_call", cut_off)
            store.swap("spring-anna", "spring-bela")
        found = {*contents(store, "spring-anna").values(), *contents(store, "spring-bela").values()}

        assert found == {*ANNAS.values(), *BELAS.values()}


def test_a_key_may_write_one_bucket_and_read_another() -> None:
    statements = policy("spring-anna", "spring-shared")["Statement"]
    writing = [entry["Resource"] for entry in statements if "s3:PutObject" in entry["Action"]]
    named = {resource for entry in statements for resource in entry["Resource"]}

    assert writing == [["arn:aws:s3:::spring-anna/*"]]
    assert named == {
        "arn:aws:s3:::spring-anna",
        "arn:aws:s3:::spring-anna/*",
        "arn:aws:s3:::spring-shared",
        "arn:aws:s3:::spring-shared/*",
    }
    assert not any("*" in action for entry in statements for action in entry["Action"])


def test_workspaces_get_the_address_inside_the_cluster(room) -> None:
    assert (room.inside, room.outside) == ("http://minio.svc:9000", "https://minio.example.org")


def test_without_the_administrators_key_nothing_is_begun(room, monkeypatch) -> None:
    monkeypatch.delenv("BRAKEPOINT_ADMIN_KEY", raising=False)

    with pytest.raises(UserError, match="BRAKEPOINT_ADMIN_KEY"):
        open_store(room)


def test_an_unreachable_minio_is_reported(room, tmp_path) -> None:
    admin = MinioAdmin(endpoint="127.0.0.1:9", credentials=StaticProvider(*ADMIN), secure=False)
    connection = Connection("http://127.0.0.1:9", "spring-shared", *ADMIN)

    with pytest.raises(UserError, match="Nothing answers"):
        MinioRoomStore(room, SETTINGS, connection, admin).buckets()


@pytest.mark.parametrize(("scheme", "secure"), [("https", True), ("http", False)])
def test_the_administrators_key_and_secret_come_from_the_environment(
    room, monkeypatch, scheme, secure
) -> None:
    made: list[dict[str, Any]] = []
    monkeypatch.setattr(minio, "MinioAdmin", lambda **options: made.append(options))
    monkeypatch.setenv(minio.ADMIN_KEY, "the-key")
    monkeypatch.setenv(minio.ADMIN_SECRET, "the-secret")
    MinioRoomStore.from_environment(
        room, MinioSettings(kind="minio", endpoint=f"{scheme}://minio.example.org")
    )

    (options,) = made
    credentials = options["credentials"].retrieve()
    assert (credentials.access_key, credentials.secret_key) == ("the-key", "the-secret")
    assert (options["endpoint"], options["secure"]) == ("minio.example.org", secure)


def test_the_store_from_the_environment_reaches_the_buckets(room, tmp_path, monkeypatch) -> None:
    with serve_s3(tmp_path / "s3") as (endpoint, key, secret):
        monkeypatch.setenv(minio.ADMIN_KEY, key)
        monkeypatch.setenv(minio.ADMIN_SECRET, secret)
        store = MinioRoomStore.from_environment(room, MinioSettings(kind="minio", endpoint=endpoint))
        store.make_bucket("spring-shared")

        assert store.buckets() == {"spring-shared"}
