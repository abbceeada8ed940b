"""The `ble:` hub, when something other than the link fails: it is braked, or the part is ignored."""

import io
import itertools
import shutil
import threading
import time

import pytest
from ble_driving import DANGER, FULL, LOW, LOW_POWER, SHORT_S, drive, eventually, order
from emulated_hub import EmulatedHub
from patience import PATIENCE_S

from brakepoint.errors import UserError
from brakepoint.messages import Light, OrderKind, TrainState
from hardware.ble_hub import BluetoothHub
from hardware.claims import claim
from hardware.heartbeat import Heartbeat
from hardware.lwp3 import (
    BRAKE,
    Action,
    AskVoltage,
    Attached,
    Colour,
    DeviceType,
    Feedback,
    HubAction,
    HubError,
    HubKind,
    Port,
    SetMode,
    SetValue,
    WatchBattery,
    WatchVoltage,
)
from hardware.powered_up import CONNECT_AGAIN_S

DONE = Feedback.DONE | Feedback.IDLE
WATCHDOG_S = 0.2


def keeps_driving(hub: BluetoothHub, train, now: float = 3) -> None:
    """The link is the same as before, and orders are carried out over it."""
    drive(hub, LOW, now)
    assert train.hub.motor == LOW_POWER
    assert train.connects == 1
    assert hub.is_up


def test_a_light_that_is_pulled_out_costs_neither_the_link_nor_the_drive(open_hub, bluez, train, said):
    hub = open_hub()
    drive(hub, FULL)
    bluez.do(train.hub.unplug, Port.B)

    assert eventually(lambda: "Port B: no light" in said.getvalue())
    assert train.hub.motor == 100
    keeps_driving(hub, train)


def test_what_is_unplugged_from_another_port_is_not_taken_for_the_light(open_hub, bluez, train, said):
    open_hub()
    train.hub.plugged[Port.VOLTAGE] = DeviceType.LIGHT
    bluez.do(train.hub.unplug, Port.VOLTAGE)
    bluez.do(train.hub.unplug, Port.B)

    assert eventually(lambda: "Port B: no light" in said.getvalue())
    assert said.getvalue().count("Port B: no light") == 1


def test_a_light_that_is_plugged_in_again_is_lit_again(open_hub, bluez, train):
    hub = open_hub()
    drive(hub, FULL)
    bluez.do(train.hub.unplug, Port.B)
    train.hub.values[Port.B] = 0
    train.hub.plugged[Port.B] = DeviceType.LIGHT
    bluez.say(train.hub, Attached(Port.B, DeviceType.LIGHT))

    assert eventually(lambda: train.hub.values[Port.B] == 100)
    keeps_driving(hub, train)


def test_a_train_without_a_light_drives_without_one(open_hub, train, said):
    del train.hub.plugged[Port.B]
    hub = open_hub(attach_s=SHORT_S)
    keeps_driving(hub, train)

    assert eventually(lambda: "Port B: no light" in said.getvalue())
    assert SetValue(Port.B, 100) not in train.hub.written


def test_a_motor_at_the_place_of_the_light_gets_no_orders(open_hub, train):
    train.hub.plugged[Port.B] = DeviceType.TRAIN_MOTOR
    hub = open_hub()
    drive(hub, FULL)

    assert train.hub.orders(Port.B) == []


@pytest.mark.parametrize("refused", [WatchVoltage, AskVoltage, WatchBattery, SetMode])
def test_what_a_hub_refuses_is_done_without(open_hub, train, said, refused):
    train.hub.refuses = (refused,)
    hub = open_hub()
    drive(hub, FULL)

    assert eventually(lambda: "refuses the command" in said.getvalue())
    keeps_driving(hub, train)


@pytest.mark.parametrize("command", [0x01, 0x03, 0x41, 0x81])
def test_an_error_while_the_train_runs_costs_neither_the_link_nor_the_drive(open_hub, bluez, train, command):
    hub = open_hub()
    drive(hub, FULL)
    for _ in range(5):
        bluez.say(train.hub, HubError(command, 5))

    assert hub.wait_until_settled(PATIENCE_S)
    assert train.hub.motor == 100
    keeps_driving(hub, train)


def never_answer(hub, bluez, train) -> None:
    train.hub.feedback = lambda sent: None
    hub.apply(LOW)


def discard_orders_to_drive(hub, bluez, train) -> None:
    train.hub.feedback = lambda sent: DONE if sent.value == BRAKE else Feedback.DISCARDED | Feedback.IDLE
    hub.apply(LOW)


def say_farewell(hub, bluez, train) -> None:
    bluez.say(train.hub, HubAction(Action.WILL_DISCONNECT))


@pytest.mark.parametrize("go_wrong", [never_answer, discard_orders_to_drive, say_farewell])
def test_a_link_that_is_given_up_is_braked_over_first(open_hub, bluez, train, go_wrong):
    hub = open_hub(feedback_s=SHORT_S / 5)
    drive(hub, FULL)
    train.is_on = False  # Nobody gets it back, so this link is the only one that can brake.
    go_wrong(hub, bluez, train)

    assert eventually(lambda: not train.is_connected)
    assert train.hub.is_braked


def test_a_pulled_motor_gets_a_brake_before_the_link_is_given_up(open_hub, bluez, train):
    hub = open_hub()
    drive(hub, FULL)
    train.is_on = False
    bluez.do(train.hub.unplug, Port.A)

    assert eventually(lambda: not train.is_connected)
    assert train.hub.orders(Port.A)[-1] == BRAKE


def test_a_hub_that_is_back_is_braked_before_anything_is_asked_of_it(open_hub, train):
    hub = open_hub()
    drive(hub, FULL)
    del train.hub.plugged[Port.B]
    train.drop()

    assert eventually(lambda: train.connects == 2 and hub.is_up)
    assert train.hub.written[train.written_before] == SetValue(Port.A, BRAKE)


def test_a_hub_that_is_back_without_its_motor_has_heard_a_brake(open_hub, train, said):
    hub = open_hub(attach_s=SHORT_S / 5)
    drive(hub, FULL)
    del train.hub.plugged[Port.A]
    train.drop()

    assert eventually(lambda: "nothing is plugged in" in said.getvalue())
    assert train.hub.written[train.written_before] == SetValue(Port.A, BRAKE)


# A driver that hangs


def test_without_a_new_order_the_radios_thread_brakes_once_and_for_good(open_hub, train, said):
    hub = open_hub(orders_s=WATCHDOG_S)
    hub.apply(FULL)
    hub.state(0)
    hub.state(0.1)
    assert eventually(lambda: "No order" in said.getvalue())
    assert eventually(lambda: train.hub.is_braked)
    orders = len(train.hub.orders(Port.A))
    written = [message for message in train.hub.written if message == SetValue(Port.A, BRAKE)]
    threading.Event().wait(1.2)  # Two times to refresh what was ordered.

    assert len(train.hub.orders(Port.A)) == orders
    still = [message for message in train.hub.written if message == SetValue(Port.A, BRAKE)]
    assert len(still) - len(written) <= 1, "a guard would take more for a driver that lives"


def test_a_new_order_drives_on(open_hub, train):
    hub = open_hub(orders_s=WATCHDOG_S)
    hub.apply(FULL)
    hub.state(0)
    hub.state(1)
    assert eventually(lambda: not train.hub.is_braked)
    assert eventually(lambda: train.hub.is_braked)
    state = hub.state(1.1)

    assert state.braking
    seconds = itertools.count(2)

    def drives() -> bool:
        hub.apply(LOW)
        hub.state(next(seconds))
        return train.hub.motor == LOW_POWER

    assert eventually(drives)


def test_a_driver_that_hangs_is_reckoned_to_have_braked_when_the_watchdog_bit(open_hub, train, said):
    hub = open_hub(orders_s=WATCHDOG_S)
    hub.apply(FULL)
    for tick in range(61):
        hub.apply(FULL)
        before = hub.state(tick / 15)
    assert eventually(lambda: "No order" in said.getvalue())
    after: TrainState = hub.state(before.at + 60)

    at_full_speed_cm = before.speed_cm_s * WATCHDOG_S
    braking_cm = before.speed_cm_s**2 / 120
    rolled_cm = after.position_cm - before.position_cm
    assert rolled_cm == pytest.approx(at_full_speed_cm + braking_cm, abs=5)
    assert (after.speed_cm_s, after.braking) == (0, True)


def test_a_driver_that_has_braked_may_take_its_time(open_hub, train, tmp_path, said):
    """For instance while it asks a person something: neither watchdog nor guard has anything to do."""
    hub = open_hub(orders_s=WATCHDOG_S)
    hub.apply(DANGER)
    hub.state(0)
    assert eventually(lambda: (tmp_path / "beat0").exists())
    for _ in range(3):
        (tmp_path / "beat0").unlink()
        assert eventually(lambda: (tmp_path / "beat0").exists())

    assert "No order" not in said.getvalue()


class FullPipe(io.StringIO):
    """A standard output that nobody reads."""

    def __init__(self) -> None:
        super().__init__()
        self.is_full, self.is_read = False, threading.Event()

    def write(self, words: str) -> int:
        if self.is_full:
            self.is_read.wait(PATIENCE_S)
        return super().write(words)


@pytest.fixture
def said():
    pipe = FullPipe()
    yield pipe
    pipe.is_read.set()


def test_a_driver_that_hangs_in_its_output_is_braked_and_braked_again_after_a_loss(open_hub, train, said):
    hub = open_hub(orders_s=WATCHDOG_S)
    hub.apply(LOW)
    hub.state(0)
    hub.state(1)
    said.is_full = True
    hanging = threading.Thread(target=hub.apply, args=[order(OrderKind.FULL_SPEED)])
    hanging.start()

    assert eventually(lambda: train.hub.is_braked)
    assert hanging.is_alive()
    train.hub.values[Port.A] = 100
    train.drop()
    assert eventually(lambda: train.hub.is_braked)
    said.is_read.set()
    hanging.join(PATIENCE_S)


# The sign of life


def test_a_heartbeat_that_cannot_be_written_is_reported_and_tried_again(open_hub, train, tmp_path, said):
    hub = open_hub()
    beat = tmp_path / "beat0"
    hub.state(0)
    assert eventually(beat.exists)
    beat.unlink()
    beat.mkdir()
    assert eventually(lambda: hub.state(1) and "unguarded" in said.getvalue())
    beat.rmdir()

    assert eventually(lambda: hub.state(2) and beat.is_file())
    assert eventually(lambda: "written again" in said.getvalue())
    keeps_driving(hub, train)


def test_the_folder_of_the_heartbeat_may_vanish(bluez, train, tmp_path):
    folder = tmp_path / "session"
    hub = BluetoothHub(out=None, heartbeat=Heartbeat(folder / "beat"))
    try:
        assert eventually(lambda: hub.state(0) is not None and (folder / "beat").is_file())
        shutil.rmtree(folder)
        assert eventually(lambda: hub.state(0) is not None and (folder / "beat").is_file())
    finally:
        hub.close()


# Who goes first


def test_a_brake_overtakes_light_and_colour_and_waits_for_one_write_at_most(open_hub, train):
    hub = open_hub()
    drive(hub, FULL)
    train.write_takes_s = 0.08
    for tick in range(3, 8):
        hub.apply(order(OrderKind.FULL_SPEED, Light.ON if tick % 2 else Light.OFF))
        hub.apply(order(OrderKind.LOW_SPEED, Light.OFF if tick % 2 else Light.ON))
        hub.state(tick)
        hub.wait_until_settled(PATIENCE_S)
        hub.apply(FULL)
        hub.state(tick)
        written = len(train.hub.written)
        hub.apply(DANGER)
        assert eventually(lambda: train.hub.is_braked)
        heard = [message for message in train.hub.written[written:] if message.encode() not in train.commands]
        assert SetValue(Port.A, BRAKE) in heard[:2]
        assert {message.port for message in heard} == {Port.A}


def test_light_and_colour_ask_for_no_acknowledgement_and_the_motor_does(open_hub, train):
    hub = open_hub()
    drive(hub, FULL)

    assert SetValue(Port.B, 100).encode() in train.commands
    assert SetValue(Port.RGB_LIGHT, Colour.GREEN).encode() in train.commands
    assert not [data for data in train.commands if data[2:4] == b"\x81\x00"]


def test_a_second_driver_of_one_hub_is_refused_and_the_first_drives_on(open_hub, bluez, train):
    hub = open_hub()
    drive(hub, FULL)
    with pytest.raises(UserError) as caught:
        open_hub()

    assert caught.value.key == "hub.error.driven"
    assert train.hub.address in str(caught.value)
    assert train.hub.motor == 100
    keeps_driving(hub, train)
    hub.close()
    open_hub()


def test_two_drivers_may_not_share_a_sign_of_life(bluez, train, tmp_path):
    other = bluez.add(EmulatedHub("90:84:2B:00:00:02"))
    hub = BluetoothHub(train.hub.address, None, heartbeat=Heartbeat(tmp_path / "beat"))
    try:
        with pytest.raises(UserError) as caught:
            BluetoothHub(other.hub.address, None, heartbeat=Heartbeat(tmp_path / "beat"))
    finally:
        hub.close()

    assert caught.value.key == "hub.error.watched"
    assert other.connects == 0


# Finding and connecting


@pytest.mark.parametrize("is_known", [True, False])
def test_a_connected_remote_control_is_not_taken_for_the_train(open_hub, bluez, train, is_known):
    remote = bluez.add(EmulatedHub("90:84:2B:00:00:09", kind=HubKind.REMOTE_CONTROL, plugged={}))
    remote.is_kind_known = is_known
    bluez.do(remote.answer, "Connect", [])
    hub = open_hub()

    assert train.connects == 1
    keeps_driving(hub, train)


def test_a_train_that_is_found_after_a_remote_control_is_claimed_and_the_remote_control_is_not(
    open_hub, bluez, train
):
    remote = bluez.add(EmulatedHub("90:84:2B:00:00:09", kind=HubKind.REMOTE_CONTROL, plugged={}))
    remote.is_kind_known = False
    bluez.do(remote.answer, "Connect", [])
    open_hub()

    with pytest.raises(UserError) as caught:
        open_hub(train.hub.address)
    assert caught.value.key == "hub.error.driven"
    claim(remote.hub.address, "driven").close()


@pytest.mark.parametrize("is_known", [True, False])
def test_the_address_of_a_connected_remote_control_is_refused(open_hub, bluez, is_known):
    remote = bluez.add(EmulatedHub("90:84:2B:00:00:09", kind=HubKind.REMOTE_CONTROL, plugged={}))
    remote.is_kind_known = is_known
    bluez.do(remote.answer, "Connect", [])
    with pytest.raises(UserError) as caught:
        open_hub(remote.hub.address)

    assert caught.value.key == "hub.error.other_kind"
    assert "remote control" in str(caught.value)


def test_two_connected_hubs_and_no_address_are_too_many(open_hub, bluez, train):
    other = bluez.add(EmulatedHub("90:84:2B:00:00:02"))
    for device in (train, other):
        bluez.do(device.answer, "Connect", [])
    with pytest.raises(UserError) as caught:
        open_hub()

    assert caught.value.key == "hub.error.several"


def test_a_link_that_was_left_behind_may_not_repeat_what_is_plugged_in(open_hub, bluez, train):
    bluez.do(train.answer, "Connect", [])
    bluez.do(train.answer, "StartNotify", [])
    train.repeats_ports = False
    train.hub.values[Port.A] = 100
    hub = open_hub(attach_s=SHORT_S / 5)

    assert train.hub.is_braked
    keeps_driving(hub, train)


@pytest.mark.parametrize("error", ["org.bluez.Error.InProgress", "org.bluez.Error.Failed"])
def test_a_connection_that_failed_once_is_tried_again(open_hub, train, error):
    train.refuses_to_connect = [error, error]
    hub = open_hub()

    keeps_driving(hub, train)


def test_between_two_attempts_to_connect_the_radio_gets_a_moment(open_hub, bluez, train):
    train.refuses_to_connect = ["org.bluez.Error.InProgress"]
    tried_at, answer = [], train.answer

    def timed(member: str, body: list) -> object:
        if member == "Connect":
            tried_at.append(time.monotonic())
        return answer(member, body)

    train.answer = timed
    open_hub()

    first, second = tried_at
    assert second - first >= CONNECT_AGAIN_S


def test_a_link_that_is_just_ending_is_not_the_last_word(open_hub, bluez, train):
    """A driver that died while connecting leaves such a link: it is listed, and disappears at once."""
    bluez.do(train.answer, "Connect", [])
    notify = train.answer

    def drop_once(member: str, body: list) -> object:
        if member == "StartNotify" and train.connects == 1:
            train._disconnected()
            return "org.bluez.Error.NotConnected"
        return notify(member, body)

    train.answer = drop_once
    hub = open_hub()

    assert train.connects == 2
    drive(hub, LOW, 1)
    assert train.hub.motor == LOW_POWER


def test_a_connection_that_keeps_failing_is_an_error(open_hub, train):
    train.refuses_to_connect = ["org.bluez.Error.InProgress"] * 9
    with pytest.raises(UserError) as caught:
        open_hub()

    assert caught.value.key == "hub.error.connect"
    assert len(train.refuses_to_connect) == 6, "it was tried three times"


def test_a_voltage_that_is_too_low_from_the_start_is_asked_for(open_hub, train, said):
    train.hub.is_voltage_low = True
    hub = open_hub()
    assert eventually(lambda: "voltage is too low" in said.getvalue())
    hub.apply(FULL)
    hub.state(0)
    hub.state(1)
    hub.wait_until_settled(PATIENCE_S)

    assert train.hub.orders(Port.A) == [BRAKE]
