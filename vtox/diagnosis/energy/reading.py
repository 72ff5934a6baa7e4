"""What one record says of energy and operation: figures with their codes, and what is counted."""

import operator
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from vtox.diagnosis.diagnosers.current.current_analysis import CurrentAnalysis
from vtox.diagnosis.diagnosers.current.operation import Operation
from vtox.diagnosis.diagnosers.decision import DecisionTable
from vtox.diagnosis.dsp.power import TerminalPower
from vtox.diagnosis.energy.rated_losses import RatedColumns, rated_columns
from vtox.diagnosis.energy.rules import ESTIMATED, MEASURED, conditions, estimate_columns
from vtox.diagnosis.energy.shaft_load import ShaftEstimate, power_of_currents, shaft_load
from vtox.values.arrays import Bool, Float64, Int
from vtox.values.domain import Reason
from vtox.values.energy import CLASS_EDGES, FIGURES, NOTHING, Counts, MeterCounts, MeterRow

# Widest interval of a power by currents alone, over rated input.
_WIDEST_BY_CURRENTS = 0.25
_NO_REASON: tuple[str, Mapping[str, Any]] = ("", MappingProxyType({}))
_EDGES = np.array(CLASS_EDGES)
_CLASSES = np.arange(len(CLASS_EDGES) + 1)[:, None]
# States in which the motor takes part in the work of its time.
_RUNNING = frozenset({"steady", "unsteady", "start", "ramp", "run_down"})


def readings(analysis: CurrentAnalysis) -> list[MeterRow]:
    """Return the reading of each record of a batch that was analysed with frames."""
    count, x = len(analysis.recordings), analysis.power
    c = conditions(analysis, x)
    decided = MEASURED.decide(c, count)
    measured = decided == len(MEASURED.rules) - 1
    power = _reasons(MEASURED, c, decided, measured)
    if x is None:
        return [
            MeterRow(b"", own, *why, *why) for own, why in zip(_times(analysis), power, strict=True)
        ]
    rated = rated_columns(analysis.motors)
    load, estimated, low, of_load = None, measured, measured, power
    with np.errstate(all="ignore"):
        if measured.any():
            load = shaft_load(x, analysis.f0_hz, _measured_slip(analysis), rated)
            e = estimate_columns(analysis, rated, load)
            decided = np.where(measured, ESTIMATED.decide(e, count), -1)
            estimated, low = decided == len(ESTIMATED.rules) - 1, decided == _LOW
            of_load = _reasons(ESTIMATED, e, decided, estimated)
        figures = _figures(analysis, x, load, rated, measured, estimated)
        counts = _counted(analysis, figures, load, measured, estimated, low)
    size = len(figures) * figures.itemsize
    kept = figures.T.astype("<f8", copy=False).tobytes()
    at = range(0, len(kept), size)
    if estimated.all():
        return [MeterRow(kept[k : k + size], own) for k, own in zip(at, counts, strict=True)]
    return [
        MeterRow(kept[k : k + size], own, *p, *(q if m else p))
        for k, own, p, q, m in zip(at, counts, power, of_load, measured.tolist(), strict=True)
    ]


def _reasons(
    table: DecisionTable[Any], x: object, decided: Int, passed: Bool
) -> list[tuple[str, Mapping[str, Any]]]:
    """Return code and values of why each record did not pass, empty ones of those that did."""
    if passed.all():
        return [_NO_REASON] * len(decided)
    found = table.reasons(x, np.where(passed, -1, decided))
    return [(r[0].code, r[0].values) if r else _NO_REASON for r in found]


def _measured_slip(analysis: CurrentAnalysis) -> Float64 | None:
    """Return the slip by a speed sensor, NaN where it is no motor's; None where there is none."""
    if not any(r.speed_rpm for r in analysis.recordings):
        return None
    slip = np.full(len(analysis.recordings), np.nan)
    for i, (recording, motor) in enumerate(zip(analysis.recordings, analysis.motors, strict=True)):
        if recording.speed_rpm and motor.pole_pairs:
            slip[i] = 1 - recording.speed_rpm / 60 * motor.pole_pairs / analysis.f0_hz[i]
    return np.where((slip > 0) & (slip < 0.2), slip, np.nan)


def _figures(
    analysis: CurrentAnalysis,
    x: TerminalPower,
    load: ShaftEstimate | None,
    rated: RatedColumns,
    measured: Bool,
    estimated: Bool,
) -> Float64:
    """Return the values of `FIGURES`, shape (figures, batch); NaN: there is none."""
    count = len(measured)
    table = np.full((len(FIGURES), count), np.nan)
    table[0] = analysis.f0_hz
    table[1:_LOAD_AT] = x.table
    if load is not None:
        table[_LOAD_AT:-2] = load.table
    driven, voltages = rated.driven, bool(analysis.voltages)
    if voltages and estimated.all() and not driven.any():
        return table
    sound = np.fromiter(map(operator.not_, analysis.problems), bool, count)
    by_currents = np.zeros(count, bool)
    if not voltages:
        table[-2:] = _, half_w = power_of_currents(x.current_a, rated)
        by_currents = sound & ~driven & (2 * half_w < _WIDEST_BY_CURRENTS * rated.input_w)
    # By column: harmonics of a drive heat a motor in ways that no nameplate tells.
    allowed = np.array([sound, measured, estimated, estimated & ~driven, by_currents])
    table[~allowed[_ALLOWED_BY]] = np.nan
    return table


_LOAD_AT = FIGURES.index("load_ratio")
_OF_CURRENT = ("current", "positive_a", "negative_a", "supply_hz")
_OF_LOSSES = ("efficiency", "loss", "additional")


def _allowed_by(name: str) -> int:
    """Return which condition of `_figures` a figure needs."""
    if name.startswith("estimated_power"):
        return 4
    if name in FIGURES[_LOAD_AT:-2]:
        return 3 if name.startswith(_OF_LOSSES) else 2
    return 0 if name.startswith(_OF_CURRENT) else 1


# Figures that are counted, in the order of `MeterCounts`.
_COUNTED_NAMES = ("active_w", "reactive_var", "shaft_w", "loss_w", "unbalance_w", "harmonic_w")
_COUNTED = [FIGURES.index(name) for name in _COUNTED_NAMES]
_ALLOWED_BY = [_allowed_by(name) for name in FIGURES]
(_LOW,) = (k for k, r in enumerate(ESTIMATED.rules) if r.code == "load_too_low_to_estimate")


def _counted(
    analysis: CurrentAnalysis,
    figures: Float64,
    load: ShaftEstimate | None,
    measured: Bool,
    estimated: Bool,
    low: Bool,
) -> list[Counts]:
    """Return what each record adds to the meter; `low` is load in the first class."""
    if load is None:
        return list(_times(analysis))
    ms = round(1000 * analysis.duration_s)
    table = np.zeros((len(MeterCounts._fields), len(measured)))
    # What is measured is the power of a motor that runs: else a reason would stand against it.
    table[:3] = ms
    table[3] = ms * estimated
    joules = figures[_COUNTED]
    joules *= analysis.duration_s
    np.fmax(joules[-1], 0.0, out=joules[-1])
    classes = _EDGES.searchsorted(load.load_ratio, side="right")
    if not estimated.all():
        classes[~(estimated | low)] = -1
    np.copyto(table[4:10], joules, where=joules == joules)
    table[10:16] = ms * (classes == _CLASSES)
    counts: list[Counts] = [*np.rint(table.T).astype(np.int64, order="C")]
    if measured.all():
        return counts
    times = _times(analysis)
    return [c if m else t for c, m, t in zip(counts, measured.tolist(), times, strict=True)]


def _times(analysis: CurrentAnalysis) -> list[MeterCounts]:
    """Return what each record adds to the meter where its power is not measured."""
    ms = round(1000 * analysis.duration_s)
    pairs = zip(analysis.operations, analysis.problems, strict=True)
    return [_time(ms, op, problems) for op, problems in pairs]


def _time(ms: int, op: Operation | None, problems: tuple[Reason, ...]) -> MeterCounts:
    """Return the time of a record as observed, and as running where the motor did.

    A machine at rest takes no power: that is a measurement too.
    """
    if op is None or (problems and op.state == "steady"):
        return NOTHING
    if op.state == "standstill":
        return MeterCounts(observed_ms=ms, powered_ms=ms)
    starts = int(op.state == "start" and op.on_s is not None)
    return MeterCounts(observed_ms=ms, running_ms=ms if op.state in _RUNNING else 0, starts=starts)
