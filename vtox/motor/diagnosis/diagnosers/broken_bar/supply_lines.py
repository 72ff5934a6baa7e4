"""Lines of the current that the voltage carries too: flicker and interharmonics of the supply.

A voltage line drives a current through the admittance of the machine, so that both have a
proportion that machines have. A line of the rotor or the load moves the voltage only by the drop
over the impedance of the supply, a small part of that.
"""

from dataclasses import replace

import numpy as np

from vtox.motor.diagnosis.diagnosers.current.slip import SlipAnalysis
from vtox.motor.diagnosis.dsp import modulation_spectrum
from vtox.motor.diagnosis.dsp.modulation_spectrum import (
    LINE_BINS,
    MIN_OVER_FLOOR,
    Modulation,
    StrongestLine,
)
from vtox.motor.values.arrays import SILENCE, Bool, Float64, pick

# A voltage line of this ratio to the current's, each over its supply line, made it.
# docs/calibration/broken_bar.md#lines-of-the-supply
MAX_VOLTAGE_RATIO = 0.15
# Standard deviations from a level to its 99 % bound.
BOUND_DEVIATIONS = 2.5
# Phase over amplitude modulation of the voltage by which a drive answers its rotor cage. A bridge
# whose direct voltage flickers moves the amplitude alone, a speed that swings the phase alone.
# docs/calibration/broken_bar.md#drives-that-answer-the-cage
ANSWERED_RATIO = (0.1, 5.0)


def voltage_ratios(
    slip_analysis: SlipAnalysis, line: StrongestLine, current: Float64
) -> tuple[Float64, Float64]:
    """Return the line in the voltage over that in the current, and its 99 % bound.

    Each is relative to its supply line. The ratio is 0 if the voltage shows no line above its
    floor; the bound is the most that its noise may hide. Both are 0 without voltages.
    """
    if slip_analysis.voltage is None:
        return np.zeros(len(line.hz)), np.zeros(len(line.hz))
    same = modulation_spectrum.strongest(slip_analysis.voltage, line.hz, line.hz)
    voltage = np.maximum(*slip_analysis.voltage.sidebands(same.index))
    noise = np.sqrt((same.am_floor + same.pm_floor) / 2)
    current = np.maximum(current, SILENCE)
    ratio = np.where(same.statistic > MIN_OVER_FLOOR, voltage / current, 0.0)
    return np.asarray(ratio), np.asarray((voltage + BOUND_DEVIATIONS * noise) / current)


def answers(
    slip_analysis: SlipAnalysis, line: StrongestLine, ratio: Float64, drive: Bool
) -> tuple[Bool, Bool]:
    """Return whether the voltage carries a line as a drive makes it, and by which cause.

    The first is a drive that answers its rotor cage, the second a bridge that flickers.

    `ratio` is that of `voltage_ratios`; `drive`, shape (batch,), says whose voltages are those of a
    drive and can be used.
    """
    v, drive = slip_analysis.voltage, drive & (ratio > MAX_VOLTAGE_RATIO)
    if v is None or not drive.any():
        nothing = np.zeros(len(line.hz), bool)
        return nothing, nothing
    am, pm = np.abs(pick(v.am, line.index)), np.abs(pick(v.pm, line.index))
    least, largest = ANSWERED_RATIO
    answered = drive & (pm > least * am) & (pm < largest * am)
    return np.asarray(answered), np.asarray(drive & (pm <= least * am))


def strongest_non_supply_line(
    slip_analysis: SlipAnalysis, m: Modulation, low_hz: Float64, high_hz: Float64, usable: Bool
) -> tuple[Modulation, StrongestLine]:
    """Return the strongest line of each recording that the voltage does not explain.

    Up to three lines of the supply are replaced by the noise next to them. `usable`, shape
    (batch,), is True for recordings whose voltages can be used. The modulation returned is the one
    with the line.
    """
    line = modulation_spectrum.strongest(m, low_hz, high_hz)
    if slip_analysis.voltage is None:
        return m, line
    for _ in range(3):
        ratio, _ = voltage_ratios(slip_analysis, line, np.maximum(*m.sidebands(line.index)))
        of_supply = usable & (ratio > MAX_VOLTAGE_RATIO) & (line.statistic > MIN_OVER_FLOOR)
        if not of_supply.any():
            break
        m = _remove_lines(m, line, of_supply)
        line = modulation_spectrum.strongest(m, low_hz, high_hz)
    return m, line


def _remove_lines(m: Modulation, line: StrongestLine, where: Bool) -> Modulation:
    """Return the modulation with the lines `where` replaced by their excess."""
    am, pm = m.am.copy(), m.pm.copy()
    half = int(np.ceil(LINE_BINS * m.bin_hz / m.step_hz))
    last = am.shape[-1] - 1
    for i in np.flatnonzero(where).tolist():
        at = np.arange(max(line.index[i] - half, 0), min(line.index[i] + half, last) + 1)
        beside = np.minimum(at + 2 * half + 1, last)
        am[i, at], pm[i, at] = am[i, beside], pm[i, beside]
    return replace(m, am=am, pm=pm)
