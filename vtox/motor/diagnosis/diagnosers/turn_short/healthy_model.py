"""Model of the I2 of a healthy machine: the baseline's if it applies, else the prior."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from vtox.motor.diagnosis.diagnosers.columns import Stated
from vtox.motor.diagnosis.diagnosers.current.current_analysis import CurrentAnalysis
from vtox.motor.diagnosis.diagnosers.features import SUPPLY, same_frequency
from vtox.motor.diagnosis.diagnosers.turn_short.asymmetry_model import (
    NOISE_STD,
    SESSION_STD,
    SESSION_STD_UNMEASURED,
    Y22,
    Asymmetries,
    Sequences,
    unit_covariances,
)
from vtox.motor.diagnosis.diagnosers.turn_short.conditions import Conditions
from vtox.motor.values.arrays import Bool, Float64, Int
from vtox.motor.values.baseline import BAND_RATIO, Asymmetry, Baseline
from vtox.motor.values.domain import Motor, Reason, reason

# Least no-load current over the rated one.
MIN_NO_LOAD_SHARE = 0.3
# Least efficiency times power factor at rated load, also of machines up to so many watts per pole
# pair.
MIN_ACTIVE_SHARE = 0.5
MIN_ACTIVE_SHARE_SMALL = 0.35
SMALL_W_PER_POLE_PAIR = 250.0


@dataclass(frozen=True, slots=True)
class HealthyModels:
    """Models of healthy machines, by columns: learnt if a baseline applies, else the prior.

    `baseline_problems` says why none applies; `learnt` is the model of the baseline if one does.
    """

    columns: Asymmetries
    learnt: Sequence[Asymmetry | None]
    baseline_problems: Stated

    @property
    def by_voltage(self) -> Bool:
        """Whether the model knows the voltages."""
        return np.isfinite(self.columns.base_v)

    @property
    def basis(self) -> Int:
        """Basis of a diagnosis: 2 if voltages count, plus 1 if a model was learnt."""
        learnt = np.array([not p for p in self.baseline_problems])
        return np.asarray(2 * self.by_voltage + learnt, np.int64)

    def of(self, i: int) -> Asymmetry:
        """Return the model of one record."""
        return self.learnt[i] or self.columns.prior(i)


def healthy_models(
    analysis: CurrentAnalysis,
    conditions: Conditions,
    s: Sequences,
    baselines: Sequence[Baseline | None],
) -> HealthyModels:
    """Return the models of the healthy machines that apply to the recordings.

    Parameters
    ----------
    analysis : CurrentAnalysis
    conditions : Conditions
        The conditions of the batch.
    s : Sequences of shape (batch, frames)
        The phasors of the batch.
    baselines : sequence of Baseline or None, length batch
    """
    voltage_v = np.full(len(baselines), np.nan)
    if s.v1 is not None:
        mean_v = np.abs(s.v1).mean(axis=-1) / sqrt(2)
        voltage_v = np.where(conditions.voltages, mean_v, np.nan)
    columns = _priors(analysis.motors, conditions.load_a, voltage_v)
    learnt: list[Asymmetry | None] = [None] * len(baselines)
    problems: list[tuple[Reason, ...]] = [(reason("no_baseline"),)] * len(baselines)
    some = [i for i, b in enumerate(baselines) if b is not None and b.asymmetry]
    if not some:
        return HealthyModels(columns, learnt, problems)
    # A short adds at most as much to I1 as to I2; a supply or a joint adds nothing.
    low_a = ((np.abs(s.i1) - np.abs(s.i2)).min(axis=-1) / sqrt(2)).tolist()
    for i in some:
        baseline, range_a = baselines[i], (low_a[i], float(conditions.high_a[i]))
        assert baseline is not None
        assert baseline.asymmetry is not None
        problem = _supply_mismatch(baseline, analysis, i) or _load_or_voltages_mismatch(
            baseline.asymmetry,
            float(conditions.load_a[i]),
            range_a,
            voltages=bool(conditions.voltages[i]),
        )
        problems[i] = (problem,) if problem else ()
        if not problem:
            learnt[i] = baseline.asymmetry
            columns.put(i, baseline.asymmetry)
    return HealthyModels(columns, learnt, problems)


def _priors(motors: Sequence[Motor], load_a: Float64, voltage_v: Float64) -> Asymmetries:
    """Return `prior` of each machine; `voltage_v` is NaN if it was not measured.

    Without voltages the scale is that of the largest rated current that fits the nameplate.
    """
    measured = np.isfinite(voltage_v)
    rated_a = np.array([m.rated_current_a or 0.0 for m in motors])
    rated_v = np.array([m.rated_voltage_v or np.nan for m in motors])
    known, which = rated_a > 0, np.asarray(measured, np.int64)
    least = zip(motors, load_a.tolist(), strict=True)
    base_a = np.where(measured, load_a, [max_rated_current_a(m, a) for m, a in least])
    return Asymmetries(
        mean=np.tile(np.array([Y22, 0, 0]), (len(motors), 1)),
        covariance=unit_covariances()[np.asarray(known, np.int64), which],
        noise=np.full(len(motors), NOISE_STD),
        session=np.where(measured, SESSION_STD, SESSION_STD_UNMEASURED),
        base_a=np.where(known, rated_a, base_a),
        base_v=np.where(np.isfinite(rated_v) & measured, rated_v / sqrt(3), voltage_v),
        known_days=np.zeros(len(motors), bool),
    )


def max_rated_current_a(motor: Motor, load_a: float) -> float:
    """Return the largest rated current that fits the nameplate, A rms.

    With power and voltage it follows from the least active share; without them the machine may run
    without load now.
    """
    if motor.rated_current_a:
        return motor.rated_current_a
    if motor.rated_power_w and motor.rated_voltage_v:
        small = motor.rated_power_w <= SMALL_W_PER_POLE_PAIR * (motor.pole_pairs or 1)
        active = MIN_ACTIVE_SHARE_SMALL if small else MIN_ACTIVE_SHARE
        return motor.rated_power_w / (sqrt(3) * motor.rated_voltage_v * active)
    return load_a / MIN_NO_LOAD_SHARE


def _supply_mismatch(baseline: Baseline, analysis: CurrentAnalysis, i: int) -> Reason | None:
    """Return why a baseline does not apply to a recording: it is of another supply frequency."""
    f0_hz, hz = float(analysis.f0_hz[i]), _supply_hz(baseline)
    if hz is None or same_frequency(hz, f0_hz):
        return None
    return reason("no_baseline_at_frequency", f0_hz=f0_hz, baseline_hz=hz)


def _load_or_voltages_mismatch(
    model: Asymmetry, load_a: float, range_a: tuple[float, float], *, voltages: bool
) -> Reason | None:
    if model.base_v is not None:
        return None if voltages else reason("baseline_needs_voltages")
    low_a, high_a = range_a
    if high_a >= model.low_a / BAND_RATIO and low_a <= model.high_a * BAND_RATIO:
        return None
    return reason("no_baseline_at_load", load_a=load_a)


def _supply_hz(baseline: Baseline) -> float | None:
    """Return the supply frequency at which a baseline was learnt, None if it is not stored."""
    if baseline.asymmetry and baseline.asymmetry.supply_hz:
        return baseline.asymmetry.supply_hz
    level = baseline.any_load(SUPPLY)
    return level.mean if level else None
