"""A proxy in the environment, as on company laptops: local addresses are reached without it."""

import os
import subprocess
import sys
from urllib.error import HTTPError
from urllib.request import urlopen

import httpx
import pytest

from brakepoint.proxies import EXCEPTIONS, LOOPBACK, PROXIES, proxies_set, spare_loopback
from brakepoint.web import LOCAL_HOSTS

NOBODY = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROXIES, "no_proxy"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
        monkeypatch.setenv(name.upper(), "")
        monkeypatch.delenv(name.upper())


def exceptions() -> set[str | None]:
    return {os.environ.get(name) for name in EXCEPTIONS}


def test_without_a_proxy_nothing_is_changed() -> None:
    spare_loopback()

    assert exceptions() == {None}


@pytest.mark.parametrize("name", [*PROXIES, *(name.upper() for name in PROXIES)])
def test_whichever_proxy_is_set_this_machine_is_spared_in_both_spellings(monkeypatch, name: str) -> None:
    monkeypatch.setenv(name, NOBODY)

    spare_loopback()

    assert proxies_set() == [name]
    assert exceptions() == {"127.0.0.1,localhost,::1"}


@pytest.mark.parametrize(
    ("small", "capital", "result"),
    [
        (".corp", None, ".corp,127.0.0.1,localhost,::1"),
        (None, " .corp , localhost", ".corp,localhost,127.0.0.1,::1"),
        (".corp", "10.0.0.1", ".corp,10.0.0.1,127.0.0.1,localhost,::1"),
        ("*", None, "*"),
        ("", " ", "127.0.0.1,localhost,::1"),
    ],
)
def test_what_was_excepted_already_stays_so(monkeypatch, small, capital, result: str) -> None:
    monkeypatch.setenv("HTTP_PROXY", NOBODY)
    for name, value in zip(EXCEPTIONS, (small, capital), strict=True):
        if value is not None:
            monkeypatch.setenv(name, value)

    spare_loopback()
    spare_loopback()

    assert exceptions() == {result}


def test_a_proxy_that_is_set_to_nothing_is_none(monkeypatch) -> None:
    monkeypatch.setenv("http_proxy", " ")

    spare_loopback()

    assert proxies_set() == []
    assert exceptions() == {None}


def test_loading_the_package_is_enough() -> None:
    environment = {**os.environ, "http_proxy": NOBODY}
    say = "import os, brakepoint; print(os.environ['NO_PROXY'])"

    said = subprocess.run([sys.executable, "-c", say], env=environment, capture_output=True, text=True)

    assert said.stdout == "127.0.0.1,localhost,::1\n"


def test_everything_that_counts_as_this_machine_is_spared() -> None:
    assert set(LOOPBACK) == set(LOCAL_HOSTS)


def test_the_local_store_is_reached_by_boto3_and_by_others(monkeypatch, tmp_path) -> None:
    pytest.importorskip("boto3")
    from brakepoint.store import Connection
    from brakepoint.store.embedded import serve_s3

    for name in ("http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, NOBODY)
    spare_loopback()

    with serve_s3(tmp_path / "store") as (endpoint, key, secret):
        Connection(endpoint, "bucket", key, secret).client.create_bucket(Bucket="bucket")
        with pytest.raises(HTTPError):
            urlopen(endpoint)
        assert "xml" in httpx.get(endpoint).headers["Content-Type"]
    assert (tmp_path / "store" / "bucket").is_dir()


def test_the_broker_is_reached(monkeypatch) -> None:
    paho = pytest.importorskip("paho.mqtt.client")
    monkeypatch.setenv("mqtt_proxy", NOBODY)
    spare_loopback()
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client._host = "127.0.0.1"

    assert client._get_proxy() is None
