"""Broken bars seen in a start: the lower sideband sweeps through the frequencies below 0.

The level of that sweep is at most the share by which the resistance of the bars differs, so that a
strong one proves a fault; a weak one, or none, proves nothing, because the leakage of the rotor
may weaken it by 20 dB. Limits: docs/calibration/broken_bar.md#starts.
"""

from collections.abc import Callable

import numpy as np

from vtox.diagnosers.current.front_end import CurrentAnalysis
from vtox.domain import CURRENTS, Diagnosis, Reason, Value, abstain, reason
from vtox.dsp.start_sideband import StartSideband, start_sideband

# Level over the supply line, dB, of a warning: the bars differ by 1 % at least, as one broken of a
# hundred makes them. A sound rotor cage has at most 0.4 %, -48 dB.
START_WARNING_DB = -40.0
# The inrush and its offset are left out, and a start must last so long beyond, s.
INRUSH_S, LEAST_S = 0.06, 0.3
# The sidebands of a steady state are half the share by which bars differ.
STEADY_DB = -6.0
CONFIDENCE = 0.6


def start_diagnosis(
    fault: str, analysis: CurrentAnalysis, i: int, severity: Callable[[float], float]
) -> Diagnosis:
    """Return what a record of a start says of the rotor cage; the motor must start in it.

    `severity` is that of a level of sidebands in a steady state, dBc.
    """
    problems = analysis.problems[i]
    searched = _section(analysis, i)
    if isinstance(searched, Reason):
        return abstain(fault, *problems, searched)
    first, last = searched
    channels = analysis.recordings[i].channels
    x = np.array([channels[n][first:last] for n in CURRENTS], np.float64)
    sweep = start_sideband(x, analysis.fs_hz, float(analysis.centre_hz[i]))
    if sweep is None:
        return abstain(fault, *problems, reason("start_sideband_not_found"))
    indicators: dict[str, Value] = {"start_sideband_db": round(sweep.level_db, 2)}
    if sweep.level_db < START_WARNING_DB:
        weak = reason("start_sideband_weak", level_db=sweep.level_db, limit_db=START_WARNING_DB)
        return abstain(fault, *problems, weak, indicators=indicators)
    return Diagnosis(
        fault=fault,
        state="warning",
        code="rotor_asymmetry_in_start",
        values={"level_db": sweep.level_db, "least_share": 10 ** (sweep.level_db / 20)},
        doubts=problems,
        severity=severity(sweep.level_db + STEADY_DB),
        confidence=CONFIDENCE,
        statistic=round(10 ** ((sweep.level_db - START_WARNING_DB) / 20), 4),
        threshold=1.0,
        indicators=indicators,
        evidence=(_evidence(sweep, first / analysis.fs_hz),),
    )


def _section(analysis: CurrentAnalysis, i: int) -> tuple[int, int] | Reason:
    """Return first and last sample of what is searched, or why nothing is."""
    if not analysis.three_currents:
        return reason("start_sideband_needs_three_currents")
    if analysis.motors[i].supply == "inverter":
        return reason("start_sideband_needs_grid")
    values = analysis.problems[i][0].values
    on_s, duration_s, end_s = (_number(values.get(n)) for n in ("on_s", "duration_s", "end_s"))
    begin_s = 0.0 if on_s is None else on_s + INRUSH_S
    if end_s is None:
        end_s = analysis.duration_s if duration_s is None else (on_s or 0.0) + duration_s
    if end_s - begin_s < LEAST_S:
        return reason("start_too_short_for_sideband", duration_s=end_s - begin_s, needed_s=LEAST_S)
    return round(begin_s * analysis.fs_hz), round(end_s * analysis.fs_hz)


def _number(value: object) -> float | None:
    return value if isinstance(value, float) else None


def _evidence(sweep: StartSideband, begin_s: float) -> dict[str, object]:
    """Return when the sweep passes which frequencies, below 0 in the space vector."""
    return {
        "kind": "sweep",
        "begin_s": round(begin_s + sweep.begin_s, 3),
        "end_s": round(begin_s + sweep.end_s, 3),
        "low_hz": round(float(sweep.hz_s[0, 0]), 2),
        "high_hz": round(float(sweep.hz_s[-1, 0]), 2),
    }
