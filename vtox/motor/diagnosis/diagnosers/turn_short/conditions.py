"""The condition in which each machine was recorded, before its asymmetry is examined."""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from vtox.motor.diagnosis.diagnosers.columns import Objects, Stated, objects
from vtox.motor.diagnosis.diagnosers.current.current_analysis import CurrentAnalysis
from vtox.motor.diagnosis.diagnosers.turn_short.asymmetry_model import Sequences
from vtox.motor.diagnosis.dsp import supply_line
from vtox.motor.values.arrays import TINY, Bool, Complex, Float64, median
from vtox.motor.values.domain import CURRENTS, Motor

# Least load, over rated current.
LOW_LOAD = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """Columns of length batch; columns from frames are NaN if there are none.

    `input_problems` and `voltage_problems` are stated by the front end, `missing` the
    currents that are not there. There are `frames` if a record is as long as `needed_s`.
    `zero_sequence_ratio` is |I0|/|I1| and `negative_sequence_ratio` |I2|/|I1|, each a ratio of
    medians over the frames.

    `low_a` and `high_a` are the range of |I1|, `load_a` its mean, `needed_a` the least load (A
    rms). `unbalance_ratio` is V2/V1. `voltages`: three were measured that belong to the currents.
    `unrated`: the nameplate gives no rated current.
    """

    input_problems: Stated
    three_currents: Bool
    frames: Bool
    missing: Objects
    duration_s: Float64
    needed_s: Float64
    voltage_problems: Stated
    voltages: Bool
    inverter: Bool
    zero_sequence_ratio: Float64
    negative_sequence_ratio: Float64
    low_a: Float64
    high_a: Float64
    load_a: Float64
    needed_a: Float64
    unbalance_ratio: Float64
    unrated: Bool


def conditions(analysis: CurrentAnalysis) -> Conditions:
    """Return the conditions of a batch."""
    count = len(analysis.recordings)
    problems = _voltage_problems(analysis)
    measured = bool(analysis.sequence_v.shape[-1])
    missing = tuple(c for c in CURRENTS if c not in analysis.currents)
    size = np.abs(analysis.sequence_i)
    if size.shape[-1]:
        i0, i1, i2 = median(size).T
        one = size[:, 1]
        low, high, mean = one.min(axis=-1), one.max(axis=-1), one.mean(axis=-1)
    else:
        i0 = i1 = i2 = low = high = mean = np.full(count, np.nan)
    v1, v2 = np.ones(count), np.zeros(count)
    if measured:
        _, v1, v2 = np.abs(analysis.sequence_v).mean(axis=-1).T
    rated_a = np.array([m.rated_current_a or 0.0 for m in analysis.motors])
    return Conditions(
        input_problems=analysis.problems,
        three_currents=np.full(count, not missing),
        frames=np.full(count, bool(size.shape[-1])),
        missing=objects([missing] * count),
        duration_s=np.full(count, analysis.duration_s),
        needed_s=np.full(count, supply_line.FRAME_S),
        voltage_problems=problems,
        voltages=np.array([measured and not p for p in problems]),
        inverter=np.array([m.supply == "inverter" for m in analysis.motors]),
        zero_sequence_ratio=i0 / np.maximum(i1, TINY),
        negative_sequence_ratio=i2 / np.maximum(i1, TINY),
        low_a=low / sqrt(2),
        high_a=high / sqrt(2),
        load_a=mean / sqrt(2),
        needed_a=LOW_LOAD * rated_a,
        unbalance_ratio=v2 / np.where(v1 == 0, TINY, v1),
        unrated=np.array([not _rated(m) for m in analysis.motors]),
    )


def sequences(analysis: CurrentAnalysis) -> Sequences:
    """Return the sequence phasors of a batch, shape (batch, frames)."""
    i0, i1, i2 = np.moveaxis(analysis.sequence_i, 1, 0)
    if not analysis.sequence_v.shape[-1]:
        return Sequences(_nonzero(i1), i2, i0)
    _, v1, v2 = np.moveaxis(analysis.sequence_v, 1, 0)
    return Sequences(_nonzero(i1), i2, i0, _nonzero(v1), v2)


def _rated(motor: Motor) -> bool:
    return bool(motor.rated_current_a or (motor.rated_power_w and motor.rated_voltage_v))


def _voltage_problems(analysis: CurrentAnalysis) -> Stated:
    """Return why voltages that were measured cannot be used: one reason a record at most."""
    pairs = zip(analysis.voltage_problems, analysis.pairing_problems, strict=True)
    return [own[:1] or ((pairing,) if pairing else ()) for own, pairing in pairs]


def _nonzero(x: Complex) -> Complex:
    """Return phasors that may be divided by; a record with zero phasors is not diagnosed."""
    return np.where(x == 0, TINY, x)
