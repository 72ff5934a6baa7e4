"""What strikes a machine at an order that is none of its bearing's.

Asked once no comb stands at the defect orders: a gear, a belt or a neighbour strikes so, and so
does a damaged bearing that is another than the nameplate's, or turns at another speed than told.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from vtox.arrays import Float32
from vtox.diagnosers.bearing.envelope_views import Look, marks_of
from vtox.diagnosers.bearing.reasons import FAULT_MODULATION, decibels
from vtox.diagnosers.bearing.search_setup import ANYWHERE, SLIP_TOLERANCE
from vtox.diagnosers.bearing.shaft_speed import Speed
from vtox.domain import Value
from vtox.dsp import comb, comb_plan, surrogates
from vtox.dsp.comb_plan import Plan
from vtox.dsp.surrogates import Finding

# All orders are searched, not those of four defects: a comb must stand out twice as far to be told.
UNCLASSIFIED_RATIO = 2.0
# Whole and half orders, within this share of a half, are looseness, blades, a driven piston.
HALF = 0.05
# Why blows as strong as those of a damaged bearing are neither an alarm nor normal.
WHOSE = (
    "none of the orders of this bearing, so of another part (gear, belt, driven machine), or of a "
    "damaged bearing whose orders or speed are not those given"
)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A comb of no known bearing in words and as indicators; `strong` as of one that is damaged."""

    words: str
    indicators: Mapping[str, Value]
    strong: bool


def found(rows: Float32, plan: Plan, look: Look, speed: Speed) -> Elsewhere | None:
    """Return the comb that stands out most at whatever order, if one does.

    Whole and half orders of the shaft, and multiples of the supply frequency, do not count.
    """
    finding = _most(rows, plan)
    if finding is None or _of_shaft(finding.order):
        return None
    _, modulation = marks_of(plan, finding, look)
    words = (
        f"impulsive, unclassified, {finding.order:.3f} times a turn "
        f"({finding.order * speed.hz:.1f} Hz at {speed.rpm:.0f} rpm), "
        f"modulation {decibels(modulation):.0f} dB"
    )
    indicators: dict[str, Value] = {
        "impulsive_order": round(finding.order, 4),
        "impulsive_ratio": round(finding.ratio, 2),
        "impulsive_modulation_db": round(decibels(modulation), 1),
    }
    if _of_shaft(finding.order, speed.tolerance):
        return Elsewhere(f"{words}, may be of the shaft", indicators, False)
    return Elsewhere(words, indicators, modulation >= FAULT_MODULATION)


def _of_shaft(order: float, tolerance: float = 0.0) -> bool:
    """Return whether an order may be a whole or half one, the speed known by so much."""
    return abs(2 * order - round(2 * order)) < max(HALF, 2 * order * tolerance)


def _most(rows: Float32, plan: Plan) -> Finding | None:
    first = max(plan.numbers.start, round(comb_plan.LOWEST * ANYWHERE.order / plan.order(1)))
    # In steps of a bin: of a comb that stands out twice as far as chance none misses the most.
    numbers = np.arange(first, plan.numbers.stop, comb_plan.HARMONICS)
    if not len(numbers):
        return None
    peaks = comb.levels(rows, comb_plan.lines_of(numbers, 0), plan)[0].max(axis=1)
    halves = 2 * plan.order(1) * numbers
    peaks[np.abs(halves - np.rint(halves)) < HALF] = 0
    at = int(peaks.argmax())
    if peaks[at] < 1:
        return None
    # The second and third lines of a comb, fewer, may stand out more than all; judged alone, they
    # are part of a denser family, so of nobody.
    for factor in (1, 2, 3) if peaks[at] >= UNCLASSIFIED_RATIO else (1,):
        number = round(int(numbers[at]) / factor)
        if number >= first and (finding := _judged(rows, plan, number)).ratio >= UNCLASSIFIED_RATIO:
            return finding
    return None


def _judged(rows: Float32, plan: Plan, number: int) -> Finding:
    half = int(SLIP_TOLERANCE * number) + comb_plan.HARMONICS
    interval = range(max(1, number - half), number + half + 1)
    own = comb.levels(rows, comb_plan.lines_of(np.asarray(interval), 0), plan)
    around = replace(plan, intervals={ANYWHERE.name: interval})
    return surrogates.judged(rows, around, ANYWHERE, own)
