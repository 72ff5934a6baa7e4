"""The healthy state of one machine: levels of features per load band, and its asymmetry.

Learnt by `vtox.motor.diagnosis.learning.fit.learn_baseline` from healthy recordings, stored as
JSON, read by the diagnosers: `baseline.level("eccentricity.upper_dbc", load_a)` is the healthy
level of a feature at that load, or None; `baseline.no_level_reason(...)` says why it is None.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from math import isfinite, sqrt
from typing import Any

import msgspec
import numpy as np

from vtox.motor.errors import BaselineError
from vtox.motor.values.arrays import Float64
from vtox.motor.values.domain import Reason, reason

VERSION = 1
# Largest ratio of the loads in one band, and how far beyond its ends the band still applies.
# docs/calibration/baseline.md#levels
BAND_RATIO = 1.25
BAND_MARGIN = 1.10
# Least rise above the baseline that means something, dB. docs/calibration/baseline.md#levels
RISE_DB = 4.0


@dataclass(frozen=True, slots=True)
class Level:
    """Mean and sample deviation of one feature over `n` healthy records.

    `vtox.motor.diagnosis.dsp.prediction` says how far a further record may lie from the mean.
    """

    n: int
    mean: float
    std: float


@dataclass(frozen=True, slots=True)
class Band:
    """Levels of the features between two loads, positive-sequence current in A rms."""

    low_a: float
    high_a: float
    levels: Mapping[str, Level]

    def covers(self, load_a: float) -> bool:
        """Return whether the band applies to a record at this load, A rms."""
        return self.low_a / BAND_MARGIN <= load_a <= self.high_a * BAND_MARGIN


@dataclass(frozen=True, slots=True)
class Asymmetry:
    """The healthy negative-sequence current as a linear model of voltage and current.

    I2/I1 = y22*(V2/I1) + y21*(V1/I1) + c in per unit of `base_a` (A rms) and `base_v` (V rms, phase
    to neutral; None if voltage was not measured and V1 counts as constant). `mean` (3,) complex,
    `covariance` (3, 3) complex, its posterior; `noise` the deviation of one frame and `session` of
    another recording from the learnt value, each per real or imaginary part of I2/I1.
    `residual` is the healthy I0/I1 (re, im), in which clamp errors show. `supply_hz` is the
    frequency at which it was learnt (y22 falls with it), `turned_deg` by how much the voltages were
    turned to pair them with the currents, `susceptance_s` the reactive current over the voltage,
    S; the last two are None without voltages. `period_t` is when the last of `recordings` periods
    ended that the stream has taught, s.
    """

    mean: tuple[complex, complex, complex]
    covariance: tuple[tuple[complex, complex, complex], ...]
    noise: float
    session: float
    base_a: float
    base_v: float | None
    low_a: float
    high_a: float
    residual: complex
    frames: int
    recordings: int
    supply_hz: float | None = None
    turned_deg: int | None = None
    susceptance_s: float | None = None
    period_t: float | None = None


@dataclass(frozen=True, slots=True)
class Baseline:
    """A machine's healthy levels by load band, and its healthy asymmetry."""

    bands: tuple[Band, ...] = ()
    asymmetry: Asymmetry | None = None
    records: int = 0
    seconds: float = 0.0
    version: int = field(default=VERSION)

    @property
    def empty(self) -> bool:
        """Whether nothing was learnt, as no recording could be used."""
        return not self.bands and self.asymmetry is None

    def level(self, feature: str, load_a: float | None) -> Level | None:
        """Return the healthy level of a feature at a load, None if it was not learnt there.

        Without a load (no currents measured) only a baseline learnt without loads applies.
        """
        candidates = [
            b
            for b in self.bands
            if feature in b.levels and (b.low_a == 0 if load_a is None else b.covers(load_a))
        ]
        if not candidates:
            return None
        if load_a is None:
            return candidates[0].levels[feature]
        return min(candidates, key=lambda b: _distance(b, load_a)).levels[feature]

    def any_load(self, feature: str) -> Level | None:
        """Return the healthy level of a feature that does not depend on the load."""
        found = [b.levels[feature] for b in self.bands if feature in b.levels]
        if not found:
            return None
        n = sum(x.n for x in found)
        mean = sum(x.n * x.mean for x in found) / n
        square = sum((x.n - 1) * x.std**2 + x.n * (x.mean - mean) ** 2 for x in found)
        return Level(n, mean, sqrt(square / (n - 1)) if n > 1 else 0.0)

    def no_level_reason(self, feature: str, load_a: float) -> Reason | None:
        """Return why there is no healthy level of a feature at a load, or None if there is one."""
        if self.level(feature, load_a) is not None:
            return None
        if not any(feature in b.levels for b in self.bands):
            return reason("no_baseline")
        return reason("no_baseline_at_load", load_a=load_a)

    def to_json(self) -> str:
        """Return the baseline as JSON; complex numbers are pairs."""
        return json.dumps(asdict(self), default=_pair, separators=(",", ":"))

    @staticmethod
    def from_json(text: str) -> "Baseline":
        """Return the baseline stored as `text`. Equal texts share one frozen value."""
        return _parse(text)


def bands_of(features: Mapping[str, Float64], load_a: Float64) -> tuple[Band, ...]:
    """Return the levels of `features`, grouped into bands of similar load.

    Parameters
    ----------
    features : mapping of name to ndarray, shape (records,)
        NaN if a record does not show the feature.
    load_a : ndarray, shape (records,)
        Positive-sequence current, A rms; NaN if no currents were measured (one band then).

    Returns
    -------
    tuple of Band
        In order of load; each at most `BAND_RATIO` wide.
    """
    loads = np.nan_to_num(load_a, nan=0.0)
    groups: list[list[int]] = []
    for i in np.argsort(loads, kind="stable"):
        if groups and loads[i] <= loads[groups[-1][0]] * BAND_RATIO:
            groups[-1].append(int(i))
        else:
            groups.append([int(i)])
    bands = []
    for group in groups:
        seen = {n: x[group][np.isfinite(x[group])] for n, x in features.items()}
        levels = {n: _level(x) for n, x in seen.items() if len(x)}
        if levels:
            bands.append(Band(float(loads[group[0]]), float(loads[group[-1]]), levels))
    return tuple(bands)


def sort_bands(bands: Iterable[tuple[Band, ...]]) -> tuple[Band, ...]:
    """Return the bands of several families together, in order of load."""
    return tuple(sorted((b for group in bands for b in group), key=lambda b: b.low_a))


def _level(x: Float64) -> Level:
    return Level(len(x), float(x.mean()), float(x.std(ddof=1)) if len(x) > 1 else 0.0)


def _distance(band: Band, load_a: float) -> float:
    centre = sqrt(band.low_a * band.high_a)
    return max(centre, load_a) / max(min(centre, load_a), 1e-12)


def _pair(x: object) -> list[float]:
    if isinstance(x, complex):
        return [x.real, x.imag]
    raise TypeError(f"{type(x).__name__} has no place in a baseline")


@lru_cache(maxsize=4096)
def _parse(text: str) -> Baseline:
    try:
        data = json.loads(text)
        if data["version"] != VERSION:
            raise BaselineError(f"baseline: version {data['version']}, expected {VERSION}")
        baseline = msgspec.convert(data, Baseline, dec_hook=_complex)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BaselineError(f"baseline: not a baseline of version {VERSION}: {error}") from error
    if not isfinite(baseline.seconds):
        raise BaselineError(f"baseline.seconds: {baseline.seconds}, expected a number")
    return baseline


def _complex(kind: type, pair: Any) -> complex:
    if kind is not complex or not isinstance(pair, list) or len(pair) != 2:
        raise TypeError(f"{pair}: expected two numbers")
    return complex(*pair)
