"""Whether a comb at a defect order is better than combs at arbitrary orders of the same record.

Third step of the bearing diagnoser. Looseness, belts, gears and converters fill envelope spectra
with lines; what then matters is not whether a comb exceeds noise but whether it exceeds them.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import maximum_filter1d

from vtox.dsp.comb import (
    CAGE,
    HARMONICS,
    LOBE_BINS,
    Bools,
    Candidate,
    Floats,
    Plan,
    Target,
    scale_of,
)
from vtox.dsp.comb import levels as comb_levels

# Quantiles of the surrogates: level in one view, and best view of one interval.
VIEW_QUANTILE = 0.99
BEST_QUANTILE = 0.98
# A comb must exceed the reference by this factor. About 30 independent intervals give the 98 %
# quantile, so without it one record in 30 full of lines would raise an alarm for each target.
MARGIN = 1.5
# Surrogates lie between these multiples of the order: lines thin out towards high orders.
NEAREST, FARTHEST = 0.35, 7.5
# Combs that hold some of the lines of the one found: as factors, and as distances in orders of the
# shaft (o + 1, o + 2, ... are combs of the sidebands) or of the family's sidebands.
RELATED = (1 / 3, 1 / 2, 2 / 3, 1.0, 3 / 2, 2.0, 3.0)
SHIFTED = (-3.0, -2.0, -1.0, -0.5, 0.5, 1.0, 2.0, 3.0)
# Lines between those of the comb as strong as this share of them belong to a denser family.
DENSER = 0.5


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


def judged(lines: Floats, plan: Plan, target: Target, candidate: Candidate) -> Finding:
    """Return the best comb near a target, judged by surrogates.

    Surrogates are combs over all other orders, of the lines that the candidate does not explain. A
    view in which arbitrary combs stand out is scaled down (`VIEW_QUANTILE`); then the best view of
    the interval is compared with the best views of intervals of the same width elsewhere
    (`BEST_QUANTILE` and `MARGIN`).

    Parameters
    ----------
    lines : ndarray, shape (views, bins)
        Power over the floor.
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
    own = np.stack([w * _levels(lines, plan, f, interval) for f, w in target.families])
    rest = plan.usable * ~_explained(plan, target, order)
    other = _unrelated(plan, target, order)
    everywhere = slice(0, len(plan.orders))
    pool = np.stack([_levels(lines, plan, f, everywhere, rest) for f, _ in target.families])
    compared = pool[..., other]
    rank = min(compared.shape[-1] - 1, int(VIEW_QUANTILE * compared.shape[-1]))
    typical = np.maximum(np.partition(compared, rank, axis=-1)[..., rank, None], 1)
    best = maximum_filter1d((pool / typical).max(axis=(0, 1)), interval.stop - interval.start)
    reference = float(np.quantile(best[other], BEST_QUANTILE))
    own /= typical
    at = int(own.max(axis=(0, 1)).argmax())
    f, view = np.unravel_index(int(own[..., at].argmax()), own.shape[:2])
    level, order = float(own[f, view, at]), float(plan.orders[interval][at])
    threshold = max(1.0, MARGIN * reference)
    if _denser(lines[view] * plan.usable, plan, target, order):
        threshold = max(threshold, MARGIN * level)
    return Finding(level, threshold, order, int(view), target.families[f][0])


def _levels(
    lines: Floats,
    plan: Plan,
    family: str,
    combs: slice,
    usable: Floats | None = None,
) -> Floats:
    shift, bins = plan.shifts[family], plan.bins[:, combs]
    scale = scale_of(plan, shift, bins, plan.usable if usable is None else usable)
    return comb_levels(lines, plan, shift, bins, scale, usable)


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
    centres = np.concatenate(wanted)
    reach = LOBE_BINS + 0.5
    # Marks by index: at most 30 centres of 5 bins, where a table of all distances has 20,000.
    near = np.rint(centres[:, None] + np.arange(-LOBE_BINS, LOBE_BINS + 1)).astype(np.int64)
    near = near[(np.abs(near - centres[:, None]) <= reach) & (near >= 0)]
    marked = np.zeros(len(plan.usable), np.bool_)
    marked[near[near < len(marked)]] = True
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
    inside = (plan.orders > NEAREST * order) & (plan.orders < FARTHEST * order)
    return np.asarray(inside & (distance.min(axis=0) >= half), np.bool_)


def _at_half_order(plan: Plan, order: float) -> bool:
    """Return whether a comb may be one of half shaft orders, which looseness makes."""
    return abs(2 * order - round(2 * order)) < 2 * (1.5 * plan.df_order + 0.002 * order)


def _denser(lines: npt.NDArray[np.float32], plan: Plan, target: Target, order: float) -> bool:
    """Return whether the comb is a part of one at a half or a third of its order."""

    def mean(multiples: npt.NDArray[np.float64]) -> float:
        bins = np.rint(multiples * order / plan.df_order).astype(np.int64)
        bins = bins[bins < len(lines)]
        return float(lines[bins].sum() / max(1.0, float(plan.usable[bins].sum())))

    own = mean(np.arange(1.0, HARMONICS + 1))
    between = {2: np.array([0.5, 1.5, 2.5]), 3: np.array([1, 2, 4, 5]) / 3}
    return any(mean(between[d]) > DENSER * own for d in target.divisors)
