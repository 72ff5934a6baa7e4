"""Conductance and capacitance to earth, and their change since the baselines. Numbers only.

Decides whether the winding as a whole or one phase is the better evidence, and how much of a change
one phase explains; `rules` make the verdict.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vtox.motor.diagnosis.diagnosers.decision import Alternative
from vtox.motor.diagnosis.diagnosers.features import (
    CAPACITANCE,
    PHASE_CAPACITANCE,
    PHASE_CONDUCTANCE,
)
from vtox.motor.diagnosis.diagnosers.insulation.admittance import SIGMAS
from vtox.motor.diagnosis.dsp import earth_admittance
from vtox.motor.diagnosis.dsp.earth_admittance import (
    UNMEASURED_WHOLE_S,
    Attribution,
    EarthAdmittance,
)
from vtox.motor.diagnosis.dsp.prediction import prediction_std
from vtox.motor.values.arrays import Bool, Complex, Float64
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import VOLTAGES

# Source of these values: docs/calibration/insulation.md.
# Difference in capacitance between the phases of a sound winding, as a share of its capacitance.
UNEQUAL_SHARE = 0.01
# Largest uncertainty of the conductance of the whole winding at which 1 Mohm would show, S.
WHOLE_LIMIT_S = 0.5e-6
# Least change of capacitance that counts, relative and in F.
CAPACITANCE_CHANGE = 0.10
CAPACITANCE_FLOOR_F = 1e-10


class OtherPhase(Alternative):
    """Another phase that may have changed, and its change."""

    conductance_change_s: float
    capacitance_change_f: float


@dataclass(frozen=True, slots=True)
class _WindingAdmittance:
    """Conductance and capacitance to earth; arrays of shape (batch,).

    They are of the whole winding if its voltages show it, else of the phase that differs.
    `conductance_s` certainly lies between `least_s` and `most_s`; `by_phase` says whether one
    phase is the better evidence of it.

    The capacitance has changed by `change_f` since the baseline, NaN without one; the change counts
    beyond `bound_f`. `change_by_phase` says whether one phase explains it. `whole` says whether
    equal loss in all phases would show. `attribution` is the phase to which the difference between
    phases is attributed.
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

    def other_phases(self, row: int) -> tuple[OtherPhase, ...]:
        """Return other meanings of one complex number: another phase, and its change."""
        of = self.attribution
        return tuple(
            {
                "kind": "alternative",
                "cause": "another_phase",
                "phase": VOLTAGES[k][-1],
                "conductance_change_s": float(of.each[row, k].real),
                "capacitance_change_f": float(of.each[row, k].imag / self.omega[row]),
            }
            for k in range(3)
            if k != of.phase[row] and of.possible[row, k]
        )


@dataclass(frozen=True, slots=True)
class _Levels:
    """Levels of the baselines, mean and spread, NaN if unknown; arrays of shape (batch,)."""

    capacitance_f: Float64
    capacitance_spread_f: Float64
    difference: Complex  # between phases, S
    difference_spread: Float64


@dataclass(frozen=True, slots=True)
class _Difference:
    """The difference between phases, attributed to one; arrays of shape (batch,).

    `std` is its deviation, S, and `learnt` says whether it is a change since the baseline.
    `conductance_s` includes the leak when the baseline was learnt; `conductance_std` is its
    deviation.
    """

    attribution: Attribution
    conductance_s: Float64
    conductance_std: Float64
    std: Float64
    learnt: Bool


@dataclass(frozen=True, slots=True)
class _Conductance:
    """An estimate of the conductance to earth, S, with its certain limits."""

    value: Float64
    std: Float64
    least: Float64
    most: Float64


@dataclass(frozen=True, slots=True)
class _Change:
    """A change of capacitance, F, NaN if none is known, and beyond which it counts."""

    value: Float64
    bound: Float64


def winding_admittance(
    y: EarthAdmittance, baselines: Sequence[Baseline | None]
) -> _WindingAdmittance:
    """Return conductance and capacitance to earth, and the change since the baselines.

    Parameters
    ----------
    y : EarthAdmittance, arrays of shape (batch,)
    baselines : sequence of Baseline or None, length batch
        Their levels of capacitance and of the difference between phases, at any load.
    """
    levels = _levels(y, baselines)
    difference = _difference(y, levels)
    attribution = difference.attribution
    measured = np.isfinite(y.whole)
    certain = measured & (SIGMAS * y.whole_std < WHOLE_LIMIT_S)
    whole, phase = _winding_conductance(y, certain), _phase_conductance(difference)
    # Too noisy to exclude a bad winding, the whole can still prove one.
    by_phase = (phase.least > np.maximum(whole.least, 0)) | ~(certain | (whole.least > 0))
    whole_f, phase_f = y.whole.imag / y.omega, attribution.susceptance / y.omega
    change, change_by_phase = _capacitance_change(y, levels, difference)
    return _WindingAdmittance(
        conductance_s=np.maximum(np.where(by_phase, phase.value, whole.value), 0),
        conductance_std_s=np.where(by_phase, phase.std, whole.std),
        least_s=np.maximum(phase.least, whole.least),
        most_s=np.maximum(phase.most, whole.most),
        by_phase=by_phase,
        capacitance_f=np.where(measured, whole_f, phase_f),
        change_f=change.value,
        bound_f=change.bound,
        change_by_phase=change_by_phase,
        whole=certain,
        attribution=attribution,
        omega=y.omega,
    )


def _levels(y: EarthAdmittance, baselines: Sequence[Baseline | None]) -> _Levels:
    names = (CAPACITANCE, PHASE_CONDUCTANCE, PHASE_CAPACITANCE)
    levels = [[b.any_load(n) if b else None for n in names] for b in baselines]
    mean = np.array([[np.nan if x is None else x.mean for x in row] for row in levels]).T
    spread = np.array(
        [[np.nan if x is None else prediction_std(x.n, x.std) for x in row] for row in levels]
    ).T
    return _Levels(
        capacitance_f=mean[0],
        capacitance_spread_f=spread[0],
        difference=mean[1] + 1j * y.omega * mean[2],
        difference_spread=np.hypot(spread[1], y.omega * spread[2]),
    )


def _difference(y: EarthAdmittance, levels: _Levels) -> _Difference:
    # A capacitance that is not measured may be the largest.
    unmeasured_s = UNEQUAL_SHARE * UNMEASURED_WHOLE_S
    unequal = np.where(np.isfinite(y.whole), UNEQUAL_SHARE * np.abs(y.whole.imag) / 3, unmeasured_s)
    # A baseline that scatters more than sound windings differ shows nothing.
    learnt = levels.difference_spread < np.maximum(unequal, unmeasured_s)
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
    # A baseline shows the change, not whether unequal phases made the leak that was there before.
    leak_std = np.hypot(std, np.where(leak_before > 0, unequal, 0))
    return _Difference(attribution, attribution.conductance + leak_before, leak_std, std, learnt)


def _winding_conductance(y: EarthAdmittance, certain: Bool) -> _Conductance:
    value = np.asarray(y.whole.real, np.float64)
    margin = SIGMAS * y.whole_std
    return _Conductance(
        value,
        y.whole_std,
        least=np.where(np.isfinite(y.whole), value - margin, -np.inf),
        most=np.where(certain, value + margin, 0),
    )


def _phase_conductance(d: _Difference) -> _Conductance:
    value, margin = d.conductance_s, SIGMAS * d.conductance_std
    return _Conductance(value, d.conductance_std, least=value - margin, most=value + margin)


def _capacitance_change(
    y: EarthAdmittance, levels: _Levels, d: _Difference
) -> tuple[_Change, Bool]:
    """Return the change of capacitance, and whether one phase explains it.

    One phase explains its own change; the rest is common to all three.
    """
    whole_f, phase_f = y.whole.imag / y.omega, d.attribution.susceptance / y.omega
    whole_std_f = np.hypot(levels.capacitance_spread_f, y.whole_std / 3 / y.omega)
    whole = _Change(whole_f - levels.capacitance_f, _limit(whole_std_f, levels.capacitance_f))
    base_f = np.where(np.isfinite(y.whole), whole_f / 3, 0)
    phase = _Change(phase_f, _limit(d.std / y.omega, base_f))
    moved = d.learnt & (np.abs(phase.value) > phase.bound)
    common = np.abs(whole.value - np.where(moved, phase.value, 0)) > whole.bound
    by_phase = d.learnt & ~common & (moved | np.isnan(whole.value))
    change = _Change(
        np.where(by_phase, phase.value, whole.value), np.where(by_phase, phase.bound, whole.bound)
    )
    return change, by_phase


def _limit(std_f: Float64, base_f: Float64) -> Float64:
    """Return the change of capacitance that counts."""
    share_f = CAPACITANCE_CHANGE * np.abs(base_f)
    return np.maximum(np.maximum(SIGMAS * std_f, share_f), CAPACITANCE_FLOOR_F)
