"""Conductance and capacitance to earth of a batch, and their change since the baselines. Numbers.

Decides whether the winding as a whole or one phase is the better evidence, and how much of a change
one phase explains; `diagnoser` makes diagnoses of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vtox.arrays import Bool, Complex, Float64
from vtox.baseline import Baseline
from vtox.diagnosers.current.front_end import CurrentAnalysis
from vtox.diagnosers.current.phase_pairing import between_lines
from vtox.diagnosers.current.reduction import HIGHEST_SUPPLY_HZ
from vtox.domain import VOLTAGES, Array, Motor, Reason, reason
from vtox.dsp import earth_admittance, quality, supply_line
from vtox.dsp.earth_admittance import Attribution, EarthAdmittance

# Where these values come from: docs/calibration/insulation.md.
# Deviations that a level must be away to count.
SIGMAS = 5.0
# Difference in capacitance between the phases of a sound winding, as a share of its capacitance.
UNEQUAL_SHARE = 0.01
# The same where the capacitance is not measured, S.
UNEQUAL_UNMEASURED_S = 1e-7
# Largest uncertainty of the conductance of the whole winding at which 1 Mohm would show, S.
WHOLE_LIMIT_S = 0.5e-6
# Least change of capacitance that counts, relative and in F.
CAPACITANCE_CHANGE = 0.10
CAPACITANCE_FLOOR_F = 1e-10
# Baseline features: capacitance of the whole winding, and both parts of the difference between
# phases, as a conductance and a capacitance of phase a.
WHOLE = "insulation.capacitance_f"
UNEQUAL = ("insulation.unequal_s", "insulation.unequal_f")


@dataclass(frozen=True, slots=True)
class Estimate:
    """Admittances to earth of the recordings of a batch from which they can be estimated.

    `abstentions` says of each recording of the batch why it cannot be diagnosed, the code and then
    doubts, empty where it can. `rows` are the indices of those that can; `y` is of them only, None
    where there are none.
    """

    abstentions: list[tuple[Reason, ...]]
    rows: list[int]
    y: EarthAdmittance | None


@dataclass(frozen=True, slots=True)
class WindingAdmittance:
    """Conductance and capacitance to earth; arrays of shape (batch,).

    They are of the whole winding where its voltages show it, else of the phase that differs.
    `conductance_s` lies for certain between `least_s` and `most_s`; `by_phase` says whether one
    phase is the better evidence of it. `change_f` is the change of capacitance since the baseline,
    NaN without one, and counts beyond `bound_f`; `change_by_phase` says whether one phase explains
    it. `whole` says whether equal loss in all phases would show. `attribution` is the phase to
    which the difference between phases is attributed.
    """

    conductance_s: Float64
    conductance_std_s: Float64
    least_s: Float64
    most_s: Float64
    by_phase: Bool
    capacitance_f: Float64
    change_f: Float64
    bound_f: Float64
    change_by_phase: Bool
    whole: Bool
    attribution: Attribution
    omega: Float64


def estimate(analysis: CurrentAnalysis) -> Estimate:
    """Return the admittances to earth of a batch, and of the rest why there are none."""
    count = len(analysis.recordings)
    if missing := _missing(analysis):
        return Estimate([missing] * count, [], None)
    x = _samples(analysis)
    abstentions = [
        voltage_problems or leakage_problems
        for voltage_problems, leakage_problems in zip(
            analysis.voltage_problems,
            quality.check(x[:, 0], "leakage", analysis.fs_hz),
            strict=True,
        )
    ]
    rows = [i for i, reasons in enumerate(abstentions) if not reasons]
    if not rows:
        return Estimate(abstentions, rows, None)
    x = x if len(rows) == count else x[rows]
    f0_hz = analysis.f0_hz[rows]
    for row in np.flatnonzero(~np.isfinite(f0_hz)).tolist():
        f0_hz[row] = supply_from_voltages_hz(x[row, 1:], analysis.fs_hz)
    y = earth_admittance.estimate(x, analysis.fs_hz, f0_hz)
    for row, i in enumerate(rows):
        abstentions[i] = (
            _too_short(analysis) if y is None else _miswired(y, row, analysis.motors[i])
        )
    return Estimate(abstentions, rows, y)


def _missing(analysis: CurrentAnalysis) -> tuple[Reason, ...]:
    needed = ("leakage", *VOLTAGES)
    missing = tuple(c for c in needed if c not in analysis.recordings[0].channels)
    return (reason("missing_channel", channels=missing),) if missing else ()


def _too_short(analysis: CurrentAnalysis) -> tuple[Reason, ...]:
    seconds = {"duration_s": analysis.duration_s, "needed_s": supply_line.FRAME_S}
    return (reason("record_too_short", **seconds),)


def _samples(analysis: CurrentAnalysis) -> Array:
    """Return the leakage current and the voltages, shape (batch, 4, samples)."""
    x = np.empty((len(analysis.recordings), 4, analysis.samples), np.float32)
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is reported as infinite
        for b, recording in enumerate(analysis.recordings):
            for c, name in enumerate(("leakage", *VOLTAGES)):
                x[b, c] = recording.channels[name]
    return x


def _miswired(y: EarthAdmittance, row: int, motor: Motor) -> tuple[Reason, ...]:
    """Return why current and voltages of a recording are not those to earth, empty if they are."""
    if np.isfinite(y.whole[row]):
        # What has a zero sequence is not measured between lines.
        if y.whole[row].imag > -SIGMAS * y.whole_std[row] / 3:
            return ()
        capacitance_f = float(y.whole[row].imag / y.omega[row])
        return (reason("leakage_reversed", capacitance_nanofarad=capacitance_f * 1e9),)
    if not motor.rated_voltage_v:
        return ()
    _, phasors = supply_line.frame_phasors(y.x[row : row + 1, 1:], y.fs_hz, y.f0_hz[row : row + 1])
    volts = float(np.median(np.abs(phasors.mean(axis=-1))) / np.sqrt(2))
    between = between_lines(volts, float(y.f0_hz[row]), motor)
    return (between, reason("voltages_to_earth_needed")) if between else ()


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
        (F) of phase a. NaN where they cannot be measured.
    """
    estimated = estimate(analysis)
    values = {n: np.full(len(analysis.recordings), np.nan) for n in (WHOLE, *UNEQUAL)}
    if (y := estimated.y) is not None:
        usable = [not estimated.abstentions[i] for i in estimated.rows]
        for name, x in (
            (WHOLE, y.whole.imag / y.omega),
            (UNEQUAL[0], y.difference.real),
            (UNEQUAL[1], y.difference.imag / y.omega),
        ):
            values[name][estimated.rows] = np.where(usable, x, np.nan)
    return values


@dataclass(frozen=True, slots=True)
class _Levels:
    """What the baselines know, mean and spread, NaN where nothing; arrays of shape (batch,)."""

    capacitance_f: Float64
    capacitance_spread_f: Float64
    difference: Complex  # between phases, S
    difference_spread: Float64


@dataclass(frozen=True, slots=True)
class _Difference:
    """The difference between phases, attributed to one; arrays of shape (batch,).

    `std` is its deviation, S, and `learnt` says whether it is a change since the baseline.
    `conductance_s` includes what leaked when the baseline was learnt.
    """

    attribution: Attribution
    conductance_s: Float64
    std: Float64
    learnt: Bool


@dataclass(frozen=True, slots=True)
class _Conductance:
    """An estimate of the conductance to earth, S, and between which values it lies for certain."""

    value: Float64
    std: Float64
    least: Float64
    most: Float64


@dataclass(frozen=True, slots=True)
class _Change:
    """A change of capacitance, F, NaN where none is known, and beyond which it counts."""

    value: Float64
    bound: Float64


def winding_admittance(
    y: EarthAdmittance, baselines: Sequence[Baseline | None]
) -> WindingAdmittance:
    """Return conductance and capacitance to earth, and the change since the baselines.

    Parameters
    ----------
    y : EarthAdmittance, arrays of shape (batch,)
    baselines : sequence of Baseline or None, length batch
        Their levels of `WHOLE` and `UNEQUAL`, which do not depend on the load.
    """
    levels = _levels(y, baselines)
    difference = _difference(y, levels)
    attribution = difference.attribution
    measured = np.isfinite(y.whole)
    sure = measured & (SIGMAS * y.whole_std < WHOLE_LIMIT_S)
    whole, phase = _of_whole_winding(y, sure), _of_one_phase(difference)
    # Too noisy to exclude a bad winding, the whole can still prove one.
    by_phase = (phase.least > np.maximum(whole.least, 0)) | ~(sure | (whole.least > 0))
    whole_f, phase_f = y.whole.imag / y.omega, attribution.susceptance / y.omega
    change, change_by_phase = _capacitance_change(y, levels, difference)
    return WindingAdmittance(
        conductance_s=np.maximum(np.where(by_phase, phase.value, whole.value), 0),
        conductance_std_s=np.where(by_phase, phase.std, whole.std),
        least_s=np.maximum(phase.least, whole.least),
        most_s=np.maximum(phase.most, whole.most),
        by_phase=by_phase,
        capacitance_f=np.where(measured, whole_f, phase_f),
        change_f=change.value,
        bound_f=change.bound,
        change_by_phase=change_by_phase,
        whole=sure,
        attribution=attribution,
        omega=y.omega,
    )


def _levels(y: EarthAdmittance, baselines: Sequence[Baseline | None]) -> _Levels:
    levels = [[b.any_load(n) if b else None for n in (WHOLE, *UNEQUAL)] for b in baselines]
    mean = np.array([[np.nan if x is None else x.mean for x in row] for row in levels]).T
    spread = np.array([[np.nan if x is None else x.spread for x in row] for row in levels]).T
    return _Levels(
        capacitance_f=mean[0],
        capacitance_spread_f=spread[0],
        difference=mean[1] + 1j * y.omega * mean[2],
        difference_spread=np.hypot(spread[1], y.omega * spread[2]),
    )


def _difference(y: EarthAdmittance, levels: _Levels) -> _Difference:
    unequal = np.where(
        np.isfinite(y.whole), UNEQUAL_SHARE * np.abs(y.whole.imag) / 3, UNEQUAL_UNMEASURED_S
    )
    # A baseline that scatters more than sound windings differ says nothing.
    learnt = levels.difference_spread < np.maximum(unequal, UNEQUAL_UNMEASURED_S)
    before = np.where(learnt, levels.difference, 0)
    change = y.difference - before
    std = np.hypot(y.difference_std, np.where(learnt, levels.difference_spread, unequal))
    attribution = earth_admittance.attribute_to_phase(change, std, y.turns, learnt)
    ambiguous = learnt & (np.abs(change) > SIGMAS * std) & (attribution.possible.sum(axis=1) > 1)
    if ambiguous.any():
        rows = np.flatnonzero(ambiguous)
        misfit = np.zeros(y.turns.shape)
        misfit[rows] = earth_admittance.fifth_harmonic_misfit(
            y, rows, attribution.each[rows], np.abs(before[rows])
        )
        attribution = earth_admittance.attribute_to_phase(change, std, y.turns, learnt, misfit)
    # A phase that leaked already when the baseline was learnt is not sound for that.
    leak_before = earth_admittance.attribute_to_phase(
        before, unequal, y.turns, np.zeros_like(learnt)
    ).conductance
    leak_before = np.where(leak_before > SIGMAS * unequal, leak_before, 0)
    return _Difference(attribution, attribution.conductance + leak_before, std, learnt)


def _of_whole_winding(y: EarthAdmittance, sure: Bool) -> _Conductance:
    value = np.asarray(y.whole.real, np.float64)
    margin = SIGMAS * y.whole_std
    return _Conductance(
        value,
        y.whole_std,
        least=np.where(np.isfinite(y.whole), value - margin, -np.inf),
        most=np.where(sure, value + margin, 0),
    )


def _of_one_phase(d: _Difference) -> _Conductance:
    value, margin = d.conductance_s, SIGMAS * d.std
    return _Conductance(value, d.std, least=value - margin, most=value + margin)


def _capacitance_change(
    y: EarthAdmittance, levels: _Levels, d: _Difference
) -> tuple[_Change, Bool]:
    """Return the change of capacitance, and whether one phase explains it.

    What one phase explains is its own change; what is left is common to all three.
    """
    whole_f, phase_f = y.whole.imag / y.omega, d.attribution.susceptance / y.omega
    whole_std_f = np.hypot(levels.capacitance_spread_f, y.whole_std / 3 / y.omega)
    whole = _Change(whole_f - levels.capacitance_f, _bound(whole_std_f, levels.capacitance_f))
    base_f = np.where(np.isfinite(y.whole), whole_f / 3, 0)
    phase = _Change(phase_f, _bound(d.std / y.omega, base_f))
    moved = d.learnt & (np.abs(phase.value) > phase.bound)
    common = np.abs(whole.value - np.where(moved, phase.value, 0)) > whole.bound
    by_phase = d.learnt & ~common & (moved | np.isnan(whole.value))
    change = _Change(
        np.where(by_phase, phase.value, whole.value), np.where(by_phase, phase.bound, whole.bound)
    )
    return change, by_phase


def _bound(std_f: Float64, base_f: Float64) -> Float64:
    """Return the change of capacitance that counts."""
    share_f = CAPACITANCE_CHANGE * np.abs(base_f)
    return np.maximum(np.maximum(SIGMAS * std_f, share_f), CAPACITANCE_FLOOR_F)
