"""Columns that the rules of the insulation read: conductance and capacitance to earth at 40 C."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from vtox.motor.diagnosis.diagnosers.columns import Objects, Stated, objects
from vtox.motor.diagnosis.diagnosers.current.current_analysis import CurrentAnalysis
from vtox.motor.diagnosis.diagnosers.insulation.admittance import Estimate
from vtox.motor.diagnosis.diagnosers.insulation.converter_steps import steps_problem
from vtox.motor.diagnosis.diagnosers.insulation.winding_admittance import (
    OtherPhase,
    winding_admittance,
)
from vtox.motor.values.arrays import SILENCE, Bool, Float64
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import VOLTAGES, Reason

# Least resistance to earth at 40 C of random-wound machines below 1 kV (IEEE 43-2013): `warning`.
MINIMUM_OHM = 5e6
# One phase of a wet or burnt winding shows a fifth of it: `fault`.
FAULT_OHM = 1e6
# Resistances above this are reported as this.
LARGEST_OHM = 1e8


@dataclass(frozen=True, slots=True, kw_only=True)
class InsulationEvidence:
    """Columns of length batch; numbers are NaN if the admittance could not be estimated.

    The conductance at 40 C is `conductance_s` and certainly lies between `least_s` and `most_s`;
    `measured_s` and `measured_std_s` are not corrected. The capacitance has changed by `change_f`
    since the baseline, NaN without one; the change counts beyond `bound_f`.

    `phase` is the one that leaks or changed most. `phase_leaks` and `phase_changed` say whether it
    is the better evidence, `other_phases` are other meanings of the same numbers. `whole` says
    whether equal loss in all phases would show. `step_problems` names the converter that may have
    made such a loss, if one shows.
    """

    input_problems: Stated
    measured_s: Float64
    measured_std_s: Float64
    conductance_s: Float64
    least_s: Float64
    most_s: Float64
    resistance_megohm: Float64
    possible_megohm: Float64
    possible_microsiemens: Float64
    capacitance_f: Float64
    capacitance_nanofarad: Float64
    change_f: Float64
    change_nanofarad: Float64
    bound_f: Float64
    dissipation: Float64
    temperature_c: Float64
    phase: Objects
    phase_leaks: Bool
    phase_changed: Bool
    whole: Bool
    other_phases: Objects
    step_problems: Stated = ()

    @property
    def leaks(self) -> Bool:
        """Whether the resistance is certainly below the least."""
        return self.least_s > 1 / MINIMUM_OHM

    @property
    def severe(self) -> Bool:
        """Whether it is certainly below that of a fault."""
        return self.least_s > 1 / FAULT_OHM

    @property
    def limit_megohm(self) -> Float64:
        """The limit that it is below."""
        return np.where(self.severe, FAULT_OHM, MINIMUM_OHM) / 1e6

    @property
    def changed(self) -> Bool:
        """Whether the capacitance changed since the baseline."""
        return np.abs(self.change_f) > self.bound_f


def evidence(
    analysis: CurrentAnalysis,
    estimate: Estimate,
    problems: Stated,
    baselines: Sequence[Baseline | None],
) -> InsulationEvidence:
    """Return the columns of a batch of which some admittances were estimated."""
    assert estimate.y is not None
    rows, count = estimate.rows, len(analysis.recordings)
    w = winding_admittance(estimate.y, [baselines[i] for i in rows])

    def column(of_rows: Float64) -> Float64:
        values = np.full(count, np.nan)
        values[rows] = of_rows
        return values

    def mask(of_rows: Bool) -> Bool:
        values = np.zeros(count, bool)
        values[rows] = of_rows
        return values

    temperature_c = _temperatures(analysis)
    # Resistance at 40 C; it halves for every 10 C (IEEE 43-2013 for thermoplastic windings).
    warmth = np.where(np.isnan(temperature_c), 1.0, 2 ** ((temperature_c - 40) / 10))
    conductance_s, most_s = column(w.conductance_s) / warmth, column(w.most_s) / warmth
    capacitance_f, change_f = column(w.capacitance_f), column(w.change_f)
    susceptance_s = np.abs(capacitance_f * column(w.omega))
    phases: list[str] = [""] * count
    others: list[tuple[OtherPhase, ...]] = [()] * count
    for row, i in enumerate(rows):
        phases[i], others[i] = VOLTAGES[w.attribution.phase[row]][-1], w.other_phases(row)
    x = InsulationEvidence(
        input_problems=problems,
        measured_s=column(w.conductance_s),
        measured_std_s=column(w.conductance_std_s),
        conductance_s=conductance_s,
        least_s=column(w.least_s) / warmth,
        most_s=most_s,
        resistance_megohm=1e-6 / np.maximum(conductance_s, 1 / LARGEST_OHM),
        possible_megohm=1e-6 / np.maximum(most_s, 1 / LARGEST_OHM),
        possible_microsiemens=most_s * 1e6,
        capacitance_f=capacitance_f,
        capacitance_nanofarad=capacitance_f * 1e9,
        change_f=change_f,
        change_nanofarad=change_f * 1e9,
        bound_f=column(w.bound_f),
        dissipation=column(w.conductance_s) / np.maximum(susceptance_s, SILENCE),
        temperature_c=temperature_c,
        phase=objects(phases),
        phase_leaks=mask(w.by_phase),
        phase_changed=mask(w.change_by_phase),
        whole=mask(w.whole),
        other_phases=objects(others),
    )
    of_steps: list[tuple[Reason, ...]] = [()] * count
    for i in np.flatnonzero(x.leaks & ~x.phase_leaks).tolist():
        of_steps[i] = steps_problem(estimate.y, rows.index(i))
    return replace(x, step_problems=of_steps)


def _temperatures(analysis: CurrentAnalysis) -> Float64:
    """Return the temperatures of the windings, C, NaN if none is known that is possible."""
    measured = [r.temperature_c for r in analysis.recordings]
    t = np.array([np.nan if c is None else c for c in measured])
    return np.where((t >= -60) & (t <= 250), t, np.nan)
