"""Lines of a damaged part that a moving speed has smeared, where no comb is found.

A reading of the speed says nothing of how steady it was, and a line of the shaft that would say so
is not always clear. But impacts leave their power about the defect order and its multiples, spread
by as much as the speed moved. Sound elements do as well, though by less than a fault: slippage
spreads what they modulate as they pass the load zone.
"""

import numpy as np

from vtox.arrays import Float32, Float64, Int
from vtox.diagnosers.bearing.envelope_views import EnvelopeViews
from vtox.diagnosers.bearing.severity import FAULT_MODULATION, decibels
from vtox.domain import Reason, reason
from vtox.dsp.comb_plan import HARMONICS, LOWEST_COMB, Plan

# Relative half width over which lines are smeared: a speed that moves by more is found by its line.
SMEAR = 0.02
# Other orders that are compared: their steps, and the highest.
STEP = 0.02
HIGHEST_ORDER = 9.0
# Excess over the floor in standard deviations of one bin, and over that of most other orders.
# docs/calibration/bearing.md#smeared-lines
MIN_EXCESS = 3.0
SURROGATE_QUANTILE = 0.95
SURROGATE_MARGIN = 1.5
# Orders that share lines with a defect order's, over it, and how near they are.
RELATED = (1 / 3, 1 / 2, 2 / 3, 1.0, 3 / 2, 2.0, 3.0)
RELATED_TOLERANCE = 0.05


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
    excess = np.minimum(rows[:, :-1], plan.line_cap).mean(axis=1) - rows[:, -1]
    sums = np.append(0.0, np.cumsum(excess, dtype=np.float64))
    counts = np.append(0.0, np.cumsum(rows[:, -1], dtype=np.float64))
    own = np.array(list(parts.values()))
    levels = _spread_power(own, sums, counts, plan)
    if levels.max() < MIN_EXCESS:
        return None
    lowest = LOWEST_COMB * float(own.min())
    others = np.arange(lowest, min(HIGHEST_ORDER, len(rows) * plan.df_order / HARMONICS), STEP)
    surrogates = _spread_power(others, sums, counts, plan)
    for at in np.argsort(-levels):
        related = np.abs(others / np.outer(own[at] * np.array(RELATED), 1) - 1) < RELATED_TOLERANCE
        unrelated = surrogates[~related.any(axis=0)]
        limit = SURROGATE_MARGIN * float(np.quantile(unrelated, SURROGATE_QUANTILE))
        modulation = _modulation(float(own[at]), plan, views)
        if levels[at] >= max(MIN_EXCESS, limit) and modulation >= FAULT_MODULATION:
            return reason(
                "smeared_defect_lines",
                defect=list(parts)[at],
                order=float(own[at]),
                smear=SMEAR,
                modulation_db=decibels(modulation),
            )
    return None


def _spread_power(orders: Float64, sums: Float64, counts: Float64, plan: Plan) -> Float64:
    """Return the power about each order and its multiples over noise, by its square root.

    `sums` and `counts`, shape (bins + 1,): of the excess and of the unmasked bins below each.
    """
    low, high = _spread(orders, plan, len(sums) - 1)
    power = (sums[high] - sums[low]).sum(axis=0)
    bins = (counts[high] - counts[low]).sum(axis=0)
    return np.asarray(power / np.sqrt(np.maximum(bins, 1)), np.float64)


def _spread(orders: Float64, plan: Plan, bins: int) -> tuple[Int, Int]:
    """Return the bins between which lines are spread, first and last (exclusive), by multiple."""
    middle = np.outer(np.arange(1, HARMONICS + 1), orders) / plan.df_order
    low, high = (np.rint(middle * (1 + side * SMEAR)).astype(np.intp) for side in (-1, 1))
    return np.minimum(low, bins), np.minimum(high + 1, bins)


def _modulation(order: float, plan: Plan, views: EnvelopeViews) -> float:
    """Return the modulation of the vibration as a whole by what is spread, of any channel."""
    low, high = _spread(np.array([order]), plan, views.lines.shape[1])
    bins = np.concatenate([np.arange(*ends) for ends in zip(low[:, 0], high[:, 0], strict=True)])
    whole = views.whole_views
    power, over = views.power[whole][:, bins], views.lines[whole][:, bins]
    own = (power * (1 - 1 / over)) @ plan.unmasked[bins]
    return float(np.sqrt(own.max(initial=0.0)))
