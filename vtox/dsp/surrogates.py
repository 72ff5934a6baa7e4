"""Whether a comb at a defect order is better than combs at arbitrary orders of the same record.

Third step of the bearing diagnoser. Looseness, belts, gears and converters fill envelope spectra
with lines; what then matters is not whether a comb exceeds noise but whether it exceeds them.
"""

from dataclasses import dataclass, replace
from math import ceil

import numpy as np
from scipy.ndimage import maximum_filter1d

from vtox.arrays import Bool, Float32, Int
from vtox.dsp.comb import levels
from vtox.dsp.comb_plan import (
    CAGE,
    HARMONICS,
    LOBE_BINS,
    LOWEST,
    PLAIN,
    Plan,
    Target,
    lines_of,
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
# Harmonics that a comb accounts for, over so many bins around each.
ACCOUNTED = np.arange(1, 2 * HARMONICS + 1)
LOBE = np.arange(-LOBE_BINS, LOBE_BINS + 1)
# A second or third harmonic this many times the mean of the other two is another comb's.
LONELY = 4.0


@dataclass(frozen=True, slots=True)
class Finding:
    """The best comb near a target: level against the threshold that chance and surrogates set.

    `number` of the comb in its plan, `order` of the shaft; `view` it is best in; with `sidebands`
    at the frequency of the shaft or the cage, or plain.
    """

    level: float
    threshold: float
    number: int
    order: float
    view: int
    sidebands: str

    @property
    def ratio(self) -> float:
        """Level over threshold: 1 and more is a finding."""
        return self.level / self.threshold


def best_of(own: Float32, plan: Plan, target: Target, threshold: float = 1.0) -> Finding:
    """Return the best of the combs near a target.

    Parameters
    ----------
    own : ndarray, shape (1 or 2, combs, views)
        From `comb.near`.
    plan : Plan
    target : Target
    threshold : float
        1 is what chance allows.
    """
    _, combs, views = own.shape
    kind, place = divmod(int(own.argmax()), combs * views)
    at, view = divmod(place, views)
    number = plan.intervals[target.name][at]
    return Finding(
        level=float(own[kind, at, view]),
        threshold=threshold,
        number=number,
        order=plan.order(number),
        view=view,
        sidebands=target.sidebands if kind else PLAIN,
    )


def judged(rows: Float32, plan: Plan, target: Target, own: Float32) -> Finding:
    """Return the best comb near a target, judged by surrogates.

    Surrogates are combs over all other orders, of the lines that the best comb does not explain. A
    view in which arbitrary combs stand out is scaled down (`VIEW_QUANTILE`); then the best view of
    the interval is compared with the best views of intervals of the same width elsewhere
    (`BEST_QUANTILE` and `MARGIN`).

    Parameters
    ----------
    rows : ndarray, shape (bins + 1, views + 1)
        Power over the floor, of one record, from `comb.tables`.
    plan : Plan
    target : Target
    own : ndarray, shape (1 or 2, combs, views)
        Levels near the target, from `comb.near`.

    Returns
    -------
    Finding
        That of chance alone where its level is below 1.
    """
    chance = best_of(own, plan, target)
    if chance.level < 1:
        return chance
    numbers, apart = _surrogates(plan, target, chance.order)
    if np.count_nonzero(apart) < FEWEST:
        return best_of(own, plan, target, MARGIN * chance.level)
    rest = rows.copy()
    rest[_explained(plan, target, chance.order)] = 0
    pool = levels(rest, lines_of(numbers, plan.shifts[target.sidebands]), plan)
    # Combs last: those of a view then lie together in memory.
    pool = np.ascontiguousarray(pool.transpose(0, 2, 1))
    typical = _typical(pool, apart)
    pool /= typical[..., None]
    width = -(-len(plan.intervals[target.name]) // STRIDE)
    best = maximum_filter1d(pool.reshape(-1, len(numbers)).max(axis=0), width)
    reference = float(_quantile(best[apart], BEST_QUANTILE))
    found = best_of(own / typical[:, None], plan, target, max(1.0, MARGIN * reference))
    if _borrowed(rows, plan, target, found):
        return replace(found, threshold=max(found.threshold, MARGIN * found.level))
    return found


def _typical(pool: Float32, apart: Bool) -> Float32:
    """Return the level of arbitrary combs in each view, shape (1 or 2, views), 1 at least.

    Most views hold no comb above 1: those are not sorted.
    """
    typical = np.ones(pool.shape[:2], np.float32)
    loud = np.maximum.reduce(pool, axis=-1) > 1
    if loud.any():
        level = _quantile(pool[loud].compress(apart, axis=-1), VIEW_QUANTILE)
        typical[loud] = np.maximum(level, 1)
    return typical


def _quantile(x: Float32, share: float) -> Float32:
    """Sort along the last axis; return the value that this share of the others does not exceed."""
    x.sort()
    return x[..., int(share * (x.shape[-1] - 1))]


def _surrogates(plan: Plan, target: Target, order: float) -> tuple[Int, Bool]:
    """Return the numbers of combs over other orders, and which share no lines with `order`."""
    relatives = [order * factor for factor in RELATED]
    shift = plan.shifts[target.sidebands]
    if not _at_half_order(plan, order):
        steps = (1.0, shift * plan.df_order) if shift else (1.0,)
        relatives += [order + k * step for step in steps for k in SHIFTED]
    if order < 1:
        relatives.append(1 - order)  # the cage as seen from the shaft
    unit = plan.order(1)
    first = max(plan.numbers.start, int(LOWEST * order / unit) + 1)
    numbers = np.arange(first, min(plan.numbers.stop, ceil(FARTHEST * order / unit)), STRIDE)
    half = (len(plan.intervals[target.name]) / 2 + HARMONICS) / STRIDE
    apart = np.ones(len(numbers), np.bool_)
    for relative in relatives:
        centre = (relative / unit - first) / STRIDE
        if -half < centre < len(numbers) + half:
            apart[max(0, ceil(centre - half)) : ceil(centre + half)] = False
    return numbers, apart


def _explained(plan: Plan, target: Target, order: float) -> Int:
    """Return the bins that the comb at `order` accounts for, sidebands included."""
    own = ACCOUNTED * (order / plan.df_order)
    wanted = [own]
    shift = plan.shifts[target.sidebands]
    if shift and not _at_half_order(plan, order):
        wanted += [own - shift, own + shift]
    if target.sidebands == CAGE:
        wanted.append(ACCOUNTED * float(shift))
    bins = np.add.outer(LOBE, np.rint(np.concatenate(wanted)).astype(np.int64))
    # The first and the last bin hold nothing: see `comb.tables`.
    return np.minimum(np.maximum(bins, 0, out=bins), len(plan.usable) - 1, out=bins)


def _at_half_order(plan: Plan, order: float) -> bool:
    """Return whether a comb may be one of half shaft orders, which looseness makes."""
    return abs(2 * order - round(2 * order)) < 2 * (1.5 * plan.df_order + 0.002 * order)


def _borrowed(rows: Float32, plan: Plan, target: Target, found: Finding) -> bool:
    """Return whether the comb's lines belong to another: a denser one, or one strong line's."""
    multiples = [*range(1, HARMONICS + 1), *(m for d in target.divisors for m in BETWEEN[d])]
    if target.sidebands == CAGE:
        multiples += [1 + j * plan.shifts[CAGE] * plan.df_order / found.order for j in BEYOND]
    scale = found.order / plan.df_order
    lines = rows.take([round(m * scale) for m in multiples], axis=0, mode="clip")
    strength: list[float] = lines[:, found.view].tolist()
    usable: list[float] = lines[:, -1].tolist()

    def mean(start: int, stop: int, step: int = 1) -> float:
        return sum(strength[start:stop:step]) / max(1.0, sum(usable[start:stop:step]))

    if mean(1, 2) > LONELY * mean(0, 3, 2) or mean(2, 3) > LONELY * mean(0, 2):
        return True
    limit, start = DENSER * mean(0, 3), HARMONICS
    for size in [len(BETWEEN[d]) for d in target.divisors] + [len(BEYOND)]:
        if mean(start, start + size) > limit:
            return True
        start += size
    return False
