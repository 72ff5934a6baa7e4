"""The sidebands at the speed of rotation, f +- fr, and how steady the record was. Numbers only."""

from dataclasses import dataclass, replace
from math import sqrt

import numpy as np

from vtox.motor.diagnosis.diagnosers.current.current_analysis import CurrentAnalysis
from vtox.motor.diagnosis.diagnosers.current.slip import SlipAnalysis
from vtox.motor.diagnosis.dsp import demodulation, modulation_spectrum
from vtox.motor.diagnosis.dsp.modulation_spectrum import MIN_OVER_FLOOR_AT_PLACE, sideband_floors
from vtox.motor.values.arrays import SILENCE, Bool, Float64, pick_several, power_db


@dataclass(frozen=True, slots=True)
class RotationSidebands:
    """Arrays of shape (batch,), and of shape (2, batch) for the lower and the upper sideband.

    `rotation_hz` is their distance from the supply line, `neighbour_hz` that of a stronger line
    next to the interval of the slip, NaN if there is none. `both_dbc` is the level of the two
    together.

    With two poles (`two_pole`) the lower one is next to 0 Hz, where clamps drift, so only the upper
    one counts. If the slip may put it within a line's width of twice the supply frequency, its
    level is at least that of the line there. `merged` then means that the latter is the higher one.

    `reactances` is the line of the voltage over that of the current, at the supply frequency and
    over the reactance of the rated load; 0 if the voltage has none. `low_a` and `high_a` are the
    least and the largest mean of 0.5 s, A rms, `current_range` their difference over the mean.
    """

    rotation_hz: Float64
    neighbour_hz: Float64
    levels_dbc: Float64
    floors_dbc: Float64
    both_dbc: Float64
    two_pole: Bool
    merged: Bool
    reactances: Float64
    low_a: Float64
    high_a: Float64
    current_range: Float64


def rotation_sidebands(analysis: CurrentAnalysis, slip_analysis: SlipAnalysis) -> RotationSidebands:
    """Return the strongest line at fr within the slip interval of each recording."""
    m, slips = slip_analysis.modulation, slip_analysis.slips
    two_pole = np.array([p == 1 for p in slip_analysis.pole_pairs])
    synchronous_hz = analysis.f0_hz / np.array([p or np.nan for p in slip_analysis.pole_pairs])
    low_hz = synchronous_hz * (1 - np.array([s.high for s in slips])) - m.bin_hz / 4
    high_hz = synchronous_hz * (1 - np.array([s.low for s in slips])) + m.bin_hz / 4
    apart_hz = analysis.f0_hz - modulation_spectrum.LINE_BINS * m.bin_hz
    farthest_hz = np.where(two_pole, np.minimum(high_hz, apart_hz), high_hz)
    line = modulation_spectrum.strongest(_upper_of(m, two_pole), low_hz, farthest_hz)
    levels_dbc = power_db(np.square(m.sidebands(line.index)))
    at_twice_dbc = _upper_dbc(m, apart_hz, high_hz, two_pole & (high_hz > apart_hz))
    merged = at_twice_dbc >= levels_dbc[1]
    levels_dbc[1] = np.maximum(levels_dbc[1], at_twice_dbc)
    both_dbc = power_db(np.sum(10 ** (levels_dbc / 10), axis=0))
    moves = demodulation.unsteadiness(analysis.envelope, analysis.rate_hz)
    return RotationSidebands(
        rotation_hz=line.hz,
        neighbour_hz=line.neighbour_hz,
        levels_dbc=levels_dbc,
        floors_dbc=power_db(sideband_floors(m, line)),
        both_dbc=np.where(two_pole, levels_dbc[1], both_dbc),
        two_pole=two_pole,
        merged=merged,
        reactances=_reactances(analysis, slip_analysis, line),
        low_a=moves.lowest / sqrt(2),
        high_a=moves.highest / sqrt(2),
        current_range=moves.amplitude_range,
    )


def _upper_of(m: modulation_spectrum.Modulation, rows: Bool) -> modulation_spectrum.Modulation:
    """Return the modulations, in some rows those of the upper sideband alone."""
    if not rows.any():
        return m
    upper = (m.am + 1j * m.pm) / 2
    chosen = rows[:, None]
    return replace(m, am=np.where(chosen, upper, m.am), pm=np.where(chosen, -1j * upper, m.pm))


def _upper_dbc(
    m: modulation_spectrum.Modulation, low_hz: Float64, high_hz: Float64, rows: Bool
) -> Float64:
    """Return the highest level of the upper sideband from `low_hz` to `high_hz`, else -inf."""
    found = np.full(len(rows), -np.inf)
    if not rows.any():
        return found
    first = np.round(low_hz[rows] / m.step_hz).astype(int)
    last = np.round(high_hz[rows] / m.step_hz).astype(int)
    index = first[:, None] + np.arange(max(int((last - first).max()), 0) + 1)
    index = np.clip(np.minimum(index, last[:, None]), 0, m.am.shape[-1] - 1)
    upper = pick_several(m.am[rows], index) + 1j * pick_several(m.pm[rows], index)
    found[rows] = power_db(np.max(np.abs(upper) ** 2, axis=-1))
    return found


def _reactances(
    analysis: CurrentAnalysis, slip_analysis: SlipAnalysis, line: modulation_spectrum.StrongestLine
) -> Float64:
    """Return the reactances of `RotationSidebands`, shape (2, batch).

    A line of the voltage at f' drives a current through the leakage, in proportion to 1/f'. One
    that the rotor makes drops over the impedance of the supply instead, which is smaller. Without a
    rated current the load counts as the rated one, which makes the reactance too small.
    """
    m, v = slip_analysis.modulation, slip_analysis.voltage
    if v is None:
        return np.zeros((2, len(line.hz)))
    same = modulation_spectrum.strongest(v, line.hz, line.hz)
    power = np.square(v.sidebands(same.index))
    stands = power > MIN_OVER_FLOOR_AT_PLACE * np.array(sideband_floors(v, same))
    usable = np.array([not p for p in analysis.voltage_problems])
    ratio = np.sqrt(power) / np.maximum(m.sidebands(line.index), SILENCE)
    orders = np.abs(1 + np.array([[-1], [1]]) * line.hz / analysis.f0_hz)
    rated_a = np.array([motor.rated_current_a or np.nan for motor in analysis.motors])
    load = np.fmin(analysis.current_rms_a / rated_a, 1.0)
    return np.where(stands & usable, ratio / np.maximum(orders * load, SILENCE), 0.0)
