"""The `ble:` hub through bleak's own Linux backend, on a fake BlueZ: found, driven, and released."""

import atexit
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from ble_driving import DANGER, FULL, LOW, LOW_POWER, drive, eventually, order
from emulated_hub import EmulatedHub
from patience import PATIENCE_S

from brakepoint.locomotive import ORDER_POWER
from brakepoint.look import order_line
from brakepoint.messages import Light, OrderKind, Reason
from brakepoint.train_file import VARIABLE, Drive, TrainFile
from hardware import ble_hub
from hardware.lwp3 import BRAKE, VOLTS, Colour, Feedback, Port, PortValue, SetValue


def test_a_hub_that_was_found_stands_braked_and_waits(open_hub, train, said):
    hub = open_hub()
    hub.wait_until_settled(PATIENCE_S)

    state = hub.state(0)
    assert (state.speed_cm_s, state.braking) == (0, True)
    assert train.hub.is_braked
    assert train.hub.values[Port.RGB_LIGHT] == Colour.BLUE
    assert train.hub.address in said.getvalue()


def test_a_brake_is_written_right_after_connecting(open_hub, train):
    open_hub()

    assert train.hub.written[0] == SetValue(Port.A, BRAKE)


@pytest.mark.parametrize("written", ["90:84:2B:00:00:01", "90:84:2b:00:00:01"])
def test_a_hub_is_found_by_its_address_in_capitals_or_not(open_hub, bluez, train, written):
    other = bluez.add(EmulatedHub("90:84:2B:00:00:02"))
    open_hub(written)

    assert (train.connects, other.connects) == (1, 0)


def test_an_order_turns_the_motor_and_lights_the_light(open_hub, train):
    hub = open_hub()
    drive(hub, FULL)

    assert train.hub.motor == ORDER_POWER[OrderKind.FULL_SPEED]
    assert train.hub.values[Port.B] == 100
    assert train.hub.values[Port.RGB_LIGHT] == Colour.GREEN
    assert hub.state(2).speed_cm_s > 40


def test_an_order_is_printed_when_it_is_new_and_not_when_it_is_repeated(open_hub, train, said):
    hub = open_hub()
    at_rest = hub.state(0)
    blinking = FULL.model_copy(update={"light": Light.BLINK})
    for given in (FULL, FULL, blinking, blinking, DANGER, DANGER, FULL):
        hub.apply(given)

    new = [order_line(each, at_rest) for each in (FULL, blinking, DANGER, FULL)]
    assert [line for line in said.getvalue().splitlines() if line in new] == new


def test_power_rises_on_a_ramp_and_falls_at_once(open_hub, train):
    hub = open_hub()
    hub.apply(FULL)
    for tick in range(16):
        hub.state(tick / 30)
        hub.wait_until_settled(PATIENCE_S)
    rising = train.hub.orders(Port.A)
    drive(hub, LOW, 1)

    assert rising[0] == BRAKE
    assert rising[1:] == sorted(rising[1:])
    assert len(rising) > 5
    assert train.hub.orders(Port.A)[len(rising) :] == [LOW_POWER]


def test_danger_brakes_in_the_middle_of_a_ramp(open_hub, train):
    hub = open_hub()
    hub.apply(FULL)
    hub.state(0)
    hub.state(0.1)
    hub.wait_until_settled(PATIENCE_S)
    on_the_ramp = train.hub.motor
    hub.apply(DANGER)
    hub.wait_until_settled(PATIENCE_S)

    assert 0 < on_the_ramp < 100
    assert train.hub.is_braked
    assert train.hub.values[Port.RGB_LIGHT] == Colour.RED


def test_a_brake_does_not_wait_for_the_feedback_of_what_it_overtakes(open_hub, train):
    held = Feedback.BUSY
    hub = open_hub()
    train.hub.feedback = lambda sent: held if sent.value != BRAKE else Feedback.DONE | Feedback.IDLE
    hub.apply(FULL)
    hub.state(0)
    hub.state(0.1)
    assert eventually(lambda: not train.hub.is_braked)
    hub.apply(DANGER)

    assert eventually(lambda: train.hub.is_braked)
    assert hub.is_up


def test_a_blinking_headlight_blinks(open_hub, train):
    hub = open_hub()
    hub.apply(order(OrderKind.BRAKE, Light.BLINK, Reason.DANGER_STOP))
    for half_second in range(5):
        hub.state(half_second / 2)
        hub.wait_until_settled(PATIENCE_S)

    assert train.hub.orders(Port.B) == [0, 100, 0, 100, 0, 100]


def test_closing_brakes_first_and_then_disconnects(open_hub, train):
    hub = open_hub()
    drive(hub, FULL)
    hub.close()
    hub.close()

    assert train.hub.is_braked
    assert not train.is_connected
    assert not hub.is_up


def test_a_program_that_ends_without_closing_the_hub_brakes_the_train(open_hub, train, monkeypatch):
    at_exit: list[Callable[[], None]] = []
    monkeypatch.setattr(atexit, "register", at_exit.append)
    drive(open_hub(), FULL)
    for call in at_exit:
        call()

    assert train.hub.is_braked
    assert not train.is_connected


def test_a_link_that_a_dead_process_left_behind_is_taken_over(open_hub, bluez, train):
    bluez.do(train.answer, "Connect", [])
    train.hub.values[Port.A] = 100
    open_hub()

    assert train.hub.is_braked
    assert train.connects == 1


@contextmanager
def failing(error: type[BaseException]) -> Iterator[None]:
    with pytest.raises(error):
        yield


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_whatever_ends_the_driver_the_train_is_braked(open_hub, train, error):
    hub = open_hub()
    with failing(error):
        try:
            drive(hub, FULL)
            raise error
        finally:
            hub.close()

    assert train.hub.is_braked
    assert not train.is_connected


def test_the_hub_says_its_voltage_and_a_wavering_one_is_a_mean(open_hub, bluez, train):
    hub = open_hub()
    assert eventually(lambda: hub.volts is not None)
    assert hub.volts == pytest.approx(train.hub.volts, abs=0.01)

    bluez.say(train.hub, PortValue(Port.VOLTAGE, round(7.0 / VOLTS)))
    assert eventually(lambda: hub.volts is not None and hub.volts < train.hub.volts - 0.1)
    assert hub.volts == pytest.approx(0.8 * train.hub.volts + 0.2 * 7.0, abs=0.02)


@pytest.mark.parametrize("volts", [0.0, 1.0, 100.0])
def test_a_voltage_that_no_hub_has_is_no_measurement_and_changes_no_power(
    bluez, train, tmp_path, monkeypatch, volts
):
    path = tmp_path / "train.toml"
    TrainFile(drive=Drive(volts=9.0)).write(path, "")
    train.hub.volts = volts
    monkeypatch.setenv("BRAKEPOINT_HUB_HEARTBEAT", str(tmp_path / "beat"))
    hub = ble_hub.open_hub(f"?train={path}", None)
    try:
        drive(hub, LOW)
        assert hub.volts is None and train.hub.motor == LOW_POWER
        bluez.say(train.hub, PortValue(Port.VOLTAGE, round(9.0 / VOLTS)))
        assert eventually(lambda: hub.volts is not None)
        assert hub.volts == pytest.approx(9.0, abs=0.01)
    finally:
        hub.close()


@pytest.mark.parametrize("by", ["uri", "setting"])
def test_the_file_of_this_train_is_found_and_its_power_follows_the_voltage(
    bluez, train, tmp_path, monkeypatch, by
):
    path = tmp_path / "train.toml"
    TrainFile(drive=Drive(full_power=60, low_power=30, start_power=15, volts=9.0)).write(path, "")
    monkeypatch.setenv("BRAKEPOINT_HUB_HEARTBEAT", str(tmp_path / "beat"))
    monkeypatch.setenv(VARIABLE, str(path) if by == "setting" else "")
    hub = ble_hub.open_hub(f"?train={path}" if by == "uri" else "", None)
    try:
        assert eventually(lambda: hub.volts is not None)
        drive(hub, FULL)
        assert train.hub.motor == round(60 * 9.0 / (hub.volts or 0))
    finally:
        hub.close()


def test_who_measures_a_drive_has_it_driven_at_once(open_hub, train):
    hub = open_hub()
    drive(hub, FULL)
    hub.fit(Drive(full_power=70, low_power=30))
    drive(hub, FULL, now=2.0)

    assert train.hub.motor == 70
