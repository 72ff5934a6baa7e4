"""Problems with the currents or voltages of a recording: samples, length, supply line."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import degrees

import numpy as np

from vtox.motor.diagnosis.diagnosers.current import plausibility
from vtox.motor.diagnosis.diagnosers.current.plausibility import Levels
from vtox.motor.diagnosis.dsp import damage, quality
from vtox.motor.values.arrays import Bool, Complex, Float32
from vtox.motor.values.domain import Array, Motor, Reason, reason

# Per recording, the reasons why it cannot be used; none if it can.
Problems = tuple[tuple[Reason, ...], ...]

# Less does not resolve the supply line (docs/calibration/front_end.md).
MIN_FS_HZ = 400.0
MIN_DURATION_S = 0.05
MIN_CYCLES = 8
# The supply line must hold this share of the power above 4 Hz; converter currents hold over 0.8.
MIN_LINE_SHARE = 0.3
# Jump of the voltages' phase, degrees, beyond which samples are missing or out of order, or the
# supply was switched: docs/calibration/front_end.md#jumps-of-phase
MAX_JUMP_DEG = 3.0
# The supply of a grid machine is that of its nameplate within these ratios.
SUPPLY_RATIO = (0.92, 1.08)


def long_enough(samples: int, fs_hz: float) -> bool:
    """Return whether this number of samples can be analysed at all."""
    return fs_hz >= MIN_FS_HZ and samples >= max(quality.MIN_SAMPLES, MIN_DURATION_S * fs_hz)


def sample_problems(
    x: Array, currents: Sequence[str], voltages: Sequence[str], fs_hz: float
) -> tuple[Problems, Problems]:
    """Return the problems with the samples of currents, and of voltages, per recording.

    `x`, shape (batch, channels, samples), holds the currents and then the voltages.
    """
    names = (*currents, *voltages)
    problems = damage.sample_problems(x, names, fs_hz, with_resolution=True)
    of_all = _shape_problems(x.shape[-1], fs_hz)

    def of(names: Sequence[str], others: Sequence[str]) -> Problems:
        if not names:
            return ((),) * len(x)
        return tuple(
            (*(r for r in p if r.values.get("channel") not in others), *of_all) for p in problems
        )

    return of(currents, voltages), of(voltages, currents)


def _shape_problems(samples: int, fs_hz: float) -> tuple[Reason, ...]:
    """Return the problems with the rate and the length that all channels share."""
    problems: tuple[Reason, ...] = ()
    if fs_hz < MIN_FS_HZ:
        problems += (reason("rate_too_low", fs_hz=fs_hz, needed_hz=MIN_FS_HZ),)
    duration_s = samples / fs_hz
    if duration_s < MIN_DURATION_S and samples >= quality.MIN_SAMPLES:
        problems += (reason("record_too_short", duration_s=duration_s, needed_s=MIN_DURATION_S),)
    return problems


def made_finite(x: Float32, bad: Bool) -> Float32:
    """Return samples with the impossible ones replaced: the batch must stay computable."""
    if not bad.any():
        return x
    x = x.copy()
    for b in np.flatnonzero(bad):
        np.nan_to_num(x[b], copy=False, nan=0.0, posinf=0.0, neginf=0.0)
        np.clip(x[b], -quality.MAX_VALUE, quality.MAX_VALUE, out=x[b])
    return x


@dataclass(frozen=True, slots=True)
class SupplyLine:
    """The supply line in the currents of one recording.

    `share` is that of its power in all, `off_s` for how long the currents are off; `spectrum`,
    shape (channels, bins), has the line at `bin`.
    """

    f0_hz: float
    share: float
    off_s: float
    levels: Levels
    spectrum: Complex
    bin: int


def current_problem(
    names: Sequence[str], line: SupplyLine, motor: Motor, duration_s: float
) -> Reason | None:
    """Return why currents, sound as samples, are not those of the running machine, else None."""
    if line.share < MIN_LINE_SHARE:
        return reason("supply_not_found", line_hz=line.f0_hz, power_share=line.share)
    if switched := plausibility.switching_problem(line.off_s, duration_s):
        return switched
    if duration_s * line.f0_hz < MIN_CYCLES:
        cycles = {"cycles": duration_s * line.f0_hz, "needed_cycles": MIN_CYCLES}
        return reason("too_few_cycles", duration_s=duration_s, **cycles)
    if problem := supply_frequency_problem(line.f0_hz, motor):
        return problem
    if problem := plausibility.channel_scale_problem(names, line.levels.channels):
        missing = plausibility.line_missing_problem(names, line.spectrum, line.bin, line.f0_hz)
        return missing or problem
    return plausibility.current_problem(line.levels, motor)


def loss_problem(interval: int) -> Reason | None:
    """Return the reason if one sample is lost after every `interval` samples, none for 0."""
    return reason("samples_lost_regularly", every=interval + 1) if interval else None


def discontinuity_problem(jump_rad: float) -> Reason | None:
    """Return the reason if the phase of the voltages jumps: the state around it is not steady."""
    if not degrees(jump_rad) > MAX_JUMP_DEG:
        return None
    return reason("supply_phase_jumps", jump_deg=degrees(jump_rad), limit_deg=MAX_JUMP_DEG)


def supply_frequency_problem(f0_hz: float, motor: Motor) -> Reason | None:
    """Return the reason if the supply, or the sampling rate, is not that of the nameplate."""
    supply_hz, (low, high) = motor.supply_hz, SUPPLY_RATIO
    if supply_hz and motor.supply == "grid" and not low * supply_hz < f0_hz < high * supply_hz:
        return reason("supply_off_nameplate", f0_hz=f0_hz, supply_hz=supply_hz)
    return None
