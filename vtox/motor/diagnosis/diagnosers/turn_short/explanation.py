"""Possible explanations of a record over its limit: a clamp, a short, or a look-alike of these.

Computed per record, as few are over it: the values by the names of their columns in `Evidence`.
"""

from collections.abc import Mapping
from typing import Any, Literal, TypedDict

import numpy as np

from vtox.motor.diagnosis.diagnosers.current.current_analysis import CurrentAnalysis
from vtox.motor.diagnosis.diagnosers.decision import alternative
from vtox.motor.diagnosis.diagnosers.turn_short import causes
from vtox.motor.diagnosis.diagnosers.turn_short.asymmetry_excess import (
    SUSTAINED_FRAMES,
    AsymmetryExcess,
)
from vtox.motor.diagnosis.diagnosers.turn_short.healthy_model import HealthyModels
from vtox.motor.values.arrays import Bool, Float64, Int
from vtox.motor.values.baseline import Asymmetry

# Corrected |I2|/I1 from which a turn short is a `fault`: severe (our scale).
FAULT_RATIO = 0.08
# Share of the largest |I2|/I1 above its limit from which a frame shows the full asymmetry.
FULL_SHARE = 0.7
Explanations = Mapping[int, Mapping[str, Any]]


def explanations(
    analysis: CurrentAnalysis, excess: AsymmetryExcess, models: HealthyModels, rows: Int
) -> Explanations:
    """Return possible explanations of the frames of these records that are over the limit."""
    voltage = models.by_voltage
    return {
        i: _explanation(analysis, excess, i, models.of(i), voltage=bool(voltage[i]))
        for i in rows.tolist()
    }


def _explanation(
    analysis: CurrentAnalysis, excess: AsymmetryExcess, i: int, model: Asymmetry, *, voltage: bool
) -> Mapping[str, Any]:
    ratio = np.abs(excess.corrected[i])
    over = ratio > excess.limit[i]
    full = over & (ratio >= FULL_SHARE * ratio[over].max())
    quiet = ~over if np.count_nonzero(~over) >= SUSTAINED_FRAMES else np.zeros_like(over)
    # Without voltages a supply beyond the standard, a loose fuse or a joint looks the same at any
    # strength: a warning, whose severity says how strong.
    fault_ratio = FAULT_RATIO if voltage else np.inf
    runs = episodes(analysis.frame_t_s, ratio, over, fault_ratio, analysis.duration_s)
    part = {
        "in_part": not over.all(),
        "record_share": float(over.mean()),
        "start_s": runs[0]["t_start_s"],
        "end_s": runs[-1]["t_end_s"],
    }
    change = causes.asymmetry_change(excess.sequences, excess.excess, i, full, quiet, model)
    if (clamp := causes.clamp_change(change)) is not None:
        phase = analysis.phase_name(i, clamp.phase)
        shown = (alternative("clamp_or_earth_current", phase),)
        return part | {
            "one_clamp": True,
            "gain_change_ratio": clamp.gain,
            "phase": phase,
            "shown": shown,
        }
    limit = float(excess.limit[i][full].mean())
    if (gain := causes.gain_of_two_clamps(change, limit)) is not None:
        shown = (alternative("clamp_or_earth_current"),)
        return part | {"one_of_two_clamps": True, "gain_change_ratio": gain, "shown": shown}
    others = [
        (c.cause, "" if c.phase is None else analysis.phase_name(i, c.phase))
        for c in causes.other_causes(change, model, voltage=voltage)
    ]
    size = float(np.median(ratio[full]))
    return part | {
        "phase": analysis.phase_name(i, causes.shorted_phase(change, analysis.motors[i])),
        "joint": next((phase for _, phase in others if phase), ""),
        "severe": any(run["state"] == "fault" for run in runs),
        "excess_ratio": size,
        "margin": size / limit,
        "raw_ratio_over": float(np.median(excess.raw[i][over])),
        "shown": (*runs, *(alternative(cause, phase) for cause, phase in others)),
    }


class Episode(TypedDict):
    """A run of frames over the limit."""

    kind: Literal["episode"]
    state: Literal["warning", "fault"]
    t_start_s: float
    t_end_s: float
    corrected_ratio: float


def episodes(
    t_s: Float64,
    ratio: Float64,
    over: Bool,
    fault_ratio: float,
    duration_s: float,
) -> list[Episode]:
    """Return the runs of frames over the limit as evidence, in order of time.

    Parameters
    ----------
    t_s : ndarray, shape (frames,)
        Centres of the frames, s.
    ratio : ndarray, shape (frames,)
        Corrected |I2|/I1; its median over a run decides the state of the run.
    over : ndarray of bool, shape (frames,)
        Whether a frame is over its limit.
    fault_ratio : float
        `fault` at or above, `warning` below.
    duration_s : float
        Length of the record, s: where a run that reaches the last frame ends.
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], over, [False]]).astype(int)))
    runs: list[Episode] = []
    for first, last in zip(edges[::2], edges[1::2] - 1, strict=True):
        level = float(np.median(ratio[first : last + 1]))
        runs.append(
            {
                "kind": "episode",
                "state": "fault" if level >= fault_ratio else "warning",
                "t_start_s": 0.0 if first == 0 else round(float(t_s[first]), 3),
                "t_end_s": round(duration_s if last == len(t_s) - 1 else float(t_s[last]), 3),
                "corrected_ratio": round(level, 4),
            }
        )
    return runs
