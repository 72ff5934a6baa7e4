"""Lines of a damaged part that a moving speed has smeared, where no comb is found.

A reading of the speed says nothing of how steady it was, and a line of the shaft that would say so
is not always clear. But impacts leave their power about the defect order and its multiples, spread
by as much as the speed moved. Sound elements do as well, though by less than a fault: slippage
spreads what they modulate as they pass the load zone.
"""

from functools import lru_cache

import numpy as np

from vtox.diagnosis.diagnosers.bearing.envelope_views import EnvelopeViews
from vtox.diagnosis.diagnosers.bearing.severity import FAULT_MODULATION, decibels
from vtox.diagnosis.dsp.comb_plan import HARMONICS, LOWEST_COMB, Plan
from vtox.diagnosis.dsp.shaft_phase import MIN_SWING
from vtox.diagnosis.dsp.surrogates import HARMONICALLY_RELATED, SURROGATE_MARGIN
from vtox.values.arrays import TINY, Bool, Float32, Float64, Int
from vtox.values.domain import Reason, reason

# Excess over the floor in standard deviations of one bin, and over that of most other orders.
# docs/calibration/bearing.md#smeared-lines
MIN_EXCESS = 3.0
SURROGATE_QUANTILE = 0.95


def smeared_lines(rows: Float32, plan: Plan, views: EnvelopeViews) -> Reason | None:
    """Return the defect about whose order and multiples power is spread, None where none is.

    Parameters
    ----------
    rows : ndarray, shape (bins + 1, views + 1)
        From `comb.masked_lines`.
    plan : Plan
    views : EnvelopeViews
    """
    parts = {n: o for n, o in views.setup.orders.items() if n != "FTF"}
    if not parts:
        return None
    # Nearly all records end here, after 12 us.
    modulations = _modulations(tuple(parts.values()), plan, views)
    if not modulations.max() >= FAULT_MODULATION:
        return None
    own = np.array(list(parts.values()))
    excess = np.minimum(rows[:, :-1], plan.line_cap).mean(axis=1) - rows[:, -1]
    sums = np.append(0.0, np.cumsum(excess, dtype=np.float64))
    counts = np.append(0.0, np.cumsum(rows[:, -1], dtype=np.float64))
    levels = _spread_power(own, sums, counts, plan)
    # Lines are smeared over `MIN_SWING`, relative: a speed that moves by more is found by its line.
    lowest, highest = LOWEST_COMB * float(own.min()), len(rows) * plan.df_order / HARMONICS
    others = np.arange(lowest, min(9.0, highest), MIN_SWING)
    surrogates = _spread_power(others, sums, counts, plan)
    for at in np.argsort(-levels):
        if modulations[at] < FAULT_MODULATION:
            continue
        # Orders within 5 % share lines with it.
        ratio = others / np.outer(own[at] * np.array(HARMONICALLY_RELATED), 1)
        unrelated = surrogates[~(np.abs(ratio - 1) < 0.05).any(axis=0)]
        limit = SURROGATE_MARGIN * float(np.quantile(unrelated, SURROGATE_QUANTILE))
        if levels[at] >= max(MIN_EXCESS, limit):
            return reason(
                "smeared_defect_lines",
                defect=list(parts)[at],
                order=float(own[at]),
                smear=MIN_SWING,
                modulation_db=decibels(float(modulations[at])),
            )
    return None


def _spread_power(orders: Float64, sums: Float64, counts: Float64, plan: Plan) -> Float64:
    """Return the power about each order and its multiples over noise, by its square root.

    `sums` and `counts`, shape (bins + 1,): of the excess and of the unmasked bins below each.
    """
    power, bins = (_spread_sum(orders, x, plan) for x in (sums, counts))
    return np.asarray(power / np.sqrt(np.maximum(bins, 1)), np.float64)


def _spread_sum(orders: Float64, sums: Float64 | Float32, plan: Plan) -> Float64:
    """Return what lies within `MIN_SWING` of each order and its multiples, of running sums."""
    low, high = _spread_ends(orders, plan.df_order)
    last = sums.shape[-1] - 1
    within = sums[..., np.minimum(high + 1, last)] - sums[..., np.minimum(low, last)]
    return np.asarray(within.sum(axis=-2), np.float64)


def _modulations(orders: tuple[float, ...], plan: Plan, views: EnvelopeViews) -> Float64:
    """Return the modulation of the vibration as a whole by what is spread about each order.

    Of the channel that it modulates most.
    """
    bins, first, inside = _spread_bins(orders, plan.df_order, views.lines.shape[1])
    unmasked = plan.unmasked.take(bins)
    squared = np.zeros(len(orders), np.float32)
    for view in views.whole_views.tolist():
        own = views.power[view].take(bins) * unmasked
        own -= own / np.maximum(views.lines[view].take(bins), TINY)
        spread = np.add.reduceat(own, first).reshape(inside.shape)
        np.maximum(squared, (spread * inside).sum(axis=0), out=squared)
    return np.asarray(np.sqrt(squared), np.float64)


def _spread_ends(orders: Float64, df_order: float) -> Int:
    """Return the first and last bins about orders and their multiples, (2, multiples, orders)."""
    multiples = np.multiply.outer((1 - MIN_SWING, 1 + MIN_SWING), np.arange(1, HARMONICS + 1))
    return np.rint(np.multiply.outer(multiples / df_order, orders)).astype(np.intp)


@lru_cache(maxsize=1024)
def _spread_bins(orders: tuple[float, ...], df_order: float, bins: int) -> tuple[Int, Int, Bool]:
    """Return the bins of the spread lines of all multiples and orders, one after the other.

    With where in them each begins, and which lie inside the spectrum, shape (multiples, orders).
    """
    low, high = _spread_ends(np.array(orders), df_order)
    low, high = np.minimum(low, bins - 1), np.minimum(high + 1, bins - 1)
    widths = np.maximum(high - low, 1).reshape(-1)
    first = np.cumsum(widths) - widths
    of_each = np.repeat(low.reshape(-1) - first, widths)
    return of_each + np.arange(len(of_each)), first, low < bins - 1
