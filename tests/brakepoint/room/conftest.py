import random
import socket
from pathlib import Path

import pytest

from brakepoint.room import accounts
from brakepoint.room.config import EmbeddedSettings, Room


def free_ports(count: int) -> int:
    """The first of so many free ports in a row, drawn by chance: other tests draw at the same time."""
    for first in random.sample(range(21000, 30000, count), 100):
        probes = [socket.socket() for _ in range(count)]
        try:
            for number, probe in enumerate(probes):
                probe.bind(("127.0.0.1", first + number))
            return first
        except OSError:
            continue
        finally:
            for probe in probes:
                probe.close()
    raise AssertionError("no free ports")


@pytest.fixture
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BRAKEPOINT_LANG", "en")
    monkeypatch.setattr(accounts, "HASH_ROUNDS", 4)
    return tmp_path


@pytest.fixture
def small_room(in_folder: Path) -> Room:
    settings = EmbeddedSettings(port=free_ports(1))
    return Room(name="spring", attendees=2, handles=("anna", "bela"), store=settings)
