"""Combs too weak for one record that have risen above their levels in the healthy machine.

A comb that was there when the baseline was learnt may be another shaft's. One that has come since
is damage sooner: fewer records need to show it (`vtox.motor.alarms.health.alerts`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from vtox.motor.diagnosis.diagnosers.bearing.evidence import (
    WEAK_SIGN,
    BearingEvidence,
    WeakSign,
)
from vtox.motor.diagnosis.diagnosers.bearing.search_setup import SLIPPAGE
from vtox.motor.diagnosis.diagnosers.bearing.signs import Signs
from vtox.motor.diagnosis.diagnosers.columns import Objects, objects
from vtox.motor.diagnosis.diagnosers.features import COMBS
from vtox.motor.diagnosis.dsp.prediction import prediction_std, tail_deviations
from vtox.motor.values.arrays import Float64
from vtox.motor.values.baseline import RISE_DB, Baseline, Level

# The level must rise by `RISE_DB`, and by more than one record in 1000 of those learnt does, so
# many of which there must be. docs/calibration/bearing.md#combs-that-rise
LEAST_RECORDS = 5


def levels_db(found: Iterable[tuple[int, Signs | None]], count: int) -> dict[str, Float64]:
    """Return the level of the best comb of each part, dB over chance; NaN if not searched.

    Parameters
    ----------
    found : iterable of (index, signs)
        Of recordings of a batch of `count`; if one was searched twice its higher level counts.
    """
    levels = {name: np.full(count, np.nan) for name in COMBS.values()}
    for index, signs in found:
        for defect, finding in signs.search.findings.items() if signs else ():
            if (name := COMBS.get(defect)) and finding.level > 0:
                level_db = 10 * np.log10(finding.level)
                levels[name][index] = np.fmax(levels[name][index], level_db)
    return levels


def marked(
    x: BearingEvidence,
    codes: Objects,
    baselines: Sequence[Baseline | None],
    load_a: Sequence[float | None],
) -> BearingEvidence:
    """Return the columns; weak combs that have risen are weak signs, with their rise.

    Those too, which sound elements may make: these made none when the baseline was learnt.
    """
    shown = list(x.shown)
    within = np.abs(x.deviation) <= SLIPPAGE
    for i in np.flatnonzero((codes == "weak_defect_lines") & within & ~x.foreign).tolist():
        baseline = baselines[i]
        healthy = baseline and baseline.level(COMBS.get(x.defect[i], ""), load_a[i])
        if not healthy:
            continue
        rise_db = 10 * float(np.log10(x.level[i])) - healthy.mean
        if rise_db >= _limit_db(healthy):
            others = (e for e in shown[i] if e.get("kind") != WEAK_SIGN)
            sign: WeakSign = {
                "kind": WEAK_SIGN,
                "severity": float(x.severity[i]),
                "rise_db": round(rise_db, 1),
            }
            shown[i] = (*others, sign)
    return replace(x, shown=objects(shown))


def _limit_db(learnt: Level) -> float:
    """Return the rise above the level learnt that a comb needs, dB."""
    if learnt.n < LEAST_RECORDS:
        return float("inf")
    return max(RISE_DB, tail_deviations() * prediction_std(learnt.n, learnt.std))
