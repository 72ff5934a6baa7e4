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
from vtox.diagnosis.energy.rated_losses import MOVED, RatedColumns
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
# Power by currents alone: reactive current over that at rated load, voltage over the rated one.
_CURRENT_CASES = np.array([[0.96, 0.96, 1.0], [1.0, 1.025, 1.0]])[:, :, None]
# A measured speed is good to this part of synchronous speed.
_SPEED_STD = 5e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class ShaftEstimate:
    """Estimates of a batch with the half width of their intervals, columns of shape (batch,).

    Powers in W. `unbalance_w` is what the negative sequence costs: its own power, and the torque by
    which it brakes. `harmonic_w` is what the harmonics bring, all of which becomes heat.
    `slip` is the one used.
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
    *_, by_slip, gain, angle = MOVED
    ohm, rated_slip, iron_n, friction_n, additional_n, gap_n = rated.cases
    positive_w = (x.positive_w + angle * _ANGLE_STD * x.reactive_var) * (1 + gain * _GAIN_STD)
    volts = np.maximum(x.positive_v, TINY)
    along, across = x.positive_w / (3 * volts), x.reactive_var / (3 * volts)
    squared = x.positive_a**2
    per_hz = f0_hz / rated.supply_hz
    behind = np.sqrt((volts - ohm * along) ** 2 + (ohm * across) ** 2)
    flux = (behind / (rated.flux_ratio * rated.voltage_v * per_hz)) ** 2
    iron_w = iron_n * (flux * per_hz**_IRON_EXPONENT)
    friction_w = friction_n * per_hz**_FRICTION_EXPONENT
    additional_w = additional_n * (squared / rated.current_a**2)
    gap_w = positive_w - 3 * ohm * squared - iron_w
    negative = x.negative_a**2
    backward_w = np.maximum(x.negative_w - 3 * ohm * negative, 0.0)
    torque_ratio = gap_w / (gap_n * per_hz)
    slip = _slip(torque_ratio / np.maximum(flux, TINY), rated_slip) / per_hz
    known = np.isfinite(measured_slip)
    if known.any():
        slip = np.where(known, measured_slip + by_slip * _SPEED_STD, slip)
    turning = 1 - slip
    shaft_w = (gap_w - backward_w) * turning - friction_w - additional_w
    input_w = x.active_w + (positive_w - x.positive_w)
    speed = rated.synchronous_rad_s * per_hz * turning
    told = np.stack(
        [shaft_w, shaft_w / speed, shaft_w / np.maximum(input_w, TINY), input_w - shaft_w]
    )
    shaft, torque, efficiency, loss = told[:, 0]
    shaft_half, torque_half, efficiency_half, loss_half = _half(told)
    s, back_w = slip[0], backward_w[0]
    return ShaftEstimate(
        load_ratio=shaft / rated.power_w,
        shaft_w=shaft,
        shaft_half_w=shaft_half,
        torque_nm=torque,
        torque_half_nm=torque_half,
        efficiency=efficiency,
        efficiency_half=efficiency_half,
        loss_w=loss,
        loss_half_w=loss_half,
        stator_w=3 * ohm[0] * (squared + negative),
        rotor_w=s * gap_w[0] + (2 - s) * back_w,
        iron_w=iron_w[0],
        friction_w=friction_w[0],
        additional_w=additional_w[0],
        unbalance_w=x.negative_w + turning[0] * back_w,
        slip=s,
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
    """Return the half width of the intervals of figures, from their cases, (..., cases, batch)."""
    moved = cases[..., 1:, :] - cases[..., :1, :]
    return np.asarray(_DEVIATIONS * np.sqrt(np.einsum("...cb,...cb->...b", moved, moved)))


def power_of_currents(current_a: Float64, rated: RatedColumns) -> tuple[Float64, Float64]:
    """Return the input power at rated voltage that a current means, and its half width, W.

    Of a current I = sqrt(Ia^2 + Ir^2) the reactive part is about that at rated load, whatever the
    load. Voltage within 5 % and reactive current within 8 % of that are two deviations.
    """
    rated_va = 3 * rated.voltage_v * rated.current_a
    share = np.minimum(rated.input_w / rated_va, 1.0)
    reactive = 1 - share**2
    part, volts = _CURRENT_CASES
    active = np.sqrt(np.maximum((current_a / rated.current_a) ** 2 - part**2 * reactive, 0.0))
    watts = rated_va * volts * active
    return watts[0], _half(watts)
