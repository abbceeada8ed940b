"""The `ble:` hub on a fake BlueZ, with a train in range."""

import io
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from emulated_hub import PATIENT, EmulatedHub
from patience import PATIENCE_S

from hardware import ble_hub
from hardware.ble_hub import BluetoothHub
from hardware.heartbeat import Heartbeat


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(ble_hub, "BACK_OFF_S", (0.02, 0.1))


class Said(io.StringIO):
    """What the hubs have printed; reading it waits until their threads have printed everything."""

    def __init__(self, hubs: list[BluetoothHub]) -> None:
        super().__init__()
        self._hubs = hubs

    def getvalue(self) -> str:
        for hub in self._hubs:
            hub._speaker.flush(PATIENCE_S)
        return super().getvalue()


@pytest.fixture
def opened() -> list[BluetoothHub]:
    """The hubs that the test has opened."""
    return []


@pytest.fixture
def said(opened) -> Said:
    return Said(opened)


@pytest.fixture
def open_hub(bluez, impatient, opened, said, tmp_path) -> Iterator[Callable[..., BluetoothHub]]:
    """Opens hubs, and closes them after the test; each limit is generous except the given ones."""

    def open_one(address: str = "", **limits: float) -> BluetoothHub:
        patience = replace(PATIENT, **limits)
        opened.append(BluetoothHub(address, said, patience, Heartbeat(tmp_path / f"beat{len(opened)}")))
        return opened[-1]

    yield open_one
    for hub in opened:
        hub.close()


@pytest.fixture
def train(bluez):
    return bluez.add(EmulatedHub())
