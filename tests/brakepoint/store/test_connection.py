"""Which store is used, and what lies in it, without any store."""

import hashlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("boto3")

from botocore.exceptions import ClientError

from brakepoint.errors import UserError
from brakepoint.store import connection
from brakepoint.store.connection import Connection, object_store
from brakepoint.store.content import checksums, make_bucket, parse_checksums, sha256

VARIABLES = {
    "AWS_S3_ENDPOINT": "http://store:9000",
    "AWS_S3_BUCKET": "bucket",
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "s3cret",
}


@pytest.fixture(autouse=True)
def variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_DEFAULT_REGION", "BRAKEPOINT_STORE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)


def test_a_data_connection_is_read_from_its_variables(monkeypatch) -> None:
    assert Connection.from_environment() == Connection("http://store:9000", "bucket", "key", "s3cret")
    assert Connection.from_environment().region == "us-east-1"
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-3")
    assert Connection.from_environment().region == "eu-west-3"


def test_an_endpoint_without_a_scheme_is_reached_by_https(monkeypatch) -> None:
    monkeypatch.setenv("AWS_S3_ENDPOINT", "store:9000")

    assert Connection.from_environment().endpoint == "https://store:9000"


@pytest.mark.parametrize("name", VARIABLES)
def test_a_variable_that_is_missing_or_empty_is_named(monkeypatch, name) -> None:
    monkeypatch.setenv(name, "")

    with pytest.raises(UserError, match=name):
        Connection.from_environment()


def test_the_secret_key_is_never_printed() -> None:
    assert "s3cret" not in repr(Connection.from_environment())


def test_a_data_connection_outweighs_the_store_beside_us_and_is_not_filled(monkeypatch) -> None:
    monkeypatch.setenv("BRAKEPOINT_STORE", "http://127.0.0.1:1")
    monkeypatch.setattr(connection, "seed", lambda *_: pytest.fail("it was filled"))

    with object_store() as store:
        assert store.endpoint == "http://store:9000"


@pytest.mark.parametrize(("seeded", "fills"), [(True, 0), (False, 1)])
def test_the_store_beside_us_is_filled_unless_it_is_full(monkeypatch, seeded, fills) -> None:
    filled: list[str] = []
    monkeypatch.delenv("AWS_S3_ENDPOINT")
    monkeypatch.setenv("BRAKEPOINT_STORE", "http://127.0.0.1:1")
    monkeypatch.setattr(connection, "is_seeded", lambda client, bucket: seeded)
    monkeypatch.setattr(connection, "seed", lambda client, bucket: filled.append(bucket))

    with object_store() as store:
        assert store.endpoint == "http://127.0.0.1:1"
    assert len(filled) == fills


def test_checksums_are_read_as_they_were_written(tmp_path: Path) -> None:
    (tmp_path / "a b").write_bytes(b"x")
    digest = hashlib.sha256(b"x").hexdigest()

    assert sha256(tmp_path / "a b") == digest
    assert checksums({"a b": tmp_path / "a b"}) == f"{digest}  a b\n"
    assert parse_checksums(f"{digest}  a b\n\n") == {"a b": digest}


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code}}, "x")


def client(asked: str, made: str) -> Any:
    """One that refuses to show a bucket, and to make it."""

    def refuse(code: str) -> None:
        if code:
            raise refusal(code)

    return SimpleNamespace(head_bucket=lambda **_: refuse(asked), create_bucket=lambda **_: refuse(made))


@pytest.mark.parametrize(
    ("asked", "made"),
    [("", "AccessDenied"), ("404", ""), ("404", "BucketAlreadyExists"), ("404", "BucketAlreadyOwnedByYou")],
)
def test_a_bucket_that_is_there_or_that_another_has_just_made_is_fine(asked, made) -> None:
    make_bucket(client(asked, made), "bucket")


@pytest.mark.parametrize(("asked", "made"), [("403", ""), ("404", "AccessDenied")])
def test_a_bucket_that_is_refused_is_told(asked, made) -> None:
    with pytest.raises(ClientError):
        make_bucket(client(asked, made), "bucket")
