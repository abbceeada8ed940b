"""Dead reckoning for a train without an encoder: the motor's settings, and the resulting position."""

from dataclasses import dataclass

from brakepoint.locomotive import Motion
from brakepoint.messages import Light, Order, OrderKind, TrainState
from brakepoint.train_file import Drive
from hardware.lwp3 import BRAKE, POWER_MAX, Colour

RAMP_S = 0.4
"""Time from standstill to full power.

A sudden rise of power makes the wheels slip and the voltage drop; a decrease needs no ramp: the train's
inertia smooths it, and the autopilot relies on a decrease without a ramp.
"""
BLINK_S = 0.5
"""How long a blinking headlight is on, and how long it is off."""
BRIGHTNESS = 100


@dataclass(frozen=True)
class PortSettings:
    """The desired settings of the hub's ports.

    Attributes:
        motor: Power in percent, or `BRAKE`.
        light: Brightness of the headlight in percent.
        colour: Colour of the hub's own light.
    """

    motor: int = BRAKE
    light: int = 0
    colour: Colour = Colour.BLUE


class Reckoning:
    """Follows the orders and the clock, and computes settings and motion from the train's measured figures.

    The time is passed to `at`, so a run on a virtual clock is reproducible to the bit.

    Args:
        drive: The measured figures; by default the figures of `brakepoint.locomotive`.
    """

    def __init__(self, drive: Drive = Drive()) -> None:  # noqa: B008 — it is frozen
        self._drive = drive
        self._voltage = 1.0
        self._order: Order | None = None
        self._motion = Motion()
        self._power = 0.0
        self._now: float | None = None

    def fit(self, drive: Drive) -> None:
        """Uses different figures from now on."""
        self._drive = drive

    def measured(self, volts: float | None) -> None:
        """Uses the measured voltage: at a lower voltage, the motor needs more power for the same speed."""
        if volts is not None and self._drive.volts is not None:
            self._voltage = volts / self._drive.volts

    def follow(self, order: Order | None) -> None:
        """Follows an order from the time of the last `at`; with None, the train brakes and waits."""
        self._order = order
        self._power = 0.0 if self._is_braking else min(self._power, self._target)

    def at(self, now: float) -> None:
        """Moves the train up to a time. An earlier time does not move it."""
        seconds = max(now - self._now, 0.0) if self._now is not None else 0.0
        self._now = now if self._now is None else max(now, self._now)
        if self._is_braking:
            self._motion = self._motion.braked(seconds, self._drive.braking_cm_s2)
            return
        self._power = min(self._power, self._target)  # The voltage may have fallen.
        while seconds > 0:  # This loop runs at most twice: on the ramp, and after it.
            step_s = min(self._ramp_left_s or seconds, seconds)
            power = self._power_after(step_s)
            mean = self._motor((max(self._power, self._start) + power) / 2) * self._voltage
            self._motion = self._motion.drawn_to(self._drive.speed_cm_s(mean), step_s, self._drive.lag_s)
            self._power = power
            seconds -= step_s

    @property
    def settings(self) -> PortSettings:
        """The current settings of the ports."""
        light = self._light
        is_lit = light is Light.ON or (light is Light.BLINK and (self._now or 0.0) % (2 * BLINK_S) < BLINK_S)
        motor = BRAKE if self._is_braking else self._motor(max(self._power, self._start))
        return PortSettings(motor, BRIGHTNESS if is_lit else 0, self._colour)

    @property
    def position_cm(self) -> float:
        """Position of the train at the time of the last `at`."""
        return self._motion.position_cm

    @property
    def state(self) -> TrainState:
        """The train's speed and position at the time of the last call of `at`."""
        return TrainState(
            at=self._now or 0.0,
            position_cm=self._motion.position_cm,
            speed_cm_s=self._motion.speed_cm_s,
            power=self._motor(self._power),
            braking=self._is_braking,
            light=self._light,
        )

    @property
    def _is_braking(self) -> bool:
        return self._order is None or self._order.kind is OrderKind.BRAKE

    @property
    def _light(self) -> Light:
        return self._order.light if self._order else Light.OFF

    @property
    def _colour(self) -> Colour:
        if self._order is None:
            return Colour.BLUE
        return Colour.RED if self._is_braking else Colour.GREEN

    @property
    def _target(self) -> float:
        """The order's power at the voltage of the measurement, limited to the available power."""
        power = self._drive.power(self._order.kind) if self._order else 0.0
        return min(power, POWER_MAX * self._voltage)

    @property
    def _start(self) -> float:
        return self._drive.start_power

    def _motor(self, power: float) -> int:
        """The motor's setting for a power at the current voltage, in whole percent."""
        return min(round(power / self._voltage), POWER_MAX)

    @property
    def _ramp_left_s(self) -> float:
        rise = self._target - max(self._power, self._start)
        return max(rise, 0.0) * RAMP_S / (POWER_MAX - self._start)

    def _power_after(self, seconds: float) -> float:
        """The power after some time on the ramp."""
        if seconds >= self._ramp_left_s:
            return self._target
        return max(self._power, self._start) + seconds * (POWER_MAX - self._start) / RAMP_S
