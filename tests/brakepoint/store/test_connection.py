"""Which store is used, and its content, without any store."""

import hashlib
import os
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
    for name in ("AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN", "BRAKEPOINT_STORE"):
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


AROUND = ["{}\n", "  {}\t", "\r\n{}\r\n", "'{}'", '"{}"\n', "\ufeff{}", "\xa0{}", "\u200b {}"]


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("name", [*VARIABLES, "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN"])
def test_what_came_along_when_a_setting_was_copied_is_left_out(monkeypatch, name: str, around: str) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-3")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    expected = Connection.from_environment()

    monkeypatch.setenv(name, around.format({**VARIABLES, **os.environ}[name]))

    assert Connection.from_environment() == expected


@pytest.mark.parametrize("name", VARIABLES)
@pytest.mark.parametrize("nothing", ["", "\n", " ", "''"])
def test_a_variable_of_blanks_alone_is_named_as_missing(monkeypatch, name: str, nothing: str) -> None:
    monkeypatch.setenv(name, nothing)

    with pytest.raises(UserError, match=name):
        Connection.from_environment()


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_a_key_with_letters_that_no_key_has_is_named_and_not_shown(monkeypatch, name: str) -> None:
    monkeypatch.setenv(name, "clé-s3cret")

    with pytest.raises(UserError, match=name) as caught:
        Connection.from_environment()
    assert "s3cret" not in str(caught.value)


def test_a_key_that_is_lent_comes_with_its_token(monkeypatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "lent")
    store = Connection.from_environment()

    url = store.client.generate_presigned_url("get_object", {"Bucket": "bucket", "Key": "k"})

    assert "lent" in url
    assert "lent" not in repr(store)


@pytest.mark.parametrize(
    ("endpoint", "address"),
    [
        ("https://store/bucket", "https://store"),
        ("https://store:9000/bucket/", "https://store:9000"),
        ("https://store/other", "https://store/other"),
        ("https://store/", "https://store"),
        ("https://store/?list#x", "https://store"),
        ("https://bucket.s3.eu-west-3.amazonaws.com", "https://s3.eu-west-3.amazonaws.com"),
        ("https://bucket.example.org", "https://bucket.example.org"),
        ("store/bucket", "https://store"),
        ("http://[::1", "http://[::1"),
    ],
)
def test_the_bucket_in_the_address_of_the_store_is_not_named_twice(monkeypatch, endpoint, address) -> None:
    monkeypatch.setenv("AWS_S3_ENDPOINT", endpoint)

    assert Connection.from_environment().endpoint == address


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
    for written in (f"{digest}  a b\n\n", f"\ufeff{digest.upper()} *a b\r\n"):
        assert parse_checksums(written) == {"a b": digest}


@pytest.mark.parametrize("length", [63, 65])
def test_a_hash_of_another_length_is_none(length: int) -> None:
    with pytest.raises(ValueError, match="sha256sum"):
        parse_checksums(f"{'a' * length}  name")


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code}}, "x")


def client(asked: str, made: str) -> Any:
    """A client that may neither read nor create a bucket."""

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
def test_a_bucket_that_is_refused_is_reported(asked, made) -> None:
    with pytest.raises(ClientError):
        make_bucket(client(asked, made), "bucket")
