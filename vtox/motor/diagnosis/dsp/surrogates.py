"""Test whether a comb at a defect order exceeds combs at arbitrary orders of the same record.

Third step of the bearing diagnoser. Looseness, belts, gears and converters fill envelope spectra
with lines; then a comb that exceeds noise means nothing, and one that exceeds other combs does.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil

import numpy as np
from scipy.ndimage import maximum_filter1d

from vtox.motor.diagnosis.dsp.comb import comb_levels
from vtox.motor.diagnosis.dsp.comb_plan import (
    BEARING_CAGE,
    HARMONICS,
    LOBE_BINS,
    LOWEST_COMB,
    PLAIN,
    CombTarget,
    Plan,
    comb_bins,
)
from vtox.motor.values.arrays import Bool, Float32, Int

# Quantiles of the surrogates: level in one view, and best view of one interval.
VIEW_QUANTILE = 0.99
BEST_QUANTILE = 0.98
# Combs are a third of a bin apart; every second one serves as surrogate.
STRIDE = 2
# Factor by which a comb must exceed the surrogates. About 30 independent intervals give the 98 %
# quantile: without it one record in 30 full of lines would raise an alarm for each target.
SURROGATE_MARGIN = 1.5
# Orders, over that of the comb found, of combs that hold some of its lines.
HARMONICALLY_RELATED = (1 / 3, 1 / 2, 2 / 3, 1.0, 3 / 2, 2.0, 3.0)
# Lines between those of the comb, half as strong, belong to a denser family. Their places, in
# orders of the comb, by divisor.
LINES_BETWEEN = {2: (0.5, 1.5, 2.5), 3: (1 / 3, 2 / 3, 4 / 3, 5 / 3)}
# ... as do lines at these multiples of the bearing cage frequency from a rolling element's:
# modulation reaches less far than a train of impacts at about that frequency.
CAGE_SIDEBAND_ORDERS = (-5, -4, -3, 3, 4, 5)
# A second or third harmonic this many times the mean of the other two is another comb's.
ISOLATED_LINE_RATIO = 4.0


@dataclass(frozen=True, slots=True)
class Finding:
    """The best comb near a target: level against the threshold that chance and surrogates set.

    The comb has a `number` in its plan and an `order` in shaft orders. It is best in the `view`,
    with `sidebands` at the frequency of the shaft or the bearing cage, or plain.
    """

    level: float
    threshold: float
    number: int
    order: float
    view: int
    sidebands: str

    @property
    def ratio(self) -> float:
        """Level over threshold: found from 1 on."""
        return self.level / self.threshold


def best_combs(
    levels: Float32, plans: Sequence[Plan], thresholds: Sequence[float]
) -> list[dict[str, Finding]]:
    """Return the best comb near each target of each record, by the name of the target.

    Parameters
    ----------
    levels : ndarray, shape (2, combs, views + 1)
        From `comb.candidate_levels`.
    plans : sequence of Plan, one a record
    thresholds : sequence of float, one a record
        1 is the level that chance allows.

    See Also
    --------
    compare_with_surrogates : for those above chance.
    """
    combs = np.cumsum([0, *(p.candidate_bins.shape[1] for p in plans)]).tolist()
    starts = [k + s.start for p, k in zip(plans, combs, strict=False) for s in p.spans.values()]
    best = zip(*_highest(levels, np.array(starts)), starts, strict=True)
    return [
        {
            t.name: _finding(plan, t, threshold, *of_target)
            for t, of_target in zip(plan.targets, best, strict=False)
        }
        for plan, threshold in zip(plans, thresholds, strict=True)
    ]


def _highest(levels: Float32, starts: Int) -> tuple[list[float], list[int], list[int], list[int]]:
    """Return the highest level of stretches of combs, its kind, its comb and its view."""
    kinds, combs, views = levels.shape
    of_kinds = np.maximum.reduceat(levels.reshape(kinds, -1), views * starts, axis=1)
    kind = of_kinds.argmax(axis=0)
    level = of_kinds.max(axis=0)
    sizes = np.diff(starts, append=combs)
    own = levels[kind.repeat(sizes), np.arange(combs)]
    highest = np.flatnonzero(~(own < level.repeat(sizes)[:, None]))
    at, view = np.divmod(highest[np.searchsorted(highest, views * starts)], views)
    return level.tolist(), kind.tolist(), at.tolist(), view.tolist()


def _finding(
    plan: Plan,
    target: CombTarget,
    threshold: float,
    level: float,
    kind: int,
    at: int,
    view: int,
    start: int,
) -> Finding:
    number = plan.intervals[target.name][at - start]
    sidebands = target.sidebands if kind else PLAIN
    return Finding(level, threshold, number, plan.order(number), view, sidebands)


def _best_comb(own: Float32, plan: Plan, target: CombTarget, threshold: float = 1.0) -> Finding:
    """Return the best of the combs near one target; `own` are their levels, as of `best_combs`."""
    ((level,), (kind,), (at,), (view,)) = _highest(own, np.zeros(1, np.intp))
    return _finding(plan, target, threshold, level, kind, at, view, 0)


def compare_with_surrogates(rows: Float32, plan: Plan, target: CombTarget, own: Float32) -> Finding:
    """Return the best comb near a target, its threshold set by surrogates.

    Surrogates are combs at all other orders, of the lines that the best comb does not explain. A
    view in which arbitrary combs reach a high level is scaled down (`VIEW_QUANTILE`). Then the best
    view of the interval is compared with the best views of other intervals of the same width
    (`BEST_QUANTILE` and `SURROGATE_MARGIN`).

    Parameters
    ----------
    rows : ndarray, shape (bins + 1, views + 1)
        Power over the floor, of one record, from `comb.masked_lines`.
    plan : Plan
    target : CombTarget
    own : ndarray, shape (1 or 2, combs, views)
        Levels near the target, from `comb.candidate_levels` without its last column.

    Returns
    -------
    Finding
        With the threshold of chance alone if its level is below 1.

    See Also
    --------
    _best_comb : the same without surrogates.
    """
    chance = _best_comb(own, plan, target)
    if chance.level < 1:
        return chance
    numbers, unrelated = _surrogates(plan, target, chance.order)
    if np.count_nonzero(unrelated) < 25:  # too few to compare with: nothing is found
        return _best_comb(own, plan, target, SURROGATE_MARGIN * chance.level)
    rest = rows.copy()
    rest[_explained_bins(plan, target, chance.order)] = 0
    pool = comb_levels(rest, comb_bins(numbers, plan.shifts[target.sidebands]), plan)
    # Combs last: those of a view then lie together in memory.
    pool = np.ascontiguousarray(pool.transpose(0, 2, 1))
    typical = _typical_level(pool, unrelated)
    pool /= typical[..., None]
    width = -(-len(plan.intervals[target.name]) // STRIDE)
    best = maximum_filter1d(pool.reshape(-1, len(numbers)).max(axis=0), width)
    reference = float(_quantile(best[unrelated], BEST_QUANTILE))
    threshold = max(1.0, SURROGATE_MARGIN * reference)
    finding = _best_comb(own / typical[:, None], plan, target, threshold)
    if _is_part_of_another(rows, plan, target, finding):
        threshold = max(finding.threshold, SURROGATE_MARGIN * finding.level)
        return replace(finding, threshold=threshold)
    return finding


def _typical_level(pool: Float32, unrelated: Bool) -> Float32:
    """Return the level of arbitrary combs in each view, shape (1 or 2, views), 1 at least.

    Most views hold no comb above 1: those are not sorted.
    """
    typical = np.ones(pool.shape[:2], np.float32)
    loud = np.maximum.reduce(pool, axis=-1) > 1
    if loud.any():
        level = _quantile(pool[loud].compress(unrelated, axis=-1), VIEW_QUANTILE)
        typical[loud] = np.maximum(level, 1)
    return typical


def _quantile(x: Float32, share: float) -> Float32:
    """Sort along the last axis; return the value that this share of the others does not exceed."""
    x.sort()
    return x[..., int(share * (x.shape[-1] - 1))]


def _surrogates(plan: Plan, target: CombTarget, order: float) -> tuple[Int, Bool]:
    """Return the numbers of combs at all orders, and which share no lines with `order`."""
    related = [order * factor for factor in HARMONICALLY_RELATED]
    shift = plan.shifts[target.sidebands]
    if not _at_half_order(plan, order):
        steps = (1.0, shift * plan.df_order) if shift else (1.0,)
        # Combs of the sidebands, whose distances are shaft orders or those of the cage.
        related += [order + k * step for step in steps for k in (-3, -2, -1, -0.5, 0.5, 1, 2, 3)]
    if order < 1:
        related.append(1 - order)  # the bearing cage as seen from the shaft
    unit = plan.order(1)
    first = max(plan.numbers.start, int(LOWEST_COMB * order / unit) + 1)
    stop = min(plan.numbers.stop, ceil(7.5 * order / unit))  # lines thin out upwards
    numbers = np.arange(first, stop, STRIDE)
    half = (len(plan.intervals[target.name]) / 2 + HARMONICS) / STRIDE
    unrelated = np.ones(len(numbers), np.bool_)
    for other in related:
        centre = (other / unit - first) / STRIDE
        if -half < centre < len(numbers) + half:
            unrelated[max(0, ceil(centre - half)) : ceil(centre + half)] = False
    return numbers, unrelated


def _explained_bins(plan: Plan, target: CombTarget, order: float) -> Int:
    """Return the bins of the lines that the comb at `order` explains, sidebands included."""
    harmonics = np.arange(1, 2 * HARMONICS + 1)
    own = harmonics * (order / plan.df_order)
    lines = [own]
    shift = plan.shifts[target.sidebands]
    if shift and not _at_half_order(plan, order):
        lines += [own - shift, own + shift]
    if target.sidebands == BEARING_CAGE:
        lines.append(harmonics * float(shift))
    bins = np.add.outer(
        np.arange(-LOBE_BINS, LOBE_BINS + 1), np.rint(np.concatenate(lines)).astype(np.int64)
    )
    # The first and the last bin hold nothing: see `comb.masked_lines`.
    return np.minimum(np.maximum(bins, 0, out=bins), len(plan.unmasked) - 1, out=bins)


def _at_half_order(plan: Plan, order: float) -> bool:
    """Return whether a comb may be one of half shaft orders, which looseness makes."""
    return abs(2 * order - round(2 * order)) < 2 * (1.5 * plan.df_order + 0.002 * order)


def _is_part_of_another(rows: Float32, plan: Plan, target: CombTarget, finding: Finding) -> bool:
    """Return whether the comb's lines belong to a denser comb, or to one strong line."""
    between = [LINES_BETWEEN[d] for d in target.divisors]
    multiples = [*range(1, HARMONICS + 1), *(m for group in between for m in group)]
    if target.sidebands == BEARING_CAGE:
        shift = plan.shifts[BEARING_CAGE]
        multiples += [1 + j * shift * plan.df_order / finding.order for j in CAGE_SIDEBAND_ORDERS]
    scale = finding.order / plan.df_order
    lines = rows.take([round(m * scale) for m in multiples], axis=0, mode="clip")
    strength: list[float] = lines[:, finding.view].tolist()
    unmasked: list[float] = lines[:, -1].tolist()

    def mean(start: int, stop: int, step: int = 1) -> float:
        return sum(strength[start:stop:step]) / max(1.0, sum(unmasked[start:stop:step]))

    if mean(1, 2) > ISOLATED_LINE_RATIO * mean(0, 3, 2):
        return True
    if mean(2, 3) > ISOLATED_LINE_RATIO * mean(0, 2):
        return True
    limit, start = 0.5 * mean(0, 3), HARMONICS
    for size in [len(group) for group in between] + [len(CAGE_SIDEBAND_ORDERS)]:
        if mean(start, start + size) > limit:
            return True
        start += size
    return False
