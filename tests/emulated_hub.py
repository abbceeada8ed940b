"""A City hub without a radio: bytes in, bytes out, and a motor that tests can inspect."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import groupby

from patience import PATIENCE_S

from hardware import lwp3
from hardware.hub_search import RadioLimits
from hardware.lwp3 import BRAKE, COMPANY_ID, DeviceType, Feedback, HubKind, Port

PATIENT = RadioLimits(
    find_s=PATIENCE_S,
    settle_s=0.2,
    connect_s=PATIENCE_S,
    attach_s=PATIENCE_S,
    write_s=PATIENCE_S,
    feedback_s=PATIENCE_S,
    disconnect_s=5,
    orders_s=PATIENCE_S,
    look_again_s=0.2,
)
"""Time limits for a radio on which nothing should fail."""
PLUGGED: dict[int, int] = {Port.A: DeviceType.TRAIN_MOTOR, Port.B: DeviceType.LIGHT, Port.RGB_LIGHT: 0x17}


@dataclass
class EmulatedHub:
    """A City hub: its messages, its behaviour, and its possible faults.

    Attributes:
        address: Its Bluetooth address.
        kind: The kind of hub that it advertises.
        plugged: The device in each port.
        battery_percent: Charge of its batteries.
        volts: Voltage of its batteries.
        is_voltage_low: Whether its voltage is too low.
        refuses: Classes of messages that it answers with an error.
        values: The last setting of each port; before the first connection the motor is at rest.
        written: Every message that reached it.
        feedback: Returns its answer to an order; None leaves the order unanswered.
        say: Sends a message to the connected program.
    """

    address: str = "90:84:2B:00:00:01"
    kind: int = HubKind.CITY
    plugged: dict[int, int] = field(default_factory=PLUGGED.copy)
    battery_percent: int = 87
    volts: float = 8.0
    is_voltage_low: bool = False
    refuses: tuple[type, ...] = ()
    values: dict[int, int] = field(default_factory=dict)
    written: list[lwp3.Message] = field(default_factory=list)
    feedback: Callable[[lwp3.SetValue], Feedback | None] = lambda order: Feedback.DONE | Feedback.IDLE
    say: Callable[[lwp3.Message], None] = lambda message: None

    @property
    def manufacturer_data(self) -> tuple[int, bytes]:
        """The data that it advertises."""
        return COMPANY_ID, bytes([0, self.kind, 6, 0, 97, 0])

    @property
    def motor(self) -> int:
        """Power of the motor, or BRAKE."""
        return self.values.get(Port.A, 0)

    @property
    def is_braked(self) -> bool:
        return self.motor == BRAKE

    def greet(self) -> None:
        """Its first messages to a new listener."""
        for port, device_type in self.plugged.items():
            self.say(lwp3.Attached(port, device_type, 0x10000000, 0x10000000))

    def hear(self, data: bytes) -> None:
        """Receives a message."""
        message = lwp3.decode(data)
        self.written.append(message)
        if isinstance(message, self.refuses):
            self.say(lwp3.HubError(data[2], 5))
            return
        match message:
            case lwp3.SetValue(port, value):
                self._set(message, port, value)
            case lwp3.AskBattery():
                self.say(lwp3.BatteryLevel(self.battery_percent))
            case lwp3.SetMode(Port.VOLTAGE):
                self.say(lwp3.PortValue(Port.VOLTAGE, round(self.volts / lwp3.VOLTS)))
            case lwp3.AskKind():
                self.say(lwp3.KindOfHub(self.kind))
            case lwp3.AskVoltage():
                self.say(lwp3.VoltageAlert(self.is_voltage_low))

    def _set(self, order: lwp3.SetValue, port: int, value: int) -> None:
        if port not in self.plugged:
            self.say(lwp3.HubError(0x81, 6))
            return
        feedback = self.feedback(order)
        if feedback is None or Feedback.DISCARDED not in feedback:
            self.values[port] = value
        if feedback is not None:
            self.say(lwp3.CommandFeedback(((port, feedback),)))

    def unplug(self, port: int) -> None:
        del self.plugged[port]
        self.say(lwp3.Detached(port))

    def orders(self, port: int) -> list[int]:
        """The settings of a port in order, without repeats."""
        orders = [order for order in self.written if isinstance(order, lwp3.SetValue) and order.port == port]
        return [value for value, _ in groupby(order.value for order in orders)]
