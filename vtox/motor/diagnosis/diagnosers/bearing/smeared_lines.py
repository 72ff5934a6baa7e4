"""Lines of a damaged part that a moving speed has smeared, if no comb is found.

A reading of the speed does not show how steady it was, and the shaft line that would show it is not
always clear. But impacts leave their power about the defect order and its multiples, spread
by as much as the speed moved. Sound elements do as well, though by less than a fault: slippage
spreads their modulation as they pass the load zone.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from vtox.motor.diagnosis.diagnosers.bearing.envelope_views import EnvelopeViews
from vtox.motor.diagnosis.diagnosers.bearing.search_setup import ANYWHERE
from vtox.motor.diagnosis.diagnosers.bearing.severity import FAULT_MODULATION, decibels
from vtox.motor.diagnosis.dsp import comb
from vtox.motor.diagnosis.dsp.comb_plan import HARMONICS, LOWEST_COMB, Plan
from vtox.motor.diagnosis.dsp.shaft_phase import MIN_SWING
from vtox.motor.diagnosis.dsp.surrogates import HARMONICALLY_RELATED, SURROGATE_MARGIN
from vtox.motor.values.arrays import TINY, Float32, Float64, Int
from vtox.motor.values.domain import Reason, reason

# Excess over the floor in standard deviations of one bin, and over that of most other orders.
# docs/calibration/bearing.md#smeared-lines
MIN_EXCESS = 3.0
SURROGATE_QUANTILE = 0.95
# Power spread at other orders than those of a striking part counts nothing.
UNSPREAD = ("FTF", ANYWHERE.name)


def with_spread_power(views: Sequence[EnvelopeViews], plans: Sequence[Plan]) -> set[int]:
    """Return the records in which enough power is spread about the order of a part."""
    squared, of_record = _squared_modulations(views, plans)
    return set(of_record[squared >= FAULT_MODULATION**2].tolist())


def smeared_lines(rows: Float32, plan: Plan, views: EnvelopeViews) -> Reason | None:
    """Return the defect about whose order and multiples power is spread, None if none is.

    Asked of records `with_spread_power`.

    Parameters
    ----------
    rows : ndarray, shape (bins + 1, views + 1)
        From `comb.masked_lines`.
    plan : Plan
    views : EnvelopeViews
    """
    parts = {n: o for n, o in views.setup.orders.items() if n not in UNSPREAD}
    modulations = np.sqrt(_squared_modulations([views], [plan])[0])
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
    """Return the sum within `MIN_SWING` of each order and its multiples, from running sums."""
    low, high = _spread_ends(orders, plan.df_order)
    last = sums.shape[-1] - 1
    within = sums[..., np.minimum(high + 1, last)] - sums[..., np.minimum(low, last)]
    return np.asarray(within.sum(axis=-2), np.float64)


def _squared_modulations(
    views: Sequence[EnvelopeViews], plans: Sequence[Plan]
) -> tuple[Float32, Int]:
    """Return the power by which lines spread about orders modulate the whole vibration.

    The most modulated channel counts. The result runs over the parts of all records,
    and comes with the record of each.
    """
    spread = [_spread_bins(p) for p in plans]
    count = views[0].lines.shape[1]
    bins, _ = comb.bins_of_records([bins for bins, *_ in spread], count)
    unmasked = np.concatenate([own for _, own, _ in spread])
    widths = np.concatenate([own for *_, own in spread])
    first = np.cumsum(widths) - widths
    squared = np.zeros(len(widths) // HARMONICS, np.float32)
    for view in views[0].whole_views.tolist():
        over = np.concatenate([v.power[view, :count] for v in views]).take(bins)
        lines = np.concatenate([v.lines[view] for v in views]).take(bins)
        over -= over / np.maximum(lines, TINY)
        over *= unmasked
        of_parts = np.add.reduceat(over, first).reshape(-1, HARMONICS).sum(axis=1)
        np.maximum(squared, of_parts, out=squared)
    return squared, np.repeat(np.arange(len(plans)), [len(w) // HARMONICS for *_, w in spread])


@lru_cache(maxsize=1024)
def _spread_bins(plan: Plan) -> tuple[Int, Float32, Int]:
    """Return the bins of the spread lines of all parts and multiples, one after the other.

    With 1 if they are unmasked, and how many are of each line: of one outside the spectrum the
    first bin, which is masked.
    """
    orders = [t.order for t in plan.targets if t.name not in UNSPREAD]
    low, high = _spread_ends(np.array(orders), plan.df_order).swapaxes(1, 2).reshape(2, -1)
    last = len(plan.unmasked) - 2
    low = np.where(low < last, low, 0)
    widths = np.where(low, np.minimum(high + 1, last) - low, 1)
    bins = np.repeat(low - np.cumsum(widths) + widths, widths)
    bins += np.arange(len(bins))
    return bins, plan.unmasked.take(bins), widths


def _spread_ends(orders: Float64, df_order: float) -> Int:
    """Return the first and last bins about orders and their multiples, (2, multiples, orders)."""
    multiples = np.multiply.outer((1 - MIN_SWING, 1 + MIN_SWING), np.arange(1, HARMONICS + 1))
    return np.rint(np.multiply.outer(multiples / df_order, orders)).astype(np.intp)
