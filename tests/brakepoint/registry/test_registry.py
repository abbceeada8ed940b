"""The model registry: nothing in it is ever incomplete."""

import io
import json
import time
from contextlib import suppress
from datetime import datetime
from itertools import count
from pathlib import Path

import pytest

pytest.importorskip("boto3")

from onnx_models import NAMES, raw_output, save_constant_model
from rich.console import Console

from brakepoint.cli import run
from brakepoint.cli.model import as_table
from brakepoint.errors import UserError
from brakepoint.registry.bucket import INCOMING, Registry
from brakepoint.registry.names import COPY_KEY
from brakepoint.registry.version import Version
from brakepoint.store import Connection
from brakepoint.store.embedded import EMBEDDED_BUCKET, serve_s3


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serve_s3(tmp_path_factory.mktemp("registry") / "s3") as server:
        yield server


@pytest.fixture
def store(server, request) -> Connection:
    """A bucket for each test."""
    return Connection(server[0], f"b{abs(hash(request.node.name))}", server[1], server[2])


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return save_constant_model(tmp_path / "model.onnx", raw_output(), names=NAMES)


def other(model: Path) -> Path:
    sign = (1.0, 2.0, 9.0, 9.0, 0.5, 0.1)
    return save_constant_model(model.with_name("other.onnx"), raw_output(sign), names=NAMES)


def keys(store: Connection) -> list[str]:
    answer = store.client.list_objects_v2(Bucket=store.bucket, Prefix="models/")
    return [item["Key"] for item in answer.get("Contents", ())]


def test_a_published_model_comes_back_with_what_is_known_about_it(store, model, tmp_path) -> None:
    registry = Registry(store)

    registry.publish(model)
    published = registry.publish(other(model), {"track": 0.9}, data="d", code="c")

    assert [version.number for version in registry.versions()] == [1, 2]
    assert registry.version(2) == published
    fetched = registry.fetch(2, tmp_path / "cache")
    assert fetched.read_bytes() == other(model).read_bytes()
    assert registry.fetch(2, tmp_path / "cache") == fetched
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [fetched.name]


def test_publishing_alone_puts_nothing_into_production(store, model) -> None:
    registry = Registry(store)
    registry.publish(model)

    assert registry.production().number is None


def test_a_rollback_goes_back_one_promotion_at_a_time(store, model) -> None:
    registry = Registry(store)
    for _ in range(3):
        registry.promote(registry.publish(model).number)
    registry.promote(3)  # Once more changes nothing.

    assert [registry.rollback(), registry.rollback()] == [2, 1]
    assert registry.production().number == 1
    with pytest.raises(UserError) as caught:
        registry.rollback()
    assert caught.value.key == "registry.error.nothing_before"
    assert len(registry.versions()) == 3


def test_what_is_in_production_lies_where_a_server_without_pointers_looks(store, model) -> None:
    registry = Registry(store)
    for path in (model, other(model)):
        registry.promote(registry.publish(path).number)

    def copy() -> bytes:
        return store.client.get_object(Bucket=store.bucket, Key=COPY_KEY)["Body"].read()

    assert copy() == other(model).read_bytes()
    registry.rollback()
    assert copy() == model.read_bytes()


@pytest.mark.parametrize(
    ("operation", "call"), [("put_object", 1), ("get_object", 2), ("copy_object", 1), ("put_object", 2)]
)
def test_a_publication_that_breaks_off_leaves_no_version(store, model, monkeypatch, operation, call) -> None:
    registry = Registry(store)
    registry.promote(registry.publish(model).number)

    calls, really = count(1), getattr(store.client, operation)

    def break_off(**arguments: object) -> object:
        if next(calls) == call:
            raise KeyboardInterrupt
        return really(**arguments)

    with monkeypatch.context() as patch:
        patch.setattr(store.client, operation, break_off)
        with pytest.raises(KeyboardInterrupt):
            registry.publish(other(model))

    assert [version.number for version in registry.versions()] == [1]
    assert registry.production().number == 1
    assert registry.publish(other(model)).number == 2
    assert not [key for key in keys(store) if key.startswith(INCOMING)]


def test_what_does_not_arrive_whole_is_not_a_version(store, model, monkeypatch) -> None:
    put = store.client.put_object

    def put_half(Body, **arguments: object) -> None:  # noqa: N803
        put(Body=Body.read()[:100], **arguments)

    monkeypatch.setattr(store.client, "put_object", put_half)
    with pytest.raises(UserError) as caught:
        Registry(store).publish(model)

    assert caught.value.key == "registry.error.damaged"
    assert Registry(store).versions() == []


def test_a_version_that_was_changed_is_not_fetched(store, model, tmp_path) -> None:
    registry = Registry(store)
    registry.publish(model)
    store.client.put_object(Bucket=store.bucket, Key="models/track/1/model.onnx", Body=b"other")

    with pytest.raises(UserError) as caught:
        registry.fetch(1, tmp_path / "cache")

    assert caught.value.key == "registry.error.damaged"
    assert list((tmp_path / "cache").iterdir()) == []


def test_what_is_not_a_model_is_not_published(store, tmp_path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"no model")

    with pytest.raises(UserError) as caught:
        Registry(store).publish(tmp_path / "model.onnx")

    assert caught.value.key == "error.model_unreadable"


def test_a_description_that_is_none_is_reported(store, model) -> None:
    Registry(store).publish(model)
    store.client.put_object(Bucket=store.bucket, Key="models/track/1/version.json", Body=b"{}")

    with pytest.raises(UserError) as caught:
        Registry(store).versions()
    assert caught.value.key == "registry.error.broken"


@pytest.mark.parametrize(
    "told",
    [
        {"number": 2},
        {"metrics": {"track": float("nan")}},
        {"metrics": {"track": 1.5}},
        {"published_at": "9999-12-31T23:59:59-12:00"},
        {"published_at": "0001-01-01T00:00:00Z"},
        {"published_at": "2026-01-01T00:00:00"},
    ],
    ids=["number", "not a number", "metric", "last day", "first day", "no zone"],
)
def test_a_description_of_what_cannot_be_is_refused_and_never_promoted(store, model, told: dict) -> None:
    registry = Registry(store)
    described = json.loads(registry.publish(model).model_dump_json())
    key = "models/track/1/version.json"
    store.client.put_object(Bucket=store.bucket, Key=key, Body=json.dumps(described | told).encode())

    for attempt in (registry.versions, lambda: registry.promote(1)):
        with pytest.raises(UserError, match=key) as caught:
            attempt()
        assert caught.value.key == "registry.error.broken"
    assert registry.production().number is None


@pytest.mark.parametrize("folder", ["007", "-1", "old/7", "x"])
def test_what_others_store_beside_the_versions_is_not_a_version(store, model, folder: str) -> None:
    registry = Registry(store)
    described = registry.publish(model).model_copy(update={"number": 7})
    body = described.model_dump_json().encode()
    store.client.put_object(Bucket=store.bucket, Key=f"models/track/{folder}/version.json", Body=body)

    assert [version.number for version in registry.versions()] == [1]
    assert registry.publish(model).number == 2


@pytest.mark.parametrize(
    ("removed", "key"),
    [("model.onnx", "registry.error.no_model"), ("version.json", "registry.error.no_version")],
)
def test_a_version_of_which_something_was_removed_is_not_put_into_production(
    store, model, tmp_path, removed: str, key: str
) -> None:
    registry = Registry(store)
    for published in (model, other(model)):
        registry.promote(registry.publish(published).number)
    store.client.delete_object(Bucket=store.bucket, Key=f"models/track/1/{removed}")

    for attempt in (
        registry.rollback,
        lambda: registry.promote(1),
        lambda: registry.fetch(1, tmp_path / "c"),
    ):
        with pytest.raises(UserError) as caught:
            attempt()
        assert caught.value.key == key
    assert registry.production().history == (1, 2)


def test_a_model_that_was_changed_is_not_put_into_production(store, model) -> None:
    registry = Registry(store)
    registry.publish(model)
    store.client.put_object(Bucket=store.bucket, Key="models/track/1/model.onnx", Body=b"another")

    with pytest.raises(UserError) as caught:
        registry.promote(1)

    assert caught.value.key == "registry.error.damaged"
    assert COPY_KEY not in keys(store)


def test_the_number_of_a_version_in_production_is_not_given_to_another(store, model) -> None:
    registry = Registry(store)
    registry.promote(registry.publish(model).number)
    for name in ("model.onnx", "version.json"):
        store.client.delete_object(Bucket=store.bucket, Key=f"models/track/1/{name}")

    assert registry.publish(model).number == 2


def test_fingerprints_are_listed_as_they_are_written_without_what_controls_a_terminal(store, model) -> None:
    version = Registry(store).publish(model, data="[/]\x1b[2J", code="[bold]a")
    shown = io.StringIO()

    Console(file=shown, width=200).print(as_table([version], None))

    assert "[/]?[2J  [bold]a" in shown.getvalue()


def wait_for_production(registry: Registry, number: int | None) -> None:
    """Polls as a server does: a file that is being rewritten may be unreadable for a moment."""
    deadline = time.monotonic() + 20
    found = None
    while found != number and time.monotonic() < deadline:
        with suppress(UserError):
            found = registry.production().number
    assert found == number


def test_two_servers_of_one_folder_see_each_others_promotions(tmp_path, model) -> None:
    folder = tmp_path / "s3"
    with serve_s3(folder) as one, serve_s3(folder) as two:
        here, there = (Registry(Connection(e, "shared", key, secret)) for e, key, secret in (one, two))
        for path in (model, other(model)):
            here.promote(here.publish(path).number)
            wait_for_production(there, here.production().number)
        here.rollback()
        wait_for_production(there, 1)


def test_the_commands_tell_what_they_did(tmp_path, model, server, monkeypatch, capsys) -> None:
    for name, value in (
        ("AWS_S3_ENDPOINT", server[0]),
        ("AWS_S3_BUCKET", EMBEDDED_BUCKET),
        ("AWS_ACCESS_KEY_ID", server[1]),
        ("AWS_SECRET_ACCESS_KEY", server[2]),
        ("BRAKEPOINT_LANG", "en"),
    ):
        monkeypatch.setenv(name, value)

    assert run(["model", "list"]) == 0
    assert "empty" in capsys.readouterr().out
    for number in ("1", "2"):
        assert run(["model", "publish", str(model)]) == 0
        assert run(["model", "promote", number]) == 0
    assert run(["model", "rollback"]) == 0
    assert "Version 1 is in production" in capsys.readouterr().out
    assert run(["--lang", "fr", "model", "list"]) == 0
    assert "●" in capsys.readouterr().out
    assert run(["model", "promote", "7"]) == 2
    assert "1, 2" in capsys.readouterr().err


def test_a_version_is_listed_with_three_decimals_its_fingerprints_and_a_dash_for_what_is_unknown(
    monkeypatch,
) -> None:
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")
    published = datetime(2026, 2, 3, 14, 5).astimezone()
    by_hand = Version(number=1, sha256="a" * 64, size_bytes=1, published_at=published)
    trained = by_hand.model_copy(
        update={"number": 12, "metrics": {"track": 0.81236}, "data": "12345678ab", "code": "abcdefgh12"}
    )
    table = as_table([by_hand, trained], 12)

    assert [list(row) for row in zip(*(column.cells for column in table.columns), strict=True)] == [
        ["", "1", "2026-02-03 14:05", "–", "–", "–", "–"],
        ["[green]●[/]", "12", "2026-02-03 14:05", "0.812", "–", "12345678", "abcdefgh"],
    ]
