"""How long the records of a family are, by the nameplate of the machine. Pure.

A missing value of the nameplate makes no record longer: the answer names the length that it needs
(docs/calibration/record_lengths.md).
"""

from collections.abc import Callable, Mapping
from math import ceil, inf

from vtox.motor.faults import FAMILIES
from vtox.motor.values.domain import Motor

# The broken-bar sidebands, 2*s*f from the supply line, must lie so many bins from it at a typical
# load, relative to the rated one.
SIDEBAND_DISTANCE_BINS = 10.0
TYPICAL_LOAD = 0.4
# The slip may be so small a part of that by nameplate and load: tolerance, and a cold rotor cage.
# `RATED_SLIP_TOLERANCE` of `vtox/motor/diagnosis/diagnosers/current/slip_prior.py`.
LEAST_SLIP_SHARE = 0.65
# In a two-pole motor f + fr is the slip frequency below 2f: bins between them at that load, so that
# they part from two thirds of it on. docs/calibration/eccentricity.md#two-poles
ROTATION_DISTANCE_BINS = 4.0
# Shaft turns from which races of 0 dB are found: fewer than 15 are refused.
TURNS = 25.0
# A longer record separates a race within the first share of a whole number of turns from the lines
# of the shaft, but not one nearer than the second: shaft lines are as wide
# (`vtox.motor.diagnosis.dsp.comb_plan`).
NEAR_WHOLE, SHAFT_LINE = 0.01, 0.002
SHAFT_LINE_BINS = 2.0
# Longer than this, supply and load seldom stay constant. The setting `record_max_s` may be less.
MAX_RECORD_S = 40.0


def record_length_s(family: str, motor: Motor | None, most_s: float = MAX_RECORD_S) -> float:
    """Return the length of a machine's records of `family`, s, by the needs of its nameplate.

    At most `most_s`, but never less than the family needs at any rate. No family's records are
    longer than those of the rotor cage, from which baselines are learnt.
    """
    shortest = FAMILIES[family].min_record_s
    needs = [] if motor is None else [_NEEDS[n](motor) for n in FAMILIES[family].record_needs]
    longest = max(most_s, shortest)
    if family != _LONGEST:
        longest = min(longest, record_length_s(_LONGEST, motor, most_s))
    return min(max(float(ceil(max(needs, default=0.0))), shortest), longest)


def longest_record_s(family: str) -> float:
    """Return the length of the longest records of `family` of any machine, s."""
    return MAX_RECORD_S if FAMILIES[family].record_needs else FAMILIES[family].min_record_s


def _sidebands_s(motor: Motor) -> float:
    """Return the time in which the lines of the rotor cage part from that of the supply, s."""
    least = LEAST_SLIP_SHARE * TYPICAL_LOAD
    slip_hz = least * (motor.rated_slip or 0.0) * (motor.supply_hz or 0.0)
    return SIDEBAND_DISTANCE_BINS / (2 * slip_hz) if slip_hz > 0 else 0.0


def _two_poles_s(motor: Motor) -> float:
    """Return the time in which the upper line of rotation of a two-pole motor parts from 2f, s."""
    if motor.pole_pairs != 1:
        return 0.0
    slip_hz = TYPICAL_LOAD * (motor.rated_slip or 0.0) * (motor.supply_hz or 0.0)
    return ROTATION_DISTANCE_BINS / slip_hz if slip_hz > 0 else 0.0


def _turns_s(motor: Motor) -> float:
    """Return the time of enough shaft turns, s."""
    return TURNS / _shaft_hz(motor)


def _whole_orders_s(motor: Motor) -> float:
    """Return the time in which races near whole orders part from the lines of the shaft, s.

    A race that no length parts makes no record longer.
    """
    orders = motor.bearing.defect_orders if motor.bearing else {}
    apart = [
        abs(order - round(order)) - SHAFT_LINE * order
        for name, order in orders.items()
        if name in ("BPFO", "BPFI") and abs(order - round(order)) <= NEAR_WHOLE * order
    ]
    needed = [SHAFT_LINE_BINS / (x * _shaft_hz(motor)) for x in apart if x > 0]
    return max((s for s in needed if s <= MAX_RECORD_S), default=0.0)


def _shaft_hz(motor: Motor) -> float:
    """Return the rated speed, or the synchronous one, 1/s; infinite if neither is known."""
    if motor.rated_speed_rpm:
        return motor.rated_speed_rpm / 60
    return motor.supply_hz / motor.pole_pairs if motor.supply_hz and motor.pole_pairs else inf


_LONGEST = max(FAMILIES, key=lambda f: FAMILIES[f].min_record_s)
# By the names that `record_needs` of the faults give (`vtox/motor/faults.py`).
_NEEDS: Mapping[str, Callable[[Motor], float]] = {
    "slip_sidebands": _sidebands_s,
    "two_poles": _two_poles_s,
    "shaft_turns": _turns_s,
    "races_near_shaft_lines": _whole_orders_s,
}
