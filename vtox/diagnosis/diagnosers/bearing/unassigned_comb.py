"""Periodic impacts at none of the bearing's defect orders (gear, belt, neighbouring machine).

Searched where no comb is found at the defect orders. A damaged bearing shows the same where it is
another than the nameplate's, or turns at another speed than reported.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from vtox.diagnosis.diagnosers.bearing.envelope_views import EnvelopeViews, measure_comb
from vtox.diagnosis.diagnosers.bearing.search_setup import ANYWHERE, SLIPPAGE
from vtox.diagnosis.diagnosers.bearing.severity import (
    FAULT_MODULATION,
    IMPACTS_MODULATION,
    IMPACTS_RATIO,
    SURE_RATIO,
    decibels,
)
from vtox.diagnosis.diagnosers.bearing.shaft_speed import Speed
from vtox.diagnosis.dsp import comb, comb_plan, surrogates
from vtox.diagnosis.dsp.comb_plan import Plan
from vtox.diagnosis.dsp.surrogates import Finding
from vtox.values.arrays import Bool, Float32, Int
from vtox.values.domain import Reason, Value, reason

# Distance from whole and half orders, which are looseness, blades, a driven piston; in half orders.
HALF_ORDER_TOLERANCE = 0.05


@dataclass(frozen=True, slots=True)
class UnassignedComb:
    """A comb at no defect order, as a reason and as indicators.

    `strong`: as strong as damage of a bearing of another kind, and not the shaft's; `finding`: the
    comb itself.
    """

    reason: Reason
    indicators: Mapping[str, Value]
    strong: bool
    finding: Finding | None = None
    modulation: float = 0.0
    #: Channel and band in which it is best, Hz.
    band: tuple[str, float, float] = ("", 0.0, 0.0)


def find_unassigned_comb(
    rows: Float32, plan: Plan, views: EnvelopeViews, speed: Speed
) -> UnassignedComb | None:
    """Return the comb that exceeds the others most at any order, if one does.

    Whole and half orders of the shaft, and multiples of the supply frequency, do not count.

    Parameters
    ----------
    rows : ndarray, shape (bins + 1, views + 1)
        From `comb.masked_lines`.
    plan : Plan
    views : EnvelopeViews
    speed : Speed
    """
    finding = _highest_comb(rows, plan, views)
    if finding is None or _near_half_order(finding.order):
        return None
    _, modulation = measure_comb(plan, finding, views)
    of_shaft = _near_half_order(finding.order, speed.tolerance)
    unassigned = not of_shaft and modulation >= FAULT_MODULATION
    codes = {"unassigned_impacts": unassigned, "impacts_near_shaft_order": of_shaft}
    why = reason(
        next((code for code, applies in codes.items() if applies), "weak_unassigned_impacts"),
        order=finding.order,
        repetition_hz=finding.order * speed.hz,
        speed_rpm=speed.rpm,
        modulation_db=decibels(modulation),
    )
    indicators: dict[str, Value] = {
        "impulsive_order": round(finding.order, 4),
        "impulsive_ratio": round(finding.ratio, 2),
        "impulsive_modulation_db": round(decibels(modulation), 1),
    }
    clear = modulation >= IMPACTS_MODULATION and finding.ratio >= IMPACTS_RATIO
    strong = clear and not of_shaft
    return UnassignedComb(why, indicators, strong, finding, modulation, views.band(finding.view))


def _near_half_order(order: float, tolerance: float = 0.0) -> bool:
    """Return whether an order may be a whole or half one, at this tolerance of the speed."""
    return abs(2 * order - round(2 * order)) < max(HALF_ORDER_TOLERANCE, 2 * order * tolerance)


def _highest_comb(rows: Float32, plan: Plan, views: EnvelopeViews) -> Finding | None:
    lowest = comb_plan.LOWEST_COMB * ANYWHERE.order
    first = max(plan.numbers.start, round(lowest / plan.order(1)))
    if first >= plan.numbers.stop:
        return None
    numbers, bins, at_half_orders = _combs_from(first, plan.numbers.stop, plan.order(1))
    # As if the highest lines of all views stood in one: in most sound machines not even those make
    # a comb of two lines.
    highest = (views.highest * plan.unmasked).take(bins, mode="clip")
    if highest.sum(axis=0).max() < plan.chance_sum[2]:
        return None
    peaks = comb.comb_levels(rows, bins, plan)[0].max(axis=1)
    peaks[at_half_orders] = 0
    at = int(peaks.argmax())
    if peaks[at] < 1:
        return None
    # The second and third line of a comb may reach more than all its lines; compared alone, they
    # are part of a denser comb, so no finding.
    for factor in (1, 2, 3) if peaks[at] >= SURE_RATIO else (1,):
        number = round(int(numbers[at]) / factor)
        if number >= first and (finding := _comb_near(rows, plan, number)).ratio >= SURE_RATIO:
            return finding
    return None


@lru_cache(maxsize=256)
def _combs_from(first: int, stop: int, unit: float) -> tuple[Int, Int, Bool]:
    """Return the numbers of combs in steps of a bin, their bins, and which are at half orders.

    A comb twice as high as chance is not missed.
    """
    numbers = np.arange(first, stop, comb_plan.HARMONICS)
    halves = 2 * unit * numbers
    at_half_orders = np.abs(halves - np.rint(halves)) < HALF_ORDER_TOLERANCE
    return numbers, comb_plan.comb_bins(numbers, 0), at_half_orders


def _comb_near(rows: Float32, plan: Plan, number: int) -> Finding:
    """Return the best comb near a number, its threshold set by surrogates."""
    half = int(SLIPPAGE * number) + comb_plan.HARMONICS
    interval = range(max(1, number - half), number + half + 1)
    own = comb.comb_levels(rows, comb_plan.comb_bins(np.asarray(interval), 0), plan)
    around = replace(plan, intervals={ANYWHERE.name: interval})
    return surrogates.compare_with_surrogates(rows, around, ANYWHERE, own)
