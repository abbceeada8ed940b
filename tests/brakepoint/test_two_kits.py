"""Two kits on one machine, at once: neither gets in the other's way, or the conflict is reported."""

import socket
import threading
from pathlib import Path

import pytest
from fastapi import FastAPI

from brakepoint.errors import UserError
from brakepoint.places import PACKAGES
from brakepoint.services import ServiceSettings
from brakepoint.services.supervisor import _with_ports
from brakepoint.sockets import LOCALHOST, free_port
from brakepoint.web.server import served

SHARED_PLACES = ("gettempdir", '"/tmp')
"""What names a place that all kits of a machine have in common."""
MEANT_FOR_ALL = {"hardware/heartbeat.py"}
"""Says which hub is in use, which another kit has to know."""


def test_the_services_of_two_kits_choose_ports_of_their_own() -> None:
    chosen = [_with_ports(ServiceSettings()) for _ in range(20)]

    assert len({settings.link for settings in chosen} | {settings.broker for settings in chosen}) == 40


def test_a_page_where_another_kit_has_one_is_refused_and_another_place_is_named() -> None:
    with socket.create_server((LOCALHOST, 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(UserError) as refused, served(FastAPI(), LOCALHOST, port):
            pytest.fail("two pages at one place")

    assert refused.value.key == "cli.error.page"
    assert f"{LOCALHOST}:{port}: Address already in use" in str(refused.value)
    assert f"--page {LOCALHOST}:{port + 1}" in str(refused.value)


@pytest.mark.parametrize("host", [LOCALHOST, "localhost", "::1", "[::1]"])
def test_a_page_is_there_as_soon_as_it_is_announced_and_gone_in_the_end(host: str) -> None:
    port, before = free_port(), set(threading.enumerate())
    with served(FastAPI(), host, port), socket.create_connection((host.strip("[]"), port)):
        pass
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host.strip("[]"), port))
    assert not set(threading.enumerate()) - before


def test_a_page_at_a_place_that_there_is_not_is_refused() -> None:
    with pytest.raises(UserError, match="--page"), served(FastAPI(), "no.such.host.invalid", 8000):
        pytest.fail("it was served")


def test_no_file_is_in_a_place_that_all_kits_share_but_for_what_says_who_has_the_hub() -> None:
    modules = [
        path
        for package in ("brakepoint", "hardware", "footage", "solutions", "stubs")
        for path in (PACKAGES / package).rglob("*.py")
    ]
    found = {
        path.relative_to(PACKAGES).as_posix()
        for path in modules
        if any(place in path.read_text(encoding="utf-8") for place in SHARED_PLACES)
    }

    assert Path(PACKAGES, "hardware/heartbeat.py") in modules
    assert found == MEANT_FOR_ALL
