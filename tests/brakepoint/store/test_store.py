"""The object store: the kit's own server, and everything that can go wrong with any store."""

import errno
import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import pytest
from patience import PATIENCE_S

pytest.importorskip("boto3")

from brakepoint.cli import run
from brakepoint.errors import UserError
from brakepoint.labels.label_studio_export import read_export
from brakepoint.labels.yolo import read_signs
from brakepoint.messages import SignClass
from brakepoint.store import CONTENT_DIR, Connection, embedded, fetching, friendly_errors, seed
from brakepoint.store import content as contents
from brakepoint.store.building import build_dataset, draw_samples
from brakepoint.store.content import make_bucket, sha256
from brakepoint.store.fetching import fetch_content
from solutions import step1_dataset


def quiet(done: int, total: int) -> None:
    """Shows no progress."""


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Iterator[Connection]:
    with embedded.serve_s3(tmp_path_factory.mktemp("store") / "s3") as (endpoint, key, secret):
        connection = Connection(endpoint, "brakepoint", key, secret)
        seed(connection.client, connection.bucket)
        yield connection


def test_a_port_that_another_store_takes_meanwhile_is_left_to_it(tmp_path, monkeypatch) -> None:
    with embedded.serve_s3(tmp_path / "one") as (endpoint, _, _):
        taken = int(endpoint.rpartition(":")[2])
        monkeypatch.setattr(embedded, "USUAL_PORT", taken)
        monkeypatch.setattr(embedded, "is_free", lambda host, port: True)
        with embedded.serve_s3(tmp_path / "other") as (other, key, secret):
            assert other != endpoint
            assert Connection(other, "brakepoint", key, secret).client.list_buckets()["Buckets"] == []


def test_hidden_files_of_other_programs_are_no_content_of_the_kit(tmp_path, monkeypatch) -> None:
    wanted = {"stills/one.jpg", "stills/a.b.txt", "read.me"}
    for name in (*wanted, ".DS_Store", "stills/.DS_Store", ".ipynb_checkpoints/one.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.setattr(contents, "CONTENT_DIR", tmp_path)

    assert {key for key in contents.content() if not key.startswith("base-model/")} == wanted


def test_objects_outside_of_folders_are_fetched_each_once(tmp_path, monkeypatch) -> None:
    (tmp_path / "kit" / "stills").mkdir(parents=True)
    for name in ("one", "one.more", "stills/two"):
        (tmp_path / "kit" / name).write_text(name)
    monkeypatch.setattr(contents, "CONTENT_DIR", tmp_path / "kit")
    monkeypatch.setattr(contents, "BASE_CHECKPOINT", tmp_path / "none")
    monkeypatch.setattr(contents, "BASE_MODEL", tmp_path / "none")
    told: list[tuple[int, int]] = []
    with embedded.serve_s3(tmp_path / "s3") as (endpoint, key, secret):
        connection = Connection(endpoint, "brakepoint", key, secret)
        seed(connection.client, connection.bucket)
        assert (
            fetch_content(connection, step1_dataset, tmp_path / "out", lambda *done: told.append(done)) == 3
        )

    assert told[-1] == (3, 3)
    assert (tmp_path / "out" / "one.more").read_text() == "one.more"


def test_one_server_is_started_and_no_second_one(tmp_path, monkeypatch) -> None:
    started: list[int] = []

    @contextmanager
    def run_server(root: str, address: tuple[str, int], *_: object) -> Iterator[None]:
        started.append(address[1])
        yield

    monkeypatch.setattr(embedded, "run_server", run_server)
    monkeypatch.setattr(embedded, "is_free", lambda host, port: True)
    with embedded.serve_s3(tmp_path / "s3") as (endpoint, _, _):
        assert endpoint.endswith(f":{embedded.USUAL_PORT}")
    assert started == [embedded.USUAL_PORT]


def pictures() -> list[Path]:
    return sorted((CONTENT_DIR / "stills" / "images").glob("*.jpg"))


def test_the_bucket_gets_the_whole_dataset_and_the_base_model(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(contents, "BASE_CHECKPOINT", tmp_path / "base.pt")
    (tmp_path / "base.pt").write_bytes(b"weights")

    files = contents.content()

    assert "base-model/base.pt" in files
    assert {f"stills/images/{picture.name}" for picture in pictures()} < set(files)
    assert {path.parts[-1] for path in CONTENT_DIR.rglob("*.*")} <= {Path(key).name for key in files}


def test_a_bucket_with_other_content_is_refilled(store, monkeypatch) -> None:
    assert contents.is_seeded(store.client, store.bucket)

    monkeypatch.setattr(contents, "content", lambda: {"stills/one.jpg": pictures()[0]})

    assert not contents.is_seeded(store.client, store.bucket)


def test_everything_arrives_and_a_rerun_completes_what_is_missing(store, tmp_path) -> None:
    files = contents.content()
    progress: list[tuple[int, int]] = []
    assert fetch_content(store, step1_dataset, tmp_path, lambda *news: progress.append(news)) == len(files)
    assert progress == [(done, len(files)) for done in range(len(files) + 1)]
    assert fetch_content(store, step1_dataset, tmp_path, quiet) == 0
    assert {key: sha256(tmp_path / key) for key in files} == {k: sha256(path) for k, path in files.items()}

    (tmp_path / "stills" / "images" / pictures()[0].name).unlink()
    (tmp_path / "stills" / "images" / pictures()[1].name).write_bytes(b"damaged")

    assert fetch_content(store, step1_dataset, tmp_path, quiet) == 2
    assert not list(tmp_path.rglob("*.part*"))


def test_the_listing_asks_again_until_there_is_no_more(store) -> None:
    for number in range(1005):
        store.client.put_object(Bucket=store.bucket, Key=f"many/{number}", Body=b"")

    assert len(step1_dataset.list_objects(store.client, store.bucket, "many/")) == 1005


def test_a_dataset_never_has_a_scene_on_both_sides(tmp_path) -> None:
    dataset = build_dataset(CONTENT_DIR / "stills", step1_dataset, tmp_path)
    scenes = [
        {step1_dataset.scene_of(path.name) for path in (tmp_path / side / "images").iterdir()}
        for side in ("train", "val")
    ]

    assert dataset.training > dataset.validation > 0
    assert dataset.unlabelled > 0
    assert all(scenes) and not scenes[0] & scenes[1]
    assert draw_samples(tmp_path / "train").shape == (960, 1920, 3)


def test_labels_keep_the_boxes_inside_their_pictures(tmp_path) -> None:
    build_dataset(CONTENT_DIR / "stills", step1_dataset, tmp_path)

    assert all(read_signs(label, tuple(SignClass)) is not None for label in tmp_path.rglob("*.txt"))


def test_a_picture_decodes() -> None:
    picture = cv2.imread(str(pictures()[0]))
    assert picture is not None and picture.shape == (480, 640, 3)


def refusal(connection: Connection, folder: Path) -> str:
    with pytest.raises(UserError) as caught:
        fetch_content(connection, step1_dataset, folder, quiet)
    return caught.value.key


def test_a_wrong_endpoint_is_reported(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("AWS_S3_ENDPOINT", "what is wrong")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    assert refusal(Connection(f"http://127.0.0.1:{port}", "b", "k", "s"), tmp_path) == "store.error.endpoint"
    for no_address in ("http://", "http://my_store:9000", "http://a b"):
        assert refusal(Connection(no_address, "b", "k", "s"), tmp_path) == "store.error.address"


def test_a_wrong_secret_is_reported(store, tmp_path) -> None:
    thief = Connection(store.endpoint, store.bucket, store.access_key, "guessed")

    assert refusal(thief, tmp_path) == "store.error.refused"


def test_a_missing_bucket_is_reported(store, tmp_path) -> None:
    other = Connection(store.endpoint, "not-there", store.access_key, store.secret_key)

    assert refusal(other, tmp_path) == "store.error.no_bucket"


def test_an_empty_bucket_is_reported(store, tmp_path) -> None:
    store.client.create_bucket(Bucket="empty")
    empty = Connection(store.endpoint, "empty", store.access_key, store.secret_key)

    assert refusal(empty, tmp_path) == "store.error.no_object"


def test_a_bucket_from_which_an_object_is_gone_is_reported(store, tmp_path) -> None:
    client, bucket = store.client, "half-empty"
    client.create_bucket(Bucket=bucket)
    client.put_object(Bucket=bucket, Key="a/here", Body=b"")
    digest = sha256(Path("/dev/null"))
    names = "".join(f"{digest}  {name}\n" for name in ("a/here", "a/lost", "b/lost"))
    client.put_object(Bucket=bucket, Key="SHA256SUMS", Body=names.encode())

    with pytest.raises(UserError, match=r"lacks 2 of the kit's 3 objects, for instance a/lost"):
        fetch_content(
            Connection(store.endpoint, bucket, store.access_key, store.secret_key),
            step1_dataset,
            tmp_path,
            quiet,
        )


@pytest.mark.parametrize("body", [b'{"a": 1}', b"\xff\xfe", b"abc  stills/x.jpg", b"one two\nthree"])
def test_checksums_of_something_else_are_reported(store, tmp_path, body: bytes) -> None:
    make_bucket(store.client, "others")
    store.client.put_object(Bucket="others", Key="SHA256SUMS", Body=body)
    others = Connection(store.endpoint, "others", store.access_key, store.secret_key)

    assert refusal(others, tmp_path) == "store.error.other_checksums"


@pytest.mark.parametrize(
    "keys",
    [
        (),
        ("../x",),
        ("a/..",),
        (".",),
        ("/etc/x",),
        ("a//b",),
        ("a/./b",),
        ("a/",),
        ("a\\b",),
        ("a\0",),
        ("a", "a/b"),
    ],
)
def test_checksums_of_keys_that_are_no_places_for_files_are_refused_before_anything_is_written(
    store, tmp_path, keys: tuple[str, ...]
) -> None:
    sums = "".join(f"{sha256(Path('/dev/null'))}  {key}\n" for key in keys)
    make_bucket(store.client, "places")
    store.client.put_object(Bucket="places", Key="SHA256SUMS", Body=sums.encode())
    others = Connection(store.endpoint, "places", store.access_key, store.secret_key)

    assert refusal(others, tmp_path / "in") == "store.error.other_checksums"
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_reported() -> None:
    with pytest.raises(UserError, match="disk is full"), friendly_errors("http://store", "b"):
        raise OSError(errno.ENOSPC, "No space left on device")


class Truncating(BaseHTTPRequestHandler):
    """Promises a thousand bytes and sends ten."""

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.send_header("ETag", '"x"')
        self.end_headers()

    def do_GET(self) -> None:
        self.do_HEAD()
        self.wfile.write(b"0123456789")
        self.close_connection = True

    def log_message(self, *args: object) -> None:
        """Logs nothing."""


def test_a_download_that_breaks_off_is_reported_and_leaves_nothing(tmp_path) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Truncating)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    connection = Connection(f"http://127.0.0.1:{server.server_port}", "b", "k", "s")
    item = step1_dataset.StoredObject("stills/x.jpg", 1000)

    with pytest.raises(UserError) as caught, friendly_errors(connection.endpoint, "b"):
        step1_dataset.download(connection.client, "b", item, None, tmp_path / "x.jpg")
    server.shutdown()

    assert caught.value.key == "store.error.cut_short"
    assert list(tmp_path.iterdir()) == []


def test_an_object_with_another_hash_is_thrown_away(store, tmp_path) -> None:
    item = step1_dataset.list_objects(store.client, store.bucket, "stills/images/")[0]

    with pytest.raises(UserError, match="damaged"):
        step1_dataset.download(store.client, store.bucket, item, "0" * 64, tmp_path / "x.jpg")
    assert list(tmp_path.iterdir()) == []


RECTANGLE = {
    "type": "rectanglelabels",
    "original_width": 640,
    "original_height": 480,
    "value": {"x": 1, "y": 1, "width": 5, "height": 5, "rectanglelabels": ["Cat"]},
}


@pytest.mark.parametrize(
    ("content", "key"),
    [
        ("not json", "store.error.other_project"),
        ("{}", "store.error.other_project"),
        ("[]", "store.error.other_project"),
        ([{"data": {"text": "a review"}, "annotations": []}], "store.error.other_project"),
        (
            [{"data": {"image": "x.jpg"}, "annotations": [{"result": [{"type": "choices"}]}]}],
            "store.error.other_project",
        ),
        (
            [
                {
                    "data": {"image": "x.jpg"},
                    "annotations": [
                        {"completed_by": 1, "updated_at": "2026-01-01T00:00:00Z", "result": [RECTANGLE]}
                    ],
                }
            ],
            "error.label_class",
        ),
    ],
)
def test_the_export_of_another_project_is_reported(tmp_path, content, key) -> None:
    path = tmp_path / "annotations.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))

    with pytest.raises(UserError) as caught:
        read_export(path)
    assert caught.value.key == key


def test_half_a_data_connection_is_reported(monkeypatch, capsys) -> None:
    monkeypatch.setenv("AWS_S3_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.delenv("AWS_S3_BUCKET", raising=False)

    assert run(["store", "seed"]) == 2
    assert "AWS_S3_BUCKET" in capsys.readouterr().err


def test_the_whole_step_needs_no_network(tmp_path, monkeypatch, capsys) -> None:
    connect = socket.socket.connect

    def connect_at_home(self: socket.socket, address: tuple) -> None:
        assert address[0] in ("127.0.0.1", "localhost"), address
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect_at_home)
    monkeypatch.delenv("AWS_S3_ENDPOINT", raising=False)
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")
    monkeypatch.chdir(tmp_path)

    assert run(["dataset", "--steps", "solutions"]) == 0
    assert "Pictures for training" in capsys.readouterr().out
    assert (tmp_path / "runs" / "dataset" / "samples.jpg").is_file()


def test_a_gap_that_is_still_open_is_reported(tmp_path, monkeypatch, capsys) -> None:
    def not_yet(*arguments: object) -> None:
        raise NotImplementedError

    monkeypatch.setattr(step1_dataset, "list_objects", not_yet)
    monkeypatch.delenv("AWS_S3_ENDPOINT", raising=False)
    monkeypatch.chdir(tmp_path)

    assert run(["dataset", "--steps", "solutions"]) == 2
    assert "brakepoint check" in capsys.readouterr().err


def test_after_an_error_the_downloads_that_have_not_begun_are_left_out(store, tmp_path, monkeypatch) -> None:
    begun: list[str] = []
    left_out = threading.Event()

    class Pool(ThreadPoolExecutor):
        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
            super().shutdown(wait=False, cancel_futures=cancel_futures)
            left_out.set()
            super().shutdown(wait)

    def download(client, bucket, item, digest, target) -> None:
        begun.append(item.key)
        if len(begun) == 1:
            raise OSError(errno.ENOSPC, "no space")
        assert left_out.wait(PATIENCE_S)

    monkeypatch.setattr(fetching, "ThreadPoolExecutor", Pool)
    monkeypatch.setattr(step1_dataset, "download", download)

    with pytest.raises(UserError, match="disk is full"):
        fetch_content(store, step1_dataset, tmp_path, quiet)
    assert len(begun) <= fetching.WORKERS + 1 < len(contents.content())
