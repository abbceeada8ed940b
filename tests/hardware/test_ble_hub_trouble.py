"""The `ble:` hub, when something goes wrong while driving: the train is braked, and waits."""

import asyncio
import itertools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from ble_driving import DANGER, FULL, LOW, LOW_POWER, SHORT_S, drive, eventually
from emulated_hub import PATIENT
from patience import PATIENCE_S

from brakepoint.texts import text
from hardware import ble_hub
from hardware.ble_hub import BluetoothHub
from hardware.lwp3 import Action as HubActionKind
from hardware.lwp3 import Feedback, HubAction, Port, VoltageAlert


def lost_and_found(hub: BluetoothHub, train, go_wrong: Callable[[], None], mend: Callable[[], None]) -> None:
    """A moving train, a fault, and its end: the train must be braked, wait, and obey the next order."""
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


def test_an_error_within_the_radios_library_does_not_end_the_search_for_a_lost_hub(
    open_hub, train, said, monkeypatch
):
    find, errors = ble_hub.find_hub, [KeyError("/org/bluez/hci0/dev_90")]

    async def find_hub(*how):
        if errors:
            raise errors.pop()
        return await find(*how)

    hub = open_hub()
    monkeypatch.setattr(ble_hub, "find_hub", find_hub)
    lost_and_found(hub, train, train.drop, lambda: None)

    assert "/org/bluez/hci0/dev_90" in said.getvalue()


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


def test_the_hub_says_that_it_switches_off(open_hub, bluez, train, said):
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

    assert "rejected" in said.getvalue()


def test_the_motor_is_pulled_out(open_hub, bluez, train, said):
    hub = open_hub(attach_s=SHORT_S, feedback_s=SHORT_S)
    drive(hub, FULL)
    bluez.do(train.hub.unplug, Port.A)

    assert eventually(lambda: "port A was unplugged" in said.getvalue())
    assert eventually(lambda: "nothing is plugged in" in said.getvalue())
    assert hub.state(2).braking


def test_a_low_battery_is_reported(open_hub, train, said):
    train.hub.battery_percent = 12
    open_hub()

    assert eventually(lambda: "12 %" in said.getvalue() and "batteries" in said.getvalue())


def test_low_voltage_brakes_and_holds(open_hub, bluez, train, said):
    hub = open_hub()
    drive(hub, FULL)
    bluez.say(train.hub, VoltageAlert(True))
    assert eventually(lambda: train.hub.is_braked)
    hub.apply(FULL)
    held = hub.state(2).braking
    bluez.say(train.hub, VoltageAlert(False))
    seconds = itertools.count(3, 2)

    def drives_again() -> bool:
        """Gives orders as at every picture, since one that is given before the recovery is dropped."""
        drive(hub, FULL, next(seconds))
        return train.hub.motor == 100

    assert held
    assert "voltage is too low" in said.getvalue()
    assert eventually(drives_again)
    late = text("hub.say.no_orders", seconds=PATIENT.orders_s)
    assert late not in said.getvalue(), "the alert brakes the train, long before the watchdog would"


def test_a_pause_between_two_tries_lasts_until_its_end_or_until_the_hub_is_closed():
    async def pause() -> None:
        stopping = asyncio.Event()
        hub: Any = SimpleNamespace(_stopping=stopping)
        await BluetoothHub._pause(hub, 0.0)
        pausing = asyncio.ensure_future(BluetoothHub._pause(hub, PATIENCE_S))
        for _ in range(5):
            await asyncio.sleep(0)
        assert not pausing.done()
        stopping.set()
        await asyncio.wait_for(pausing, PATIENCE_S / 2)

    asyncio.run(pause())
