"""Columns that the rules of turn shorts read: the excess of I2, and its possible explanations."""

from dataclasses import dataclass

import numpy as np

from vtox.motor.diagnosis.diagnosers.columns import Objects, Stated, extend, objects
from vtox.motor.diagnosis.diagnosers.turn_short.asymmetry_excess import (
    DECISIVE_LIMIT,
    AsymmetryExcess,
)
from vtox.motor.diagnosis.diagnosers.turn_short.conditions import Conditions
from vtox.motor.diagnosis.diagnosers.turn_short.explanation import Explanations
from vtox.motor.diagnosis.diagnosers.turn_short.healthy_model import HealthyModels
from vtox.motor.diagnosis.diagnosers.turn_short.measurement import Renaming
from vtox.motor.values.arrays import Bool, Float64, Int

# The values of the indicator `basis`, by `HealthyModels.basis`.
BASES = objects(
    [
        "currents, no baseline",
        "currents and baseline",
        "voltage, no baseline",
        "voltage and baseline",
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnShortEvidence(Conditions):
    """Columns of length batch; ratios are |I2|/I1.

    `over`: some frame is over its limit. `undecided`: none is, and the limit is too high to say
    that the machine is healthy. `raw_ratio` is the median. `corrected_ratio` and `limit_ratio` are
    the excess and its limit at the frame farthest over it, `corrected_deg` its angle before I1,
    degrees. `steady_limit` is the limit if frames scattered little.

    `by_voltage`: the healthy model knows the voltages. `learnt`: it is that of a baseline, learnt
    from `periods`. `supply_may_move`: no voltages show that the supply is as in those periods, and
    it would draw as much. `renamed`: voltages turned by `turned_deg` belong to the currents, and
    were turned by `learnt_deg` in the baseline. `rescaled`: their reactive current is
    `susceptance_ratio` of that learnt.

    The last columns are of records over the limit, blank in others. `one_clamp`: the gain of one
    explains I2 and I0. `one_of_two_clamps`: it explains I2, if the third current is computed.
    `phase` is that of the clamp or of the short, `joint` that of a joint that would look the same.

    `excess_ratio` is the excess of the frames that show all of it, `margin` the same over its
    limit, `raw_ratio_over` |I2|/I1 of the frames over the limit. `in_part`: only a share of the
    record is over it, from `start_s` to `end_s`.
    """

    over: Bool
    undecided: Bool
    raw_ratio: Float64
    corrected_ratio: Float64
    corrected_deg: Float64
    limit_ratio: Float64
    steady_limit: Float64
    limited_by_supply: Bool
    basis: Objects
    by_voltage: Bool
    learnt: Bool
    periods: Int
    supply_may_move: Bool
    baseline_problems: Stated
    renamed: Bool
    turned_deg: Int
    learnt_deg: Int
    rescaled: Bool
    susceptance_ratio: Float64
    one_clamp: Bool
    one_of_two_clamps: Bool
    gain_change_ratio: Float64
    phase: Objects
    joint: Objects
    severe: Bool
    excess_ratio: Float64
    margin: Float64
    raw_ratio_over: Float64
    in_part: Bool
    record_share: Float64
    start_s: Float64
    end_s: Float64
    shown: Objects


def evidence(
    conditions: Conditions,
    excess: AsymmetryExcess,
    models: HealthyModels,
    renaming: Renaming,
    susceptance_ratio: Float64,
    explained: Explanations,
    asked: Bool,
) -> TurnShortEvidence:
    """Return the columns of a batch; of records that are not `asked` nothing is looked into."""
    over = asked & (excess.worst_over > 1)
    return extend(
        TurnShortEvidence,
        conditions,
        [explained.get(i, {}) for i in range(len(over))],
        over=over,
        undecided=~over & (excess.limit_median > DECISIVE_LIMIT),
        raw_ratio=excess.raw_median,
        corrected_ratio=excess.worst_ratio,
        corrected_deg=excess.worst_deg,
        limit_ratio=excess.worst_limit,
        steady_limit=excess.steady_limit,
        limited_by_supply=np.array([name == "supply" for name in excess.limited_by]),
        basis=BASES[models.basis],
        by_voltage=models.by_voltage,
        learnt=np.array([not p for p in models.baseline_problems]),
        periods=np.array([m.recordings if m else 0 for m in models.learnt]),
        supply_may_move=~conditions.inverter & (excess.worst_ratio <= excess.supply_ratio),
        baseline_problems=models.baseline_problems,
        renamed=renaming.renamed,
        turned_deg=renaming.turned_deg,
        learnt_deg=renaming.learnt_deg,
        rescaled=np.isfinite(susceptance_ratio),
        susceptance_ratio=susceptance_ratio,
    )
