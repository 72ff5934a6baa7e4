"""Periodic impacts at none of the bearing's defect orders (gear, belt, neighbouring machine).

Searched if no comb is found at the defect orders. A damaged bearing shows the same if it is
another than the nameplate's, or turns at another speed than reported.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from vtox.motor.diagnosis.diagnosers.bearing.envelope_views import EnvelopeViews, measure_comb
from vtox.motor.diagnosis.diagnosers.bearing.search_setup import ANYWHERE, SLIPPAGE
from vtox.motor.diagnosis.diagnosers.bearing.severity import (
    FAULT_MODULATION,
    IMPACTS_MODULATION,
    IMPACTS_RATIO,
    SURE_RATIO,
    decibels,
)
from vtox.motor.diagnosis.diagnosers.bearing.shaft_speed import Speed
from vtox.motor.diagnosis.dsp import comb, comb_plan, surrogates
from vtox.motor.diagnosis.dsp.comb_plan import Plan
from vtox.motor.diagnosis.dsp.surrogates import Finding
from vtox.motor.values.arrays import Float32, Int
from vtox.motor.values.domain import Reason, Value, reason

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


def with_impacts(highest: Float32, plans: Sequence[Plan]) -> set[int]:
    """Return in which records the highest lines of all views, as if in one, make any comb."""
    combs = [_combs_at_any_order(p) for p in plans]
    bins, of_record = comb.bins_of_records([own for _, own, _ in combs], highest.shape[1])
    unmasked = np.concatenate([p.unmasked for p in plans])
    lines = (highest.reshape(-1) * unmasked).take(bins)
    largest = np.maximum.reduce(lines)
    others = np.add.reduce(lines) - largest
    levels = others + np.minimum(largest, np.maximum(others, plans[0].line_cap))
    levels *= np.concatenate([weights for *_, weights in combs])
    return set(of_record[levels >= 1].tolist())


def _highest_comb(rows: Float32, plan: Plan, views: EnvelopeViews) -> Finding | None:
    numbers, bins, weights = _combs_at_any_order(plan)
    peaks = comb.comb_levels(rows, bins, plan)[0].max(axis=1)
    peaks[weights == 0] = 0
    at = int(peaks.argmax())
    if peaks[at] < 1:
        return None
    # The second and third line of a comb may reach more than all its lines; compared alone, they
    # are part of a denser comb, so no finding.
    for factor in (1, 2, 3) if peaks[at] >= SURE_RATIO else (1,):
        number = round(int(numbers[at]) / factor)
        if number >= numbers[0] and (finding := _comb_near(rows, plan, number)).ratio >= SURE_RATIO:
            return finding
    return None


@lru_cache(maxsize=1024)
def _combs_at_any_order(plan: Plan) -> tuple[Int, Int, Float32]:
    """Return the numbers of combs in steps of a bin, their bins and weights, 0 at half orders.

    A comb twice as high as chance is not missed.
    """
    lowest = round(comb_plan.LOWEST_COMB * ANYWHERE.order / plan.order(1))
    first = max(plan.numbers.start, lowest)
    numbers = np.arange(first, plan.numbers.stop, comb_plan.HARMONICS)
    bins = np.minimum(comb_plan.comb_bins(numbers, 0), len(plan.unmasked) - 1)
    counts = plan.unmasked.take(bins).sum(axis=0)
    weights = comb_plan.comb_weights(bins, counts, plan.fundamental_weight, plan.chance_sum)
    halves = 2 * plan.order(1) * numbers
    weights[np.abs(halves - np.rint(halves)) < HALF_ORDER_TOLERANCE] = 0
    return numbers, bins, weights


def _comb_near(rows: Float32, plan: Plan, number: int) -> Finding:
    """Return the best comb near a number, its threshold set by surrogates."""
    half = int(SLIPPAGE * number) + comb_plan.HARMONICS
    interval = range(max(1, number - half), number + half + 1)
    own = comb.comb_levels(rows, comb_plan.comb_bins(np.asarray(interval), 0), plan)
    around = replace(plan, intervals={ANYWHERE.name: interval})
    return surrogates.compare_with_surrogates(rows, around, ANYWHERE, own)
