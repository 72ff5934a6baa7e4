"""The supply of a machine against its limits: voltage, unbalance, frequency, single phase."""

from collections.abc import Mapping
from math import exp, log

from vtox.motor.alarms.profile.values import Minute, Profile, Site
from vtox.motor.values.domain import Reason, reason

_VOLT_STEP, _UNBALANCE_STEP = log(1.01), 0.0025
# A level is usual with this share of all minutes.
_SHARE = 0.003
# Limits without a stated one: beyond the usual voltages by this share, and not closer to their
# middle than the second.
_BEYOND, _LEAST_ROOM = 0.04, 0.06
# Unbalance that NEMA MG 1 derates for by a tenth, and the room above the usual one.
_UNBALANCE, _UNBALANCE_ROOM = 0.03, 0.01
# No grid is that far off for minutes.
_FREQUENCY_RATIO = 0.02
# The negative sequence of the current equals the positive one if a phase is open. So it does with
# one clamp: the machine must have shown balanced currents for so many minutes before.
_OPEN_PHASE, _BALANCED, _BALANCED_MIN = (0.8, 1.25), 0.3, 60


def learn_supply(p: Profile, m: Minute) -> None:
    """Count a minute at its voltage and unbalance."""
    if m.volts and m.volts > 1:
        _count(p.volts, round(log(m.volts) / _VOLT_STEP))
    if m.voltage_unbalance is not None:
        _count(p.unbalances, round(m.voltage_unbalance / _UNBALANCE_STEP))
    p.balanced += m.current_unbalance is not None and m.current_unbalance < _BALANCED


def _count(levels: dict[int, int], level: int) -> None:
    levels[level] = levels.get(level, 0) + 1


def _range(levels: Mapping[int, int]) -> tuple[int, int] | None:
    least = _SHARE * sum(levels.values())
    usual = [k for k, n in levels.items() if n >= least]
    return (min(usual), max(usual)) if usual else None


def voltage_limits(p: Profile, site: Site) -> tuple[float, float] | None:
    """Return the lowest and highest voltage: stated, or by the usual ones; None on a drive."""
    if site.driven:
        return None
    if site.supply_v:
        room = site.supply_v_tolerance
        return site.supply_v * (1 - room), site.supply_v * (1 + room)
    found = _range(p.volts) if p.learnt else None
    if found is None:
        return None
    low, high = (exp(k * _VOLT_STEP) for k in found)
    middle = (low + high) / 2
    return (
        min(low * (1 - _BEYOND), middle * (1 - _LEAST_ROOM)),
        max(high * (1 + _BEYOND), middle * (1 + _LEAST_ROOM)),
    )


def unbalance_limit(p: Profile, site: Site) -> float | None:
    """Return the highest unbalance of the voltage; None on a drive, or while it is learnt."""
    found = _range(p.unbalances) if p.learnt and not site.driven else None
    return max(_UNBALANCE, found[1] * _UNBALANCE_STEP + _UNBALANCE_ROOM) if found else None


def supply_problem(p: Profile, m: Minute, site: Site) -> Reason | None:
    """Return why the supply of a minute is outside its limits; None within them."""
    ratio = m.current_unbalance
    if ratio and p.balanced >= _BALANCED_MIN and _OPEN_PHASE[0] < ratio < _OPEN_PHASE[1]:
        return reason("single_phase", ratio=ratio)
    limits = voltage_limits(p, site)
    if limits and m.volts and not limits[0] <= m.volts <= limits[1]:
        return reason("supply_voltage_outside", volts=m.volts, low=limits[0], high=limits[1])
    most = unbalance_limit(p, site)
    if most and m.voltage_unbalance is not None and m.voltage_unbalance > most:
        return reason("supply_unbalance_above", percent=100 * m.voltage_unbalance, most=100 * most)
    hz = None if site.driven else site.supply_hz
    if hz and m.hz and abs(m.hz / hz - 1) > _FREQUENCY_RATIO:
        low, high = hz * (1 - _FREQUENCY_RATIO), hz * (1 + _FREQUENCY_RATIO)
        return reason("supply_frequency_outside", hz=m.hz, low=low, high=high)
    return None
