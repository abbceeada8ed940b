"""What people really configure as a store: its console, its HTTP port, a busy one, a private certificate."""

import datetime
import ipaddress
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("boto3")

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from brakepoint.errors import UserError
from brakepoint.proxies import EXCEPTIONS
from brakepoint.store import Connection, friendly_errors
from brakepoint.store.client import ATTEMPTS, ATTEMPTS_TO_REACH
from brakepoint.store.connection import object_store
from brakepoint.store.fetching import fetch_content
from brakepoint.texts import languages
from solutions import step1_dataset

HTML = {"Content-Type": "text/html; charset=utf-8"}
XML = {"Content-Type": "application/xml"}
Answer = tuple[int, dict[str, str], bytes]
LISTING = b'<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"></ListBucketResult>'


class Store(ThreadingHTTPServer):
    """Gives the answers that a test sets; `asked` counts the requests."""

    def __init__(self, answer: Callable[[int], Answer]) -> None:
        store = self
        self.asked = 0
        lock = threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1

            def handle_one(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                with lock:
                    store.asked += 1
                    number = store.asked
                status, headers, body = answer(number)
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_GET = do_PUT = do_HEAD = do_POST = handle_one  # noqa: N815

            def log_message(self, *args: object) -> None:
                """Logs nothing."""

        super().__init__(("127.0.0.1", 0), Handler)

    def handle_error(self, *args: object) -> None:
        """Ignores clients that hang up because they do not trust the certificate."""


@pytest.fixture
def serve() -> Iterator[Callable[..., Store]]:
    servers = []

    def start(status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> Store:
        return start_with(lambda _: (status, headers or {}, body))

    def start_with(answer: Callable[[int], Answer]) -> Store:
        servers.append(Store(answer))
        threading.Thread(target=servers[-1].serve_forever, args=(0.01,), daemon=True).start()
        return servers[-1]

    start.with_answer = start_with  # type: ignore[attr-defined]
    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause between two attempts, and no settings."""
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda seconds: None))
    for name in ("AWS_S3_ENDPOINT", "BRAKEPOINT_STORE", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


def at(store: Store, scheme: str = "http") -> Connection:
    return Connection(f"{scheme}://127.0.0.1:{store.server_port}", "bucket", "key", "secret")


OPERATIONS: dict[str, dict[str, object]] = {
    "list_objects_v2": {},
    "get_object": {"Key": "k"},
    "put_object": {"Key": "k", "Body": b"x"},
    "head_bucket": {},
}


def refusal(connection: Connection, operation: str = "list_objects_v2") -> UserError:
    with pytest.raises(UserError) as caught, friendly_errors(connection.endpoint, connection.bucket):
        getattr(connection.client, operation)(Bucket=connection.bucket, **OPERATIONS[operation])
    return caught.value


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_store_that_sends_us_elsewhere_is_reported_with_where(serve, status: int, operation: str) -> None:
    store = serve(
        status, {"Location": "https://store.corp/bucket?list-type=2", **HTML}, b"<html>moved</html>"
    )

    told = refusal(at(store), operation)

    assert told.key == "store.error.redirects"
    assert "https://store.corp." not in str(told) and "https://store.corp" in str(told)


def test_a_bucket_that_has_moved_for_good_is_reported_with_where(serve) -> None:
    moved = b"<Error><Code>PermanentRedirect</Code><Endpoint>bucket.s3.eu.example.org</Endpoint></Error>"

    told = refusal(at(serve(301, XML, moved)))

    assert told.key == "store.error.redirects"
    assert "bucket.s3.eu.example.org" in str(told)


def test_the_redirection_reaches_the_person_who_makes_a_dataset(serve, tmp_path) -> None:
    connection = at(serve(307, {"Location": "https://store.corp/"}))

    with pytest.raises(UserError, match=r"redirects to https://store\.corp,"):
        fetch_content(connection, step1_dataset, tmp_path, lambda done, total: None)


def test_a_download_by_the_attendee_s_own_function_reports_it_too(serve, tmp_path) -> None:
    connection = at(serve(302, {"Location": "https://store.corp/"}))
    item = step1_dataset.StoredObject("k", 1)

    with pytest.raises(UserError, match="redirects"), friendly_errors(connection.endpoint, "bucket"):
        step1_dataset.download(connection.client, "bucket", item, None, tmp_path / "k")


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("status", [200, 403, 404, 405, 407, 500])
def test_a_web_page_is_not_a_store(serve, status: int, operation: str) -> None:
    assert refusal(at(serve(status, HTML, b"<!doctype html>")), operation).key == "store.error.web_page"


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (503, XML, b"<Error><Code>SlowDown</Code></Error>"),
        (503, HTML, b"<html>Application is not available</html>"),
        (429, XML, b"<Error><Code>TooManyRequests</Code></Error>"),
    ],
)
def test_a_store_that_stays_busy_is_reported(serve, status: int, headers: dict, body: bytes) -> None:
    assert refusal(at(serve(status, headers, body))).key == "store.error.busy"


def test_a_store_that_is_busy_for_a_moment_is_asked_again(serve) -> None:
    slow: Answer = (503, XML, b"<Error><Code>SlowDown</Code></Error>")
    store = serve.with_answer(lambda number: slow if number < ATTEMPTS else (200, XML, LISTING))

    assert at(store).client.list_objects_v2(Bucket="bucket")["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert store.asked == ATTEMPTS == 5


def test_many_requests_survive_that_each_fifth_is_put_off(serve) -> None:
    slow: Answer = (503, XML, b"<Error><Code>SlowDown</Code></Error>")
    store = serve.with_answer(lambda number: (200, XML, LISTING) if number % 5 else slow)
    client = at(store).client

    for _ in range(80):
        client.list_objects_v2(Bucket="bucket")
    assert store.asked == 99


def test_an_absent_store_is_reported_after_two_attempts_with_the_variable_that_is_set(
    serve, monkeypatch
) -> None:
    asked = []
    connection = Connection("http://127.0.0.1:9", "bucket", "key", "secret")
    connection.client.meta.events.register("before-send.s3", lambda **_: asked.append(1))

    assert refusal(connection).key == "store.error.ours_silent"
    assert len(asked) == ATTEMPTS_TO_REACH == 2

    monkeypatch.setenv("BRAKEPOINT_STORE", "http://127.0.0.1:9")
    assert "Check BRAKEPOINT_STORE," in str(refusal(connection))
    monkeypatch.setenv("AWS_S3_ENDPOINT", "http://127.0.0.1:9")
    assert "Check AWS_S3_ENDPOINT," in str(refusal(connection))


def test_a_proxy_that_does_not_answer_is_named(monkeypatch) -> None:
    for name in EXCEPTIONS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")

    told = refusal(Connection("http://store.example.org", "bucket", "key", "secret"))

    assert told.key == "store.error.proxy"
    assert "HTTP_PROXY" in str(told)


@pytest.mark.parametrize(
    ("status", "code", "key"),
    [
        (403, "RequestTimeTooSkewed", "clock"),
        (403, "SecondLevelDomainForbidden", "virtual_only"),
        (403, "AccessDenied", "refused"),
        (401, "401", "refused"),
        (400, "ExpiredTokenException", "refused"),
        (404, "NoSuchBucket", "no_bucket"),
        (507, "XMinioStorageFull", "other"),
    ],
)
def test_what_the_store_says_is_put_into_words(serve, status: int, code: str, key: str) -> None:
    store = serve(status, XML, f"<Error><Code>{code}</Code><Message>m</Message></Error>".encode())

    assert refusal(at(store)).key == f"store.error.{key}"


@pytest.mark.parametrize(("operation", "key"), [("get_object", "no_object"), ("put_object", "other")])
def test_only_what_is_read_can_be_missing(serve, operation: str, key: str) -> None:
    assert refusal(at(serve(404)), operation).key == f"store.error.{key}"


def test_the_region_that_the_store_asks_for_is_named(serve) -> None:
    body = b"<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-3</Region></Error>"

    assert "AWS_DEFAULT_REGION=eu-west-3" in str(refusal(at(serve(400, XML, body))))


def test_http_where_https_is_wanted_is_distinguished_from_the_reverse(serve) -> None:
    go = serve(400, {"Content-Type": "text/plain"}, b"Client sent an HTTP request to an HTTPS server.\n")

    assert refusal(at(go)).key == "store.error.wants_tls"
    assert refusal(at(serve(200), "https")).key == "store.error.no_tls"


def make_certificate(folder: Path, first_day: int = -1, last_day: int = 1) -> Path:
    """A file with a key and its self-signed certificate, which is valid on some days from now."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "store.corp")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now + datetime.timedelta(days=first_day))
        .not_valid_after(now + datetime.timedelta(days=last_day))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    path = folder / "store.pem"
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    secret = key.private_bytes(serialization.Encoding.PEM, *form)
    path.write_bytes(secret + signed.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


def encrypt(store: Any, certificate: Path) -> Connection:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    store.socket = context.wrap_socket(store.socket, server_side=True)
    return at(store, "https")


@pytest.fixture
def encrypted(serve, certificate) -> Connection:
    return encrypt(serve(200, XML, LISTING), certificate)


@pytest.mark.parametrize(
    ("days", "why"), [((-9, -2), "certificate has expired"), ((2, 9), "certificate is not yet valid")]
)
def test_a_certificate_that_does_not_hold_now_names_the_clock(
    serve, tmp_path, monkeypatch, days, why
) -> None:
    path = make_certificate(tmp_path, *days)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(path))
    told = refusal(encrypt(serve(200, XML, LISTING), path))

    assert told.key == "store.error.certificate_time"
    assert f"{datetime.datetime.now():%Y-%m-%d}" in str(told) and why in str(told)


def test_a_certificate_of_its_own_is_reported_and_trusted_once_it_is_named(
    encrypted, certificate, monkeypatch
) -> None:
    told = refusal(encrypted)
    assert told.key == "store.error.certificate"
    assert "self-signed certificate. Save" in str(told)

    monkeypatch.setenv("AWS_CA_BUNDLE", f" {certificate}\n")
    again = Connection(encrypted.endpoint, "bucket", "key", "secret")
    assert again.client.list_objects_v2(Bucket="bucket")["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_authorities_that_are_not_there_are_reported_and_matter_to_https_alone(serve, monkeypatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/corp.pem")
    store = serve(200, XML, LISTING)

    assert at(store).client.list_objects_v2(Bucket="bucket")
    assert "REQUESTS_CA_BUNDLE names /nowhere/corp.pem," in str(refusal(at(store, "https")))


STRAY = {
    "AWS_PROFILE": "ghost",
    "AWS_DEFAULT_PROFILE": "ghost",
    "AWS_RETRY_MODE": "bogus",
    "AWS_MAX_ATTEMPTS": "many",
    "AWS_DEFAULTS_MODE": "bogus",
    "AWS_USE_FIPS_ENDPOINT": "true",
    "AWS_USE_DUALSTACK_ENDPOINT": "true",
    "AWS_ENDPOINT_URL": "http://elsewhere.example.org",
    "AWS_ENDPOINT_URL_S3": "http://elsewhere.example.org",
    "AWS_STS_REGIONAL_ENDPOINTS": "bogus",
    "AWS_S3_US_EAST_1_REGIONAL_ENDPOINT": "bogus",
    "AWS_ACCOUNT_ID_ENDPOINT_MODE": "bogus",
    "AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES": "few",
    "AWS_REQUEST_CHECKSUM_CALCULATION": "bogus",
    "AWS_DEFAULT_REGION": "not a region",
    "AWS_CA_BUNDLE": "/nowhere/corp.pem",
    "AWS_DATA_PATH": "/nowhere",
    "AWS_CONFIG_FILE": "BROKEN",
    "AWS_SHARED_CREDENTIALS_FILE": "BROKEN",
    "AWS_ACCESS_KEY_ID": "of another store",
    "AWS_SESSION_TOKEN": "of another store",
}


@pytest.mark.parametrize("name", STRAY)
def test_the_store_beside_us_needs_none_of_the_settings_that_are_there_for_other_tools(
    serve, monkeypatch, tmp_path, name: str
) -> None:
    broken = tmp_path / "config"
    broken.write_bytes(b"[default\xff\nnonsense")
    monkeypatch.setenv(name, STRAY[name].replace("BROKEN", str(broken)))
    store = serve(200, XML, LISTING)
    monkeypatch.setenv("BRAKEPOINT_STORE", f"127.0.0.1:{store.server_port}\n")
    monkeypatch.setattr("brakepoint.store.connection.is_seeded", lambda client, bucket: True)

    with object_store() as connection:
        assert connection.client.list_objects_v2(Bucket="bucket")
    assert store.asked == 1


def test_a_folder_where_the_settings_of_other_tools_should_be_matters_to_nobody(
    serve, monkeypatch, tmp_path
) -> None:
    (tmp_path / ".aws" / "config").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path))

    assert at(serve(200, XML, LISTING)).client.list_objects_v2(Bucket="bucket")


@pytest.mark.parametrize(
    ("style", "url"), [("", "/bucket/k"), ("path", "/bucket/k"), ("virtual", "//bucket.")]
)
def test_the_bucket_is_named_where_the_store_wants_it(monkeypatch, style: str, url: str) -> None:
    monkeypatch.setenv("AWS_S3_ADDRESSING_STYLE", style)
    client = Connection("https://store.example.org", "bucket", "key", "secret").client

    made = client.generate_presigned_url("get_object", {"Bucket": "bucket", "Key": "k"})

    assert url in made.partition("?")[0]


@pytest.mark.parametrize(
    ("field", "value", "key"),
    [
        ("endpoint", "http://", "address"),
        ("endpoint", "s3://bucket", "address"),
        ("endpoint", "ftp://store", "address"),
        ("endpoint", "http://store:99999", "address"),
        ("endpoint", "http://store:port", "address"),
        ("endpoint", "http://[::1", "address"),
        ("endpoint", "http://store:9000/?a=b", "address"),
        ("bucket", "My Bucket/x", "bucket_name"),
        ("region", "not a region", "region"),
    ],
)
def test_a_setting_that_cannot_be_a_store_s_is_named_in_every_language(
    monkeypatch, field: str, value: str, key: str
) -> None:
    for lang in languages():
        monkeypatch.setenv("BRAKEPOINT_LANG", lang)
        named = {"endpoint": "http://127.0.0.1:9", "bucket": "bucket", "region": "us-east-1", field: value}
        told = refusal(Connection(**named, access_key="key", secret_key="secret"))
        assert told.key == f"store.error.{key}"
        assert value in str(told)


def test_an_unknown_addressing_is_named(monkeypatch) -> None:
    monkeypatch.setenv("AWS_S3_ADDRESSING_STYLE", "auto")

    told = refusal(Connection("http://127.0.0.1:9", "bucket", "key", "secret"))
    assert told.key == "store.error.addressing"
