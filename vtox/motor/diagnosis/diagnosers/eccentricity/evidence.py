"""Columns that the rules of eccentricity read: the sidebands, and their rise over the baseline."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, log1p, sqrt

import numpy as np

from vtox.motor.diagnosis.diagnosers.columns import Stated, extend
from vtox.motor.diagnosis.diagnosers.current.current_analysis import CurrentAnalysis
from vtox.motor.diagnosis.diagnosers.current.slip import LEAST_SLIP, SlipAnalysis
from vtox.motor.diagnosis.diagnosers.current.slip_prior import Slip
from vtox.motor.diagnosis.diagnosers.eccentricity.sidebands import (
    RotationSidebands,
    rotation_sidebands,
)
from vtox.motor.diagnosis.diagnosers.features import (
    LEAST_RECORDS,
    ROTATION_SIDEBANDS,
    SUPPLY,
    same_frequency,
)
from vtox.motor.diagnosis.dsp.modulation_spectrum import LINE_BINS
from vtox.motor.diagnosis.dsp.prediction import prediction_std, tail_deviations
from vtox.motor.values.arrays import NEPER_DB, Bool, Float64
from vtox.motor.values.baseline import RISE_DB, Baseline, Level
from vtox.motor.values.domain import Reason, reason

# A rise must be more than `RISE_DB`, and more than noise makes it. Noise adds to the amplitude, not
# to its logarithm, so the scatter is taken as that of the amplitude.
# Usual scatter before a machine has shown its own, dB, and the number of records it is worth.
# docs/calibration/eccentricity.md#scatter
USUAL_SCATTER_DB, USUAL_RECORDS = 1.45, 3
# Records at a load from which its level is known: two may be of one condition, whose scatter is
# that of all loads. docs/calibration/eccentricity.md#scatter
LEAST_AT_LOAD = 2
# A baseline whose scatter asks for more than this, four times the amplitude learnt, cannot decide.
MAX_LIMIT_DB = 12.0
# Limit that a reason gives for a baseline that leaves everything open, dB.
MOST_OPEN_DB = 99.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Preconditions:
    """Columns of length batch: conditions before any level is compared.

    `slip_problems` says why the slip is not known, `slip_doubts` why a known one may be wrong.
    The others are those of `RotationSidebands`.
    """

    input_problems: Stated
    slip_problems: Stated
    slip_doubts: Stated
    low_a: Float64
    high_a: Float64
    current_range: Float64


@dataclass(frozen=True, slots=True, kw_only=True)
class EccentricityEvidence(Preconditions):
    """Columns of length batch; NaN if there is no baseline to compare with.

    `baseline_problems` says why there is none. The side that was steadier when it was learnt is
    compared. Its level `level_dbc` over the floor `floor_dbc`, `change_db` above `baseline_dbc`,
    counts from `limit_db` on. The side that rose less has `weaker_change_db`.

    `apart_db` is the level of one sideband over the other's, 0 with two poles. `over_floor` is the
    power of both sidebands over their floors, `reactance` the one of the stronger; with two poles
    both are of the upper one. If that is `merged` with twice the supply frequency at this `slip`, a
    record of `needed_s` separates them.
    """

    baseline_problems: Stated
    upper: Bool
    level_dbc: Float64
    floor_dbc: Float64
    baseline_dbc: Float64
    change_db: Float64
    limit_db: Float64
    weaker_change_db: Float64
    apart_db: Float64
    over_floor: Float64
    rotation_hz: Float64
    neighbour_hz: Float64
    reactance: Float64
    merged: Bool
    slip: Float64
    needed_s: Float64


@dataclass(frozen=True, slots=True)
class _Comparison:
    """The levels learnt of both sidebands, which one is steadier, and the rise that counts, dB."""

    upper: bool
    means_dbc: tuple[float, float]
    limit_db: float


def _conditions(
    analysis: CurrentAnalysis, slip_analysis: SlipAnalysis, lines: RotationSidebands
) -> Preconditions:
    """Return the conditions of a batch."""
    slips = slip_analysis.slips
    return Preconditions(
        input_problems=analysis.problems,
        slip_problems=[_slip_problem(s) for s in slips],
        slip_doubts=[s.doubts for s in slips],
        low_a=lines.low_a,
        high_a=lines.high_a,
        current_range=lines.current_range,
    )


def evidence(
    analysis: CurrentAnalysis,
    slip_analysis: SlipAnalysis,
    c: Preconditions,
    lines: RotationSidebands,
    baselines: Sequence[Baseline | None],
    asked: Bool,
) -> EccentricityEvidence:
    """Return the columns of a batch; records that are not `asked` are compared with nothing."""
    count = len(baselines)
    problems: list[tuple[Reason, ...]] = [()] * count
    upper = np.zeros(count, bool)
    means_dbc, limit_db = np.full((2, count), np.nan), np.full(count, np.nan)
    # One for all, so that its sentence is made once.
    nothing_learnt = (reason("no_baseline"),)
    for i in np.flatnonzero(asked).tolist():
        baseline = baselines[i]
        if baseline is None:
            problems[i] = nothing_learnt
            continue
        load_a, f0_hz = float(analysis.current_rms_a[i]), float(analysis.f0_hz[i])
        found = _comparison(baseline, load_a, f0_hz, upper_only=bool(lines.two_pole[i]))
        if isinstance(found, Reason):
            problems[i] = (found,)
        else:
            upper[i], means_dbc[:, i], limit_db[i] = found.upper, found.means_dbc, found.limit_db
    level_dbc = np.where(upper, lines.levels_dbc[1], lines.levels_dbc[0])
    mean_dbc = np.where(upper, means_dbc[1], means_dbc[0])
    changes_db = lines.levels_dbc - means_dbc
    over_floors = 10 ** ((lines.levels_dbc - lines.floors_dbc) / 10)
    stronger = lines.two_pole | (lines.levels_dbc[1] > lines.levels_dbc[0])
    slip = np.array([s.value for s in slip_analysis.slips])
    return extend(
        EccentricityEvidence,
        c,
        baseline_problems=problems,
        upper=upper,
        level_dbc=level_dbc,
        floor_dbc=np.where(upper, lines.floors_dbc[1], lines.floors_dbc[0]),
        baseline_dbc=mean_dbc,
        change_db=level_dbc - mean_dbc,
        limit_db=limit_db,
        weaker_change_db=np.where(lines.two_pole, changes_db[1], changes_db.min(axis=0)),
        apart_db=np.where(lines.two_pole, 0.0, np.abs(np.diff(lines.levels_dbc, axis=0)[0])),
        over_floor=np.where(lines.two_pole, over_floors[1], np.sum(over_floors, axis=0)),
        rotation_hz=lines.rotation_hz,
        neighbour_hz=lines.neighbour_hz,
        reactance=np.where(stronger, lines.reactances[1], lines.reactances[0]),
        merged=lines.merged,
        slip=slip,
        needed_s=LINE_BINS / (np.maximum(slip, LEAST_SLIP) * analysis.f0_hz),
    )


def observe(
    analysis: CurrentAnalysis, slip_analysis: SlipAnalysis
) -> tuple[RotationSidebands, Preconditions]:
    """Return the sidebands of a batch, and the conditions in which they were recorded."""
    lines = rotation_sidebands(analysis, slip_analysis)
    return lines, _conditions(analysis, slip_analysis, lines)


def _slip_problem(slip: Slip) -> tuple[Reason, ...]:
    if slip.is_guessed:
        return (reason("rated_speed_unknown"),)
    return () if slip.is_known or slip.reason is None else (slip.reason,)


def _comparison(
    baseline: Baseline, load_a: float, f0_hz: float, *, upper_only: bool
) -> _Comparison | Reason:
    """Return the steadier sideband in the baseline, or why there is nothing to compare with."""
    levels = [x for name in ROTATION_SIDEBANDS if (x := baseline.level(name, load_a)) is not None]
    if len(levels) < len(ROTATION_SIDEBANDS):
        whys = (baseline.no_level_reason(name, load_a) for name in ROTATION_SIDEBANDS)
        return next(why for why in whys if why)
    supply = baseline.level(SUPPLY, load_a)
    if supply is not None and not same_frequency(f0_hz, supply.mean):
        return reason("no_baseline_at_frequency", f0_hz=f0_hz, baseline_hz=supply.mean)
    lower_db, upper_db = (
        _scatter_db(baseline, name, x) for name, x in zip(ROTATION_SIDEBANDS, levels, strict=True)
    )
    upper = upper_only or upper_db < lower_db
    learnt, scatter_db = levels[upper], upper_db if upper else lower_db
    limit_db = max(RISE_DB, NEPER_DB * log1p(tail_deviations() * scatter_db / NEPER_DB))
    if limit_db > MAX_LIMIT_DB:
        open_db = min(limit_db, MOST_OPEN_DB)
        limits = {"open_db": open_db, "limit_db": MAX_LIMIT_DB}
        return reason("baseline_too_scattered", records=learnt.n, **limits)
    return _Comparison(upper, (levels[0].mean, levels[1].mean), limit_db)


def _scatter_db(baseline: Baseline, name: str, learnt: Level) -> float:
    """Return the scatter of a level; the scatter at other loads counts with it.

    With more records at other loads, a few at this load are enough to decide.
    """
    bands = [b.levels[name] for b in baseline.bands if name in b.levels]
    if learnt.n < LEAST_AT_LOAD or sum(x.n for x in bands) < LEAST_RECORDS:
        return inf
    squares = [(x.n - 1) * x.std**2 for x in bands if x is not learnt]
    usual_n = USUAL_RECORDS + sum(x.n - 1 for x in bands if x is not learnt)
    usual_db = sqrt((USUAL_RECORDS * USUAL_SCATTER_DB**2 + sum(squares)) / usual_n)
    return prediction_std(learnt.n, learnt.std, usual_std=usual_db, usual_n=usual_n)
