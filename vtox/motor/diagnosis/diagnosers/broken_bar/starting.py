"""Broken bars seen in a start: the lower sideband sweeps through the frequencies below 0.

The level of that sweep is at most the share by which the resistance of the bars differs, so a
strong one proves a fault. A weak one, or none, proves nothing, because the leakage of the rotor may
weaken it by 20 dB. Limits: docs/calibration/broken_bar.md#starts.
"""

from dataclasses import dataclass
from typing import Literal, TypedDict

import numpy as np

from vtox.motor.diagnosis.diagnosers.current.current_analysis import CurrentAnalysis
from vtox.motor.diagnosis.diagnosers.decision import Evidence
from vtox.motor.diagnosis.dsp.start_sideband import StartSideband, start_sideband
from vtox.motor.values.arrays import Float64
from vtox.motor.values.domain import CURRENTS, Reason, reason

# Level over the supply line, dB, of a warning: the bars differ by 1 % at least, as one broken of a
# hundred makes them. A sound rotor cage has at most 0.4 %, -48 dB.
START_WARNING_DB = -40.0
# The inrush and its offset are left out, and a start must last so long beyond, s.
INRUSH_S, LEAST_S = 0.06, 0.3
# The sidebands of a steady state are half the share by which bars differ.
STEADY_DB = -6.0
CONFIDENCE = 0.6


@dataclass(frozen=True, slots=True)
class Starts:
    """Signs of the rotor cage in records of starts: columns of length batch.

    `level_db` is that of the sweep, NaN if there is none. `problems` adds to those of the record
    why a start decides nothing. `sweeps` are times and frequencies of the sweep, as evidence.
    """

    level_db: Float64
    problems: list[tuple[Reason, ...]]
    sweeps: dict[int, Evidence]


def starts(analysis: CurrentAnalysis) -> Starts:
    """Return the signs of rotor cages in the records of a batch in which a motor starts."""
    level_db, problems = np.full(len(analysis.motors), np.nan), list(analysis.problems)
    sweeps: dict[int, Evidence] = {}
    for i, operation in enumerate(analysis.operations):
        if operation is None or operation.state != "start":
            continue
        searched = _section(analysis, i)
        if isinstance(searched, Reason):
            problems[i] = (*problems[i], searched)
            continue
        first, last = searched
        channels = analysis.recordings[i].channels
        x = np.array([channels[n][first:last] for n in CURRENTS], np.float64)
        sweep = start_sideband(x, analysis.fs_hz, float(analysis.centre_hz[i]))
        if sweep is None:
            problems[i] = (*problems[i], reason("start_sideband_not_found"))
            continue
        level_db[i] = sweep.level_db
        if sweep.level_db < START_WARNING_DB:
            values = {"level_db": sweep.level_db, "limit_db": START_WARNING_DB}
            problems[i] = (*problems[i], Reason("start_sideband_weak", values))
        else:
            sweeps[i] = (_evidence(sweep, first / analysis.fs_hz),)
    return Starts(level_db, problems, sweeps)


def _section(analysis: CurrentAnalysis, i: int) -> tuple[int, int] | Reason:
    """Return first and last sample of the searched section, or why there is none."""
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


class _Sweep(TypedDict):
    kind: Literal["sweep"]
    begin_s: float
    end_s: float
    low_hz: float
    high_hz: float


def _evidence(sweep: StartSideband, begin_s: float) -> _Sweep:
    """Return when the sweep passes which frequencies, below 0 in the space vector."""
    return {
        "kind": "sweep",
        "begin_s": round(begin_s + sweep.begin_s, 3),
        "end_s": round(begin_s + sweep.end_s, 3),
        "low_hz": round(float(sweep.hz_s[0, 0]), 2),
        "high_hz": round(float(sweep.hz_s[-1, 0]), 2),
    }
