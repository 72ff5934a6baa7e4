"""Figures of merit, with the uncertainty of small samples and with abstentions kept apart."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import beta

from vtox.motor.values.arrays import Float64


@dataclass(frozen=True, slots=True)
class Rate:
    """`hits` of `n` with the exact 95 % interval; tables print its `str`."""

    hits: int
    n: int

    @property
    def value(self) -> float:
        """Share, NaN of none."""
        return self.hits / self.n if self.n else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """Two-sided 95 % interval (Clopper & Pearson 1934, Biometrika 26:404)."""
        return clopper_pearson(self.hits, self.n)

    def at_least(self, share: float) -> bool | None:
        """Whether the share is reached; None of none."""
        return self.value >= share if self.n else None

    def at_most(self, share: float, *, shown_on: int = 0) -> bool | None:
        """Whether the share is not exceeded, and that on enough records; None of none."""
        return self.value <= share and self.n >= shown_on if self.n else None

    def __str__(self) -> str:
        if not self.n:
            return "none"
        low, high = (100 * x for x in self.interval)
        if self.hits == 0:
            return f"0/{self.n} (<= {100 * rule_of_three(self.n):.3g} %)"
        return f"{self.hits}/{self.n} = {100 * self.value:.3g} % ({low:.3g}-{high:.3g})"


def clopper_pearson(hits: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Return the exact interval of a binomial share."""
    if n == 0:
        return 0.0, 1.0
    tail = (1 - level) / 2
    low = 0.0 if hits == 0 else float(beta.ppf(tail, hits, n - hits + 1))
    high = 1.0 if hits == n else float(beta.ppf(1 - tail, hits + 1, n - hits))
    return low, high


def rule_of_three(n: int) -> float:
    """Return the one-sided 95 % bound of a share, where none of `n` was a hit: 3/n."""
    return min(1.0, 3 / n) if n else 1.0


def roc(healthy: Float64, faulty: Float64) -> tuple[Float64, Float64]:
    """Return false-alarm and detection rates at every threshold, from (0, 0) to (1, 1)."""
    limits = np.unique(np.concatenate([healthy, faulty]))[::-1]
    far = np.array([np.mean(healthy >= x) for x in limits])
    found = np.array([np.mean(faulty >= x) for x in limits])
    return np.concatenate([[0.0], far, [1.0]]), np.concatenate([[0.0], found, [1.0]])


def auc(healthy: Float64, faulty: Float64) -> float:
    """Return the chance that a faulty score is above a healthy one, ties counted half."""
    if not len(healthy) or not len(faulty):
        return float("nan")
    order = np.sort(healthy)
    below = np.searchsorted(order, faulty, "left")
    up_to = np.searchsorted(order, faulty, "right")
    return float(np.mean(below + up_to) / (2 * len(order)))


def partial_auc(healthy: Float64, faulty: Float64, most: float = 0.01) -> float:
    """Return the area under the ROC up to a false-alarm rate of `most`, over that of a perfect one.

    Steps, not chords: an estimate from below.
    """
    if not len(healthy) or not len(faulty):
        return float("nan")
    far, found = roc(healthy, faulty)
    inside = np.append(far[far <= most], most)
    return float(np.sum(np.diff(inside) * found[far <= most]) / most)


def detection_rate_at(healthy: Float64, faulty: Float64, far: float) -> float:
    """Return the share of faulty scores above the healthy quantile 1 - `far`.

    NaN where there are fewer than 1/far healthy scores.
    """
    if len(healthy) * far < 1 or not len(faulty):
        return float("nan")
    return float(np.mean(faulty > np.quantile(healthy, 1 - far, method="higher")))


@dataclass(frozen=True, slots=True)
class BalancedAccuracy:
    """Balanced accuracy of the decided (with the coverage), and with abstentions as errors."""

    decided: float
    coverage: float
    as_errors: float


def balanced_accuracy(faulty: Sequence[bool], alarm: Sequence[bool | None]) -> BalancedAccuracy:
    """Return the balanced accuracy; an alarm of None is an abstention."""
    truth = np.array(faulty, bool)
    decided = np.array([a is not None for a in alarm], bool)
    right = np.array([a is not None and bool(a) == t for a, t in zip(alarm, truth, strict=True)])
    shares, strict = [], []
    for kind in (truth, ~truth):
        shares.append(right[kind & decided].mean() if (kind & decided).any() else np.nan)
        strict.append(right[kind].mean() if kind.any() else np.nan)
    return BalancedAccuracy(float(np.mean(shares)), float(decided.mean()), float(np.mean(strict)))


def risk_coverage_area(confidence: Float64, right: npt.NDArray[np.bool_]) -> float:
    """Return the area under the risk-coverage curve (AURC): mean error of the k most confident."""
    if not len(right):
        return float("nan")
    errors = ~right[np.argsort(-confidence, kind="stable")]
    return float(np.mean(np.cumsum(errors) / np.arange(1, len(errors) + 1)))


def calibration_error(confidence: Float64, right: npt.NDArray[np.bool_], bins: int = 10) -> float:
    """Return the expected calibration error over `bins` equal bins of confidence."""
    if not len(right):
        return float("nan")
    index = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        np.count_nonzero(index == b) * abs(confidence[index == b].mean() - right[index == b].mean())
        for b in np.unique(index)
    ]
    return float(np.sum(gaps) / len(right))


def bootstrap(
    groups: Sequence[Any],
    figure: Callable[[npt.NDArray[np.intp]], float],
    *,
    draws: int = 300,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the 95 % interval of `figure(indices)`, whole groups (machines) resampled.

    Records of one machine are alike: resampling them one by one would give too narrow an interval.
    """
    names = sorted(set(groups), key=str)
    members = {g: np.flatnonzero([x == g for x in groups]) for g in names}
    rng = np.random.default_rng(seed)
    values = [
        figure(np.concatenate([members[names[k]] for k in rng.integers(0, len(names), len(names))]))
        for _ in range(draws)
    ]
    finite = [v for v in values if not np.isnan(v)]
    if not finite:
        return np.nan, np.nan
    low, high = np.percentile(finite, [2.5, 97.5])
    return float(low), float(high)
