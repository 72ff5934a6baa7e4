"""What one record says of energy and operation: figures with their codes, and what is counted."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from vtox.diagnosis.diagnosers.current.front_end import CurrentAnalysis
from vtox.diagnosis.diagnosers.current.operation import Operation
from vtox.diagnosis.diagnosers.decision import DecisionTable
from vtox.diagnosis.dsp.power import TOLD, TerminalPower
from vtox.diagnosis.energy.rated_losses import RatedColumns, rated_columns
from vtox.diagnosis.energy.rules import ESTIMATED, MEASURED, conditions, estimate_columns
from vtox.diagnosis.energy.shaft_load import ShaftEstimate, power_of_currents, shaft_load
from vtox.values.arrays import Bool, Float64, Int
from vtox.values.domain import Reason
from vtox.values.energy import CLASS_EDGES, NOTHING, MeterCounts, MeterReading

# Figures have so many digits: more than any instrument gives.
_DIGITS = 6
_POWERS_OF_TEN = 10.0 ** np.arange(300)
# Widest interval of a power by currents alone, over rated input.
_WIDEST_BY_CURRENTS = 0.25
_NO_REASON = Reason("")
_EDGES = np.array(CLASS_EDGES)
# States in which the motor takes part in the work of its time.
_RUNNING = frozenset({"steady", "unsteady", "start", "ramp", "run_down"})


def readings(analysis: CurrentAnalysis) -> list[MeterReading]:
    """Return the reading of each record of a batch that was analysed with frames."""
    count = len(analysis.recordings)
    c = conditions(analysis)
    decided = MEASURED.decide(c, count)
    measured = decided == len(MEASURED.rules) - 1
    power_reasons = _reasons(MEASURED, c, decided, measured)
    x = analysis.power
    if x is None:
        return _without_power(analysis, power_reasons)
    rated = rated_columns(analysis.motors)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        load = shaft_load(x, analysis.f0_hz, _measured_slip(analysis), rated)
        e = estimate_columns(analysis, rated, load)
        decided = np.where(measured, ESTIMATED.decide(e, count), -1)
        estimated = decided == len(ESTIMATED.rules) - 1
        load_reasons = _reasons(ESTIMATED, e, decided, estimated)
        rows = _rows(_figures(analysis, x, load, rated, measured, estimated))
        low = np.asarray(ESTIMATED.codes[decided] == "load_too_low_to_estimate") & (decided >= 0)
        counted = _counted(analysis, x, load, measured, estimated, low)
    return [
        _reading(figures, counts, power, of_load or power)
        for power, of_load, figures, counts in zip(
            power_reasons, load_reasons, rows, counted, strict=True
        )
    ]


def _reasons(
    table: DecisionTable[Any], x: object, decided: Int, passed: Bool
) -> list[Reason | None]:
    """Return the first reason of each record that did not pass, None of the others."""
    return [r[0] if r else None for r in table.reasons(x, np.where(passed, -1, decided))]


def _without_power(
    analysis: CurrentAnalysis, reasons: Sequence[Reason | None]
) -> list[MeterReading]:
    nothing = np.zeros(len(reasons), bool)
    counted = _counted(analysis, None, None, nothing, nothing, nothing)
    return [_reading({}, c, r, r) for r, c in zip(reasons, counted, strict=True)]


def _reading(
    figures: dict[str, float], counts: MeterCounts, power: Reason | None, load: Reason | None
) -> MeterReading:
    p, q = power or _NO_REASON, load or _NO_REASON
    return MeterReading(figures, counts, p.code, p.values, q.code, q.values)


def _measured_slip(analysis: CurrentAnalysis) -> Float64:
    """Return the slip by a speed sensor, NaN where there is none or it is no motor's."""
    slip = np.full(len(analysis.recordings), np.nan)
    if not any(r.speed_rpm for r in analysis.recordings):
        return slip
    for i, (recording, motor) in enumerate(zip(analysis.recordings, analysis.motors, strict=True)):
        if recording.speed_rpm and motor.pole_pairs:
            slip[i] = 1 - recording.speed_rpm / 60 * motor.pole_pairs / analysis.f0_hz[i]
    return np.where((slip > 0) & (slip < 0.2), slip, np.nan)


def _figures(
    analysis: CurrentAnalysis,
    x: TerminalPower,
    load: ShaftEstimate,
    rated: RatedColumns,
    measured: Bool,
    estimated: Bool,
) -> Float64:
    """Return the values of `_FIGURES`, (figures, batch); NaN: there is none."""
    sound = np.array([not p for p in analysis.problems])
    inverter = np.array([m.supply == "inverter" for m in analysis.motors])
    by_current_w, half_w = power_of_currents(x.current_a, rated)
    told = sound & ~measured & ~inverter & (2 * half_w < _WIDEST_BY_CURRENTS * rated.input_w)
    told &= not analysis.voltages
    # By column: harmonics of a drive heat a motor in ways that no nameplate states.
    allowed = np.stack([sound, measured, estimated, estimated & ~inverter, told])
    values = np.array(
        [
            analysis.f0_hz,
            *(getattr(x, name) for name in _SINGLE),
            *x.voltage_harmonics.T,
            *x.current_harmonics.T,
            *(getattr(load, name) for name in _OF_LOAD),
            by_current_w,
            half_w,
        ]
    )
    return np.where(allowed[_ALLOWED_BY], values, np.nan)


_SINGLE = tuple(f.name for f in fields(TerminalPower) if not f.name.endswith("_harmonics"))
_OF_LOAD = tuple(f.name for f in fields(ShaftEstimate))
_OF_CURRENT = ("current", "positive_a", "negative_a", "supply_hz")
_OF_LOSSES = ("efficiency", "loss", "additional")
_FIGURES = (
    "supply_hz",
    *_SINGLE,
    *(f"voltage_harmonic_{order}" for order in TOLD),
    *(f"current_harmonic_{order}" for order in TOLD),
    *_OF_LOAD,
    "estimated_power_w",
    "estimated_power_half_w",
)


def _allowed_by(name: str) -> int:
    """Return which condition of `_figures` a figure needs."""
    if name.startswith("estimated_power"):
        return 4
    if name in _OF_LOAD:
        return 3 if name.startswith(_OF_LOSSES) else 2
    return 0 if name.startswith(_OF_CURRENT) else 1


_ALLOWED_BY = [_allowed_by(name) for name in _FIGURES]


def _rows(values: Float64) -> list[dict[str, float]]:
    """Return the figures of each record with so many digits, without those there are not.

    Whole numbers keep all of theirs. Records that lack the same figures are made together.
    """
    known = values == values
    size = np.maximum(np.abs(values), 1 / _POWERS_OF_TEN[-1])
    places = (_DIGITS - 1 - np.floor(np.log10(size))).astype(np.int64)
    scale = _POWERS_OF_TEN.take(places, mode="clip")
    rounded = (np.rint(values * scale) / scale).T
    found: list[dict[str, float]] = [{}] * values.shape[1]
    members: dict[bytes, list[int]] = {}
    for i, pattern in enumerate(np.packbits(known, axis=0).T):
        members.setdefault(pattern.tobytes(), []).append(i)
    for rows in members.values():
        there = known[:, rows[0]].nonzero()[0]
        names = [_FIGURES[k] for k in there.tolist()]
        for i, row in zip(rows, rounded[np.ix_(rows, there)].tolist(), strict=True):
            found[i] = dict(zip(names, row, strict=True))
    return found


def _counted(
    analysis: CurrentAnalysis,
    x: TerminalPower | None,
    load: ShaftEstimate | None,
    measured: Bool,
    estimated: Bool,
    low: Bool,
) -> list[MeterCounts]:
    """Return what each record adds to the meter; `low` is load in the first class."""
    ms = round(1000 * analysis.duration_s)
    rows = zip(measured.tolist(), analysis.operations, analysis.problems, strict=True)
    found = [NOTHING if own else _time(ms, op, problems) for own, op, problems in rows]
    if x is None or load is None:
        return found
    inverter = np.array([m.supply == "inverter" for m in analysis.motors])
    of_load = [load.shaft_w, np.where(inverter, 0.0, load.loss_w), load.unbalance_w]
    table = np.zeros((len(MeterCounts._fields), len(found)), np.int64)
    # What is measured is the power of a motor that runs: else a reason would refuse it.
    table[:3] = ms
    table[3] = ms * estimated
    s = analysis.duration_s
    table[4:6] = np.rint(s * np.array([x.active_w, x.reactive_var]))
    table[6:9] = np.rint(s * np.where(estimated, of_load, 0.0))
    table[9] = np.rint(s * np.maximum(x.harmonic_w, 0.0))
    classes = np.where(estimated, _EDGES.searchsorted(load.load_ratio, side="right"), -1)
    classes[low] = 0
    table[10:16] = ms * (classes == np.arange(len(CLASS_EDGES) + 1)[:, None])
    counts = table.T.tolist()
    for i in measured.nonzero()[0].tolist():
        found[i] = MeterCounts(*counts[i])
    return found


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
