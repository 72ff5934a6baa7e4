"""Agreement of the sources of a slip: speed, slot harmonics, nameplate and load.

A source that is wrong makes a fault of a line that is none, or hides one. Two that exclude each
other leave the slip unknown; two that agree make a line at another slip harmless.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vtox.motor.diagnosis.diagnosers.current.current_analysis import CurrentAnalysis
from vtox.motor.diagnosis.diagnosers.current.pole_pairs import LARGEST_SLIP
from vtox.motor.diagnosis.diagnosers.current.slip_prior import Slip, nameplate_slip, no_slip
from vtox.motor.values.arrays import Float64
from vtox.motor.values.domain import Motor, Reason, reason


@dataclass(frozen=True, slots=True)
class SlipRange:
    """Slips that a source allows."""

    low: float
    high: float
    source: str

    def excludes(self, slip: Slip) -> bool:
        """Return whether a slip lies outside, with all its uncertainty."""
        return slip.high < self.low or slip.low > self.high


def nameplate_ranges(
    analysis: CurrentAnalysis, pairs: Sequence[int | None]
) -> list[SlipRange | None]:
    """Return the slips that nameplate and load allow at the least, None if they limit nothing."""
    rms_a = analysis.current_rms_a
    return [
        None if problems else _nameplate_range(motor, p, float(f), float(a))
        for problems, motor, p, f, a in zip(
            analysis.problems, analysis.motors, pairs, analysis.f0_hz, rms_a, strict=True
        )
    ]


def sources_disagree(slip: Slip, other: SlipRange) -> Reason:
    """Return the reason of a slip that another source excludes."""
    return reason(
        "slip_sources_disagree",
        slip=slip.value,
        slip_source=slip.source,
        other_low=other.low,
        other_high=other.high,
        other_source=other.source,
    )


def checked_against_nameplate(
    slips: Sequence[Slip], confirmed: Sequence[bool], ranges: Sequence[SlipRange | None]
) -> list[Slip]:
    """Return the slips, unknown if a measured one is excluded by nameplate and load.

    Not if two sources that measure confirm each other.
    """
    return [
        no_slip(sources_disagree(slip, r))
        if slip.is_measured and not sure and r is not None and r.excludes(slip)
        else slip
        for slip, sure, r in zip(slips, confirmed, ranges, strict=True)
    ]


def other_slips(
    slips: Sequence[Slip],
    ranges: Sequence[SlipRange | None],
    least_slip: float,
    largest_slip: Float64,
) -> tuple[Float64, Float64]:
    """Return the ends of the slips at which a line may still be the rotor cage's, shape (batch,).

    Slot harmonics leave no other slip. A speed within the range of the nameplate leaves no slip
    outside that range: there two sources exclude it. Else any duty of a motor is possible.
    """
    low, high = np.full(len(slips), least_slip), np.array(largest_slip)
    for i, (slip, r) in enumerate(zip(slips, ranges, strict=True)):
        if slip.source == "slot harmonics":
            low[i] = high[i] = np.nan
        elif slip.source == "speed sensor" and r is not None:
            low[i], high[i] = max(low[i], r.low), min(high[i], r.high)
    return low, high


def _nameplate_range(
    motor: Motor, pairs: int | None, f0_hz: float, rms_a: float
) -> SlipRange | None:
    slip = nameplate_slip(motor, pairs, f0_hz, rms_a)
    if slip is None or not motor.rated_speed_rpm or not pairs:
        return None
    rpm = motor.rated_speed_rpm
    # Rated speeds end in 0 or 5 if they are rounded: by half of that at most.
    rounded = 5.0 if rpm % 10 == 0 else 2.5 if rpm % 5 == 0 else 0.5
    slip_rpm = 60 * (motor.supply_hz or f0_hz) / pairs - rpm
    # A supply 10 % off its rated voltage (zone B of IEC 60034-1) changes the slip by the square.
    ratio = 1.1**2 * (1 + rounded / max(slip_rpm, rounded))
    return SlipRange(slip.low / ratio, min(slip.high * ratio, LARGEST_SLIP), slip.source)
