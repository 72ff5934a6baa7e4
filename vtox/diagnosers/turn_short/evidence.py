"""What the rules of turn shorts ask about: the excess of I2, and what may explain it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from math import nan
from typing import Any

import numpy as np

from vtox.arrays import Bool, Float64, Int
from vtox.baseline import Asymmetry
from vtox.diagnosers.current.front_end import CurrentAnalysis
from vtox.diagnosers.decision import Objects, Stated, objects
from vtox.diagnosers.turn_short import causes, measurement
from vtox.diagnosers.turn_short.asymmetry_excess import (
    DECISIVE_LIMIT,
    SUSTAINED_FRAMES,
    AsymmetryExcess,
)
from vtox.diagnosers.turn_short.basis import TEXTS, basis
from vtox.diagnosers.turn_short.conditions import Conditions
from vtox.diagnosers.turn_short.episodes import episodes
from vtox.diagnosers.turn_short.healthy_model import HealthyModels
from vtox.diagnosers.turn_short.measurement import Renaming
from vtox.domain import Motor

# Corrected |I2|/I1 from which a turn short is a `fault`: severe (a scale of our own).
FAULT_RATIO = 0.08
# Share of the largest |I2|/I1 above its limit from which a frame shows the full asymmetry.
FULL_SHARE = 0.7
CLAMP_CAUSE = "clamp or earth current"


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What may explain that one record is over its limit; the defaults are of one that is not.

    `phase` is that of the clamp or of the short, `joint` that of a joint that would look the same;
    empty where there is none. `excess_ratio` is the excess of the frames that show all of it,
    `margin` the same over its limit, `raw_ratio_over` |I2|/I1 of the frames over the limit. Where
    `in_part` only a share of the record is over it, from `start_s` to `end_s`.
    """

    one_clamp: bool = False
    two_clamps: bool = False
    gain_change_ratio: float = nan
    phase: str = ""
    joint: str = ""
    severe: bool = False
    excess_ratio: float = nan
    margin: float = nan
    raw_ratio_over: float = nan
    in_part: bool = False
    record_share: float = nan
    start_s: float = nan
    end_s: float = nan
    shown: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence(Conditions):
    """Columns of length batch; ratios are |I2|/I1.

    `over` where some frame is over its limit; `undecided` where none is, and the limit is too high
    to say that the machine is healthy. `raw_ratio` is the median, `corrected_ratio` and
    `limit_ratio` the excess and its limit at the frame farthest over it, `steady_limit` the limit
    if frames scattered little. `by_voltage`: the healthy model knows the voltages, `unrated`: the
    nameplate gives no rated current. `renamed`: voltages turned by `turned_deg` belong to the
    currents, and were turned by `learnt_deg` in the baseline; `rescaled`: their reactive current is
    `susceptance_ratio` of that learnt. The last columns are those of `Explanation`.
    """

    over: Bool
    undecided: Bool
    raw_ratio: Float64
    corrected_ratio: Float64
    limit_ratio: Float64
    steady_limit: Float64
    limited_by_supply: Bool
    basis: Objects
    by_voltage: Bool
    unrated: Bool
    baseline_problems: Stated
    renamed: Bool
    turned_deg: Int
    learnt_deg: Int
    rescaled: Bool
    susceptance_ratio: Float64
    one_clamp: Bool
    two_clamps: Bool
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
    analysis: CurrentAnalysis,
    conditions: Conditions,
    excess: AsymmetryExcess,
    models: HealthyModels,
    renaming: Renaming,
    asked: Bool,
) -> Evidence:
    """Return the columns of a batch; of records that are not `asked` nothing is looked into."""
    over = asked & (excess.worst_over > 1)
    by_voltage = models.by_voltage
    susceptance_ratio = np.full(len(over), np.nan)
    explained: dict[int, Explanation] = {}
    for i in np.flatnonzero(over & ~renaming.renamed).tolist():
        if (learnt := models.learnt[i]) is not None:
            susceptance_ratio[i] = measurement.scale_change(
                excess.sequences, i, learnt, float(excess.worst_ratio[i])
            )
        if np.isnan(susceptance_ratio[i]):
            explained[i] = _explanation(
                analysis, excess, i, models.of(i), voltage=bool(by_voltage[i])
            )
    return Evidence(
        **{f.name: getattr(conditions, f.name) for f in fields(conditions)},
        over=over,
        undecided=~over & (excess.limit_median > DECISIVE_LIMIT),
        raw_ratio=excess.raw_median,
        corrected_ratio=excess.worst_ratio,
        limit_ratio=excess.worst_limit,
        steady_limit=excess.steady_limit,
        limited_by_supply=np.array([name == "supply" for name in excess.limited_by]),
        basis=TEXTS[basis(by_voltage, models.by_baseline)],
        by_voltage=by_voltage,
        unrated=np.array([not _rated(m) for m in analysis.motors]),
        baseline_problems=models.baseline_problems,
        renamed=renaming.renamed,
        turned_deg=renaming.turned_deg,
        learnt_deg=renaming.learnt_deg,
        rescaled=np.isfinite(susceptance_ratio),
        susceptance_ratio=susceptance_ratio,
        **_columns(explained, len(over)),
    )


def _columns(explained: Mapping[int, Explanation], count: int) -> dict[str, Any]:
    """Return the fields of explanations as columns."""
    columns: dict[str, Any] = {}
    for name, blank in _BLANK.items():
        columns[name] = column = np.full(count, blank, blank.dtype)
        for i, e in explained.items():
            column[i] = getattr(e, name)
    return columns


def _rated(motor: Motor) -> bool:
    return bool(motor.rated_current_a or (motor.rated_power_w and motor.rated_voltage_v))


def _explanation(
    analysis: CurrentAnalysis, excess: AsymmetryExcess, i: int, model: Asymmetry, *, voltage: bool
) -> Explanation:
    """Return what may explain that some frames of a record are over the limit."""
    ratio = np.abs(excess.corrected[i])
    over = ratio > excess.limit[i]
    full = over & (ratio >= FULL_SHARE * ratio[over].max())
    quiet = ~over if np.count_nonzero(~over) >= SUSTAINED_FRAMES else np.zeros_like(over)
    change = causes.asymmetry_change(excess.sequences, excess.excess, i, full, quiet, model)
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
    if (clamp := causes.clamp_change(change)) is not None:
        phase = analysis.phase_name(i, clamp.phase)
        shown = (_alternative(CLAMP_CAUSE, phase),)
        return Explanation(
            one_clamp=True, gain_change_ratio=clamp.gain, phase=phase, shown=shown, **part
        )
    limit = float(excess.limit[i][full].mean())
    if (gain := causes.gain_of_two_clamps(change, limit)) is not None:
        shown = (_alternative(CLAMP_CAUSE),)
        return Explanation(two_clamps=True, gain_change_ratio=gain, shown=shown, **part)
    others = [
        (c.cause, "" if c.phase is None else analysis.phase_name(i, c.phase))
        for c in causes.other_causes(change, model, voltage=voltage)
    ]
    size = float(np.median(ratio[full]))
    return Explanation(
        phase=analysis.phase_name(i, causes.shorted_phase(change, analysis.motors[i])),
        joint=next((phase for _, phase in others if phase), ""),
        severe=any(run["state"] == "fault" for run in runs),
        excess_ratio=size,
        margin=size / limit,
        raw_ratio_over=float(np.median(excess.raw[i][over])),
        shown=(*runs, *(_alternative(cause, phase) for cause, phase in others)),
        **part,
    )


def _alternative(cause: str, phase: str = "") -> dict[str, Any]:
    return {"kind": "alternative", "cause": cause} | ({"phase": phase} if phase else {})


def _blank(value: Any) -> Any:
    return objects([value]) if isinstance(value, str | tuple) else np.array([value])


_BLANK = {f.name: _blank(f.default) for f in fields(Explanation)}
