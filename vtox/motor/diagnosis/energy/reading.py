"""Energy and operation in one record: figures with their codes, and meter counts."""

import operator
from collections.abc import Mapping
from contextlib import nullcontext
from types import MappingProxyType
from typing import Any

import numpy as np

from vtox.motor.diagnosis.diagnosers.current.current_analysis import CurrentAnalysis
from vtox.motor.diagnosis.diagnosers.current.operation import Operation
from vtox.motor.diagnosis.diagnosers.decision import DecisionTable
from vtox.motor.diagnosis.dsp.power import NEED_VOLTAGES
from vtox.motor.diagnosis.energy.rated_losses import RatedColumns, rated_columns
from vtox.motor.diagnosis.energy.rules import ESTIMATED, MEASURED, conditions, estimate_columns
from vtox.motor.diagnosis.energy.shaft_load import ShaftEstimate, power_of_currents, shaft_load
from vtox.motor.values.arrays import Bool, Float64, Int
from vtox.motor.values.domain import Reason
from vtox.motor.values.energy import (
    CLASS_EDGES,
    COUNTS_FORM,
    ESTIMATES,
    KEPT,
    NOTHING,
    MeterCounts,
    MeterRow,
)
from vtox.motor.values.terminal_power import POWERS, SUMS, TerminalPower

# Widest interval of a power by currents alone, over rated input.
_WIDEST_BY_CURRENTS = 0.25
_NO_REASON: tuple[str, Mapping[str, Any]] = ("", MappingProxyType({}))
_EDGES = np.array(CLASS_EDGES)
# Rows by class; the last is for none.
_IN_CLASS = np.eye(len(CLASS_EDGES) + 2, len(CLASS_EDGES) + 1)
_PLAIN = nullcontext()
_SPEED_OF = operator.attrgetter("speed_rpm")
# States in which the motor takes part in the work of its time.
_RUNNING = frozenset({"steady", "unsteady", "start", "ramp", "run_down"})


def readings(analysis: CurrentAnalysis) -> list[MeterRow]:
    """Return the reading of each record of a batch that was analysed with frames."""
    count = len(analysis.recordings)
    sums = analysis.power_sums if analysis.power_sums.size else None
    against = conditions(analysis, sums)
    # If no record has an objection, which is usual, all numbers are finite.
    with _PLAIN if against is None else np.errstate(all="ignore"):
        _, measured, power = _decided(MEASURED, against, count)
        if sums is None:
            pairs = zip(_times(analysis), power, strict=True)
            return [MeterRow(b"", own, *why, *why) for own, why in pairs]
        rated = rated_columns(analysis.motors)
        load, decided, estimated, of_load = None, None, measured, power
        if against is None or measured.any():
            load = shaft_load(sums, analysis.f0_hz, _measured_slip(analysis), rated)
            e = estimate_columns(analysis, rated, load)
            decided, estimated, of_load = _decided(ESTIMATED, e, count, measured)
        # Usually each record is measured and estimated, with all of its figures.
        usual = against is None and decided is None
        table = _numbers_to_keep(analysis, sums, load, rated, measured, estimated, usual=usual)
        counts = _counted(analysis, table, measured, estimated, decided)
    kept, size = table.tobytes(), table[0].nbytes
    at = range(0, len(kept), size)
    if usual:
        return [MeterRow(kept[k : k + size], own) for k, own in zip(at, counts, strict=True)]
    return [
        MeterRow(kept[k : k + size], own, *p, *(q if m else p))
        for k, own, p, q, m in zip(at, counts, power, of_load, measured.tolist(), strict=True)
    ]


def _decided(
    table: DecisionTable[Any], x: object, count: int, among: Bool | None = None
) -> tuple[Int | None, Bool, list[tuple[str, Mapping[str, Any]]]]:
    """Return the deciding rule of each record, which pass, and why others do not: code and values.

    If `x` is None, all pass and no rule decides. Only those `among` are decided.
    """
    if x is None:
        return None, np.ones(count, bool), [_NO_REASON] * count
    decided = table.decide(x, count)
    if among is not None:
        decided[~among] = -1
    passed = decided == len(table.rules) - 1
    found = table.reasons(x, np.where(passed, -1, decided))
    return decided, passed, [(r[0].code, r[0].values) if r else _NO_REASON for r in found]


def _measured_slip(analysis: CurrentAnalysis) -> Float64 | None:
    """Return the slip by a speed sensor, NaN if it is no motor's; None if there is none."""
    if not any(map(_SPEED_OF, analysis.recordings)):
        return None
    slip = np.full(len(analysis.recordings), np.nan)
    for i, (recording, motor) in enumerate(zip(analysis.recordings, analysis.motors, strict=True)):
        if recording.speed_rpm and motor.pole_pairs:
            slip[i] = 1 - recording.speed_rpm / 60 * motor.pole_pairs / analysis.f0_hz[i]
    return np.where((slip > 0) & (slip < 0.2), slip, np.nan)


def _numbers_to_keep(
    analysis: CurrentAnalysis,
    sums: Float64,
    load: ShaftEstimate | None,
    rated: RatedColumns,
    measured: Bool,
    estimated: Bool,
    *,
    usual: bool,
) -> Float64:
    """Return the kept figures (of `FIGURES`), shape (batch, `KEPT`); NaN: there is none."""
    count = len(measured)
    table = np.full((count, KEPT), np.nan, "<f8")
    table[:, 0] = analysis.f0_hz
    table[:, 1:_LOAD_AT] = sums
    if load is not None:
        table[:, _LOAD_AT:-2] = load.table.T
    if usual:
        return table
    sound = np.fromiter(map(operator.not_, analysis.problems), bool, count)
    by_currents = np.zeros(count, bool)
    if not analysis.voltages:
        current_a = TerminalPower.from_sums(sums).current_a
        watts, half_w = power_of_currents(current_a, rated)
        table[:, -2], table[:, -1] = watts, half_w
        by_currents = sound & ~rated.driven & (2 * half_w < _WIDEST_BY_CURRENTS * rated.input_w)
    # Conditions by column. Harmonics of a drive heat a motor in ways that no nameplate shows.
    allowed = np.array([sound, measured, estimated, estimated & ~rated.driven, by_currents])
    table[~allowed[_COLUMN_CONDITIONS].T] = np.nan
    return table


_LOAD_AT = 1 + SUMS
_OF_LOSSES = ("efficiency", "loss", "additional")
# Condition of `_numbers_to_keep` that a column needs.
_COLUMN_CONDITIONS = [
    0,
    *(1 if column in NEED_VOLTAGES else 0 for column in range(SUMS)),
    *(3 if name.startswith(_OF_LOSSES) else 2 for name in ESTIMATES),
    4,
    4,
]
(_LOW,) = (k for k, r in enumerate(ESTIMATED.rules) if r.code == "load_too_low_to_estimate")


def _counts_of_kept() -> Float64:
    """Return the weights that turn kept figures into counted powers, shape (figures, 6)."""
    table = np.zeros((KEPT - 2, 6))
    one_w, one_var, two_w, harmonic_w = range(1 + POWERS.start, 1 + POWERS.stop)
    table[[one_w, two_w, harmonic_w], 0] = table[one_var, 1] = table[harmonic_w, 5] = 1
    for at, name in enumerate(("shaft_w", "loss_w", "unbalance_w"), 2):
        table[_LOAD_AT + ESTIMATES.index(name), at] = 1
    return table


_COUNTED = _counts_of_kept()
# Units of `MeterCounts` in a second or a W: ms, and J.
_UNITS = np.array([1000.0 if n.endswith("_ms") else 1.0 for n in MeterCounts._fields])


def _counted(
    analysis: CurrentAnalysis, kept: Float64, measured: Bool, estimated: Bool, decided: Int | None
) -> list[bytes]:
    """Return the counts of each record for the meter, packed; `decided`: why not `estimated`."""
    known, classes = kept[:, : len(_COUNTED)], _EDGES.searchsorted(kept[:, _LOAD_AT], side="right")
    if decided is not None:
        known = np.where(known == known, known, 0.0)
        classes[~estimated] = -1
        classes[decided == _LOW] = 0
    table = np.zeros((len(kept), len(MeterCounts._fields)))
    # A measured power is that of a running motor: else a reason would exclude it.
    table[:, :3] = 1
    table[:, 3] = estimated
    np.matmul(known, _COUNTED, out=table[:, 4:10])
    np.maximum(table[:, 9], 0.0, out=table[:, 9])
    table[:, 10:16] = _IN_CLASS.take(classes, axis=0)
    table *= analysis.duration_s * _UNITS
    whole, size = np.rint(table, out=table).astype("<i8").tobytes(), table[0].nbytes
    counts = [COUNTS_FORM + whole[k : k + size] for k in range(0, len(whole), size)]
    if measured.all():
        return counts
    times = _times(analysis)
    return [c if m else t for c, m, t in zip(counts, measured.tolist(), times, strict=True)]


def _times(analysis: CurrentAnalysis) -> list[bytes]:
    """Return the counts of each record for the meter if its power is not measured."""
    ms = round(1000 * analysis.duration_s)
    pairs = zip(analysis.operations, analysis.problems, strict=True)
    return [MeterCounts.pack(_time(ms, op, problems)) for op, problems in pairs]


def _time(ms: int, op: Operation | None, problems: tuple[Reason, ...]) -> MeterCounts:
    """Return the time of a record as observed, and as running if the motor did.

    A machine at rest takes no power: that is a measurement too.
    """
    if op is None or (problems and op.state == "steady"):
        return NOTHING
    if op.state == "standstill":
        return MeterCounts(observed_ms=ms, powered_ms=ms)
    starts = int(op.state == "start" and op.on_s is not None)
    return MeterCounts(observed_ms=ms, running_ms=ms if op.state in _RUNNING else 0, starts=starts)
