"""Evidence so strong that a slow fault needs no days to alarm, by the fault's row. Pure."""

from numbers import Real

from vtox.motor.faults import STRONG, StrongEvidence
from vtox.motor.values.domain import Answer, Diagnosis

STATES = {"warning": ("warning", "fault"), "fault": ("fault",)}


def is_strong(d: Diagnosis | Answer) -> bool:
    """Return whether a finding is strong enough to alarm at once."""
    return any(_has(d, least) for least in STRONG.get(d.fault, ()))


def _has(d: Diagnosis | Answer, least: StrongEvidence) -> bool:
    return (
        d.state in STATES[least.state]
        and (d.severity or 0.0) >= least.severity
        and (d.confidence or 0.0) >= least.confidence
        and (least.doubts is None or {doubt.code for doubt in d.doubts} <= {*least.doubts})
        and all(_reaches(d.indicators.get(i), x) for i, x in least.indicators.items())
        and _is_over(d, least.over_threshold)
    )


def _is_over(d: Diagnosis | Answer, times: float) -> bool:
    """Return whether the statistic is so many times the threshold, both known."""
    if d.statistic is None or d.threshold is None:
        return not times
    return d.statistic >= times * d.threshold


def _reaches(value: object, least: float) -> bool:
    return isinstance(value, Real) and float(value) >= least
