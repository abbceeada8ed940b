"""The `ble:` hub through bleak's own Linux backend, on a fake BlueZ, with all that may go wrong."""

import io
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from emulated_hub import PATIENCE_S, PATIENT, EmulatedHub
from fake_bluez import FakeBluez, bluez  # noqa: F401

from brakepoint.errors import UserError
from brakepoint.messages import Light, Order, OrderKind, Reason, SignClass
from brakepoint.train import ORDER_POWER
from stubs import ble_hub
from stubs.ble_hub import BluetoothHub
from stubs.heartbeat import Heartbeat
from stubs.lwp3 import BRAKE, Colour, DeviceType, Feedback, HubAction, HubKind, Port, VoltageAlert
from stubs.lwp3 import Action as HubActionKind

SHORT_S = 1.0
"""For what must not happen; a test that waits for something to fail waits so long."""
LOW_POWER = ORDER_POWER[OrderKind.LOW_SPEED]


def order(kind: OrderKind, light: Light = Light.ON, reason: Reason = Reason.CLEAR, at: float = 0) -> Order:
    return Order(kind=kind, reason=reason, light=light, at=at)


FULL, LOW = order(OrderKind.FULL_SPEED), order(OrderKind.LOW_SPEED)
DANGER = Order(
    kind=OrderKind.BRAKE, reason=Reason.DANGER_STOP, sign=SignClass.DANGER_AHEAD, light=Light.ON, at=1
)


def eventually(is_so: Callable[[], bool]) -> bool:
    """Waits until something is so."""
    until = time.monotonic() + PATIENCE_S
    while not is_so():
        if time.monotonic() > until:
            return False
        threading.Event().wait(0.002)
    return True


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(ble_hub, "BACK_OFF_S", (0.02, 0.1))


@pytest.fixture
def said() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def open_hub(bluez, said, tmp_path) -> Iterator[Callable[..., BluetoothHub]]:  # noqa: F811
    """Opens hubs, and closes them behind the test; each limit is generous, but for those that are named."""
    opened: list[BluetoothHub] = []

    def open_one(address: str = "", **limits: float) -> BluetoothHub:
        patience = replace(PATIENT, **limits)
        opened.append(BluetoothHub(address, said, patience, Heartbeat(tmp_path / "beat")))
        return opened[-1]

    yield open_one
    for hub in opened:
        hub.close()


@pytest.fixture
def train(bluez):  # noqa: F811
    return bluez.add(EmulatedHub())


def drive(hub: BluetoothHub, wanted: Order, now: float = 0.0) -> None:
    """Gives an order, lets the ramp end on the hub's clock, and waits until the hub has confirmed it."""
    hub.apply(wanted)
    for tick in range(16):
        hub.state(now + tick / 15)
    assert hub.wait_until_settled(PATIENCE_S)


def test_a_hub_that_was_found_stands_braked_and_waits(open_hub, train, said):
    hub = open_hub()
    hub.wait_until_settled(PATIENCE_S)

    state = hub.state(0)
    assert (state.speed_cm_s, state.braking) == (0, True)
    assert train.hub.is_braked
    assert train.hub.values[Port.RGB_LIGHT] == Colour.BLUE
    assert train.hub.address in said.getvalue()


def test_something_is_written_right_after_connecting(open_hub, train):
    open_hub()

    assert type(train.hub.written[0]).__name__ == "WatchBattery"


@pytest.mark.parametrize("written", ["90:84:2B:00:00:01", "90:84:2b:00:00:01"])
def test_a_hub_is_found_by_its_address_in_capitals_or_not(open_hub, bluez, train, written):  # noqa: F811
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


# What is not there, or is something else


def refused(open_hub, address: str = "", **limits: float) -> tuple[str, str]:
    with pytest.raises(UserError) as caught:
        open_hub(address, **limits)
    assert "\n" not in str(caught.value)
    return caught.value.key, str(caught.value)


def test_no_hub_in_reach(open_hub):
    assert refused(open_hub, find_s=SHORT_S)[0] == "hub.error.not_found"


def test_a_hub_that_is_switched_off(open_hub, train):
    train.is_on = False

    assert refused(open_hub, find_s=SHORT_S)[0] == "hub.error.not_found"


def test_only_a_remote_control_in_reach(open_hub, bluez):  # noqa: F811
    bluez.add(EmulatedHub(kind=HubKind.REMOTE_CONTROL))
    key, line = refused(open_hub, find_s=3 * SHORT_S)

    assert key == "hub.error.only_others"
    assert "remote control" in line


def test_the_address_of_a_remote_control(open_hub, bluez):  # noqa: F811
    remote = EmulatedHub(kind=HubKind.REMOTE_CONTROL)
    bluez.add(remote)

    assert refused(open_hub, remote.address)[0] == "hub.error.other_kind"


def test_two_hubs_and_no_address(open_hub, bluez, train):  # noqa: F811
    bluez.add(EmulatedHub("90:84:2B:00:00:02"))
    key, line = refused(open_hub)

    assert key == "hub.error.several"
    assert "ble:90:84:2B:00:00:01" in line and "90:84:2B:00:00:02" in line


def test_two_hubs_each_by_its_address(open_hub, bluez, train):  # noqa: F811
    other = bluez.add(EmulatedHub("90:84:2B:00:00:02"))
    first, second = open_hub(train.hub.address), open_hub(other.hub.address)
    drive(first, FULL)
    drive(second, LOW)

    assert (train.hub.motor, other.hub.motor) == (100, LOW_POWER)


@pytest.mark.parametrize("address", ["90:84", "the red one", "90-84-2B-00-00-01"])
def test_what_is_no_address(open_hub, address):
    assert refused(open_hub, address)[0] == "hub.error.address"


def test_bluetooth_is_switched_off(open_hub, bluez, train):  # noqa: F811
    bluez.is_powered = False

    assert refused(open_hub)[0] == "hub.error.no_bluetooth"


def test_no_bluetooth_at_all(open_hub, monkeypatch, tmp_path):
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/nobody")

    assert refused(open_hub)[0] == "hub.error.no_bluetooth"


@pytest.mark.parametrize("port", [Port.A, Port.B])
def test_nothing_plugged_in(open_hub, train, port):
    del train.hub.plugged[port]
    key, line = refused(open_hub, attach_s=SHORT_S, feedback_s=SHORT_S)

    assert key == "hub.error.port_empty"
    assert f"{port.name}: nothing plugged in" in line
    assert not train.is_connected


def test_light_and_motor_changed_over(open_hub, train):
    train.hub.plugged |= {Port.A: DeviceType.LIGHT, Port.B: DeviceType.TRAIN_MOTOR}
    key, line = refused(open_hub, attach_s=SHORT_S)

    assert key == "hub.error.port_wrong"
    assert "there is light" in line


def test_a_device_that_no_train_has(open_hub, train):
    train.hub.plugged[Port.A] = 0x0026

    assert "0x0026" in refused(open_hub, attach_s=SHORT_S)[1]


def test_a_hub_that_is_silent_from_the_start(open_hub, train):
    train.is_silent = True

    assert refused(open_hub, write_s=SHORT_S)[0] == "hub.error.connect"


# What goes wrong under way


def lost_and_found(hub: BluetoothHub, train, go_wrong: Callable[[], None], mend: Callable[[], None]) -> None:
    """A train under way, a trouble, and its end: it must be braked, wait, and obey the next order."""
    drive(hub, FULL)
    connects = train.connects
    train.is_on = False  # Else it might be back before anybody has looked.
    go_wrong()
    assert eventually(lambda: not hub.is_up)
    assert hub.state(2).braking
    hub.apply(FULL)
    mend()
    train.is_on = True
    assert eventually(lambda: hub.is_up)
    assert train.connects == connects + 1
    assert train.hub.is_braked
    assert hub.state(3).braking
    drive(hub, LOW, 3)
    assert train.hub.motor == LOW_POWER


def test_the_link_drops(open_hub, train, said):
    hub = open_hub()
    lost_and_found(hub, train, train.drop, lambda: None)

    assert "the link is down" in said.getvalue()


def test_the_link_drops_in_the_middle_of_a_ramp(open_hub, train):
    hub = open_hub()
    hub.apply(FULL)
    hub.state(0)
    hub.state(0.1)
    assert eventually(lambda: not train.hub.is_braked)
    train.drop()

    assert eventually(lambda: train.connects == 2 and hub.is_up)
    assert train.hub.is_braked


def test_the_hub_is_switched_off_and_on_again(open_hub, train, said):
    def stay_away() -> None:
        assert eventually(lambda: "Still no hub" in said.getvalue())

    hub = open_hub(find_s=3 * SHORT_S)
    lost_and_found(hub, train, train.switch_off, stay_away)


def test_the_hub_says_that_it_switches_off(open_hub, bluez, train, said):  # noqa: F811
    hub = open_hub()
    bluez.say(train.hub, HubAction(HubActionKind.WILL_SWITCH_OFF))

    assert eventually(lambda: "switched off" in said.getvalue())
    assert eventually(lambda: hub.is_up)


def test_radio_silence(open_hub, train, said):
    def fall_silent() -> None:
        train.is_silent = True

    def speak() -> None:
        train.is_silent = False

    hub = open_hub(write_s=3 * SHORT_S)
    lost_and_found(hub, train, fall_silent, speak)

    assert "no answer" in said.getvalue()


def test_an_order_without_feedback_is_given_again(open_hub, train):
    done = Feedback.DONE | Feedback.IDLE
    answers = iter([None])
    hub = open_hub(feedback_s=SHORT_S)
    hub.wait_until_settled(PATIENCE_S)
    train.hub.feedback = lambda sent: next(answers, done) if sent.port == Port.A else done
    hub.apply(DANGER)
    hub.apply(LOW)
    for tick in range(3):
        hub.state(tick)
    assert hub.wait_until_settled(PATIENCE_S)

    assert train.hub.motor == LOW_POWER
    assert hub.is_up


def test_feedback_that_never_comes_ends_the_link_and_the_ride(open_hub, train, said):
    def no_feedback() -> None:
        train.hub.feedback = lambda sent: None
        hub.apply(LOW)
        hub.state(1.1)

    def feedback() -> None:
        train.hub.feedback = lambda sent: Feedback.DONE | Feedback.IDLE

    hub = open_hub(feedback_s=SHORT_S)
    lost_and_found(hub, train, no_feedback, feedback)

    assert "not confirmed" in said.getvalue()


def test_a_discarded_order_is_given_again(open_hub, train):
    answers = iter([Feedback.DISCARDED | Feedback.IDLE])
    hub = open_hub()
    hub.wait_until_settled(PATIENCE_S)
    train.hub.feedback = lambda sent: next(answers, Feedback.DONE | Feedback.IDLE)
    hub.apply(LOW)
    hub.state(0)
    hub.state(1)

    assert hub.wait_until_settled(PATIENCE_S)
    assert train.hub.motor == LOW_POWER


def test_a_hub_that_discards_everything_is_let_go(open_hub, train, said):
    def discard() -> None:
        train.hub.feedback = lambda sent: Feedback.DISCARDED | Feedback.IDLE
        hub.apply(LOW)
        hub.state(1.1)

    def obey() -> None:
        train.hub.feedback = lambda sent: Feedback.DONE | Feedback.IDLE

    hub = open_hub()
    lost_and_found(hub, train, discard, obey)

    assert "discarded" in said.getvalue()


def test_the_motor_is_pulled_out(open_hub, bluez, train, said):  # noqa: F811
    hub = open_hub(attach_s=SHORT_S, feedback_s=SHORT_S)
    drive(hub, FULL)
    bluez.do(train.hub.unplug, Port.A)

    assert eventually(lambda: "port A was pulled out" in said.getvalue())
    assert eventually(lambda: "nothing plugged in" in said.getvalue())
    assert hub.state(2).braking


def test_a_low_battery_is_reported(open_hub, train, said):
    train.hub.battery_percent = 12
    open_hub()

    assert eventually(lambda: "12 %" in said.getvalue() and "batteries" in said.getvalue())


def test_low_voltage_brakes_and_holds(open_hub, bluez, train, said):  # noqa: F811
    hub = open_hub()
    drive(hub, FULL)
    bluez.say(train.hub, VoltageAlert(True))
    assert eventually(lambda: train.hub.is_braked)
    hub.apply(FULL)
    held = hub.state(2).braking
    bluez.say(train.hub, VoltageAlert(False))
    seconds = itertools.count(3, 2)

    def drives_again() -> bool:
        """Orders come at every picture; one that is given before the good news is heard is dropped."""
        drive(hub, FULL, next(seconds))
        return train.hub.motor == 100

    assert held
    assert "voltage is too low" in said.getvalue()
    assert eventually(drives_again)


def test_a_link_that_a_dead_process_left_behind_is_taken_over(open_hub, bluez, train):  # noqa: F811
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
