"""The sidebands at the speed of rotation, f +- fr, and how steady the record was. Numbers only."""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from vtox.diagnosis.diagnosers.current.front_end import CurrentAnalysis
from vtox.diagnosis.diagnosers.current.slip import SlipAnalysis
from vtox.diagnosis.dsp import demodulation, modulation_spectrum
from vtox.values.arrays import SILENCE, Float64, power_db

# Power of a line of the voltage over its floor.
MIN_VOLTAGE_OVER_FLOOR = 15.0


@dataclass(frozen=True, slots=True)
class RotationSidebands:
    """Arrays of shape (batch,), and of shape (2, batch) for the lower and the upper sideband.

    `rotation_hz` is their distance from the supply line, `neighbour_hz` that of a stronger line
    next to what the slip allows, NaN where there is none. `both_dbc` is the level of the two
    together. `reactances` is the line of the voltage over that of the current, at the supply
    frequency and over the reactance of the rated load; 0 where the voltage has none. `low_a` and
    `high_a` are the least and the largest mean of 0.5 s, A rms, `current_range` their difference
    over the mean.
    """

    rotation_hz: Float64
    neighbour_hz: Float64
    levels_dbc: Float64
    floors_dbc: Float64
    both_dbc: Float64
    reactances: Float64
    low_a: Float64
    high_a: Float64
    current_range: Float64


def rotation_sidebands(analysis: CurrentAnalysis, slip_analysis: SlipAnalysis) -> RotationSidebands:
    """Return the strongest line at fr within the slip interval of each recording."""
    m, slips = slip_analysis.modulation, slip_analysis.slips
    synchronous_hz = analysis.f0_hz / np.array([p or np.nan for p in slip_analysis.pole_pairs])
    line = modulation_spectrum.strongest(
        m,
        synchronous_hz * (1 - np.array([s.high for s in slips])) - m.bin_hz / 4,
        synchronous_hz * (1 - np.array([s.low for s in slips])) + m.bin_hz / 4,
    )
    levels_dbc = power_db(np.square(m.sidebands(line.index)))
    moves = demodulation.unsteadiness(analysis.envelope, analysis.rate_hz)
    return RotationSidebands(
        rotation_hz=line.hz,
        neighbour_hz=line.neighbour_hz,
        levels_dbc=levels_dbc,
        floors_dbc=power_db(modulation_spectrum.sideband_floors(m, line)),
        both_dbc=power_db(np.sum(10 ** (levels_dbc / 10), axis=0)),
        reactances=_reactances(analysis, slip_analysis, line),
        low_a=moves.lowest / sqrt(2),
        high_a=moves.highest / sqrt(2),
        current_range=moves.amplitude_range,
    )


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
    stands = power > MIN_VOLTAGE_OVER_FLOOR * np.array(modulation_spectrum.sideband_floors(v, same))
    usable = np.array([not p for p in analysis.voltage_problems])
    ratio = np.sqrt(power) / np.maximum(m.sidebands(line.index), SILENCE)
    orders = np.abs(1 + np.array([[-1], [1]]) * line.hz / analysis.f0_hz)
    rated_a = np.array([motor.rated_current_a or np.nan for motor in analysis.motors])
    load = np.fmin(analysis.current_rms_a / rated_a, 1.0)
    return np.where(stands & usable, ratio / np.maximum(orders * load, SILENCE), 0.0)
