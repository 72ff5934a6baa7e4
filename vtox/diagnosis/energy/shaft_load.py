"""Shaft power, torque, efficiency and losses by kind from terminal power and nameplate.

Input less losses (IEEE 112 method E1, IEC 60034-2-1, 6.1.3): what is left of the measured power
after the stator's resistance and the iron crosses the air gap, the slip's share of that heats the
rotor, and friction and additional losses come off the shaft. Power less stator losses over
synchronous speed is the air-gap torque (Lu, Habetler, Harley 2006, IEEE TIA 42(4):924; Hsu and
Scoggins 1995, IEEE TEC 10(3):471).
"""

from dataclasses import dataclass

import numpy as np

from vtox.diagnosis.dsp.power import TerminalPower
from vtox.diagnosis.energy.rated_losses import (
    CONSTANT_SHARE,
    CONSTANT_SHARE_STD,
    IRON_SHARE,
    RatedColumns,
)
from vtox.values.arrays import TINY, Float64

# Deviations of the measurement that an interval allows for: clamps and voltage dividers of class 1
# (1 % is two deviations), and the angle between them, rad (18 minutes of arc).
_GAIN_STD, _ANGLE_STD = 0.005, 0.0026
# Half width of an interval in deviations: it holds in 95 % of all cases.
_DEVIATIONS = 2.0
# Breakdown slip over rated slip, of usual breakdown torques of 2 to 3 times rated torque.
_BREAKDOWN_RATIO = 4.0
# Iron losses grow with frequency to this power at equal flux, friction and windage to the second.
_IRON_EXPONENT, _FRICTION_EXPONENT = 1.3, 2.0
# A measured speed is good to this part of synchronous speed.
_SPEED_STD = 5e-4
# What is varied, each by its deviation, beside the expected case.
_VARIED = ("loss", "resistance", "constant_share", "slip", "gain", "angle")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShaftEstimate:
    """Estimates of a batch with the half width of their intervals, columns of shape (batch,).

    Powers in W. `unbalance_w` is what the negative sequence costs: its own power, and the torque by
    which it brakes. `harmonic_w` is what the harmonics bring, all of which becomes heat.
    `slip` is that which was used.
    """

    load_ratio: Float64
    shaft_w: Float64
    shaft_half_w: Float64
    torque_nm: Float64
    torque_half_nm: Float64
    efficiency: Float64
    efficiency_half: Float64
    loss_w: Float64
    loss_half_w: Float64
    stator_w: Float64
    rotor_w: Float64
    iron_w: Float64
    friction_w: Float64
    additional_w: Float64
    unbalance_w: Float64
    slip: Float64


def shaft_load(
    x: TerminalPower, f0_hz: Float64, measured_slip: Float64, rated: RatedColumns
) -> ShaftEstimate:
    """Return the estimates of a batch; NaN where the nameplate does not lead to one.

    Parameters
    ----------
    x : TerminalPower, length batch
    f0_hz : ndarray, shape (batch,)
    measured_slip : ndarray, shape (batch,)
        By a speed sensor, NaN without.
    rated : RatedColumns, length batch

    Notes
    -----
    Rows of every array are cases: the expected one, then each unknown moved by its deviation. The
    deviation of a figure is the root of the sum of squares of what they change (GUM, 5.1.2).
    """
    moved = np.vstack([np.zeros(len(_VARIED)), np.eye(len(_VARIED))])[:, :, None]
    loss, resistance, share, by_slip, gain, angle = moved.swapaxes(0, 1)
    loss_w = rated.loss_w + loss * rated.loss_std_w
    rotor_n = np.minimum(rated.slip / (1 - rated.slip) * rated.power_w, rated.loss_w)
    # A resistance that is only a share of the losses moves with them.
    scale = np.where(
        rated.resistance_known > 0,
        1.0,
        (loss_w - rotor_n) / np.maximum(rated.loss_w - rotor_n, TINY),
    )
    ohm = rated.resistance_ohm * scale + resistance * rated.resistance_std_ohm
    rated_slip = rated.slip + by_slip * rated.slip_std
    rotor_n = np.minimum(rated_slip / (1 - rated_slip) * rated.power_w, loss_w)
    rest_w = np.maximum(loss_w - 3 * ohm * rated.current_a**2 - rotor_n, 0.0)
    constant_w = (CONSTANT_SHARE + share * CONSTANT_SHARE_STD) * rest_w
    iron_n, friction_n = IRON_SHARE * constant_w, (1 - IRON_SHARE) * constant_w
    additional_n = rest_w - constant_w

    more = 1 + gain * _GAIN_STD
    positive_w = (x.positive_w + angle * _ANGLE_STD * x.reactive_var) * more
    volts = np.maximum(x.positive_v, TINY)
    along, across = x.positive_w / (3 * volts), x.reactive_var / (3 * volts)
    per_hz = f0_hz / rated.supply_hz
    behind = np.sqrt((volts - ohm * along) ** 2 + (ohm * across) ** 2)
    flux = behind / (rated.flux_ratio * rated.voltage_v) / per_hz
    iron_w = iron_n * flux**2 * per_hz**_IRON_EXPONENT
    friction_w = friction_n * per_hz**_FRICTION_EXPONENT
    additional_w = additional_n * (x.positive_a / rated.current_a) ** 2
    gap_w = positive_w - 3 * ohm * x.positive_a**2 - iron_w
    backward_w = np.maximum(x.negative_w - 3 * ohm * x.negative_a**2, 0.0)
    gap_n = (rated.power_w + friction_n + additional_n) / (1 - rated_slip)
    torque_ratio = gap_w / gap_n / per_hz
    slip = _slip(torque_ratio / np.maximum(flux**2, TINY), rated_slip) / per_hz
    known = np.isfinite(measured_slip)
    slip = np.where(known, measured_slip + by_slip * _SPEED_STD, slip)
    mechanical_w = (gap_w - backward_w) * (1 - slip)
    shaft_w = mechanical_w - friction_w - additional_w
    input_w = x.active_w + (positive_w - x.positive_w)
    speed = rated.synchronous_rad_s * per_hz * (1 - slip)
    efficiency = shaft_w / np.maximum(input_w, TINY)
    return ShaftEstimate(
        load_ratio=shaft_w[0] / rated.power_w,
        shaft_w=shaft_w[0],
        shaft_half_w=_half(shaft_w),
        torque_nm=(shaft_w / speed)[0],
        torque_half_nm=_half(shaft_w / speed),
        efficiency=efficiency[0],
        efficiency_half=_half(efficiency),
        loss_w=(input_w - shaft_w)[0],
        loss_half_w=_half(input_w - shaft_w),
        stator_w=3 * ohm[0] * (x.positive_a**2 + x.negative_a**2),
        rotor_w=(slip * gap_w + (2 - slip) * backward_w)[0],
        iron_w=iron_w[0],
        friction_w=friction_w[0] + np.zeros(len(f0_hz)),
        additional_w=additional_w[0],
        unbalance_w=(x.negative_w + (1 - slip) * backward_w)[0],
        slip=slip[0],
    )


def _slip(torque_ratio: Float64, rated_slip: Float64) -> Float64:
    """Return the slip at a torque over rated torque, at rated flux.

    Kloss: T is proportional to s / (1 + (s / s_b)^2), whose smaller root this is.
    """
    breakdown = _BREAKDOWN_RATIO * rated_slip
    a = torque_ratio * rated_slip / (1 + _BREAKDOWN_RATIO**-2)
    root = np.sqrt(np.maximum(1 - (2 * a / breakdown) ** 2, 0.0))
    return np.asarray(2 * a / (1 + root))


def _half(cases: Float64) -> Float64:
    """Return the half width of the interval of a figure, from its cases."""
    spread = np.sqrt(np.square(cases[1:] - cases[0]).sum(axis=0))
    return np.asarray(_DEVIATIONS * spread, np.float64)


def power_of_currents(current_a: Float64, rated: RatedColumns) -> tuple[Float64, Float64]:
    """Return the input power at rated voltage that a current stands for, and its half width, W.

    Of a current I = sqrt(Ia^2 + Ir^2) the reactive part is about that at rated load, whatever the
    load. Voltage within 5 % and reactive current within 8 % of that are two deviations.
    """
    share = np.minimum(rated.input_w / (3 * rated.voltage_v * rated.current_a), 1.0)
    reactive_a = rated.current_a * np.sqrt(1 - share**2)
    cases = np.array([[0.96, 1.0], [0.96, 1.025], [1.0, 1.0]])
    part, volts = cases[:, :1], cases[:, 1:]
    active_a = np.sqrt(np.maximum(current_a**2 - (part * reactive_a) ** 2, 0.0))
    watts = 3 * rated.voltage_v * volts * active_a
    return watts[0], _half(watts)
