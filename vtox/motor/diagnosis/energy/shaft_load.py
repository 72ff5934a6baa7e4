"""Shaft power, torque, efficiency and losses by kind from terminal power and nameplate.

Input less losses (IEEE 112 method E1, IEC 60034-2-1, 6.1.3). The measured power less the losses of
the stator's resistance and the iron crosses the air gap. The slip's share of that heats the rotor,
and friction and additional losses come off the shaft. Power less stator losses over
synchronous speed is the air-gap torque (Lu, Habetler, Harley 2006, IEEE TIA 42(4):924; Hsu and
Scoggins 1995, IEEE TEC 10(3):471).
"""

from typing import NamedTuple

import numpy as np

from vtox.motor.diagnosis.energy.rated_losses import MOVED, RatedColumns
from vtox.motor.values.arrays import TINY, Float64
from vtox.motor.values.energy import ESTIMATES
from vtox.motor.values.terminal_power import NEGATIVE_A, POSITIVE_A, POSITIVE_V, POWERS

# Deviations of the measurement that an interval allows for: clamps and voltage dividers of class 1
# (1 % is two deviations), and the angle between them, rad (18 minutes of arc).
_GAIN_STD, _ANGLE_STD = 0.005, 0.0026
# Half width of an interval in deviations: it holds in 95 % of all cases.
_DEVIATIONS = 2.0
# Breakdown slip over rated slip, of usual breakdown torques of 2 to 3 times rated torque.
_BREAKDOWN_RATIO = 4.0
# Iron losses grow with frequency to this power at equal flux, friction and windage to the second.
_IRON_EXPONENT, _FRICTION_EXPONENT = 1.3, 2.0
# Weights of the powers in `POWERS`, by case: for the positive sequence, which gain and angle move,
# and for the sum of all.
_POSITIVE = np.hstack(
    [1 + MOVED[4] * _GAIN_STD, MOVED[5] * _ANGLE_STD, np.zeros((len(MOVED[0]), 2))]
)
_NEGATIVE, _BEYOND = np.zeros_like(_POSITIVE), np.array([0, 0, 1, 1])
_NEGATIVE[:, 2] = 1
_BY_CASE = np.vstack([_POSITIVE, _NEGATIVE, _POSITIVE + _BEYOND])
# Power by currents alone: reactive current over that at rated load, voltage over the rated one.
_CURRENT_CASES = np.array([[0.96, 0.96, 1.0], [1.0, 1.025, 1.0]])[:, :, None]
# A measured speed is good to this part of synchronous speed.
_SPEED_STD = 5e-4


_ROWS = {name: row for row, name in enumerate(ESTIMATES)}


class ShaftEstimate(NamedTuple):
    """Estimates of a batch: rows by `ESTIMATES`, of length batch; `half` is that of an interval.

    `unbalance_w` is the cost of the negative sequence: its own power, and that of its braking
    torque. `slip` is the one used.
    """

    table: Float64  # (estimates, batch)

    def __getattr__(self, name: str) -> Float64:
        if name not in _ROWS:
            raise AttributeError(name)
        return np.asarray(self.table[_ROWS[name]])


def shaft_load(
    sums: Float64,
    f0_hz: Float64,
    measured_slip: Float64 | None,
    rated: RatedColumns,
    cases: Float64 | None = None,
) -> ShaftEstimate:
    """Return the estimates of a batch; NaN if the nameplate does not lead to one.

    Parameters
    ----------
    sums : ndarray, shape (batch, sums)
        Of `power_sums`.
    f0_hz : ndarray, shape (batch,)
    measured_slip : ndarray, shape (batch,), optional
        By a speed sensor, NaN without.
    rated : RatedColumns, length batch
    cases : ndarray, shape (4, cases, batch), optional
        Filled with shaft power, torque, efficiency and losses by case.

    Notes
    -----
    Rows of every array are cases: the expected one, then each unknown moved by its deviation. The
    deviation of a figure is the root of the sum of squares of the changes (GUM, 5.1.2).
    """
    of, batch = sums.T, len(sums)
    ohm, rated_slip, iron_n, friction_n, additional_n, torque_n = rated.cases
    positive_1, reactive, negative_w, _ = powers = of[POWERS]
    by_case = (_BY_CASE @ powers).reshape(3, -1, batch)
    squares = of[POSITIVE_A : NEGATIVE_A + 1 : NEGATIVE_A - POSITIVE_A]
    volts_2 = np.maximum(of[POSITIVE_V], TINY)
    power_w, _, supply_hz, synchronous_rad_s, *_ = rated.numbers
    hz = f0_hz / supply_hz
    # |V1 - R I1|^2, I1 along V1 and across it being P1 and Q1 over 3 V1.
    behind = ohm * ((positive_1 * positive_1 + reactive * reactive) / (9 * volts_2))
    behind -= positive_1 * (2 / 3)
    behind *= ohm
    behind += volts_2
    iron_w = iron_n * behind
    iron_w *= hz ** (_IRON_EXPONENT - 2)
    constant_w = friction_n * hz**_FRICTION_EXPONENT
    additional_w = additional_n * squares[0]
    stator_w = (3 * ohm) * squares[:, None]
    gap_w, backward_w = by_case[:2] - stator_w
    gap_w -= iron_w
    np.maximum(backward_w, 0.0, out=backward_w)
    # Torque is power in the air gap over frequency. Flux squared is the square of the voltage
    # behind the resistance over that of the frequency.
    torque_ratio = gap_w * torque_n
    torque_ratio *= hz
    torque_ratio /= np.maximum(behind, TINY)
    slip = _slip(torque_ratio, rated_slip)
    slip /= hz
    if measured_slip is not None:
        by_speed = measured_slip + MOVED[3] * _SPEED_STD
        slip = np.where(np.isnan(by_speed), slip, by_speed)
    turning = 1 - slip
    told = np.empty((4, *gap_w.shape)) if cases is None else cases
    shaft_w, torque, efficiency, loss = told
    np.subtract(gap_w, backward_w, out=shaft_w)
    shaft_w *= turning
    shaft_w -= constant_w
    shaft_w -= additional_w
    np.divide(shaft_w, turning * (synchronous_rad_s * hz), out=torque)
    np.divide(shaft_w, np.maximum(by_case[2], TINY), out=efficiency)
    np.subtract(by_case[2], shaft_w, out=loss)
    s, back_w = slip[0], backward_w[0]
    table = np.empty((len(_ROWS), batch))
    np.divide(shaft_w[0], power_w, out=table[0])
    table[1:5] = told[:, 0]
    table[5:9] = half_width(told[:, 1:] - told[:, :1])
    table[9] = stator_w[0, 0] + stator_w[1, 0]
    table[10] = s * gap_w[0] + (2 - s) * back_w
    table[11], table[12], table[13] = iron_w[0], constant_w[0], additional_w[0]
    table[14] = negative_w + turning[0] * back_w
    table[15] = s
    return ShaftEstimate(table)


def _slip(torque_ratio: Float64, rated_slip: Float64) -> Float64:
    """Return the slip at a torque over rated torque, at rated flux.

    Kloss: T is proportional to s / (1 + (s / s_b)^2), whose smaller root this is. The breakdown
    slip s_b is so many times the rated slip, which therefore only scales the result.
    """
    a = torque_ratio * (2 / (1 + _BREAKDOWN_RATIO**-2))
    root = a * a
    root *= -(_BREAKDOWN_RATIO**-2)
    root += 1
    np.sqrt(np.maximum(root, 0.0, out=root), out=root)
    root += 1
    a *= rated_slip
    a /= root
    return a


def half_width(moved: Float64) -> Float64:
    """Return the half width of intervals, from how each unknown moves a figure.

    Shape (..., unknowns, batch); `moved` is overwritten.
    """
    moved *= moved
    total = np.add.reduce(moved, axis=-2)
    return np.asarray(_DEVIATIONS * np.sqrt(total))


def power_of_currents(current_a: Float64, rated: RatedColumns) -> tuple[Float64, Float64]:
    """Return the input power at rated voltage that a current means, and its half width, W.

    In a current I = sqrt(Ia^2 + Ir^2) the reactive part is about that at rated load, at any load.
    Voltage within 5 % and reactive current within 8 % of that are two deviations.
    """
    rated_va = 3 * rated.voltage_v * rated.current_a
    share = np.minimum(rated.input_w / rated_va, 1.0)
    reactive = 1 - share**2
    part, volts = _CURRENT_CASES
    active = np.sqrt(np.maximum((current_a / rated.current_a) ** 2 - part**2 * reactive, 0.0))
    watts = rated_va * volts * active
    return watts[0], half_width(watts[1:] - watts[:1])
