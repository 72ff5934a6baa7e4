"""Tests whether currents, voltages and leakage can be those of the machine on the nameplate.

A wrong ratio, unit or channel makes numbers that look like a fault. Every channel is compared with
the nameplate and with the others before any diagnosis. No machine and no supply exceeds the limits
(docs/calibration/front_end.md#plausibility).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np

from vtox.motor.values.arrays import SILENCE, Complex, Float64
from vtox.motor.values.domain import Motor, Reason, reason

# Current over rated current. No machine runs beyond the first but while it starts, none that turns
# at its supply draws less than the second.
MAX_CURRENT_RATIO = 1.5
MIN_CURRENT_RATIO = 0.1
# A motor is off if the current of so many seconds is below this share of its usual value.
OFF_BLOCK_S = 0.1
OFF_RATIO = 0.05
# Whether the current moves is seen in blocks that are short enough for a start at the very
# beginning, and long enough for the ringing of the band filter, s.
RATIO_BLOCK_S = 0.05
# Phase voltage over the rated one; voltages between lines are sqrt(3) of it. A drive goes lower.
MAX_VOLTAGE_RATIO = 2.5
MIN_VOLTAGE_RATIO = 0.4
# The least ratio if voltages between lines are measured: phase voltages in their place are 0.58 of
# them, within the supply's 10 %.
MIN_LINE_VOLTAGE_RATIO = 0.65
# Largest channel over the second one. Currents that sum to zero stay below 2, voltages to earth
# during an earth fault at sqrt(3).
MAX_CHANNEL_RATIO = 3.0
# Largest V2/V1 that a motor runs at (NEMA MG 1, 14.36): beyond, one voltage is reversed, of another
# scale, or not connected.
MAX_SUPPLY_UNBALANCE = 0.05
# Three voltages have no phase order if V2 comes so near to V1, or V1 falls so far below them.
MAX_ORDERED_UNBALANCE = 0.75
# One of two voltages between lines that is reversed makes V2 half of V1.
MAX_LINE_UNBALANCE = 0.4
MIN_ORDERED_RATIO = 0.5
# Leakage over the positive-sequence current: more is a phase current.
MAX_LEAKAGE_RATIO = 0.3
# No winding carries more to earth for long while the voltages to earth stay balanced. It burns
# beyond the first, A (IEC 60364-4-42, protection against fire). Protection trips beyond the second,
# over the positive-sequence current. A neutral that is not earthed allows more current and moves
# by more than the last, over the mean of the voltages.
FIRE_A = 0.3
MAX_EARTH_FAULT_RATIO = 0.05
BALANCED_RATIO = 0.1
# Capacitance to earth of a whole winding with its cable, F.
WINDING_CAPACITANCE_F = (5e-11, 3e-6)


@dataclass(frozen=True, slots=True)
class Levels:
    """Levels of the supply line of one recording, rms: channels, positive and negative sequence."""

    channels: Sequence[float]
    positive: float
    negative: float = 0.0


def level_ratio(envelope: Complex, rate_hz: float) -> Float64:
    """Return the largest rms level in blocks of `RATIO_BLOCK_S` over the smallest, shape (batch,).

    `envelope` is that of their positive sequence, shape (batch, points), single precision.
    """
    size = max(1, round(RATIO_BLOCK_S * rate_hz))
    count = envelope.shape[-1] // size
    if count < 2:
        return np.ones(len(envelope))
    whole = np.ascontiguousarray(envelope[:, : count * size])
    parts = whole.view(whole.real.dtype).reshape(len(envelope), count, 2 * size)
    power = np.einsum("bkn,bkn->bk", parts, parts)
    return np.asarray(np.sqrt(power.max(axis=-1) / (power.min(axis=-1) + SILENCE**2)), np.float64)


def off_s(envelope: Complex, rate_hz: float) -> Float64:
    """Return for how long the currents of each recording are off, s, shape (batch,).

    `envelope` is that of their positive sequence, shape (batch, points).
    """
    size = max(1, round(OFF_BLOCK_S * rate_hz))
    count = envelope.shape[-1] // size
    if count < 2:
        return np.zeros(len(envelope))
    level = np.abs(envelope[:, : count * size]).reshape(len(envelope), count, size).max(axis=-1)
    # As `numpy.quantile`, in a third of its time.
    rank = 0.9 * (count - 1)
    below, above = np.sort(level, axis=-1)[:, [int(rank), ceil(rank)]].T
    usual = (below + (rank - int(rank)) * (above - below))[:, None]
    return np.asarray((level < OFF_RATIO * usual).sum(axis=-1) * OFF_BLOCK_S, np.float64)


def switching_problem(off_s: float, duration_s: float) -> Reason | None:
    """Return the reason if the motor was switched on or off within the recording."""
    return reason("switched_within_record", off_s=off_s, duration_s=duration_s) if off_s else None


def current_problem(levels: Levels, motor: Motor) -> Reason | None:
    """Return why the currents cannot be those of the machine, None if they can.

    A short adds at most as much to I1 as to I2; this does not count against the upper limit.
    """
    rated_a = motor.rated_current_a
    if rated_a and levels.positive - levels.negative > MAX_CURRENT_RATIO * rated_a:
        return reason("current_far_above_rated", load_a=levels.positive, rated_a=rated_a)
    if rated_a and max(levels.channels) < MIN_CURRENT_RATIO * rated_a:
        return reason("current_far_below_rated", load_a=levels.positive, rated_a=rated_a)
    return None


def voltage_problem(
    names: Sequence[str], levels: Levels, motor: Motor, *, lines: bool = False
) -> Reason | None:
    """Return why the voltages cannot be those of the machine, None if they can.

    `lines` says that they were measured between lines.
    """
    if problem := channel_scale_problem(names, levels.channels):
        return problem
    rated_v = (motor.rated_voltage_v or 0.0) / sqrt(3)
    least_ratio = MIN_LINE_VOLTAGE_RATIO if lines else MIN_VOLTAGE_RATIO
    least = least_ratio * rated_v if motor.supply == "grid" else 0.0
    unbalance = MAX_LINE_UNBALANCE if lines else MAX_ORDERED_UNBALANCE
    if max(levels.channels) >= least and not _have_phase_order(levels, unbalance):
        return reason(
            "voltages_of_no_supply",
            unbalance_ratio=min(levels.negative / max(levels.positive, SILENCE), 1.0),
        )
    if motor.rated_voltage_v and not least <= levels.positive <= MAX_VOLTAGE_RATIO * rated_v:
        values = {"voltage_v": levels.positive, "rated_voltage_v": motor.rated_voltage_v}
        return reason("voltage_off_nameplate", **values)
    return None


def _have_phase_order(levels: Levels, unbalance: float) -> bool:
    """Return whether three voltages follow each other as those of one supply."""
    return (
        levels.negative <= unbalance * levels.positive
        and levels.positive >= MIN_ORDERED_RATIO * max(levels.channels)
    )


def line_missing_problem(
    names: Sequence[str], spectrum: Complex, line: int, line_hz: float
) -> Reason | None:
    """Return the reason if one of three channels, as large as the largest, lacks its supply line.

    `spectrum`, shape (channels, bins), has the line at bin `line`.
    """
    at_line, total = np.abs(spectrum[:, line]), np.linalg.norm(spectrum, axis=-1)
    lacking = (MAX_CHANNEL_RATIO * at_line < at_line.max()) & (
        MAX_CHANNEL_RATIO * total >= total.max()
    )
    if not lacking.any():
        return None
    k = int(np.argmax(lacking))
    share = float((at_line[k] / total[k]) ** 2)
    return reason("supply_not_found", line_hz=line_hz, power_share=share, channel=names[k])


def channel_scale_problem(names: Sequence[str], rms: Sequence[float]) -> Reason | None:
    """Return the reason if one channel is too large against the others: its scale is wrong."""
    if len(rms) < 3:
        return None
    *_, second, largest = sorted(rms)
    if largest <= MAX_CHANNEL_RATIO * second:
        return None
    channel = names[rms.index(largest)]
    return reason("channel_scale_differs", channel=channel, ratio=largest / second)


def voltages_to_earth_problem(phasors: Complex) -> Reason | None:
    """Return why three voltages to earth, phasors of shape (3,), cannot be those of one supply."""
    turn = np.exp(2j * np.pi / 3)
    one, two = (abs(phasors @ np.array([1, t, t * t])) for t in (turn, turn.conjugate()))
    largest, least = max(one, two), min(one, two)
    if least <= MAX_SUPPLY_UNBALANCE * largest:
        return None
    return reason("voltages_of_no_supply", unbalance_ratio=least / max(largest, SILENCE))


def leakage_problem(leakage_a: float, load_a: float) -> Reason | None:
    """Return the reason if a leakage current, A rms, is as large as a phase current."""
    if not leakage_a > MAX_LEAKAGE_RATIO * load_a:
        return None
    return reason("leakage_as_large_as_phase_current", leakage_a=leakage_a, load_a=load_a)


def earth_fault_problem(leakage_a: float, load_a: float, voltages: Complex) -> Reason | None:
    """Return the reason if a leakage current, A rms, is larger than that of an earth fault.

    `voltages` are the phasors of the three voltages to earth, shape (3,).
    """
    moved = abs(voltages.sum()) > BALANCED_RATIO * np.abs(voltages).sum()
    if moved or leakage_a <= max(FIRE_A, MAX_EARTH_FAULT_RATIO * load_a):
        return None
    return reason("leakage_larger_than_earth_fault", leakage_a=leakage_a, load_a=load_a)


def capacitance_problem(capacitance_f: float, spread_f: float) -> Reason | None:
    """Return the reason if no winding has this capacitance to earth, certain to `spread_f`.

    Below the least one the transformer is dead or wrong by 1000.
    """
    least, most = WINDING_CAPACITANCE_F
    if capacitance_f >= least and capacitance_f - spread_f <= most:
        return None
    return reason("leakage_implausible", capacitance_nanofarad=capacitance_f * 1e9)
