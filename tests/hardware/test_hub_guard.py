"""The guard and the heartbeat that it watches."""

import asyncio
import json
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from ble_driving import LOW_POWER
from emulated_hub import PATIENT, EmulatedHub
from patience import PATIENCE_S
from typer.testing import CliRunner

from brakepoint.cli import build_app
from brakepoint.cli import run as run_command
from brakepoint.texts import text
from hardware import hub_guard
from hardware.heartbeat import FAREWELL, VARIABLE, Heartbeat
from hardware.hub_guard import guard
from hardware.lwp3 import BRAKE, DeviceType, Port, SetValue

pytestmark = pytest.mark.live

SILENCE_S = 0.5


@pytest.fixture
def beat_file(tmp_path) -> Path:
    return tmp_path / "hub"


@pytest.fixture
def train(bluez):
    """A moving train, on a link that outlives the program that opened it."""
    device = bluez.add(EmulatedHub())
    bluez.do(device.answer, "Connect", [])
    device.hub.values[Port.A] = 100
    return device


class Told(list):
    """The output of the guard, which is ended at the line `last`; each line is passed on."""

    def __init__(self, last: str, stopping: asyncio.Event, heard):
        self._last, self._stopping, self._heard = last, stopping, heard

    def __call__(self, key: str, **values: object) -> None:
        self.append(key)
        self._heard(key)
        if key == self._last:
            self._stopping.set()


async def watch_until(
    last: str, path: Path, during=None, heard=lambda key: None, limits=PATIENT
) -> list[str]:
    stopping = asyncio.Event()
    told = Told(last, stopping, heard)
    async with asyncio.timeout(PATIENCE_S):
        work = asyncio.create_task(during(stopping)) if during else None
        await guard(path, stopping, told, limits, SILENCE_S)
        if work:
            await work
    return told


def test_a_driver_that_falls_silent_has_its_train_braked_and_its_hub_freed(beat_file, train):
    Heartbeat(beat_file).beat(train.hub.address)
    told = asyncio.run(watch_until("braked", beat_file))

    assert told == ["watching", "guarding", "silent", "braked"]
    assert train.hub.is_braked
    assert not train.is_connected


def test_an_error_within_the_radios_library_is_a_reason_to_try_again(beat_file, train, monkeypatch):
    errors: list[Exception] = [KeyError("/org/bluez/hci0/dev_90"), AssertionError()]
    find = hub_guard.find_hub

    async def find_hub(*how):
        if errors:
            raise errors.pop(0)
        return await find(*how)

    monkeypatch.setattr(hub_guard, "find_hub", find_hub)
    monkeypatch.setattr(hub_guard, "TRY_AGAIN_S", 0.0)
    Heartbeat(beat_file).beat(train.hub.address)
    told = asyncio.run(watch_until("braked", beat_file))

    assert told == ["watching", "guarding", *["silent", "failed"] * 2, "silent", "braked"]
    assert train.hub.is_braked


def test_a_driver_that_lives_is_left_alone(beat_file, train):
    async def live(stopping: asyncio.Event) -> None:
        for _ in range(40):
            Heartbeat(beat_file).beat(train.hub.address)
            await asyncio.sleep(SILENCE_S / 20)
        Heartbeat(beat_file).end()
        await asyncio.sleep(2 * SILENCE_S)
        stopping.set()

    assert asyncio.run(watch_until("", beat_file, live)) == ["watching", "guarding", "relieved"]
    assert train.hub.motor == 100


def test_a_heartbeat_that_vanishes_is_silence(beat_file, train):
    Heartbeat(beat_file).beat(train.hub.address)

    def vanish(key: str) -> None:
        if key == "guarding":
            beat_file.unlink()

    told = asyncio.run(watch_until("braked", beat_file, heard=vanish))

    assert told == ["watching", "guarding", "silent", "braked"]
    assert train.hub.is_braked


def test_the_guard_takes_up_its_duty_again_when_the_driver_returns(beat_file, train):
    Heartbeat(beat_file).beat(train.hub.address)
    told: list[str] = []

    async def come_back(stopping: asyncio.Event) -> None:
        while "braked" not in told:
            await asyncio.sleep(0.01)
        Heartbeat(beat_file).beat(train.hub.address)
        while told.count("guarding") < 2:
            await asyncio.sleep(0.01)
        Heartbeat(beat_file).end()

    everything = asyncio.run(watch_until("relieved", beat_file, come_back, told.append))
    assert everything == ["watching", "guarding", "silent", "braked", "guarding", "relieved"]


def test_the_guard_does_not_say_braked_while_someone_has_the_motor_turn_again(beat_file, bluez, train):
    Heartbeat(beat_file).beat(train.hub.address)
    turns: list[int] = []

    async def turn_again(stopping: asyncio.Event) -> None:
        """A driver that the guard does not know: it repeats its order as long as it has the link."""
        while train.is_connected and train.hub.motor == 100:
            await asyncio.sleep(0.001)
        while train.is_connected:
            turns.append(1)
            await asyncio.to_thread(bluez.do, train.hub.hear, SetValue(Port.A, 100).encode())
            await asyncio.sleep(0.05)

    at_the_word: list[int] = []

    def heard(key: str) -> None:
        if key == "braked":
            at_the_word.append(train.hub.motor)

    told = asyncio.run(watch_until("braked", beat_file, turn_again, heard))

    assert told == ["watching", "guarding", "silent", "failed", "silent", "braked"]
    assert len(turns) >= 3
    assert at_the_word == [BRAKE]


def test_a_train_out_of_reach_is_braked_when_it_comes_back(beat_file, bluez, train):
    train.switch_off()
    Heartbeat(beat_file).beat(train.hub.address)

    def come_back(key: str) -> None:
        train.is_on = key == "failed" or train.is_on

    soon = replace(PATIENT, find_s=1)
    told = asyncio.run(watch_until("braked", beat_file, heard=come_back, limits=soon))

    assert told[:4] == ["watching", "guarding", "silent", "failed"]
    assert told[-2:] == ["silent", "braked"]
    assert train.hub.is_braked


DRIVER = """
    import time
    from brakepoint.adapters import open_hub
    from brakepoint.messages import Order, OrderKind, Reason

    hub = open_hub("ble:")
    began_at = time.monotonic()
    while True:
        now = time.monotonic() - began_at
        hub.apply(Order(kind=OrderKind.FULL_SPEED, reason=Reason.CLEAR, at=now))
        hub.state(now)
        time.sleep(0.03)
"""


def until(is_so) -> None:
    """Waits until a condition holds."""
    began_at = time.monotonic()
    while not is_so():
        assert time.monotonic() - began_at < PATIENCE_S, "it did not come to pass"
        time.sleep(0.01)


@pytest.fixture
def processes(bluez, beat_file, monkeypatch):
    """Starts programs on the fake radio, and ends them after the test."""
    monkeypatch.setenv(VARIABLE, str(beat_file))
    started: list[subprocess.Popen] = []

    def start(*arguments: str) -> subprocess.Popen:
        started.append(subprocess.Popen([sys.executable, *arguments], stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hanging"])
def test_a_real_driver_is_ended_and_the_real_guard_brakes_its_train(bluez, processes, ending):
    device = bluez.add(EmulatedHub())
    driver = processes("-c", textwrap.dedent(DRIVER))
    until(lambda: device.hub.motor == 100)
    watcher = processes("-m", "brakepoint", "hub", "guard")
    for line in watcher.stdout:
        if device.hub.address in line:
            break
    driver.send_signal(ending)

    until(lambda: device.hub.is_braked)
    until(lambda: not device.is_connected)


def test_a_driver_whose_loop_hangs_brakes_and_the_guard_reports_it_correctly(bluez, processes):
    """Its radio still works, and repeats the motor's power."""
    device = bluez.add(EmulatedHub())
    hangs = textwrap.dedent(DRIVER).replace("while True", "while time.monotonic() < began_at + 2")
    processes("-c", hangs + "time.sleep(600)")
    until(lambda: device.hub.motor == 100)
    watcher = processes("-m", "brakepoint", "--lang", "en", "hub", "guard")
    for line in watcher.stdout:
        if "is braked" in line:
            break
    said_at = len(device.hub.written)

    assert device.hub.is_braked
    time.sleep(1.5)
    assert {sent.value for sent in motor_orders(device, said_at)} <= {BRAKE}


def motor_orders(device, since: int) -> list[SetValue]:
    return [sent for sent in device.hub.written[since:] if isinstance(sent, SetValue) and sent.port == Port.A]


def test_a_driver_is_killed_whose_sign_of_life_went_with_the_session(bluez, processes, tmp_path, monkeypatch):
    folder = tmp_path / "run"
    monkeypatch.setenv(VARIABLE, str(folder / "hub"))
    device = bluez.add(EmulatedHub())
    driver = processes("-c", textwrap.dedent(DRIVER))
    until(lambda: device.hub.motor == 100)
    watcher = processes("-m", "brakepoint", "hub", "guard")
    for line in watcher.stdout:
        if device.hub.address in line:
            break
    driver.kill()
    driver.wait()
    shutil.rmtree(folder)

    until(lambda: device.hub.is_braked)


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGHUP])
def test_a_driver_that_is_asked_to_end_brakes_by_itself(bluez, processes, beat_file, told):
    device = bluez.add(EmulatedHub())
    driver = processes("-c", textwrap.dedent(DRIVER))
    until(lambda: device.hub.motor == 100)
    driver.send_signal(told)
    driver.wait(PATIENCE_S)

    assert device.hub.is_braked
    assert not device.is_connected
    assert beat_file.read_text() == FAREWELL


def test_the_hubs_in_reach_are_listed(bluez, capsys):
    bluez.add(EmulatedHub())

    assert run_command(["--lang", "en", "hub", "find"]) == 0
    assert "ble:90:84:2B:00:00:01  City hub" in capsys.readouterr().out


def test_a_trial_moves_the_train_and_leaves_it_braked(bluez, capsys, beat_file, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(beat_file))
    monkeypatch.setattr("brakepoint.cli.hub.TRY_S", 0.6)
    device = bluez.add(EmulatedHub())

    assert run_command(["--lang", "en", "hub", "try"]) == 0
    assert device.hub.orders(Port.A)[0] == device.hub.orders(Port.A)[-1] == BRAKE
    assert len(device.hub.orders(Port.A)) > 2
    assert "Did it move forward" in capsys.readouterr().out


@pytest.mark.parametrize("runs_on", [True, False])
def test_an_owner_finds_out_what_the_hub_does_without_its_link(bluez, tmp_path, monkeypatch, runs_on):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("hardware.link_loss.TURN_S", 0.1)
    device = bluez.add(EmulatedHub())
    seen: list[tuple[int, bool]] = []

    def confirm(question: str, abort: bool = False) -> bool:
        seen.append((device.hub.motor, device.is_connected))
        return abort or runs_on

    monkeypatch.setattr("typer.confirm", confirm)
    assert run_command(["--lang", "en", "hub", "try", "--link-loss"]) == 0

    assert seen == [(0, False), (LOW_POWER, False), (LOW_POWER, True)]
    assert device.hub.is_braked
    found_out = json.loads((tmp_path / "runs/link-loss.json").read_text())
    assert found_out["hub"] == device.hub.address
    assert found_out["turns_on"] == {"hung_up": runs_on, "out_of_reach": runs_on}


def test_a_trial_of_a_lost_link_that_is_broken_off_leaves_the_train_braked(bluez, monkeypatch):
    monkeypatch.setattr("hardware.link_loss.TURN_S", 0.1)
    device = bluez.add(EmulatedHub())

    def confirm(question: str, abort: bool = False) -> bool:
        if not abort:
            raise typer.Abort
        return True

    monkeypatch.setattr("typer.confirm", confirm)
    assert run_command(["--lang", "en", "hub", "try", "--link-loss"]) != 0
    assert device.hub.orders(Port.A) == [BRAKE, LOW_POWER, BRAKE]


def test_a_trial_of_a_lost_link_gives_no_power_to_what_is_not_a_motor(bluez, monkeypatch, capsys):
    monkeypatch.setattr("hardware.link_loss.LIMITS", replace(PATIENT, attach_s=0.1))
    monkeypatch.setattr("typer.confirm", lambda question, abort=False: True)
    device = bluez.add(EmulatedHub(plugged={Port.A: DeviceType.LIGHT}))

    assert run_command(["--lang", "en", "hub", "try", "--link-loss"]) == 2
    assert device.hub.orders(Port.A) == [BRAKE]
    assert not device.is_connected
    assert text("hub.device.light", "en") in capsys.readouterr().err


def test_the_commands_say_what_they_are_for():
    shown = CliRunner().invoke(build_app(), ["hub", "--help"]).output

    assert all(command in shown for command in ("find", "try", "guard"))
