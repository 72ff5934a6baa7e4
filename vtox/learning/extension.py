"""A baseline that grows: one more load, learnt on the stream after the first. Pure.

Nothing proves that a machine is healthy at a load never seen before. A new band is taken only where
it continues what is known (the rule stands in docs/faults/README.md, "Baselines"): a fault as large
as a warning, that came with the load, is refused and named; a smaller one would be learnt with it.
"""

from collections.abc import Iterable
from dataclasses import replace
from math import log, log10, sqrt

import numpy as np
import numpy.typing as npt

from vtox.arrays import Complex
from vtox.baseline import BAND_MARGIN, BAND_RATIO, RISE_DB, Asymmetry, Band, Baseline, Level
from vtox.diagnosers.broken_bar import diagnoser as broken_bar
from vtox.diagnosers.broken_bar.reasons import DEVELOPING_DBC
from vtox.diagnosers.turn_short import asymmetry_model
from vtox.diagnosers.turn_short.asymmetry_excess import T2_LIMIT
from vtox.diagnosers.turn_short.asymmetry_model import Sequences
from vtox.domain import Motor

# The sidebands of rotation keep their amperes when the load moves, and rise over a current that
# falls: by 1.7 to 2.3 dB for a quarter on the motor model. That much is not counted; of what is
# left 2 dB are allowed for each step of `BAND_RATIO`, as other levels are no steadier, and twice
# the scatter learnt; never what would be a warning.
STEP_DB, SCATTERS = 2.0, 2.0
# Speeds further apart than this are compared by nobody.
SAME_SPEED = 0.05


def covers(baseline: Baseline, load_a: float) -> bool:
    """Return whether records at this load find what a baseline knows of them, A rms."""
    bands = [b for b in baseline.bands if b.high_a]
    own = baseline.asymmetry
    asymmetric = own is None or own.low_a / BAND_MARGIN <= load_a <= own.high_a * BAND_MARGIN
    return asymmetric and (not bands or any(b.covers(load_a) for b in bands))


def one_load(loads_a: Iterable[float]) -> bool:
    """Return whether loads are near enough to each other to make one band."""
    found = list(loads_a)
    return max(found) <= BAND_RATIO * min(found)


def objection(before: Baseline, fresh: Baseline) -> str:
    """Return why `fresh`, learnt at another load, does not continue `before`; empty if it does."""
    for band in fresh.bands:
        for name, level in band.levels.items():
            if why := _jump(name, level, _centre(band), before):
                return why
    old, new = before.asymmetry, fresh.asymmetry
    if old is None or new is None or (old.base_v is None) != (new.base_v is None):
        return ""
    if not asymmetry_model.same_frequency(old.supply_hz, new.supply_hz):
        return f"another supply: {new.supply_hz:.1f} Hz, learnt at {old.supply_hz:.1f} Hz"
    load_a = sqrt(new.low_a * new.high_a)
    (was, was_std), (now, now_std) = _expected(old, load_a), _expected(new, load_a)
    if abs(now - was) > sqrt(T2_LIMIT) * sqrt(was_std**2 + now_std**2):
        return (
            f"negative-sequence current {abs(now - was):.1%} of I1 from what the baseline expects "
            f"at {load_a:.3g} A"
        )
    return ""


def extended(before: Baseline, fresh: Baseline, motor: Motor | None) -> Baseline:
    """Return `before` with the bands of `fresh` that it did not have, for features it knows."""
    known = {name for b in before.bands for name in b.levels}
    bands = []
    for band in fresh.bands:
        load_a = _centre(band) or None
        levels = {
            n: x
            for n, x in band.levels.items()
            if n in known and _of_load(n) and before.level(n, load_a) is None
        }
        if levels:
            bands.append(Band(band.low_a, band.high_a, levels))
    return replace(
        before,
        bands=tuple(sorted((*before.bands, *bands), key=lambda b: b.low_a)),
        asymmetry=_together(before.asymmetry, fresh.asymmetry, motor),
        records=before.records + fresh.records,
        seconds=round(before.seconds + fresh.seconds, 3),
    )


def _of_load(name: str) -> bool:
    """Return whether a feature is entered by the load: capacitances answer for all loads."""
    return not name.endswith("_f")


def _centre(band: Band) -> float:
    return sqrt(band.low_a * band.high_a)


def _jump(name: str, level: Level, load_a: float, before: Baseline) -> str:
    near = [b for b in before.bands if name in b.levels and b.high_a]
    if not near or not load_a:
        return ""
    at = min(near, key=lambda b: abs(log(load_a / _centre(b))))
    known = at.levels[name]
    if name.endswith("_hz") and abs(level.mean / known.mean - 1) > SAME_SPEED:
        return f"another speed: supply of {level.mean:.1f} Hz, learnt at {known.mean:.1f} Hz"
    if not name.endswith(("_db", "_dbc")):
        return ""
    steps = max(1.0, abs(log(load_a / _centre(at))) / log(BAND_RATIO))
    rise = level.mean - known.mean
    if name.startswith("eccentricity."):
        rise -= max(0.0, 20 * log10(_centre(at) / load_a))
    limit = min(STEP_DB * steps + SCATTERS * known.std, RISE_DB)
    # Learnt so low a sideband hides no cage fault: one would have risen above it.
    harmless = name == broken_bar.FEATURE and level.mean < DEVELOPING_DBC - RISE_DB
    if rise <= limit or harmless:
        return ""
    return (
        f"{name} {rise:+.1f} dB against the level at {_centre(at):.3g} A, at most "
        f"{limit:.1f} dB go with the load"
    )


def _expected(model: Asymmetry, load_a: float) -> tuple[complex, float]:
    """Return I2/I1 that a model expects at a load under a balanced supply, and its deviation."""
    i1 = np.array([[load_a * sqrt(2)]], complex)
    none = np.zeros_like(i1)
    v1 = None if model.base_v is None else np.full_like(i1, model.base_v * sqrt(2))
    ratio, std = asymmetry_model.expected_ratio([model], Sequences(i1, none, none, v1, none))
    return complex(ratio[0, 0]), float(std[0, 0])


def _together(
    old: Asymmetry | None, new: Asymmetry | None, motor: Motor | None
) -> Asymmetry | None:
    """Return one model for both loads: what both recordings told, on the one prior.

    Posteriors multiply and the prior, which both contain, is divided out once (Bishop 2006, 3.3).
    """
    if old is None or new is None or (old.base_v is None) != (new.base_v is None):
        return old
    start = asymmetry_model.prior(motor, new.base_a, new.base_v)
    scale = np.diag([_scale(new) / _scale(old)] * 2 + [1.0])
    parts = [_information(m, scale) for m in (new, start)]
    (precision, pull), (less, back) = parts
    own = np.linalg.inv(np.array(old.covariance))
    total = own + precision - less
    covariance = np.linalg.inv(total)
    mean = covariance @ (own @ np.array(old.mean) + pull - back)
    n, m = old.recordings, new.recordings
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
        recordings=n + m,
    )


def _scale(model: Asymmetry) -> float:
    """Return the unit of an admittance of the model; of a current where voltage is unmeasured."""
    return model.base_a / (model.base_v or 1.0)


def _information(model: Asymmetry, scale: npt.NDArray[np.float64]) -> tuple[Complex, Complex]:
    """Return precision and precision times mean, in the units of the model scaled to."""
    precision = np.linalg.inv(scale @ np.array(model.covariance) @ scale)
    return precision, precision @ (scale @ np.array(model.mean))
