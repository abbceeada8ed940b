"""The `ble:` hub, when the device is missing, or is something else."""

import pytest
from ble_driving import FULL, LOW, LOW_POWER, SHORT_S, drive
from emulated_hub import EmulatedHub

from brakepoint.errors import UserError
from hardware import ble_hub
from hardware.lwp3 import DeviceType, HubKind, Port


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


def test_only_a_remote_control_in_reach(open_hub, bluez):
    bluez.add(EmulatedHub(kind=HubKind.REMOTE_CONTROL))
    key, line = refused(open_hub, find_s=3 * SHORT_S)

    assert key == "hub.error.only_others"
    assert "remote control" in line


def test_the_address_of_a_remote_control(open_hub, bluez):
    remote = EmulatedHub(kind=HubKind.REMOTE_CONTROL)
    bluez.add(remote)

    assert refused(open_hub, remote.address)[0] == "hub.error.other_kind"


def test_a_device_that_does_not_say_what_it_is_is_found_by_its_address_alone(open_hub, train):
    train.is_kind_known = False

    assert refused(open_hub, find_s=SHORT_S)[0] == "hub.error.not_found"
    drive(open_hub(train.hub.address), FULL)
    assert train.hub.motor == 100


def test_two_hubs_and_no_address(open_hub, bluez, train):
    bluez.add(EmulatedHub("90:84:2B:00:00:02"))
    key, line = refused(open_hub)

    assert key == "hub.error.several"
    assert "ble:90:84:2B:00:00:01" in line and "90:84:2B:00:00:02" in line


def test_two_hubs_each_by_its_address(open_hub, bluez, train):
    other = bluez.add(EmulatedHub("90:84:2B:00:00:02"))
    first, second = open_hub(train.hub.address), open_hub(other.hub.address)
    drive(first, FULL)
    drive(second, LOW)

    assert (train.hub.motor, other.hub.motor) == (100, LOW_POWER)


@pytest.mark.parametrize("address", ["90:84", "the red one", "90-84-2B-00-00-01"])
def test_what_is_not_an_address(open_hub, address):
    assert refused(open_hub, address)[0] == "hub.error.address"


@pytest.mark.parametrize("option", ["trian=train.toml", "train.toml", "train=train.toml&fast"])
def test_an_option_that_no_hub_has_is_refused_before_anything_is_searched_for(option):
    with pytest.raises(UserError) as error:
        ble_hub.open_hub(f"?{option}", None)

    assert error.value.key == "hub.error.option"


def test_bluetooth_is_switched_off(open_hub, bluez, train):
    bluez.is_powered = False

    assert refused(open_hub)[0] == "hub.error.no_bluetooth"


def test_no_bluetooth_at_all(open_hub, monkeypatch, tmp_path):
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/nobody")

    assert refused(open_hub)[0] == "hub.error.no_bluetooth"


def test_no_motor(open_hub, train):
    del train.hub.plugged[Port.A]
    key, line = refused(open_hub, attach_s=SHORT_S, feedback_s=SHORT_S)

    assert key == "hub.error.port_empty"
    assert "A: nothing is plugged in" in line
    assert not train.is_connected


def test_light_and_motor_changed_over(open_hub, train):
    train.hub.plugged |= {Port.A: DeviceType.LIGHT, Port.B: DeviceType.TRAIN_MOTOR}
    key, line = refused(open_hub, attach_s=SHORT_S)

    assert key == "hub.error.port_wrong"
    assert "found light" in line


def test_a_device_that_no_train_has(open_hub, train):
    train.hub.plugged[Port.A] = 0x0026

    assert "0x0026" in refused(open_hub, attach_s=SHORT_S)[1]


def test_a_hub_that_is_silent_from_the_start(open_hub, train):
    train.is_silent = True

    assert refused(open_hub, write_s=SHORT_S)[0] == "hub.error.connect"
