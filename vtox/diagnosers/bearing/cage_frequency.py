"""What lines at the cage frequency mean where no other comb of the bearing stands.

A gear, a belt or a slower shaft may turn at the speed of the cage, and as steadily: the cage is
named, with that alternative and little confidence. A damaged rolling element is modulated by the
cage too, and its own lines may be hidden or smeared. Weak lines may be those of a sound bearing,
whose elements differ a little and pass the load zone once a turn of the cage.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from vtox.arrays import Float32
from vtox.diagnosers.bearing.reasons import FAULT_MODULATION
from vtox.domain import Diagnosis
from vtox.dsp import comb_plan
from vtox.dsp.comb_plan import Plan
from vtox.dsp.surrogates import Finding

NAMED = "cage (FTF): "
# Which it is stays open.
HIGHEST_CONFIDENCE = 0.4
# Sidebands at the distance of the cage stand around an element's order so many times higher than
# around the orders beside it: a slower shaft that modulates the machine stands around all.
LEAD = 2.0


def alone(findings: Mapping[str, Finding]) -> bool:
    """Return whether the cage's is the only comb found."""
    return [n for n, f in findings.items() if f.ratio >= 1] == ["FTF"]


def sided(rows: Float32, plan: Plan, order: float, cage: float) -> bool:
    """Return whether lines stand at the distance of the cage around an order that is left out.

    Parameters
    ----------
    rows : ndarray, shape (bins + 1, views + 1)
        From `comb.tables`.
    plan : Plan
    order, cage : float
        Twice the ball spin, and the comb found.
    """
    # Lines of the comb found say nothing new: known to half a bin at its third, they are to two at
    # its tenth.
    apart = abs(order - cage * round(order / cage))
    if not plan.hides(order) or apart <= 2 * comb_plan.LOBE_BINS * plan.df_order:
        return False
    shift = round(cage / plan.df_order)
    own = _sides(rows, plan, order, shift)
    beside = max(_sides(rows, plan, order + k, shift) for k in (-1, 1))
    return own >= 1 and own >= LEAD * beside


def weighed(
    found: Diagnosis, order: float, modulation: float, sides: bool, blows: str
) -> Diagnosis:
    """Return the diagnosis of lines at the cage frequency alone.

    Parameters
    ----------
    found : Diagnosis
        As if the cage were damaged.
    order : float
        Of the comb found.
    modulation : float
        Of the envelope, by the comb.
    sides : bool
        Whether a rolling element's sidebands stand (`sided`).
    blows : str
        In words, blows between the lines that have no steady pace; empty if there are none.
    """
    lines = found.reason.removeprefix(NAMED)
    why = "its sidebands stand around lines of the shaft that hide its own" if sides else ""
    if blows and modulation >= FAULT_MODULATION:
        why = why or blows
    if why:
        return replace(
            found,
            reason=f"rolling element or cage, not told apart: {lines}; of an element: {why}",
            confidence=min(found.confidence, HIGHEST_CONFIDENCE),
            indicators={**found.indicators, "defect": "BSF"},
        )
    shared = f"a slower shaft, gear or belt at {order:.3f} times the speed"
    if modulation >= FAULT_MODULATION:
        return replace(
            found,
            reason=f"{found.reason}; {shared} looks the same",
            confidence=min(found.confidence, HIGHEST_CONFIDENCE),
        )
    told = {k: v for k, v in found.indicators.items() if k != "defect"}
    reason = (
        f"not told apart: cage (FTF), {shared}, or a sound bearing, as the lines are weak and "
        f"nothing else of the bearing stands out: {lines}"
    )
    # The statistic is as it was measured: something stands out, if nobody knows whose it is.
    return replace(
        found, state="unknown", reason=reason, severity=None, confidence=0.0, indicators=told
    )


def _sides(rows: Float32, plan: Plan, order: float, shift: int) -> float:
    """Return the level of the cage's sidebands around an order and its multiples, 1 by chance."""
    number = round(order / plan.order(1))
    numbers = np.arange(max(1, number - comb_plan.HARMONICS), number + comb_plan.HARMONICS + 1)
    bins = comb_plan.lines_of(numbers, shift)[comb_plan.HARMONICS :]
    gathered = np.minimum(rows.take(bins, axis=0, mode="clip"), plan.single)
    sums = gathered.sum(axis=0)
    counts = rows[:, -1].take(bins, mode="clip").sum(axis=0).astype(np.intp)
    levels: Float32 = sums[:, :-1] / plan.allowed.take(counts)[:, None]
    return float(levels.max())
