"""Lines at the bearing cage frequency if no other comb of the bearing is found.

A gear, a belt or a slower shaft may turn at the speed of the bearing cage, and as steadily. Alone
these lines raise no alarm. A damaged rolling element is modulated by the bearing cage too, and its
own lines may be masked. Weak lines may be those of a sound bearing, whose elements differ a little
and pass the load zone once a turn of the bearing cage.
"""

import numpy as np

from vtox.motor.diagnosis.dsp import comb_plan
from vtox.motor.diagnosis.dsp.comb_plan import Plan
from vtox.motor.values.arrays import Float32


def has_element_sidebands(
    rows: Float32, plan: Plan, element_order: float, bearing_cage_order: float
) -> bool:
    """Return whether lines lie at the bearing cage's distance around a masked element order.

    Parameters
    ----------
    rows : ndarray, shape (bins + 1, views + 1)
        From `comb.masked_lines`.
    plan : Plan
    element_order : float
        Twice the ball spin.
    bearing_cage_order : float
        Order of the comb found.
    """
    # Lines of the comb found are no evidence: an error of half a bin at its third line is one of
    # two bins at its tenth.
    cage_multiple = bearing_cage_order * round(element_order / bearing_cage_order)
    distance = abs(element_order - cage_multiple)
    if not plan.masks(element_order) or distance <= 2 * comb_plan.LOBE_BINS * plan.df_order:
        return False
    shift = round(bearing_cage_order / plan.df_order)
    own = _sideband_level(rows, plan, element_order, shift)
    adjacent = max(_sideband_level(rows, plan, element_order + k, shift) for k in (-1, 1))
    # A slower shaft that modulates the machine has sidebands around all orders.
    return own >= 1 and own >= 2 * adjacent


def _sideband_level(rows: Float32, plan: Plan, order: float, shift: int) -> float:
    """Return the level of the sidebands around an order and its multiples, 1 by chance."""
    number = round(order / plan.order(1))
    numbers = np.arange(max(1, number - comb_plan.HARMONICS), number + comb_plan.HARMONICS + 1)
    bins = comb_plan.comb_bins(numbers, shift)[comb_plan.HARMONICS :]
    lines = np.minimum(rows.take(bins, axis=0, mode="clip"), plan.line_cap)
    sums = lines.sum(axis=0)
    counts = rows[:, -1].take(bins, mode="clip").sum(axis=0).astype(np.intp)
    levels: Float32 = sums[:, :-1] / plan.chance_sum.take(counts)[:, None]
    return float(levels.max())
