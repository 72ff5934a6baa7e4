"""Which recordings can be judged for shorted turns, and against which model of the machine."""

from collections.abc import Sequence
from math import sqrt

import numpy as np

from vtox.arrays import Complex
from vtox.baseline import Asymmetry, Baseline
from vtox.diagnosers.current.front_end import CurrentAnalysis
from vtox.diagnosers.eccentricity import SUPPLY_FEATURE
from vtox.diagnosers.turn_short.asymmetry_model import (
    Sequences,
    prior,
    rated_at_most_a,
    same_frequency,
)

TINY = float(np.finfo(np.float32).tiny)
LOW_LOAD = 0.2
# EN 50160 allows 2 %; the rest is for the voltage channels' own mismatch.
UNBALANCE_LIMIT = 0.023
UNSTEADY_RATIO = 2.0
# With one phase open I2 is as large as I1; bolted shorts of 30 and 40 % of the turns come to 0.64
# and 0.73 of it (machines of 0.5 to 200 kW).
OPEN_RATIO = 0.9
# Compared without voltage only this close to the loads learnt.
LOAD_MARGIN = 1.25


def sequences(analysis: CurrentAnalysis) -> Sequences:
    """Return the sequence phasors of a batch, shape (batch, frames)."""
    i0, i1, i2 = np.moveaxis(analysis.sequence_i, 1, 0)
    if not analysis.sequence_v.shape[-1]:
        return Sequences(_nonzero(i1), i2, i0)
    _, v1, v2 = np.moveaxis(analysis.sequence_v, 1, 0)
    return Sequences(_nonzero(i1), i2, i0, _nonzero(v1), v2)


def healthy(analysis: CurrentAnalysis) -> list[Sequences | None]:
    """Return what a baseline is fitted to, one per recording; None for those without use."""
    if not analysis.three_currents or not len(analysis.frame_t_s):
        return [None] * len(analysis.recordings)
    s = sequences(analysis)
    found: list[Sequences | None] = []
    for i, refusal in enumerate(refusals(analysis)):
        v = (s.v1, s.v2) if _measured(analysis, i) else (None, None)
        v1, v2 = (None if x is None else x[i] for x in v)
        hz = float(analysis.f0_hz[i])
        found.append(None if refusal else Sequences(s.i1[i], s.i2[i], s.i0[i], v1, v2, hz))
    return found


def refusals(analysis: CurrentAnalysis) -> list[str]:
    """Return why each recording cannot be judged, an empty text where it can."""
    size = np.abs(analysis.sequence_i)
    if not size.shape[-1]:
        lack = f"needs three phase currents, got {len(analysis.currents)}"
        if analysis.three_currents:
            lack = f"too short: {analysis.duration_s:.3g} s, need 0.2 s"
        return ["; ".join(r.sentence for r in p) or lack for p in analysis.problems]
    middle, low, high = np.median(size, axis=-1), size[:, 1].min(axis=-1), size[:, 1].max(axis=-1)
    mean_a = (size[:, 1].mean(axis=-1) / sqrt(2)).tolist()
    v1, v2 = np.ones(len(size)), np.zeros(len(size))
    if analysis.sequence_v.shape[-1]:
        _, v1, v2 = np.abs(analysis.sequence_v).mean(axis=-1).T
    unbalance = (v2 / np.where(v1 == 0, TINY, v1)).tolist()
    return [
        "; ".join(r.sentence for r in problems)
        or _refusal_by_currents(middle[i].tolist(), float(low[i]), float(high[i]))
        or _refusal_by_nameplate(analysis, i, mean_a[i], unbalance[i])
        for i, problems in enumerate(analysis.problems)
    ]


def _refusal_by_currents(middle: Sequence[float], low: float, high: float) -> str:
    i0, i1, i2 = middle
    if i0 > 0.3 * i1:
        return "the three currents do not add up: a clamp is missing or on another circuit"
    if i2 > OPEN_RATIO * i1:
        return f"|I2|/I1 of {i2 / i1:.0%}: a phase is open, or a clamp is on another circuit"
    if low <= 0 or high > UNSTEADY_RATIO * low:
        return f"not stationary: the current goes from {low / 1.414:.3g} to {high / 1.414:.3g} A"
    return ""


def _refusal_by_nameplate(
    analysis: CurrentAnalysis, i: int, load_a: float, unbalance: float
) -> str:
    motor = analysis.motors[i]
    rated_a = motor.rated_current_a
    if rated_a and load_a < LOW_LOAD * rated_a:
        return f"load too low: {load_a:.3g} A of {rated_a:g} A rated, need {LOW_LOAD:.0%}"
    if not _measured(analysis, i):
        apart = analysis.pairing_problems[i]
        without = apart.sentence if apart else "inverter supply without voltage channels"
        return without if motor.supply == "inverter" else ""
    if unbalance > UNBALANCE_LIMIT:
        return (
            f"voltage unbalance {unbalance:.1%}: too large to correct for, need "
            f"{UNBALANCE_LIMIT:.1%} at most"
        )
    return ""


def _measured(analysis: CurrentAnalysis, i: int) -> bool:
    problem = analysis.voltage_problems[i] or analysis.pairing_problems[i]
    return bool(analysis.sequence_v.shape[-1]) and not problem


def learnt_hz(baseline: Baseline) -> float | None:
    """Return the supply frequency a baseline was learnt at, None where it does not tell."""
    if baseline.asymmetry and baseline.asymmetry.supply_hz:
        return baseline.asymmetry.supply_hz
    level = baseline.any_load(SUPPLY_FEATURE)
    return level.mean if level else None


def holds(baseline: Baseline, analysis: CurrentAnalysis, i: int) -> bool:
    """Return whether what was learnt may be asked about a recording.

    It must be of the same frequency, which one on the grid need not tell; and voltages that were
    turned now must have been turned then, which earlier versions, telling none, did not do.
    """
    hz, own = learnt_hz(baseline), baseline.asymmetry
    if own and own.supply_hz is None and own.base_v is not None and analysis.turned_deg[i]:
        return False
    if hz is None:
        return analysis.motors[i].supply == "grid"
    return same_frequency(hz, float(analysis.f0_hz[i]))


def models(
    analysis: CurrentAnalysis, s: Sequences, baselines: Sequence[Baseline | None]
) -> tuple[list[Asymmetry], list[str]]:
    """Return the healthy model of each recording and the name of what it rests on."""
    load_a = (np.abs(s.i1).mean(axis=-1) / sqrt(2)).tolist()
    volts = [] if s.v1 is None else (np.abs(s.v1).mean(axis=-1) / sqrt(2)).tolist()
    # A short adds to I1 up to what it adds to I2; a supply or a joint adds nothing.
    low_a = ((np.abs(s.i1) - np.abs(s.i2)).min(axis=-1) / sqrt(2)).tolist()
    high_a = (np.abs(s.i1).max(axis=-1) / sqrt(2)).tolist()
    found: list[Asymmetry] = []
    known: list[str] = []
    for i, baseline in enumerate(baselines):
        learnt = baseline.asymmetry if baseline and holds(baseline, analysis, i) else None
        motor, measured = analysis.motors[i], _measured(analysis, i)
        if learnt and learnt.base_v is not None and measured:
            model, basis = learnt, "voltage and baseline"
        elif (
            learnt
            and learnt.base_v is None
            and high_a[i] >= learnt.low_a / LOAD_MARGIN
            and low_a[i] <= learnt.high_a * LOAD_MARGIN
        ):
            model, basis = learnt, "currents and baseline"
        elif measured:
            model, basis = prior(motor, load_a[i], volts[i]), "voltage, no baseline"
        else:
            model = prior(motor, rated_at_most_a(motor, load_a[i]), None)
            basis = "currents, no baseline"
        found.append(model)
        known.append(basis)
    return found, known


def _nonzero(x: Complex) -> Complex:
    """Return phasors that may be divided by; what is zero was refused or is about to be."""
    return np.where(x == 0, TINY, x)
