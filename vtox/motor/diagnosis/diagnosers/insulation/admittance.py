"""Admittances to earth of a batch as a baseline learns them, and why some cannot be estimated."""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from vtox.motor.diagnosis.diagnosers.current import plausibility
from vtox.motor.diagnosis.diagnosers.current.current_analysis import CurrentAnalysis
from vtox.motor.diagnosis.diagnosers.current.front_end import HIGHEST_SUPPLY_HZ
from vtox.motor.diagnosis.diagnosers.current.phase_pairing import between_lines
from vtox.motor.diagnosis.diagnosers.current.signal_problems import supply_frequency_problem
from vtox.motor.diagnosis.diagnosers.features import (
    CAPACITANCE,
    PHASE_CAPACITANCE,
    PHASE_CONDUCTANCE,
)
from vtox.motor.diagnosis.dsp import damage, earth_admittance, supply_line, symmetrical_components
from vtox.motor.diagnosis.dsp.earth_admittance import EarthAdmittance
from vtox.motor.values.arrays import Complex, Float64
from vtox.motor.values.domain import LINE_VOLTAGES, VOLTAGES, Array, Motor, Reason, reason

# Deviations that a level must be away to count: docs/calibration/insulation.md#certainty.
SIGMAS = 5.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """Admittances to earth of the recordings of a batch whose samples can be used.

    `abstentions` says for each recording of the batch why it cannot be diagnosed, the code and then
    doubts; empty if it can. The estimate `y` has one row for each of the recordings `rows`, and is
    None if there are none.
    """

    abstentions: list[tuple[Reason, ...]]
    rows: list[int]
    y: EarthAdmittance | None


def estimate(analysis: CurrentAnalysis) -> Estimate:
    """Return the admittances to earth of a batch, and of the rest why there are none."""
    count = len(analysis.recordings)
    if missing := missing_channels(analysis):
        return Estimate([missing] * count, [], None)
    x = _samples(analysis)
    abstentions = [
        voltage_problems or leakage_problems
        for voltage_problems, leakage_problems in zip(
            analysis.voltage_problems,
            damage.sample_problems(x[:, :1], ("leakage",), analysis.fs_hz),
            strict=True,
        )
    ]
    rows = [i for i, reasons in enumerate(abstentions) if not reasons]
    if not rows:
        return Estimate(abstentions, rows, None)
    x = x if len(rows) == count else x[rows]
    f0_hz = analysis.f0_hz[rows]
    for row, i in enumerate(rows):
        if analysis.problems[i] or not np.isfinite(f0_hz[row]):
            f0_hz[row] = supply_from_voltages_hz(x[row, 1:], analysis.fs_hz)
    y = earth_admittance.estimate(x, analysis.fs_hz, f0_hz)
    for row, i in enumerate(rows):
        abstentions[i] = (
            _too_short(analysis) if y is None else _problem(analysis, y, row, analysis.motors[i], i)
        )
    return Estimate(abstentions, rows, y)


def missing_channels(analysis: CurrentAnalysis) -> tuple[Reason, ...]:
    """Return the channels that a batch lacks, empty if it has all of them."""
    needed, channels = ("leakage", *VOLTAGES), analysis.recordings[0].channels
    missing = tuple(c for c in needed if c not in channels)
    if not missing:
        return ()
    lines = any(c in channels for c in LINE_VOLTAGES) and missing != ("leakage",)
    to_earth = (reason("voltages_to_earth_needed"),) if lines else ()
    return (reason("missing_channel", channels=missing), *to_earth)


def _too_short(analysis: CurrentAnalysis) -> tuple[Reason, ...]:
    seconds = {"duration_s": analysis.duration_s, "needed_s": supply_line.FRAME_S}
    return (reason("record_too_short", **seconds),)


def _samples(analysis: CurrentAnalysis) -> Array:
    """Return the leakage current and the voltages, shape (batch, 4, samples)."""
    x = np.empty((len(analysis.recordings), 4, analysis.samples), np.float32)
    with np.errstate(over="ignore", invalid="ignore"):  # an overflow is reported as infinite
        for b, recording in enumerate(analysis.recordings):
            for c, name in enumerate(("leakage", *VOLTAGES)):
                x[b, c] = recording.channels[name]
    return x


def _problem(
    analysis: CurrentAnalysis, y: EarthAdmittance, row: int, motor: Motor, i: int
) -> tuple[Reason, ...]:
    """Return why leakage and voltages cannot be those of one winding, empty if they can."""
    f0_hz = float(y.f0_hz[row])
    if off := supply_frequency_problem(f0_hz, motor):
        return (off,)
    _, phasors = supply_line.frame_phasors(y.x[row : row + 1], y.fs_hz, y.f0_hz[row : row + 1])
    mean = phasors[0].mean(axis=-1)
    leakage_a, load_a = abs(mean[0]) / sqrt(2), np.inf
    if analysis.envelope.shape[-1] and not analysis.problems[i]:
        load_a = float(analysis.current_rms_a[i])
    problems = (
        plausibility.voltages_to_earth_problem(mean[1:]),
        plausibility.leakage_problem(leakage_a, load_a),
        _capacitance_problem(y, row),
        plausibility.earth_fault_problem(leakage_a, load_a, mean[1:]),
    )
    if problem := next((p for p in problems if p), None):
        return (problem,)
    if between := between_lines(_positive_rms(mean[1:]), f0_hz, motor):
        return (between, reason("voltages_to_earth_needed"))
    return _reversed(y, row)


def _capacitance_problem(y: EarthAdmittance, row: int) -> Reason | None:
    susceptance_s, spread_s = float(y.whole_estimate[row].imag), _uncertain_s(y, row)
    least_s = -spread_s if np.isfinite(y.whole[row]) else spread_s
    if not susceptance_s > least_s:
        return None
    omega = float(y.omega[row])
    return plausibility.capacitance_problem(susceptance_s / omega, spread_s / omega)


def _uncertain_s(y: EarthAdmittance, row: int) -> float:
    """Return how far the susceptance of the whole winding may be from the measured one, S."""
    return float(SIGMAS * y.whole_std[row] / 3)


def _positive_rms(phasors: Complex) -> float:
    """Return the larger of V1 and V2, V rms, of the voltages to earth, shape (3,), V peak.

    An earth fault moves their zero sequence alone.
    """
    _, one, two = np.abs(symmetrical_components.components(phasors[None])[0])
    return float(max(one, two) / sqrt(2))


def _reversed(y: EarthAdmittance, row: int) -> tuple[Reason, ...]:
    """Return the reason if the current is that from earth, empty if it is not or may not be."""
    if not y.whole[row].imag < -_uncertain_s(y, row):
        return ()
    capacitance_f = float(y.whole[row].imag / y.omega[row])
    return (reason("leakage_reversed", capacitance_nanofarad=capacitance_f * 1e9),)


def supply_from_voltages_hz(x: Array, fs_hz: float) -> float:
    """Return the supply frequency from voltages alone, shape (3, samples), Hz."""
    samples = x.shape[-1]
    spectrum = np.fft.rfft(x * np.hanning(samples))[None]
    peak, _ = supply_line.line_bin(spectrum, fs_hz / samples, min(fs_hz / 3, HIGHEST_SUPPLY_HZ))
    coarse_hz = peak * fs_hz / samples
    t_s, frames = supply_line.frame_phasors(x[None, :1], fs_hz, coarse_hz)
    if len(t_s) < 2:
        return float(coarse_hz[0])
    slope = np.polyfit(t_s, np.unwrap(np.angle(frames[0, 0])), 1)[0]
    return float(coarse_hz[0] + slope / (2 * np.pi))


def features(analysis: CurrentAnalysis) -> dict[str, Float64]:
    """Return the features of the insulation that a baseline learns.

    Returns
    -------
    dict of str to ndarray, shape (batch,)
        `insulation.capacitance_f`, of the whole winding, F; `insulation.unequal_s` and
        `insulation.unequal_f`, the difference between phases as a conductance (S) and a capacitance
        (F) of phase a. NaN if they cannot be measured.
    """
    estimated = estimate(analysis)
    names = (CAPACITANCE, PHASE_CONDUCTANCE, PHASE_CAPACITANCE)
    values = {n: np.full(len(analysis.recordings), np.nan) for n in names}
    if (y := estimated.y) is not None:
        usable = [not estimated.abstentions[i] for i in estimated.rows]
        for name, x in (
            (CAPACITANCE, y.whole.imag / y.omega),
            (PHASE_CONDUCTANCE, y.difference.real),
            (PHASE_CAPACITANCE, y.difference.imag / y.omega),
        ):
            values[name][estimated.rows] = np.where(usable, x, np.nan)
    return values
