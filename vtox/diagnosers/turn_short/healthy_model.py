"""What a healthy machine would draw: the baseline's model where it applies, else the prior."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from vtox.baseline import Asymmetry, Baseline
from vtox.diagnosers.current.front_end import CurrentAnalysis
from vtox.diagnosers.features import SUPPLY
from vtox.diagnosers.turn_short.asymmetry_model import (
    Sequences,
    max_rated_current_a,
    prior,
    same_frequency,
)
from vtox.diagnosers.turn_short.basis import Basis
from vtox.diagnosers.turn_short.conditions import Conditions
from vtox.domain import Reason, reason

# Largest ratio of loads by which a baseline applies beyond those learnt, without voltages.
LOAD_MARGIN = 1.25


@dataclass(frozen=True, slots=True)
class HealthyModel:
    """What a healthy machine would draw: learnt if a baseline applies, else the prior.

    `baseline_problem` says why no baseline applies; None where one does.
    """

    asymmetry: Asymmetry
    baseline_problem: Reason | None

    @property
    def basis(self) -> Basis:
        """What the model rests on."""
        return Basis(
            voltage=self.asymmetry.base_v is not None, baseline=self.baseline_problem is None
        )


def healthy_models(
    analysis: CurrentAnalysis,
    conditions: Conditions,
    s: Sequences,
    baselines: Sequence[Baseline | None],
) -> list[HealthyModel]:
    """Return the model of the healthy machine that applies to each recording.

    Parameters
    ----------
    analysis : CurrentAnalysis
    conditions : Conditions
        Of the batch.
    s : Sequences of shape (batch, frames)
        The phasors of the batch.
    baselines : sequence of Baseline or None, length batch
    """
    load_a = conditions.load_a.tolist()
    voltage_v = [] if s.v1 is None else (np.abs(s.v1).mean(axis=-1) / sqrt(2)).tolist()
    # A short adds to I1 up to what it adds to I2; a supply or a joint adds nothing.
    low_a = ((np.abs(s.i1) - np.abs(s.i2)).min(axis=-1) / sqrt(2)).tolist()
    high_a = (np.abs(s.i1).max(axis=-1) / sqrt(2)).tolist()
    models = []
    for i, (baseline, motor) in enumerate(zip(baselines, analysis.motors, strict=True)):
        voltages = bool(conditions.voltages[i])
        problem = _supply_mismatch(baseline, analysis, i) or _load_or_voltages_mismatch(
            baseline, load_a[i], (low_a[i], high_a[i]), voltages=voltages
        )
        if baseline and baseline.asymmetry and not problem:
            model = baseline.asymmetry
        elif voltages:
            model = prior(motor, load_a[i], voltage_v[i])
        else:
            model = prior(motor, max_rated_current_a(motor, load_a[i]), None)
        models.append(HealthyModel(model, problem))
    return models


def _supply_mismatch(baseline: Baseline | None, analysis: CurrentAnalysis, i: int) -> Reason | None:
    """Return why a baseline does not apply to a recording, as far as the supply goes.

    The supply frequency must be the same; on the grid it need not be stored. Where voltages are
    turned to pair them, the baseline's were turned too, except in baselines of earlier versions,
    which store no frequency.
    """
    if baseline is None or baseline.asymmetry is None:
        return reason("no_baseline")
    model, f0_hz = baseline.asymmetry, float(analysis.f0_hz[i])
    if model.supply_hz is None and model.base_v is not None and analysis.voltage_rotation_deg[i]:
        return reason("baseline_of_earlier_version")
    hz = _supply_hz(baseline)
    if hz is None:
        grid = analysis.motors[i].supply == "grid"
        return None if grid else reason("baseline_of_earlier_version")
    if same_frequency(hz, f0_hz):
        return None
    return reason("no_baseline_at_frequency", f0_hz=f0_hz, baseline_hz=hz)


def _load_or_voltages_mismatch(
    baseline: Baseline | None, load_a: float, range_a: tuple[float, float], *, voltages: bool
) -> Reason | None:
    model = baseline.asymmetry if baseline else None
    if model is None:
        return None
    if model.base_v is not None:
        return None if voltages else reason("baseline_needs_voltages")
    low_a, high_a = range_a
    if high_a >= model.low_a / LOAD_MARGIN and low_a <= model.high_a * LOAD_MARGIN:
        return None
    return reason("no_baseline_at_load", load_a=load_a)


def _supply_hz(baseline: Baseline) -> float | None:
    """Return the supply frequency at which a baseline was learnt, None where it is not stored."""
    if baseline.asymmetry and baseline.asymmetry.supply_hz:
        return baseline.asymmetry.supply_hz
    level = baseline.any_load(SUPPLY)
    return level.mean if level else None
