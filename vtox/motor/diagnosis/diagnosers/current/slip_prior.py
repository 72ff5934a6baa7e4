"""Slip by speed sensor, nameplate and load, or rated power: where finer sources are searched."""

from dataclasses import dataclass, replace
from math import inf, isfinite, sqrt
from typing import Literal

import numpy as np

from vtox.motor.diagnosis.diagnosers.current.pole_pairs import LARGEST_SLIP, rated_hz, rated_slip
from vtox.motor.values.domain import Motor, Reason, Recording, reason

SlipSource = Literal[
    "speed sensor",
    "slot harmonics",
    "rotor speed sidebands",
    "nameplate and load",
    "rated power and load",
    "none",
]
# Sources that give an interval only, in which finer ones are searched.
ESTIMATES: tuple[SlipSource, ...] = ("nameplate and load", "rated power and load")
# A measured speed is good to 0.1 % of synchronous speed and to half its last digit, 1/min.
SENSOR_HALF_WIDTH = 1e-3
SENSOR_HALF_WIDTH_RPM = 0.5
# The rated speed to the last digit counts as measured only if the current is the rated one
# within this ratio, which moves 2sf by 6 %.
RATED_CURRENT_TOLERANCE = 0.05
# Rated slip may differ from the nameplate by 20 % (30 % below 1 kW, IEC 60034-1 table 20). The
# temperature of the rotor cage adds 20 % between cold and hot.
RATED_SLIP_TOLERANCE = 0.35
# Power factor times efficiency of a motor whose rated power is not given.
TYPICAL_ACTIVE_RATIO = 0.65
# Load over rated load if the rated current is not known.
ANY_LOAD = (0.1, 1.2)
# The rotor cage's losses are the slip's share of the power: rated slip is within these shares of
# the losses of class IE1. docs/calibration/slip.md#rated-power
LEAST_LOSS_SHARE, MOST_LOSS_SHARE = 0.1, 0.5


@dataclass(frozen=True, slots=True)
class Slip:
    """Slip of one recording: it lies within `half` of `value`; `source` says how it is known."""

    value: float
    half: float
    source: SlipSource
    # Why there is no better source, or none at all.
    reason: Reason | None = None
    # Rated power, W, within which it was searched if there is no rated speed.
    guessed_from_w: float | None = None
    # Half of the last digit of a speed that was sent, as slip.
    rounding: float = 0.0

    @property
    def low(self) -> float:
        """Smallest slip possible."""
        return max(self.value - self.half, 0.0)

    @property
    def high(self) -> float:
        """Largest slip possible."""
        return self.value + self.half

    @property
    def is_known(self) -> bool:
        """Whether any source gave a slip."""
        return self.source != "none" and isfinite(self.value)

    @property
    def is_measured(self) -> bool:
        """Whether the slip was measured rather than estimated.

        Without a rated speed a line that may be the rotor's speed is no measurement.
        """
        measures = self.source in ("speed sensor", "slot harmonics", "rotor speed sidebands")
        return measures and not self.is_guessed

    @property
    def is_guessed(self) -> bool:
        """Whether it rests on the rated power, without a rated speed."""
        return self.guessed_from_w is not None

    @property
    def doubts(self) -> tuple[Reason, ...]:
        """Doubts about a slip that is known: a speed not believed, or no rated speed."""
        if not self.is_known:
            return ()
        doubts = (self.reason,) if self.reason else ()
        if self.guessed_from_w is None:
            return doubts
        return (*doubts, reason("slip_from_rated_power", rated_power_w=self.guessed_from_w))


def slip_prior(
    recording: Recording, motor: Motor, pairs: int | None, f0_hz: float, rms_a: float
) -> Slip:
    """Return the slip by speed sensor, else by nameplate and load, else by rated power and load.

    Parameters
    ----------
    recording : Recording
    motor : Motor
    pairs : int or None
        Pole pairs, of `pole_pairs`.
    f0_hz : float
        Supply frequency, measured.
    rms_a : float
        Positive-sequence current, A rms.
    """
    if not pairs:
        return no_slip(reason("pole_pairs_unknown"))
    measured = _slip_by_sensor(recording, motor, pairs, f0_hz, rms_a)
    if isinstance(measured, Slip):
        return measured
    estimated = nameplate_slip(motor, pairs, f0_hz, rms_a) or _slip_by_power(motor, rms_a)
    if estimated is None:
        return no_slip(measured or _why_no_rated_slip(motor, pairs, f0_hz))
    return replace(estimated, reason=measured) if measured else estimated


def nameplate_slip(motor: Motor, pairs: int | None, f0_hz: float, rms_a: float) -> Slip | None:
    """Return the slip by nameplate and load, None if they do not give one."""
    rated = rated_slip(motor, pairs, f0_hz)
    if rated is None:
        return None
    if motor.supply == "inverter":
        # At constant flux a torque slows the rotor by as many rpm at any frequency.
        rated *= (motor.supply_hz or f0_hz) / f0_hz
    low, high = _load_range(rms_a, motor)
    low, high = low * rated * (1 - RATED_SLIP_TOLERANCE), high * rated * (1 + RATED_SLIP_TOLERANCE)
    return Slip((low + high) / 2, (high - low) / 2, "nameplate and load")


def ie1_losses(rated_w: float) -> float:
    """Return the losses of class IE1 at rated load, as a ratio to the electric power.

    Within 8 % of IEC 60034-30-1, four poles, 50 Hz, from 0.12 to 200 kW.
    """
    return float(0.257 * (rated_w / 1e3) ** -0.29)


def _slip_by_power(motor: Motor, rms_a: float) -> Slip | None:
    """Return the slip that a rated power allows on a grid if no rated speed is known, else None."""
    rated_w = _rated_w(motor)
    if motor.rated_speed_rpm or motor.supply != "grid" or not isfinite(rated_w):
        return None
    losses = ie1_losses(rated_w)
    low, high = _load_range(rms_a, motor)
    low, high = low * LEAST_LOSS_SHARE * losses, high * MOST_LOSS_SHARE * losses
    high = min(high, LARGEST_SLIP)
    if high <= low:
        return None
    half = (high - low) / 2
    return Slip(low + half, half, "rated power and load", guessed_from_w=rated_w)


def no_slip(why: Reason) -> Slip:
    """Return the unknown slip with its reason."""
    return Slip(np.nan, np.nan, "none", why)


def _slip_by_sensor(
    recording: Recording, motor: Motor, pairs: int, f0_hz: float, rms_a: float
) -> Slip | Reason | None:
    """Return the slip by the speed sensor, why its speed is not believed, or None without one."""
    speed_rpm = recording.speed_rpm
    if speed_rpm is None:
        return None
    synchronous_rpm = 60 * f0_hz / pairs
    slip = 1 - speed_rpm / synchronous_rpm
    half = max(SENSOR_HALF_WIDTH, SENSOR_HALF_WIDTH_RPM / synchronous_rpm)
    if not -half < slip < LARGEST_SLIP or _is_synchronous(slip, half, motor, pairs, f0_hz, rms_a):
        return reason("speed_implausible", speed_rpm=speed_rpm, f0_hz=f0_hz, pole_pairs=pairs)
    if _is_nameplate_speed(speed_rpm, rms_a, motor):
        return reason("speed_copied_from_nameplate", speed_rpm=speed_rpm)
    digit_rpm = 1.0 if speed_rpm == round(speed_rpm) else 0.1
    return Slip(max(slip, 0.0), half, "speed sensor", rounding=digit_rpm / 2 / synchronous_rpm)


def _is_synchronous(
    slip: float, half: float, motor: Motor, pairs: int, f0_hz: float, rms_a: float
) -> bool:
    """Return whether a speed is the synchronous one, at a current that drives a load: no rotor's.

    Such a speed was computed, or is that of the field.
    """
    estimated = nameplate_slip(motor, pairs, f0_hz, rms_a)
    return slip < half and estimated is not None and estimated.low > slip + half


def _is_nameplate_speed(speed_rpm: float, rms_a: float, motor: Motor) -> bool:
    """Return whether a speed is the rated one, sent if none was measured."""
    rated_a = motor.rated_current_a
    at_rated_load = rated_a is not None and abs(rms_a / rated_a - 1) <= RATED_CURRENT_TOLERANCE
    return speed_rpm == motor.rated_speed_rpm and not at_rated_load


def _why_no_rated_slip(motor: Motor, pairs: int, f0_hz: float) -> Reason:
    if not motor.rated_speed_rpm:
        return reason("rated_speed_unknown")
    supply_hz = rated_hz(motor, f0_hz)
    if not supply_hz:
        return reason("rated_supply_unknown", rated_speed_rpm=motor.rated_speed_rpm)
    return reason(
        "rated_speed_implausible",
        rated_speed_rpm=motor.rated_speed_rpm,
        pole_pairs=pairs,
        supply_hz=supply_hz,
    )


def _load_range(rms_a: float, motor: Motor) -> tuple[float, float]:
    """Return least and largest torque over rated torque that a current allows.

    i^2 = m^2 + (1 - m^2) load^2, with m the magnetising over the rated current. It is part of the
    reactive current, which leaves at least power factor times efficiency for the rest.
    """
    if not motor.rated_current_a:
        return ANY_LOAD
    i, active = rms_a / motor.rated_current_a, motor.active_share
    # Usual induction motors, large to small; below 1 kW at 6 % over rated voltage.
    least, most = 0.25, 0.9 if _rated_w(motor) < 1000 else 0.75
    if active is not None:
        most = min(most, max(least, sqrt(1 - active**2)))
    squares = [(i * i - m * m) / (1 - m * m) for m in (least, most)]
    loads = sorted(sqrt(max(q, 0.0)) for q in squares)
    return loads[0], loads[1]


def _rated_w(motor: Motor) -> float:
    """Return the rated power, W, estimated from volts and amperes if it is not given."""
    if motor.rated_power_w:
        return motor.rated_power_w
    volts, amps = motor.rated_voltage_v, motor.rated_current_a
    return TYPICAL_ACTIVE_RATIO * sqrt(3) * volts * amps if volts and amps else inf
