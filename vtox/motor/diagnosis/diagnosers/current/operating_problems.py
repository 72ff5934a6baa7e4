"""The operation of the machines of a batch, and the operating states that prevent a diagnosis."""

from collections.abc import Sequence

import numpy as np

from vtox.motor.diagnosis.diagnosers.current.operation import (
    Operation,
    Track,
    operation,
    track,
)
from vtox.motor.diagnosis.diagnosers.current.signal_problems import Problems
from vtox.motor.diagnosis.diagnosers.current.start_figures import start_figures
from vtox.motor.diagnosis.diagnosers.current.terminal_voltages import voltage_samples
from vtox.motor.values.arrays import Complex, Float64
from vtox.motor.values.domain import CURRENTS, Array, Motor, Reason, Recording, reason

# Samples that are no measurement say nothing of the machine.
UNUSABLE = frozenset(
    {
        "too_few_samples",
        "impossible_rate",
        "samples_missing",
        "impossible_values",
        "samples_constant",
        "rate_too_low",
        "record_too_short",
        "converter_bit_stuck",
        "signal_repeats",
    }
)
# All channels of a converter have these together.
OF_ALL_CHANNELS = frozenset({"samples_copied", "samples_lost_regularly"})


def whole_record_problems(
    recordings: Sequence[Recording], operations: Sequence[Operation | None], problems: Problems
) -> list[tuple[Reason, ...]]:
    """Return why records are of no use even for diagnoses without currents; empty if usable.

    Their samples are copied or lost, or the machine does not run. A machine whose measured speed is
    not zero is not at rest: its clamps are off.
    """
    return [
        own
        if any(r.code in OF_ALL_CHANNELS for r in own)
        or (
            op is not None
            and op.state in ("standstill", "start", "run_down")
            and not (op.state == "standstill" and recording.speed_rpm)
        )
        else ()
        for recording, op, own in zip(recordings, operations, problems, strict=True)
    ]


def operating_problems(
    recordings: Sequence[Recording],
    motors: Sequence[Motor],
    problems: Problems,
    rows: Sequence[int],
    *,
    line_share: Float64,
    envelope: Complex,
    envelope_v: Complex,
    rate_hz: float,
    centre_hz: Float64,
) -> tuple[tuple[Operation | None, ...], Problems]:
    """Return the operation of each machine, and the problems with it in the place of its symptoms.

    Parameters
    ----------
    recordings, motors, problems : sequence, length batch
    rows : sequence of int
        Those to look at, `suspects`; the others are steady.
    line_share : ndarray, shape (batch,)
        Share of the supply line in all power.
    envelope, envelope_v : ndarray of complex, shape (batch, points)
        Envelopes of positive-sequence current and voltage about `centre_hz`; either may have no
        points.
    rate_hz : float
    centre_hz : ndarray, shape (batch,)
    """
    operations: list[Operation | None] = [Operation()] * len(recordings)
    stated = list(problems)
    for b in rows:
        if any(r.code in UNUSABLE | OF_ALL_CHANNELS for r in problems[b]) or not envelope.shape[-1]:
            operations[b] = None
            continue
        i, v = _currents(recordings[b]), voltage_samples(recordings[b])
        fs_hz = recordings[b].fs_hz
        t = track(i, fs_hz, envelope[b], rate_hz, float(centre_hz[b]), envelope_v[b])
        op = operations[b] = operation(t, float(line_share[b]), motors[b])
        if reasons := _reasons(i, v, fs_hz, t, op, motors[b]):
            stated[b] = reasons
        elif op.on_s is not None and not problems[b]:
            stated[b] = (
                reason(
                    "switched_within_record", off_s=op.on_s, duration_s=recordings[b].duration_s
                ),
            )
    return tuple(operations), tuple(stated)


def _currents(recording: Recording) -> Array:
    """Return the currents there are, shape (channels, samples)."""
    there = [recording.channels[n] for n in CURRENTS if n in recording.channels]
    return np.array(there, np.float64).reshape(len(there), recording.samples)


def _reasons(
    i: Array, v: Array, fs_hz: float, t: Track, op: Operation, motor: Motor
) -> tuple[Reason, ...]:
    """Return the reasons by which a diagnosis abstains for the operation of the machine, if any."""
    if op.state == "start":
        figures = start_figures(i, v, fs_hz, t, op, motor)
        return (figures.reason, *(r for r in figures.unknown if r.code == "inrush_clipped"))
    if op.state == "standstill":
        largest = float(t.level_a.max())
        rated = motor.rated_current_a or 0.0
        return (reason("motor_stands_still", current_a=largest, rated_a=rated),)
    if op.state == "run_down":
        end_s = op.off_s if op.off_s is not None else len(t.level_a) * t.block_s
        return (reason("motor_runs_down", end_s=end_s),)
    return ()
