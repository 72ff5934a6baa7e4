"""Saving by a motor of a better efficiency class at the same work: an interval, no promise.

The ratio of losses at part load to those at rated load is taken to stay. The interval includes the
change that another split of the losses would make.
"""

from dataclasses import dataclass
from math import sqrt
from typing import get_args

from vtox.motor.diagnosis.energy.efficiency_class import class_span
from vtox.motor.diagnosis.energy.rated_losses import CONSTANT_SHARE, RatedLosses, rated_losses
from vtox.motor.values.domain import IeClass, Motor
from vtox.motor.values.energy import MeterCounts, in_kwh

# Deviation of the losses of a new motor from those of its nameplate, as of the present one.
_LOSS_STD = 0.05
# Losses that are no winding's over all losses of usual motors, by the shares of `rated_losses`: (1
# - 0.22)(1 - 0.50). `CONSTANT_SHARE` of them is constant; the deviation of that is of both factors,
# the root of (0.12 x 0.39)^2 + (0.76 x 0.08 x 0.78)^2.
_NO_WINDING, _SHARE_STD = 0.39, 0.067
# Half width of the interval in deviations: it holds in 95 % of all cases.
_DEVIATIONS = 2.0


@dataclass(frozen=True, slots=True)
class ClassSaving:
    """The saving by the best class in a time, kWh; `code` says why nothing is known.

    `low_kwh` may be below zero: then the two motors cannot be distinguished.
    """

    ie_class: str = ""
    """IEC 60034-30-1; empty: nothing is told"""
    low_kwh: float | None = None
    high_kwh: float | None = None
    code: str = ""


def class_saving(motor: Motor | None, counts: MeterCounts) -> ClassSaving:
    """Return the saving by a motor of the best class of the standard at the same work.

    Examples
    --------
    >>> old = Motor(pole_pairs=2, supply_hz=50.0, rated_power_w=11e3, rated_voltage_v=400.0,
    ...             rated_current_a=21.5, rated_speed_rpm=1455.0, ie_class="IE1")
    >>> day = MeterCounts(estimated_ms=86_400_000, shaft_j=950_400_000, lost_j=134_000_000)
    >>> found = class_saving(old, day)
    >>> found.ie_class, round(found.low_kwh), round(found.high_kwh)
    ('IE4', 12, 25)
    """
    now = rated_losses(motor or Motor())
    if now.why:
        return ClassSaving(code=now.why)
    assert motor is not None
    assert motor.pole_pairs
    if motor.supply == "inverter":
        return ClassSaving(code="saving_on_inverter_unknown")
    if not counts.estimated_ms:
        return ClassSaving(code="no_estimated_hours")
    at_50_hz = abs(now.supply_hz - 50) < 1
    if not at_50_hz or class_span("IE1", now.power_w, motor.pole_pairs) is None:
        return ClassSaving(code="class_without_efficiency")
    efficiency = now.power_w / now.input_w
    best = get_args(IeClass)[-1]
    span = class_span(best, now.power_w, motor.pole_pairs)
    if span is None or span[0] <= efficiency:
        return ClassSaving(code="no_better_class")
    low, high = _saved_j(now, span, counts)
    return ClassSaving(best, in_kwh(round(low)), in_kwh(round(high)))


def _saved_j(
    now: RatedLosses, span: tuple[float, float], counts: MeterCounts
) -> tuple[float, float]:
    """Return the ends of the interval of the saving, J."""
    losses = [now.power_w * (1 / efficiency - 1) for efficiency in span]
    new_w, new_std_w = sum(losses) / 2, (losses[0] - losses[1]) / sqrt(12)
    load = counts.shaft_j / counts.estimated_ms * 1000 / now.power_w
    constant = CONSTANT_SHARE * _NO_WINDING
    over_rated = max(constant + (1 - constant) * load**2, 0.05)
    another_split = _SHARE_STD * abs(1 - load**2) / over_rated
    times = counts.lost_j / now.loss_w
    deviation = sqrt(
        now.loss_std_w**2 + new_std_w**2 + (_LOSS_STD * new_w) ** 2 + (another_split * new_w) ** 2
    )
    saved, half = times * (now.loss_w - new_w), _DEVIATIONS * times * deviation
    return saved - half, saved + half
