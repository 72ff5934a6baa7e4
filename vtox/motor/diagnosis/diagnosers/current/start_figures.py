"""Figures of a start from the currents and voltages of a motor: duration, inrush, supply dip.

A figure that a record does not show is None, with the reason.
Limits: docs/calibration/operation.md.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from vtox.motor.diagnosis.diagnosers.current.operation import (
    END_S,
    INRUSH_RATIO,
    Operation,
    Track,
)
from vtox.motor.diagnosis.diagnosers.current.plausibility import MAX_CURRENT_RATIO
from vtox.motor.values.arrays import Float64
from vtox.motor.values.domain import Array, Motor, Reason, reason

# A start ends when the current stays this near to its final value (a settling time, IEC 60050-351),
# as a share of the rated current or, if larger, the final one. The frequency of a drive must
# stay within the second share of its final value. A final value lasts for so much of the start.
SETTLED_SHARE, SETTLED_HZ_SHARE = 0.1, 0.02
FINAL_SHARE = 0.15
# The offset of the inrush has decayed after so long, s; then follows the starting current.
OFFSET_S = 0.1
# The first sample of a start exceeds this share of the largest one.
ON_SHARE = 0.02
# The inrush is clipped if so large a share of its first samples, s, is at one extreme.
CLIPPED_SHARE, CLIPPED_S = 0.05, 0.2
# The voltage before a start counts if it is at least this share of the rated one.
MIN_VOLTAGE_BEFORE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class StartFigures:
    """Figures of a start in one record; times are of the record, s, currents and voltages A and V.

    `duration_s` runs from switching on until the rms current of one cycle, mean of the phases,
    comes within `SETTLED_SHARE` of its final value and stays. `inrush_a` is the largest rms of one
    cycle of a phase, or of the recorded part of the first one. `peak_a` is the largest sample.

    `starting_a` is the largest rms of all phases after the offset of the inrush has decayed. `dip`
    is the fall of the voltages, over those before the start. `mean_a` is the rms of all phases over
    the start, `energy_j` the energy that the terminals took, by currents and voltages of three
    phases as they are connected. If the record shows only a part of the start, both are of that
    part. `unknown` says why a figure is None, or a lower bound.
    """

    on_s: float | None
    end_s: float | None
    duration_s: float | None
    inrush_a: float | None
    peak_a: float | None
    starting_a: float | None
    final_a: float | None
    rated_a: float | None
    dip: float | None
    mean_a: float | None = None
    energy_j: float | None = None
    unknown: tuple[Reason, ...] = ()

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """All known facts of the start, then the unknown ones."""
        known: tuple[Reason, ...] = (self.reason,)
        if self.starting_a is not None and self.on_s is not None:
            known += (reason("starting_current", starting_a=self.starting_a),)
        if self.dip is not None:
            known += (reason("supply_dips_at_start", dip_ratio=self.dip),)
        return known + self.unknown

    @property
    def reason(self) -> Reason:
        """The code of the start, with its known figures."""
        more = {"mean_a": self.mean_a, "dip_ratio": self.dip, "energy_j": self.energy_j}
        known = {name: value for name, value in more.items() if value is not None}
        if self.on_s is None:
            if self.end_s is None:
                known["starting_a"] = self.starting_a or 0.0
                return reason("motor_start_throughout", **known)
            known["final_a"] = self.final_a or 0.0
            return reason("motor_start_under_way", end_s=self.end_s, **known)
        inrush = {"inrush_a": self.inrush_a or 0.0, "peak_a": self.peak_a or 0.0} | known
        if self.duration_s is None:
            return reason("motor_start_unfinished", on_s=self.on_s, **inrush)
        base = self.rated_a or self.final_a or float("nan")
        return reason(
            "motor_starts",
            on_s=self.on_s,
            duration_s=self.duration_s,
            **inrush,
            inrush_ratio=inrush["inrush_a"] / base,
            base="rated_current" if self.rated_a else "final_current",
            final_a=self.final_a or 0.0,
        )


def start_figures(
    x: Array, v: Array, fs_hz: float, t: Track, op: Operation, motor: Motor
) -> StartFigures:
    """Return the figures of a start.

    Parameters
    ----------
    x, v : ndarray, shape (channels, samples)
        Currents in A and voltages in V; no channels of voltages if there are none.
    fs_hz : float
    t : Track
    op : Operation
        The operation in the same record.
    motor : Motor
    """
    size = max(2, round(fs_hz / _final_hz(t)))
    stop = x.shape[-1] if op.off_s is None else round(op.off_s * fs_hz)
    on = None if op.on_s is None else _first_sample(x, op.on_s, t.block_s, fs_hz)
    first = on or 0
    # If a start is within the last cycle of a record, the recorded part of that cycle counts.
    per_phase = _cycle_rms(x[:, :stop], max(1, min(size, stop - first)))
    level = np.sqrt(np.mean(per_phase**2, axis=0))
    from_on = level[first:]
    after = from_on[round(OFFSET_S * fs_hz) :]
    final_a, settled = _settled(from_on, fs_hz, motor.rated_current_a, finished=op.off_s is None)
    end = None if settled is None else max(first + settled + size, _last_hz(t, fs_hz))
    unknown: tuple[Reason, ...] = ()
    if on is None:
        unknown += (reason("start_before_record"),)
    if end is None:
        unknown += (reason("start_end_not_seen"),)
    if on is not None and _is_clipped(x[:, on : on + round(CLIPPED_S * fs_hz)]):
        unknown += (reason("inrush_clipped"),)
    dip, why = _dip(v, on, size, fs_hz, motor)
    unknown += (why,) if why else ()
    on_s = None if on is None else on / fs_hz
    end_s = None if end is None else end / fs_hz
    lasts = slice(first, stop if end is None else end)
    power_w = np.sum(x[:, lasts] * v[:, lasts], axis=0) if len(x) == len(v) == 3 else None
    return StartFigures(
        on_s=on_s,
        end_s=end_s,
        duration_s=None if on_s is None or end_s is None else end_s - on_s,
        inrush_a=None if on is None else float(per_phase[:, first:].max()),
        peak_a=None if on is None else float(np.abs(x[:, first:stop]).max()),
        starting_a=float(after.max()) if len(after) else None,
        final_a=final_a if end is not None else None,
        rated_a=motor.rated_current_a,
        dip=dip,
        mean_a=float(np.sqrt(np.mean(np.square(x[:, lasts])))),
        energy_j=None if power_w is None else float(power_w.sum()) / fs_hz,
        unknown=unknown,
    )


def _cycle_rms(x: Array, size: int) -> Float64:
    """Return the rms of each `size` consecutive samples, shape (channels, samples - size + 1).

    Examples
    --------
    >>> _cycle_rms(np.array([[3.0, 3.0, 4.0, 4.0]]), 2)[0].round(3)
    array([3.   , 3.536, 4.   ])
    """
    sums = np.zeros((x.shape[0], x.shape[-1] + 1))
    np.cumsum(np.square(x, dtype=np.float64), axis=-1, out=sums[:, 1:])
    return np.asarray(np.sqrt(np.maximum(sums[:, size:] - sums[:, :-size], 0.0) / size))


def _first_sample(x: Array, on_s: float, block_s: float, fs_hz: float) -> int:
    """Return the sample at which the currents come on, near the block in which they do."""
    first = max(0, round((on_s - block_s) * fs_hz))
    near = np.abs(x[:, first : first + round(4 * block_s * fs_hz)]).max(axis=0)
    return first + int(np.argmax(near > ON_SHARE * float(np.abs(x).max())))


def _settled(
    level: Float64, fs_hz: float, rated_a: float | None, *, finished: bool
) -> tuple[float, int | None]:
    """Return the final level, and from which sample on it is that; None if no end is seen."""
    last = round(END_S * fs_hz)
    if len(level) < 2 * last or not finished:
        return float("nan"), None
    final = float(np.median(level[-last:]))
    restless = float(np.abs(level[-last:] - final).max())
    near = max(SETTLED_SHARE * max(final, rated_a or 0.0), restless)
    outside = np.flatnonzero(np.abs(level - final) > near)
    settled = int(outside[-1]) + 1 if len(outside) else 0
    runs = rated_a is not None and final < MAX_CURRENT_RATIO * rated_a
    falls = float(level[:settled].max(initial=0.0)) > INRUSH_RATIO * final
    over = rated_a is not None and final > MAX_CURRENT_RATIO * rated_a
    lasts = len(level) - settled >= max(last, FINAL_SHARE * settled)
    return final, settled if lasts and (runs or falls) and not over else None


def _is_clipped(x: Array) -> bool:
    """Return whether a channel stays at its largest or smallest value for long."""
    at_extreme = (x == x.max(axis=-1, keepdims=True)) | (x == x.min(axis=-1, keepdims=True))
    return bool((at_extreme.mean(axis=-1) > CLIPPED_SHARE).any())


def _final_hz(t: Track) -> float:
    """Return the frequency at the end of the record, of the blocks with currents."""
    hz = t.hz[t.level_a > ON_SHARE * t.level_a.max()]
    return float(np.median(hz[-max(1, round(END_S / t.block_s)) :]))


def _last_hz(t: Track, fs_hz: float) -> int:
    """Return the sample from which the frequency of a drive is the last one, 0 for a grid."""
    on = np.flatnonzero(t.level_a > ON_SHARE * t.level_a.max())
    hz, final = t.hz[on], _final_hz(t)
    few = max(1, round(END_S / t.block_s))
    # At the very end the filter of the envelope rings.
    outside = np.flatnonzero(np.abs(hz[: -few // 2] - final) > SETTLED_HZ_SHARE * final)
    if np.median(hz[:few]) > 0.8 * final or not len(outside):
        return 0  # that of a drive begins lower
    return round(float(on[outside[-1]] + 1) * t.block_s * fs_hz)


def _dip(
    v: Array, on: int | None, size: int, fs_hz: float, motor: Motor
) -> tuple[float | None, Reason | None]:
    """Return the fall of the voltages when the motor is switched on, or why it is not known.

    Both are None for a start within the last cycle: `start_end_not_seen` is its reason already.
    """
    if len(v) < 3:
        return None, reason("start_without_voltages")
    if on is None or on < 2 * size:
        return None, reason("voltage_before_start_not_seen")
    level = np.sqrt(np.mean(_cycle_rms(v, size) ** 2, axis=0))
    before = float(np.median(level[: on - size + 1]))
    least_v = MIN_VOLTAGE_BEFORE * (motor.rated_voltage_v or 0.0) / sqrt(3)
    if before <= max(least_v, MIN_VOLTAGE_BEFORE * float(np.median(level[-size:]))):
        return None, reason("voltage_before_start_not_seen")
    after = level[on:]
    return float(max(0.0, 1 - after.min() / before)) if len(after) else None, None
