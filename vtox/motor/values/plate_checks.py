"""Values of a nameplate that contradict each other, though each is possible alone. Pure.

Impossible values are refused by `Motor`. These are typing errors in most cases: kW as W, current
and voltage of two connections, the synchronous speed as the rated one.
"""

from collections.abc import Iterator, Mapping
from math import sqrt
from typing import Any

from vtox.motor.errors import NameplateError
from vtox.motor.values.bearing_catalogue import differing_makers
from vtox.motor.values.domain import Motor, Reason
from vtox.motor.values.nameplate import motor_from_dict

# Power factor times efficiency at rated load: motors of 60 W with eight poles have 0.25; 1 is the
# apparent power, and plates are rounded.
_LOW_SHARE, _HIGH_SHARE = 0.25, 1.02
# Tolerance if the plate gives both: rounding, and power factor and efficiency of two loads.
_SHARE_SPREAD = 0.15
# Three-phase motors run from 12 V of batteries to 20 kV.
_VOLTAGES_V = (12.0, 20_000.0)
# Rated slip of induction motors: below, it is the synchronous speed; above, there are other poles.
_SLIPS = (0.0005, 0.15)
_GRIDS_HZ = (50.0, 60.0)


def contradictions(motor: Motor) -> tuple[Reason, ...]:
    """Return the contradictions on a nameplate, and the values it lacks to be of use."""
    return (*_power(motor), *_speed(motor), *_bearing(motor))


def plate_contradictions(plate: Mapping[str, Any] | None) -> tuple[Reason, ...]:
    """Return those of a stored nameplate; of one that this version cannot read, none."""
    try:
        return contradictions(motor_from_dict(plate)) if plate else ()
    except NameplateError:
        return ()


def _power(motor: Motor) -> Iterator[Reason]:
    power_w, current_a = motor.rated_power_w, motor.rated_current_a
    if not power_w or not current_a:
        return
    low, high = _shares(motor)
    if not (voltage_v := motor.rated_voltage_v):
        low_v, high_v = (power_w / (sqrt(3) * current_a * share) for share in (high, low))
        if high_v < _VOLTAGES_V[0] or low_v > _VOLTAGES_V[1]:
            values = {"power_w": power_w, "current_a": current_a, "low_v": low_v, "high_v": high_v}
            yield Reason("plate_power_or_current", values)
        return
    apparent_va = sqrt(3) * voltage_v * current_a
    if not low <= power_w / apparent_va <= high:
        values = {"power_w": power_w, "voltage_v": voltage_v, "current_a": current_a}
        limits = {"low_w": low * apparent_va, "high_w": high * apparent_va}
        yield Reason("plate_power_contradicts", {**values, **limits})


def _shares(motor: Motor) -> tuple[float, float]:
    """Return the least and the largest share of the apparent power that is shaft power."""
    if motor.rated_efficiency and motor.rated_power_factor:
        share = motor.rated_efficiency * motor.rated_power_factor
        return share * (1 - _SHARE_SPREAD), share * (1 + _SHARE_SPREAD)
    return _LOW_SHARE, _HIGH_SHARE


def _speed(motor: Motor) -> Iterator[Reason]:
    """Yield that the rated speed is none of an induction motor with so many poles."""
    if not (motor.pole_pairs and motor.rated_speed_rpm):
        return
    if not motor.supply_hz and motor.supply == "inverter":
        return
    speed_rpm = motor.rated_speed_rpm
    synchronous = [
        60 * f / motor.pole_pairs for f in ([motor.supply_hz] if motor.supply_hz else _GRIDS_HZ)
    ]
    if any(_SLIPS[0] < 1 - speed_rpm / s <= _SLIPS[1] for s in synchronous):
        return
    nearest = min(synchronous, key=lambda s: abs(s - speed_rpm))
    values = {"speed_rpm": speed_rpm, "pole_pairs": motor.pole_pairs, "synchronous_rpm": nearest}
    same = abs(1 - speed_rpm / nearest) <= _SLIPS[0]
    yield Reason("plate_speed_is_synchronous" if same else "plate_speed_contradicts_poles", values)


def _bearing(motor: Motor) -> Iterator[Reason]:
    bearing = motor.bearing
    if bearing is None or not bearing.designation or bearing.defect_orders:
        return
    balls = sorted(set(differing_makers(bearing.designation).values()))
    count = {"least_balls": balls[0], "most_balls": balls[-1]}
    yield Reason("plate_bearing_needs_maker", {"designation": bearing.designation, **count})
