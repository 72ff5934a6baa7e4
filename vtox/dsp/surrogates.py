"""Whether a comb at a defect order is better than combs at arbitrary orders of the same record.

Third step of the bearing diagnoser. Looseness, belts, gears and converters fill envelope spectra
with lines; what then matters is not whether a comb exceeds noise but whether it exceeds them.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import maximum_filter1d

from vtox.dsp.comb import (
    CAGE,
    HARMONICS,
    LOBE_BINS,
    LOWEST,
    Bools,
    Candidate,
    Floats,
    Plan,
    Target,
    levels,
    scale_of,
)

# Quantiles of the surrogates: level in one view, and best view of one interval.
VIEW_QUANTILE = 0.99
BEST_QUANTILE = 0.98
# Combs stand a third of a bin apart; every second one serves as surrogate.
STRIDE = 2
# With fewer surrogate combs than this nothing is found: there is nothing to compare with.
FEWEST = 25
# A comb must exceed the reference by this factor. About 30 independent intervals give the 98 %
# quantile, so without it one record in 30 full of lines would raise an alarm for each target.
MARGIN = 1.5
# Surrogates lie between `LOWEST` and this multiple of the order: lines thin out upwards.
FARTHEST = 7.5
# Combs that hold some of the lines of the one found: as factors, and as distances in orders of the
# shaft (o + 1, o + 2, ... are combs of the sidebands) or of the family's sidebands.
RELATED = (1 / 3, 1 / 2, 2 / 3, 1.0, 3 / 2, 2.0, 3.0)
SHIFTED = (-3.0, -2.0, -1.0, -0.5, 0.5, 1.0, 2.0, 3.0)
# Lines between those of the comb as strong as this share of them belong to a denser family.
DENSER = 0.5
BETWEEN = {2: (0.5, 1.5, 2.5), 3: (1 / 3, 2 / 3, 4 / 3, 5 / 3)}
# ... as do lines at these multiples of the cage frequency beside a rolling element's: modulation
# reaches less far than a train of blows at about that frequency.
BEYOND = (-5, -4, -3, 3, 4, 5)
# A second or third harmonic this many times the mean of the other two is another comb's.
LONELY = 4.0


@dataclass(frozen=True, slots=True)
class Finding:
    """The comb near a target: level against the threshold that chance and surrogates set."""

    level: float
    threshold: float
    order: float
    view: int
    family: str

    @property
    def ratio(self) -> float:
        """Level over threshold: 1 and more is a finding."""
        return self.level / self.threshold


def judged(rows: Floats, plan: Plan, target: Target, candidate: Candidate) -> Finding:
    """Return the best comb near a target, judged by surrogates.

    Surrogates are combs over all other orders, of the lines that the candidate does not explain. A
    view in which arbitrary combs stand out is scaled down (`VIEW_QUANTILE`); then the best view of
    the interval is compared with the best views of intervals of the same width elsewhere
    (`BEST_QUANTILE` and `MARGIN`).

    Parameters
    ----------
    rows : ndarray, shape (bins + 1, views)
        Power over the floor, from `comb.table` with what the plan leaves out.
    plan : Plan
    target : Target
    candidate : Candidate
        From `comb.candidates`, level 1 or more (below, chance alone explains it).

    Returns
    -------
    Finding
    """
    interval = plan.intervals[target.name]
    order = float(plan.orders[candidate.comb])
    own = _levels(rows, plan, target, interval, plan.usable)
    own *= np.array([w for _, w in target.families], np.float32)[:, None, None]
    other = np.flatnonzero(_unrelated(plan, target, order)[::STRIDE])
    if len(other) < FEWEST:
        top = float(own.max())
        return Finding(top, max(1.0, MARGIN * top), order, candidate.view, candidate.family)
    rest = np.where(_explained(plan, target, order), np.float32(0), plan.usable)
    span = slice(int(other[0]) * STRIDE, int(other[-1]) * STRIDE + 1, STRIDE)
    pool = _levels(rows * rest[:, None], plan, target, span, rest)
    other -= other[0]
    rank = int(VIEW_QUANTILE * (len(other) - 1))
    typical = np.partition(pool[:, other], rank, axis=1)[:, rank]
    typical = np.maximum(typical, 1)[:, None]
    pool /= typical
    width = -(-(interval.stop - interval.start) // STRIDE)
    ranked = np.sort(maximum_filter1d(pool.max(axis=(0, 2)), width)[other])
    reference = float(ranked[int(BEST_QUANTILE * (len(ranked) - 1))])
    own /= typical
    f, at, view = (int(i) for i in np.unravel_index(int(own.argmax()), own.shape))
    level, order = float(own[f, at, view]), float(plan.orders[interval][at])
    threshold = max(1.0, MARGIN * reference)
    if _borrowed(rows[:, view], plan, target, order):
        threshold = max(threshold, MARGIN * level)
    return Finding(level, threshold, order, view, target.families[f][0])


def _levels(rows: Floats, plan: Plan, target: Target, combs: slice, usable: Floats) -> Floats:
    """Return the levels of combs in each family of the target, shape (families, combs, views)."""
    found = []
    for family, _ in target.families:
        bins = plan.bins[family][:, combs]
        found.append(
            levels(rows, bins, scale_of(bins, usable, plan.trust, plan.allowed), plan.single)
        )
    return np.stack(found)


def _explained(plan: Plan, target: Target, order: float) -> Bools:
    """Return the bins that the comb at `order` accounts for, sidebands included."""
    harmonics = np.arange(1, 2 * HARMONICS + 1)
    own = harmonics * order / plan.df_order
    wanted = [own]
    if not _at_half_order(plan, order):
        for family, _ in target.families:
            wanted += [own - plan.shifts[family], own + plan.shifts[family]]
    if target.accompanied:
        wanted.append(harmonics * float(plan.shifts[CAGE]))
    first = np.rint(np.concatenate(wanted)).astype(np.int64) - LOBE_BINS
    near = np.arange(2 * LOBE_BINS + 1) + first[:, None]
    marked = np.zeros(len(plan.usable), np.bool_)
    marked[near[(near >= 0) & (near < len(marked))]] = True
    return marked


def _unrelated(plan: Plan, target: Target, order: float) -> Bools:
    """Return which combs serve as surrogates: in range, and sharing no lines with `order`."""
    interval = plan.intervals[target.name]
    half = ((interval.stop - interval.start) / 2 / HARMONICS + 1) * plan.df_order
    relatives = [order * r for r in RELATED]
    if not _at_half_order(plan, order):
        steps = {1.0} | {plan.shifts[f] * plan.df_order for f, _ in target.families}
        relatives += [order + s * step for s in SHIFTED for step in steps]
    if order < 1:
        relatives.append(1 - order)  # the cage as seen from the shaft
    distance = np.abs(plan.orders - np.asarray(relatives, np.float32)[:, None])
    inside = (plan.orders > LOWEST * order) & (plan.orders < FARTHEST * order)
    return np.asarray(inside & (distance.min(axis=0) >= half), np.bool_)


def _at_half_order(plan: Plan, order: float) -> bool:
    """Return whether a comb may be one of half shaft orders, which looseness makes."""
    return abs(2 * order - round(2 * order)) < 2 * (1.5 * plan.df_order + 0.002 * order)


def _borrowed(line: Floats, plan: Plan, target: Target, order: float) -> bool:
    """Return whether the comb's lines belong to another: a denser one, or one strong line's."""

    def mean(orders: tuple[float, ...]) -> float:
        bins = [min(round(o / plan.df_order), len(line) - 1) for o in orders]
        count = sum(plan.usable[b] for b in bins)
        return float(sum(line[b] for b in bins) / max(1.0, count))

    first, second, third = order, 2 * order, 3 * order
    if mean((second,)) > LONELY * mean((first, third)):
        return True
    if mean((third,)) > LONELY * mean((first, second)):
        return True
    limit = DENSER * mean((first, second, third))
    between = [tuple(m * order for m in BETWEEN[d]) for d in target.divisors]
    if target.accompanied:
        cage = plan.shifts[CAGE] * plan.df_order
        between.append(tuple(order + j * cage for j in BEYOND))
    return any(mean(orders) > limit for orders in between)
