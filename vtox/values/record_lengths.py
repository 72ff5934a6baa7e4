"""How long the records of a family are, by the nameplate of the machine. Pure."""

from math import ceil

from vtox.faults import FAMILIES
from vtox.values.domain import Motor

# The broken-bar sidebands, 2*s*f from the supply line, must lie so many bins from it at a typical
# load, relative to the rated one.
SIDEBAND_DISTANCE_BINS = 10.0
TYPICAL_LOAD = 0.5
# Longer than this, supply and load seldom stay constant.
MAX_RECORD_S = 40.0


def record_length_s(family: str, motor: Motor | None) -> float:
    """Return the length of a machine's records of `family`, s; by its slip if sidebands need it."""
    shortest = FAMILIES[family].min_record_s
    if not FAMILIES[family].by_slip or motor is None or not motor.rated_slip or not motor.supply_hz:
        return shortest
    slip = TYPICAL_LOAD * motor.rated_slip
    needed_s = SIDEBAND_DISTANCE_BINS / (2 * slip * motor.supply_hz)
    return min(max(float(ceil(needed_s)), shortest), MAX_RECORD_S)


def longest_record_s(family: str) -> float:
    """Return the length of the longest records of `family` of any machine, s."""
    return MAX_RECORD_S if FAMILIES[family].by_slip else FAMILIES[family].min_record_s
