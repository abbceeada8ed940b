"""The protocol's bytes: against the table of the specification, and against two third-party programs.

Both drive real trains: pylgbst is installed and run here; node-poweredup was run by
`tests/hardware/lwp3/record.mjs`, and `node_poweredup.json` beside it contains what it wrote and understood.
"""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pylgbst.comms import Connection
from pylgbst.hub import Hub
from pylgbst.messages import (
    MsgGenericError,
    MsgHubAction,
    MsgHubAlert,
    MsgHubAttachedIO,
    MsgHubProperties,
    MsgPortOutputFeedback,
)
from pylgbst.peripherals import LEDRGB, LEDLight, TrainMotor, Voltage

from hardware.lwp3 import (
    BRAKE,
    COMPANY_ID,
    FLOAT,
    VOLTS,
    Action,
    AskBattery,
    AskKind,
    AskVoltage,
    Attached,
    BatteryLevel,
    Colour,
    CommandFeedback,
    Detached,
    DeviceType,
    Feedback,
    HubAction,
    HubError,
    HubKind,
    KindOfHub,
    Port,
    PortValue,
    ProtocolError,
    SetMode,
    SetValue,
    VoltageAlert,
    WatchBattery,
    WatchVoltage,
    decode,
    hub_kind,
)

NODE_POWEREDUP = json.loads((Path(__file__).parent / "lwp3/node_poweredup.json").read_text("utf-8"))

TABLE = [
    ("08 00 81 00 11 51 00 64", SetValue(Port.A, 100)),
    ("08 00 81 00 11 51 00 9c", SetValue(Port.A, -100)),
    ("08 00 81 00 11 51 00 7f", SetValue(Port.A, BRAKE)),
    ("08 00 81 00 11 51 00 00", SetValue(Port.A, FLOAT)),
    ("08 00 81 01 11 51 00 28", SetValue(Port.B, 40)),
    ("0a 00 41 32 00 01 00 00 00 00", SetMode(Port.RGB_LIGHT, 0)),
    ("0a 00 41 3c 00 14 00 00 00 01", SetMode(Port.VOLTAGE, 0, 20)),
    ("06 00 45 3c 35 0f", PortValue(Port.VOLTAGE, 3893)),
    ("08 00 81 32 11 51 00 09", SetValue(Port.RGB_LIGHT, Colour.RED)),
    ("05 00 01 06 02", WatchBattery()),
    ("05 00 01 06 05", AskBattery()),
    ("06 00 01 06 06 57", BatteryLevel(87)),
    ("05 00 01 0b 05", AskKind()),
    ("06 00 01 0b 06 41", KindOfHub(HubKind.CITY)),
    ("05 00 03 01 03", AskVoltage()),
    ("05 00 03 01 01", WatchVoltage()),
    ("06 00 03 01 04 ff", VoltageAlert(True)),
    ("06 00 03 01 04 00", VoltageAlert(False)),
    ("04 00 02 01", HubAction(Action.SWITCH_OFF)),
    ("04 00 02 02", HubAction(Action.DISCONNECT)),
    ("04 00 02 30", HubAction(Action.WILL_SWITCH_OFF)),
    ("04 00 02 31", HubAction(Action.WILL_DISCONNECT)),
    (
        "0f 00 04 00 01 02 00 00 00 00 10 01 00 00 10",
        Attached(0, DeviceType.TRAIN_MOTOR, 0x10000000, 0x10000001),
    ),
    ("0f 00 04 01 01 08 00 00 00 00 00 00 00 00 00", Attached(1, DeviceType.LIGHT)),
    ("05 00 04 01 00", Detached(1)),
    ("05 00 82 00 0a", CommandFeedback(((0, Feedback.DONE | Feedback.IDLE),))),
    ("07 00 82 00 01 01 04", CommandFeedback(((0, Feedback.BUSY), (1, Feedback.DISCARDED)))),
    ("05 00 05 81 06", HubError(0x81, 6)),
]

bytes_ = st.integers(0, 255)
flags = st.integers(0, 31).map(Feedback)
words = st.integers(0, 2**32 - 1)
messages = st.one_of(
    st.builds(SetValue, bytes_, st.integers(-128, 127)),
    st.builds(SetMode, bytes_, bytes_),
    st.builds(SetMode, bytes_, bytes_, st.integers(0, 2**32 - 1)),
    st.builds(PortValue, bytes_, st.integers(0, 2**16 - 1)),
    st.builds(BatteryLevel, bytes_),
    st.builds(HubAction, st.sampled_from(Action)),
    st.builds(VoltageAlert, st.booleans()),
    st.builds(Attached, bytes_, st.integers(0, 2**16 - 1), words, words),
    st.builds(Detached, bytes_),
    st.builds(CommandFeedback, st.lists(st.tuples(bytes_, flags), min_size=1, max_size=4).map(tuple)),
    st.builds(HubError, bytes_, bytes_),
    st.sampled_from([WatchBattery(), AskBattery(), WatchVoltage(), AskKind(), AskVoltage()]),
    st.builds(KindOfHub, bytes_),
)


@pytest.mark.parametrize(("written", "message"), TABLE, ids=[written for written, _ in TABLE])
def test_a_message_has_the_bytes_of_the_specification(written, message):
    assert message.encode() == bytes.fromhex(written)
    assert decode(bytes.fromhex(written)) == message


@given(messages)
def test_what_is_encoded_is_decoded_as_it_was(message):
    assert decode(message.encode()) == message


@given(st.binary(max_size=20))
@example(bytes.fromhex("06 00 01 03 06 01"))  # A property,
@example(bytes.fromhex("06 00 03 02 04 00"))  # an alert,
@example(bytes.fromhex("05 00 04 00 02"))  # an attachment that no train has,
@example(bytes.fromhex("04 00 82 00"))  # and half a feedback.
def test_other_bytes_are_refused_or_mean_just_what_they_say(data):
    check(data)


@pytest.mark.parametrize("written", ["03 00 82", "04 00 82 00"])
def test_a_feedback_about_no_port_or_half_of_one_is_refused(written):
    with pytest.raises(ProtocolError):
        decode(bytes.fromhex(written))


def check(data: bytes) -> None:
    """Asserts that bytes are refused, or are the encoding of what they are taken for."""
    try:
        message = decode(data)
    except ProtocolError:
        return
    # An alert's status counts as low whenever it is not 0; a mode without reports may give any change.
    if not isinstance(message, VoltageAlert | SetMode):
        assert message.encode() == data


@given(messages, st.data())
def test_a_message_with_one_byte_changed_is_refused_or_means_just_what_it_says(message, data):
    """Random bytes are seldom a message; these nearly are."""
    encoded = bytearray(message.encode())
    place = data.draw(st.integers(0, len(encoded) - 1))
    encoded[place] ^= data.draw(st.integers(1, 255))
    check(bytes(encoded))


@pytest.mark.parametrize("kind", HubKind)
def test_an_advertisement_says_which_kind_of_hub_it_is(kind):
    assert hub_kind({COMPANY_ID: bytes([0, kind, 6, 0, 97, 0])}) == kind


@pytest.mark.parametrize("data", [{}, {0x004C: b"\x00\x41"}, {COMPANY_ID: b""}, {COMPANY_ID: b"\x00"}])
def test_an_advertisement_of_something_else_says_nothing(data):
    assert hub_kind(data) is None


# node-poweredup


@pytest.mark.parametrize(
    ("name", "message"),
    [(f"power {power}", SetValue(Port.A, power)) for power in (-100, -1, 1, 50, 100)]
    + [(f"light {level}", SetValue(Port.B, level)) for level in (0, 40, 100)]
    + [
        ("brake", SetValue(Port.A, BRAKE)),
        ("float", SetValue(Port.A, FLOAT)),
        ("switch off", HubAction(Action.SWITCH_OFF)),
    ],
)
def test_node_poweredup_writes_the_same_bytes(name, message):
    assert NODE_POWEREDUP["sent"][name] == [message.encode().hex()]


@pytest.mark.parametrize("colour", [Colour.BLUE, Colour.GREEN, Colour.RED])
def test_node_poweredup_sets_a_colour_but_for_reports_and_buffer(colour):
    """It asks the light for reports (last byte of the mode), and lets the colour wait its turn (0x01)."""
    mode, value = (bytearray.fromhex(sent) for sent in NODE_POWEREDUP["sent"][f"colour {colour.name}"])
    mode[9], value[4] = 0, 0x11

    assert [mode, value] == [SetMode(Port.RGB_LIGHT, 0).encode(), SetValue(Port.RGB_LIGHT, colour).encode()]


def test_node_poweredup_watches_the_battery_with_the_same_bytes():
    assert WatchBattery().encode().hex() in NODE_POWEREDUP["opening"]


def test_node_poweredup_understands_what_we_decode():
    heard = {"motor": "TRAIN_MOTOR", "light": "LIGHT", "battery": 87, "detached": 1}

    assert NODE_POWEREDUP["heard"] == heard
    assert decode(bytes.fromhex("060001060657")) == BatteryLevel(87)


# pylgbst


class Air(Connection):
    """The radio of a pylgbst hub: records each message, and answers each order at once."""

    def __init__(self):
        self.written = []

    def is_alive(self):
        return False

    def set_notify_handler(self, handler):
        self.hear = handler

    def write(self, handle, data):
        if handle != Hub.HUB_HARDWARE_HANDLE:
            return
        self.written.append(data)
        match data[2]:
            case 0x81:
                self.hear(0, CommandFeedback(((data[3], Feedback.DONE | Feedback.IDLE),)).encode())
            case 0x41:
                self.hear(0, bytes([10, 0, 0x47, *data[3:10]]))


@pytest.fixture
def air():
    return Air()


@pytest.fixture
def hub(air):
    hub = Hub(air)
    air.hear(0, Attached(Port.A, DeviceType.TRAIN_MOTOR).encode())
    air.hear(0, Attached(Port.B, DeviceType.LIGHT).encode())
    air.hear(0, Attached(Port.RGB_LIGHT, 0x17).encode())
    return hub


def test_pylgbst_finds_the_devices_that_we_say_are_attached(hub):
    assert [type(hub.peripherals[port]) for port in (Port.A, Port.B, Port.RGB_LIGHT)] == [
        TrainMotor,
        LEDLight,
        LEDRGB,
    ]


@pytest.mark.parametrize("power", [-100, -25, 0, 60, 100])
def test_pylgbst_drives_a_motor_with_the_same_bytes(hub, air, power):
    hub.peripherals[Port.A].power(power / 100)

    assert air.written == [SetValue(Port.A, power).encode()]


def test_pylgbst_sets_light_and_colour_with_the_same_bytes(hub, air):
    hub.peripherals[Port.B].set_brightness(40)
    hub.peripherals[Port.RGB_LIGHT].set_color(Colour.GREEN)

    assert air.written == [
        SetMode(Port.B, 0).encode(),
        SetValue(Port.B, 40).encode(),
        SetMode(Port.RGB_LIGHT, 0).encode(),
        SetValue(Port.RGB_LIGHT, Colour.GREEN).encode(),
    ]


def test_pylgbst_asks_the_hub_with_the_same_bytes():
    properties, alerts, actions = MsgHubProperties, MsgHubAlert, MsgHubAction

    assert properties(properties.VOLTAGE_PERC, properties.UPD_ENABLE).bytes() == WatchBattery().encode()
    assert properties(properties.VOLTAGE_PERC, properties.UPD_REQUEST).bytes() == AskBattery().encode()
    assert properties(properties.SYSTEM_TYPE_ID, properties.UPD_REQUEST).bytes() == AskKind().encode()
    assert alerts(alerts.LOW_VOLTAGE, alerts.UPD_ENABLE).bytes() == WatchVoltage().encode()
    assert alerts(alerts.LOW_VOLTAGE, alerts.UPD_REQUEST).bytes() == AskVoltage().encode()
    assert actions(actions.SWITCH_OFF).bytes() == HubAction(Action.SWITCH_OFF).encode()
    assert actions(actions.DISCONNECT).bytes() == HubAction(Action.DISCONNECT).encode()


def test_pylgbst_reads_the_same_voltage(hub):
    said = SimpleNamespace(payload=PortValue(Port.VOLTAGE, 3400).encode()[4:])

    (volts,) = Voltage(hub, Port.VOLTAGE)._decode_port_data(said)
    assert volts == pytest.approx(3400 * VOLTS)


def test_pylgbst_understands_what_a_hub_says_as_we_do():
    battery = MsgHubProperties.decode(BatteryLevel(87).encode())
    alert = MsgHubAlert.decode(VoltageAlert(True).encode())
    done = MsgPortOutputFeedback.decode(CommandFeedback(((0, Feedback.DONE | Feedback.IDLE),)).encode())
    refused = MsgGenericError.decode(HubError(0x81, 6).encode())
    gone = MsgHubAttachedIO.decode(Detached(1).encode())

    assert (battery.property, battery.parameters) == (MsgHubProperties.VOLTAGE_PERC, bytes([87]))
    assert not alert.is_ok()
    assert done.is_completed() and done.is_idle() and not done.is_discarded()
    assert (refused.cmd, refused.err) == (0x81, MsgGenericError.ERR_WRONG_PARAMS)
    assert (gone.port, gone.event) == (1, MsgHubAttachedIO.EVENT_DETACHED)


def test_the_colours_are_those_of_the_specification() -> None:
    assert {colour.name: colour.value for colour in Colour} == {"OFF": 0, "BLUE": 3, "GREEN": 6, "RED": 9}


def test_the_feedback_of_a_port_has_one_bit_for_each_state():
    """Section Port Output Command Feedback of the specification: five states, from the lowest bit."""
    assert [state.value for state in Feedback] == [1, 2, 4, 8, 16]
