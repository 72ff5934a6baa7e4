"""Changes of the measurement of currents and voltages since the baseline was learnt.

An excess that such a change explains is no turn short: exchanged channels, or another ratio of all
clamps (docs/calibration/turn_short.md#changed-measurement). `causes.clamp_change` finds a single
clamp.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import nan, sqrt

import numpy as np

from vtox.motor.diagnosis.diagnosers.current.current_analysis import CurrentAnalysis
from vtox.motor.diagnosis.diagnosers.turn_short.asymmetry_excess import AsymmetryExcess
from vtox.motor.diagnosis.diagnosers.turn_short.asymmetry_model import Sequences, susceptance
from vtox.motor.diagnosis.diagnosers.turn_short.healthy_model import HealthyModels
from vtox.motor.values.arrays import TURN_120, Bool, Complex, Float64, Int

# Largest reactive current over the voltage, relative to that learnt, or the inverse of this ratio.
# Beyond it, plus the leakage that the load adds, a ratio of clamps or of voltage transformers has
# changed.
MAX_SUSCEPTANCE_RATIO = 1.2


@dataclass(frozen=True, slots=True)
class Renaming:
    """Columns of length batch: whether voltages and currents belong together otherwise than learnt.

    `turned_deg` is by how much voltages are turned now, `learnt_deg` in the baseline; 0 if the
    model does not say.
    """

    renamed: Bool
    turned_deg: Int
    learnt_deg: Int


def renaming(analysis: CurrentAnalysis, models: HealthyModels) -> Renaming:
    """Return the phases renamed since the baselines of a batch were learnt."""
    learnt = [m.turned_deg if m else None for m in models.learnt]
    known = np.array([deg is not None for deg in learnt])
    learnt_deg = np.array([deg or 0 for deg in learnt])
    turned_deg = analysis.voltage_rotation_deg
    return Renaming(known & ((turned_deg - learnt_deg) % 360 != 0), turned_deg, learnt_deg)


def restore_phase_names(
    s: Sequences, renamed: Bool, excess: Callable[[Sequences], AsymmetryExcess]
) -> Sequences:
    """Return the phasors, those of recordings `renamed` by the names that explain their I2.

    A renaming of the phases turns I2/I1 and V2/I1 alike by 120 degrees. If several sets of names
    leave nothing over the limit, the set with the least limit counts: the model is most certain of
    the phasors that it learnt.
    """
    turns, least = np.ones(len(s.i1), complex), np.full(len(s.i1), np.inf)
    for turn in (1, TURN_120, TURN_120**2):
        e = excess(_turned(s, np.full(len(s.i1), turn)))
        explains = renamed & (e.worst_over <= 1) & (e.limit_median < least)
        turns[explains], least[explains] = turn, e.limit_median[explains]
    return _turned(s, turns)


def _turned(s: Sequences, turns: Complex) -> Sequences:
    v2 = None if s.v2 is None else s.v2 * turns[:, None]
    return replace(s, i2=s.i2 * turns[:, None], v2=v2)


def susceptance_ratios(excess: AsymmetryExcess, models: HealthyModels, rows: Int) -> Float64:
    """Return the susceptance of some records over that learnt, if its scale has changed.

    NaN if it has not, and in the other records. At a given voltage the reactive current magnetises
    the machine at any load. The leakage of both windings adds at most I^2/|Y22|, the admittance at
    standstill being |Y22|. A short adds to I1 as much as to I2: its excess, over I1, counts for the
    machine's own.
    """
    ratios = np.full(len(models.learnt), nan)
    for i in rows.tolist():
        model, s = models.learnt[i], excess.sequences
        if model is None or s.v1 is None or model.base_v is None or not model.susceptance_s:
            continue
        now_s = float(susceptance(s.i1[i], s.v1[i]))
        load_a, volts = (float(np.mean(np.abs(x[i]))) / sqrt(2) for x in (s.i1, s.v1))
        leakage_ohm = model.base_v / model.base_a / abs(model.mean[0])
        more_a2, less_a2 = load_a**2 - model.low_a**2, model.high_a**2 - load_a**2
        short_s = float(excess.worst_ratio[i]) * load_a / volts
        low_s = model.susceptance_s / MAX_SUSCEPTANCE_RATIO - short_s
        high_s = model.susceptance_s * MAX_SUSCEPTANCE_RATIO + short_s
        low_s -= max(0.0, less_a2) * leakage_ohm / volts**2
        high_s += max(0.0, more_a2) * leakage_ohm / volts**2
        if not low_s <= now_s <= high_s:
            ratios[i] = now_s / model.susceptance_s
    return ratios
