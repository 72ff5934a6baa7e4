"""Extends a baseline by one more load, learnt on the stream after the first. Pure.

Nothing proves that a machine is healthy at a load at which it was never observed. A new load is
accepted only if it continues the baseline (the rule is in docs/faults/README.md, "Baselines"). A
fault as large as a warning that came with the load is refused, with the reason. A smaller one would
be learnt with it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from math import log, log10, sqrt

import numpy as np

from vtox.motor.diagnosis.diagnosers.features import Feature, feature, same_frequency
from vtox.motor.diagnosis.diagnosers.turn_short import asymmetry_model
from vtox.motor.diagnosis.diagnosers.turn_short.asymmetry_excess import T2_LIMIT
from vtox.motor.diagnosis.diagnosers.turn_short.asymmetry_model import Sequences
from vtox.motor.values.arrays import Complex, Float64
from vtox.motor.values.baseline import (
    BAND_MARGIN,
    BAND_RATIO,
    RISE_DB,
    Asymmetry,
    Band,
    Baseline,
    Level,
)
from vtox.motor.values.domain import Motor, Reason, reason

# A level in dB may rise by this much for each step of `BAND_RATIO` in load, and by so many times
# its scatter. It may never rise by as much as would be a warning.
# docs/calibration/baseline.md#levels
STEP_DB, SCATTERS = 2.0, 2.0
# A supply is another one on another day: periods of the stream closer than this (s) count as one.
# docs/calibration/turn_short.md#periods
PERIOD_S = 20 * 3600.0
# Levels of supply frequencies, and so of speeds, further apart than this are not compared.
MAX_FREQUENCY_CHANGE = 0.05


def covers_load(baseline: Baseline, load_a: float) -> bool:
    """Return whether a baseline applies to records at this load, A rms."""
    bands = [b for b in baseline.bands if b.high_a]
    own = baseline.asymmetry
    asymmetric = own is None or own.low_a / BAND_MARGIN <= load_a <= own.high_a * BAND_MARGIN
    return asymmetric and (not bands or any(b.covers(load_a) for b in bands))


def one_load(loads_a: Iterable[float]) -> bool:
    """Return whether loads, A rms, are near enough to each other to make one band."""
    loads = list(loads_a)
    return max(loads) <= BAND_RATIO * min(loads)


def reason_not_to_extend(before: Baseline, fresh: Baseline) -> Reason | None:
    """Return why `fresh`, learnt at another load, does not continue `before`; None if it does."""
    rules = (*_discontinuities(before, fresh), _asymmetry_discontinuity(before, fresh))
    return next((r for r in rules if r), None)


def extend_baseline(before: Baseline, fresh: Baseline, motor: Motor | None) -> Baseline:
    """Return `before` with the bands of `fresh` that it lacks, of the features that it has."""
    names = {name for b in before.bands for name in b.levels}
    bands = []
    for band in fresh.bands:
        load_a = _centre_a(band) or None
        levels = {
            n: x
            for n, x in band.levels.items()
            if n in names and feature(n).depends_on_load and before.level(n, load_a) is None
        }
        if levels:
            bands.append(Band(band.low_a, band.high_a, levels))
    return replace(
        before,
        bands=tuple(sorted((*before.bands, *bands), key=lambda b: b.low_a)),
        asymmetry=_combine(before.asymmetry, fresh.asymmetry, motor),
        records=before.records + fresh.records,
        seconds=round(before.seconds + fresh.seconds, 3),
    )


def further_period(before: Baseline, fresh: Baseline, motor: Motor | None) -> Baseline | None:
    """Return `before` with the asymmetry of another day, learnt at a load that it knows.

    The deviation between periods is that of all so far (Welford 1962). None if `fresh` does not
    continue it: another supply frequency, voltages, or more than a supply within the standard
    draws.
    """
    old, new = before.asymmetry, fresh.asymmetry
    if old is None or new is None or old.base_v is not None or new.base_v is not None:
        return None
    if not same_frequency(old.supply_hz, new.supply_hz):
        return None
    load_a = sqrt(new.low_a * new.high_a)
    (expected, _), (ratio, _) = _expectation(old, load_a), _expectation(new, load_a)
    if abs(ratio - expected) > asymmetry_model.SUPPLY_I2_LIMIT * old.base_a / load_a:
        return None
    both = _combine(old, new, motor)
    assert both is not None
    n, known = old.recordings, asymmetry_model.PRIOR_COUNT + old.recordings - 1
    # An unmeasured change of the supply weighs more, the smaller the current (`session_weight`).
    moved = abs(ratio - expected) / max(1.0, old.base_a / load_a)
    square = (known * old.session**2 + moved**2 / 2 * n / (n + 1)) / (known + 1)
    asymmetry = replace(both, session=sqrt(square), recordings=n + 1, period_t=new.period_t)
    return replace(before, asymmetry=asymmetry)


def _centre_a(band: Band) -> float:
    return sqrt(band.low_a * band.high_a)


def _discontinuities(before: Baseline, fresh: Baseline) -> Iterator[Reason | None]:
    """Yield, per feature and band, why it does not continue the nearest band of `before`."""
    for band in fresh.bands:
        load_a = _centre_a(band)
        for name, level in band.levels.items():
            bands = [b for b in before.bands if name in b.levels and b.high_a]
            if bands and load_a:
                nearest = min(bands, key=lambda b: abs(log(load_a / _centre_a(b))))
                yield _discontinuity(feature(name), level, load_a, nearest)


def _discontinuity(f: Feature, level: Level, load_a: float, nearest: Band) -> Reason | None:
    """Return why a level does not continue that of the nearest band."""
    before, before_a = nearest.levels[f.name], _centre_a(nearest)
    if f.is_frequency and abs(level.mean / before.mean - 1) > MAX_FREQUENCY_CHANGE:
        return reason("supply_frequency_differs", f0_hz=level.mean, baseline_hz=before.mean)
    if not f.is_level or level.mean < f.harmless_below_dbc:
        return None
    rise_db = level.mean - before.mean
    if f.keeps_amperes:
        rise_db -= max(0.0, 20 * log10(before_a / load_a))
    steps = max(1.0, abs(log(load_a / before_a)) / log(BAND_RATIO))
    limit_db = min(STEP_DB * steps + SCATTERS * before.std, RISE_DB)
    if rise_db <= limit_db:
        return None
    rise = {"rise_db": rise_db, "limit_db": limit_db, "baseline_load_a": before_a}
    return reason("level_rises", feature=f.name, **rise)


def _asymmetry_discontinuity(before: Baseline, fresh: Baseline) -> Reason | None:
    """Return why the negative-sequence current is not that of the model at the new load."""
    old, new = before.asymmetry, fresh.asymmetry
    if old is None or new is None or (old.base_v is None) != (new.base_v is None):
        return None
    if not same_frequency(old.supply_hz, new.supply_hz):
        hz = {"f0_hz": new.supply_hz or 0.0, "baseline_hz": old.supply_hz or 0.0}
        return reason("supply_frequency_differs", **hz)
    load_a = sqrt(new.low_a * new.high_a)
    (expected, expected_std), (ratio, ratio_std) = (
        _expectation(old, load_a),
        _expectation(new, load_a),
    )
    difference = abs(ratio - expected)
    if difference <= sqrt(T2_LIMIT) * sqrt(expected_std**2 + ratio_std**2):
        return None
    return reason("asymmetry_differs", difference_ratio=difference, load_a=load_a)


def _expectation(model: Asymmetry, load_a: float) -> tuple[complex, float]:
    """Return I2/I1 that a model expects at a load under a balanced supply, and its deviation."""
    i1 = np.array([[load_a * sqrt(2)]], complex)
    none = np.zeros_like(i1)
    v1 = None if model.base_v is None else np.full_like(i1, model.base_v * sqrt(2))
    models = asymmetry_model.asymmetries([model])
    ratio, std = asymmetry_model.expected_ratio(models, Sequences(i1, none, none, v1, none))
    return complex(ratio[0, 0]), float(std[0, 0])


def _combine(old: Asymmetry | None, new: Asymmetry | None, motor: Motor | None) -> Asymmetry | None:
    """Return one model for both loads, from the recordings of both and the one prior.

    Posteriors multiply, and the prior, which both contain, is divided out once (Bishop 2006, 3.3).
    """
    if old is None or new is None or (old.base_v is None) != (new.base_v is None):
        return old
    start = asymmetry_model.prior(motor, new.base_a, new.base_v)
    scale = np.diag([_scale(new) / _scale(old)] * 2 + [1.0])
    parts = [_information(m, scale) for m in (new, start)]
    (new_precision, new_pull), (prior_precision, prior_pull) = parts
    old_precision = np.linalg.inv(np.array(old.covariance))
    covariance = np.linalg.inv(old_precision + new_precision - prior_precision)
    mean = covariance @ (old_precision @ np.array(old.mean) + new_pull - prior_pull)
    n, m = old.recordings, new.recordings
    first_t, t = old.period_t, new.period_t
    one_day = first_t is not None and t is not None and t - first_t < PERIOD_S
    rows = [(complex(r[0]), complex(r[1]), complex(r[2])) for r in covariance]
    return replace(
        old,
        mean=(complex(mean[0]), complex(mean[1]), complex(mean[2])),
        covariance=(rows[0], rows[1], rows[2]),
        noise=max(old.noise, new.noise),
        session=sqrt((n * old.session**2 + m * new.session**2) / (n + m)),
        low_a=min(old.low_a, new.low_a),
        high_a=max(old.high_a, new.high_a),
        residual=(n * old.residual + m * new.residual) / (n + m),
        frames=old.frames + new.frames,
        recordings=max(n, m) if one_day else n + m,
        period_t=first_t if one_day else t,
    )


def _scale(model: Asymmetry) -> float:
    """Return the unit of the model's admittances; of its currents if it has no voltage."""
    return model.base_a / (model.base_v or 1.0)


def _information(model: Asymmetry, scale: Float64) -> tuple[Complex, Complex]:
    """Return precision, and precision times mean, of a model in the units of another (`scale`)."""
    precision = np.linalg.inv(scale @ np.array(model.covariance) @ scale)
    return precision, precision @ (scale @ np.array(model.mean))
