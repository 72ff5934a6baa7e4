"""Which recordings can be diagnosed for turn shorts, and why not."""

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

import numpy as np

from vtox.arrays import Complex, median
from vtox.diagnosers.current.front_end import CurrentAnalysis
from vtox.diagnosers.turn_short.asymmetry_model import Sequences
from vtox.domain import CURRENTS, Motor, Reason, reason
from vtox.dsp import supply_line

TINY = float(np.finfo(np.float32).tiny)
# Least load, over rated current.
LOW_LOAD = 0.2
# Largest V2/V1 that can be corrected for: docs/calibration/turn_short.md#supply.
UNBALANCE_LIMIT = 0.023
# Largest |I1| of a record over its least.
UNSTEADY_RATIO = 2.0
# Largest |I0|/|I1| of three clamps on one motor.
ZERO_SEQUENCE_LIMIT = 0.3
# Largest |I2|/|I1| with all phases closed: docs/calibration/turn_short.md#open-phases.
OPEN_RATIO = 0.9


def sequences(analysis: CurrentAnalysis) -> Sequences:
    """Return the sequence phasors of a batch, shape (batch, frames)."""
    i0, i1, i2 = np.moveaxis(analysis.sequence_i, 1, 0)
    if not analysis.sequence_v.shape[-1]:
        return Sequences(_nonzero(i1), i2, i0)
    _, v1, v2 = np.moveaxis(analysis.sequence_v, 1, 0)
    return Sequences(_nonzero(i1), i2, i0, _nonzero(v1), v2)


def healthy_sequences(analysis: CurrentAnalysis) -> list[Sequences | None]:
    """Return what a baseline is fitted to, one per recording; None for those without use."""
    if not analysis.three_currents or not len(analysis.frame_t_s):
        return [None] * len(analysis.recordings)
    s = sequences(analysis)
    usable: list[Sequences | None] = []
    for i, abstention in enumerate(abstentions(analysis)):
        v = (s.v1, s.v2) if voltages_usable(analysis, i) else (None, None)
        v1, v2 = (None if x is None else x[i] for x in v)
        hz = float(analysis.f0_hz[i])
        turned = None if v1 is None else int(analysis.voltage_rotation_deg[i])
        phasors = Sequences(s.i1[i], s.i2[i], s.i0[i], v1, v2, hz, turned)
        usable.append(None if abstention else phasors)
    return usable


def abstentions(analysis: CurrentAnalysis) -> list[tuple[Reason, ...]]:
    """Return why each recording cannot be diagnosed, empty where it can: the code, then doubts."""
    if not analysis.sequence_i.shape[-1]:
        return [problems or (_no_frames(analysis),) for problems in analysis.problems]
    return [
        problems or tuple(r for r in [_first(condition)] if r)
        for problems, condition in zip(analysis.problems, _conditions(analysis), strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Condition:
    """The condition in which one machine was recorded.

    `i0, i1, i2` are medians of the magnitudes, `low, high` the range of |I1|, all A peak; `load_a`
    A rms; `unbalance` V2/V1; `voltage_problem` says why voltages, if measured, cannot be used.
    """

    motor: Motor
    i0: float
    i1: float
    i2: float
    low: float
    high: float
    load_a: float
    voltages: bool
    voltage_problem: Reason | None
    unbalance: float


def _conditions(analysis: CurrentAnalysis) -> list[_Condition]:
    size = np.abs(analysis.sequence_i)
    i0, i1, i2 = median(size).T.tolist()
    low, high = size[:, 1].min(axis=-1).tolist(), size[:, 1].max(axis=-1).tolist()
    load_a = (size[:, 1].mean(axis=-1) / sqrt(2)).tolist()
    v1, v2 = np.ones(len(size)), np.zeros(len(size))
    if analysis.sequence_v.shape[-1]:
        _, v1, v2 = np.abs(analysis.sequence_v).mean(axis=-1).T
    unbalance = (v2 / np.where(v1 == 0, TINY, v1)).tolist()
    return [
        _Condition(
            motor=motor,
            i0=i0[i],
            i1=i1[i],
            i2=i2[i],
            low=low[i],
            high=high[i],
            load_a=load_a[i],
            voltages=voltages_usable(analysis, i),
            voltage_problem=voltage_problem(analysis, i),
            unbalance=unbalance[i],
        )
        for i, motor in enumerate(analysis.motors)
    ]


def _no_frames(analysis: CurrentAnalysis) -> Reason:
    if analysis.three_currents:
        return reason(
            "record_too_short", duration_s=analysis.duration_s, needed_s=supply_line.FRAME_S
        )
    return reason(
        "missing_channel", channels=tuple(c for c in CURRENTS if c not in analysis.currents)
    )


def _currents_do_not_sum_to_zero(c: _Condition) -> Reason | None:
    if c.i0 <= ZERO_SEQUENCE_LIMIT * c.i1:
        return None
    return reason("currents_do_not_sum_to_zero", zero_sequence_ratio=c.i0 / max(c.i1, TINY))


def _phase_open(c: _Condition) -> Reason | None:
    if c.i2 <= OPEN_RATIO * c.i1:
        return None
    return reason("phase_open", negative_sequence_ratio=c.i2 / max(c.i1, TINY))


def _current_not_steady(c: _Condition) -> Reason | None:
    if c.low > 0 and c.high <= UNSTEADY_RATIO * c.low:
        return None
    return reason("current_not_steady", low_a=c.low / sqrt(2), high_a=c.high / sqrt(2))


def _load_too_low(c: _Condition) -> Reason | None:
    rated_a = c.motor.rated_current_a
    if not rated_a or c.load_a >= LOW_LOAD * rated_a:
        return None
    return reason("load_too_low", load_a=c.load_a, needed_a=LOW_LOAD * rated_a)


def _inverter_without_voltages(c: _Condition) -> Reason | None:
    if c.voltages or c.motor.supply != "inverter":
        return None
    return c.voltage_problem or reason("inverter_without_voltages")


def _voltage_unbalance(c: _Condition) -> Reason | None:
    if not c.voltages or c.unbalance <= UNBALANCE_LIMIT:
        return None
    return reason(
        "voltage_unbalance_too_large", unbalance_ratio=c.unbalance, limit_ratio=UNBALANCE_LIMIT
    )


# The first that applies is the reason.
RULES: tuple[Callable[[_Condition], Reason | None], ...] = (
    _currents_do_not_sum_to_zero,
    _phase_open,
    _current_not_steady,
    _load_too_low,
    _inverter_without_voltages,
    _voltage_unbalance,
)


def _first(condition: _Condition) -> Reason | None:
    return next((why for rule in RULES if (why := rule(condition))), None)


def voltages_usable(analysis: CurrentAnalysis, i: int) -> bool:
    """Return whether three voltages were measured that belong to the currents."""
    return bool(analysis.sequence_v.shape[-1]) and voltage_problem(analysis, i) is None


def voltage_problem(analysis: CurrentAnalysis, i: int) -> Reason | None:
    """Return why voltages that were measured cannot be used, None where they can."""
    return next(iter(analysis.voltage_problems[i]), analysis.pairing_problems[i])


def _nonzero(x: Complex) -> Complex:
    """Return phasors that may be divided by; what is zero is not diagnosed."""
    return np.where(x == 0, TINY, x)
