import socket
import threading

import pytest

from brakepoint.errors import UserError
from brakepoint.services import ServiceSettings, address, broker, train_side
from brakepoint.services.bus import parse_broker
from brakepoint.services.metrics import offer_metrics
from brakepoint.sockets import LOCALHOST


def test_options_come_before_the_environment_and_that_before_the_defaults(monkeypatch):
    monkeypatch.setenv("BRAKEPOINT_FEED", "from-environment")
    monkeypatch.setenv("BRAKEPOINT_TRAIN_ID", "seven")

    settings = ServiceSettings.given(feed="from-option", steps="")

    assert (settings.feed, settings.train_id, settings.page) == (
        "from-option",
        "seven",
        ServiceSettings().page,
    )


def test_a_service_finds_the_settings_of_the_process_that_starts_it(monkeypatch):
    settings = ServiceSettings(broker="mqtt://me:secret@broker:1", feed="track-full")
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)

    assert ServiceSettings.given() == settings


def test_a_broker_is_a_url():
    assert parse_broker("mqtts://me:p%40ss@host") == ("host", 8883, "me", "p@ss", True)
    assert parse_broker("mqtt://host:1") == ("host", 1, None, None, False)


@pytest.mark.parametrize(
    "url",
    [
        "host:1883",
        "http://host",
        "mqtt://",
        "mqtt://me:secret@host:none",
        "mqtt://me:p@secret@host:none",
        "mqtt://me:p/secret@host:1883",
        "mqtt://me:p//secret@host:none",
        "me:secret@host:1883",
        "mqtt:me:secret@host",
        "mqtt://me:p\nsecret@host:none",
        "mqtt://me:secret@jetson..local",
        f"mqtt://{'h' * 64}.local",
    ],
)
def test_another_url_is_refused_without_showing_its_password(url):
    with pytest.raises(UserError) as refused:
        parse_broker(url)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "wrong",
    [
        "8000",
        ":8000",
        "host:",
        "host:http",
        "host:65536",
        "host:80000",
        "host:²",
        "host:١",
        f"host:{'9' * 5000}",
        "jetson..local:8000",
        f"{'h' * 64}.local:8000",
    ],
)
def test_an_address_is_host_and_port(wrong):
    with pytest.raises(UserError):
        address(wrong)


@pytest.mark.parametrize(
    "host", ["::1", "[::1]", "localhost", "0.0.0.0", "jetson.local.", "elève-1.fr", "a_b"]
)
def test_a_host_is_a_name_or_a_number(host):
    assert address(f"{host}:8000") == (host, 8000)


@pytest.mark.parametrize("port", [0, 8000, 65535])
def test_every_port_that_there_is_belongs_to_an_address(port):
    assert address(f"host:{port}") == ("host", port)


@pytest.mark.parametrize(
    ("camera", "shown", "is_recorded"),
    [
        ("", "track-full", True),
        ("video:", "track-full", True),
        ("video:other", "other", True),
        ("csi:0", "csi:0", False),
    ],
)
def test_a_real_camera_stands_in_for_the_feed(camera, shown, is_recorded):
    settings = ServiceSettings(camera=camera, feed="track-full")

    assert (settings.shown, settings.is_recorded) == (shown, is_recorded)


@pytest.mark.parametrize("shown", ["f" * 201, "track\nstop.mp4", "track\u200bstop.mp4", "track\udcff.mp4"])
@pytest.mark.parametrize("setting", ["feed", "camera"])
def test_what_no_message_can_name_is_refused_before_a_service_starts(setting, shown):
    with pytest.raises(UserError, match="200"):
        _ = ServiceSettings(**{setting: shown}).shown


def test_a_long_path_with_spaces_and_accents_can_be_shown():
    path = "/home/élève/mes vidéos/".ljust(196, "x") + ".mp4"
    assert ServiceSettings(feed=path).shown == path


def test_a_detector_may_serve_several_trains():
    assert [each.train_id for each in ServiceSettings(train_id="a, b,c").of_each_train] == ["a", "b", "c"]


def listen_for_orders(host, port):
    train_side.run(ServiceSettings(link=f"{host}:{port}"), threading.Event())


def listen_as_broker(host, port):
    broker.run(ServiceSettings(broker=f"mqtt://{host}:{port}"), threading.Event())


@pytest.mark.parametrize("listen", [offer_metrics, listen_for_orders, listen_as_broker])
def test_a_taken_address_is_one_clear_line(listen):
    told = pytest.raises(UserError, match=r"127\.0\.0\.1.*in use")
    with socket.create_server((LOCALHOST, 0)) as taken, told:
        listen(*taken.getsockname())
