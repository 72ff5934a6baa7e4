"""The sideband pair of a rotor cage behind a drive that changes speed, from currents and voltages.

The effect of the voltage on the current is predicted from its frequency and amplitude and taken
off: over half a second the machine answers as a linear system. The rest is made by rotor and load.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy.ndimage import gaussian_filter1d

from vtox.motor.diagnosis.diagnosers.broken_bar.sidebands import SidebandPairs, sideband_pairs
from vtox.motor.diagnosis.diagnosers.current.current_analysis import CurrentAnalysis, select
from vtox.motor.diagnosis.diagnosers.current.slip import SlipAnalysis
from vtox.motor.diagnosis.dsp import demodulation, modulation_spectrum
from vtox.motor.values.arrays import Complex, Float64, Int

# The answer is a sum of the voltage's past, so long, s, in such steps; the envelopes' filter rings
# two steps ahead. docs/calibration/broken_bar.md#drives-that-change-speed
MEMORY_S, STEP_S, STEPS_AHEAD = 0.5, 0.04, 2
# The prediction takes a part of a line with it. This part is measured by tones, and given back.
TONES_HZ = np.geomspace(0.25, 16.0, 25)

# Takes off the prediction, from one series or from a column of several.
Prediction = Callable[[Float64], Float64]


def moving_pairs(
    analysis: CurrentAnalysis, slip_analysis: SlipAnalysis, rows: Int
) -> SidebandPairs:
    """Return the pairs of recordings `rows`, without the effect of their voltages.

    Parameters
    ----------
    analysis : CurrentAnalysis
        With voltages that belong to the currents.
    slip_analysis : SlipAnalysis
        The slip of the same recordings.
    rows : ndarray of int
    """
    part = select(analysis, rows)
    inner = demodulation.inner_points(part.envelope.shape[-1], part.rate_hz)
    each = [
        _beyond_voltage(i.astype(np.complex128), v.astype(np.complex128), part.rate_hz)
        for i, v in zip(part.envelope[:, inner], part.envelope_v[:, inner], strict=True)
    ]
    am, pm, gains = (np.stack(x) for x in zip(*each, strict=True))
    m = modulation_spectrum.spectra(am, pm, part.rate_hz)
    hz = np.arange(m.am.shape[-1]) * m.step_hz
    gain = np.stack([np.interp(hz, TONES_HZ, g) for g in gains])
    m = replace(m, am=m.am / gain, pm=m.pm / gain)
    of = replace(slip_analysis.select(rows), modulation=m, voltage=None)
    return sideband_pairs(part, of)


def _beyond_voltage(i: Complex, v: Complex, rate_hz: float) -> tuple[Float64, Float64, Float64]:
    """Return amplitude and phase of the admittance beyond prediction, and the gains of tones."""
    phase = demodulation.unwrap(np.angle(v))
    step = max(1, round(STEP_S * rate_hz))
    past, ahead = round(MEMORY_S * rate_hz), STEPS_AHEAD * step
    at = np.arange(past, len(i) - ahead)
    columns = [*np.linspace(-1, 1, len(at)) ** np.arange(4)[:, None]]  # the trend: a cubic
    for x in (np.gradient(phase), np.log(np.abs(v))):
        smooth = gaussian_filter1d(x - x.mean(), 0.6 * step)  # the course between two steps
        columns += [smooth[at - lag] for lag in range(-ahead, past + 1, step)]
    beyond = _prediction(np.stack(columns, axis=-1))
    admittance = i / v
    amplitude, angle = np.log(np.abs(admittance)), demodulation.unwrap(np.angle(admittance))
    both = beyond(np.stack([amplitude[at], angle[at]], axis=-1))
    return both[:, 0], both[:, 1], _gains(beyond, len(at), rate_hz)


def _prediction(x: Float64) -> Prediction:
    """Return a function that takes off the least squares fit of `x`, (points, columns)."""
    x = x / np.maximum(np.sqrt((x**2).mean(axis=0)), 1e-12)
    # The addition keeps the fit solvable.
    inverse = np.linalg.inv(x.T @ x + 1e-6 * len(x) * np.eye(x.shape[1]))
    return lambda y: np.asarray(y - x @ (inverse @ (x.T @ y)))


def _gains(beyond: Prediction, points: int, rate_hz: float) -> Float64:
    """Return the share of a line that the prediction leaves at each of `TONES_HZ`, at least 0.4."""
    t = np.arange(points) / rate_hz
    window = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(points) + 0.5) / points)
    turn = 2 * np.pi * TONES_HZ * t[:, None]
    left = beyond(np.cos(turn)) + 1j * beyond(np.sin(turn))
    gain = np.abs((window[:, None] * left * np.exp(-1j * turn)).sum(axis=0)) / window.sum()
    return np.asarray(np.maximum(gain, 0.4), np.float64)
