"""Test by neighbours on a feeder whether I2 of a machine without voltages moves with the supply.

V2 of the supply draws I2 through Y22 of every machine on one feeder, about alike in per unit of
rated current and in angle to V1. A short moves I2 of one machine alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vtox.motor.diagnosis.diagnosers.turn_short.causes import usual_power_factor_angle_deg
from vtox.motor.diagnosis.diagnosers.turn_short.evidence import BASES
from vtox.motor.values.domain import Motor, Reason, reason

# The diagnosis that a supply explains as well, and its necessary basis: no voltages.
FAULT, ASKED, _BASIS = "turn_short", "asymmetry_found", str(BASES[1])
# Two machines move alike if the neighbour's excess is at least this part of the machine's own, and
# at most this angle from it. docs/calibration/turn_short.md#machines-on-one-feeder
LEAST_SHARE, MOST_APART_DEG = 0.5, 40.0
# Least machines of a feeder, this one included, for a decision.
LEAST_MACHINES = 3


@dataclass(frozen=True, slots=True)
class Movement:
    """The I2 of a machine beyond its baseline, in per unit of rated current at an angle before V1.

    `t_end` is when the record ended that shows it, s.
    """

    t_end: float
    i2: complex

    @staticmethod
    def of(indicators: Mapping[str, Any], motor: Motor, t_end: float | None) -> "Movement | None":
        """Return the movement that a diagnosis shows; None with voltages, or without a baseline."""
        ratio, deg = indicators.get("corrected_ratio"), indicators.get("corrected_deg")
        load_a, rated_a = indicators.get("load_a"), motor.rated_current_a
        if indicators.get("basis") != _BASIS or not rated_a or t_end is None:
            return None
        if ratio is None or deg is None or load_a is None:
            return None
        lag_deg = usual_power_factor_angle_deg(load_a, motor)
        turn = np.exp(1j * np.radians(deg - lag_deg))
        return Movement(t_end, complex(ratio * load_a / rated_a * turn))


def _moves_alike(own: Movement, other: Movement) -> bool:
    """Return whether one V2 may have moved both machines."""
    if abs(other.i2) < LEAST_SHARE * abs(own.i2):
        return False
    return bool(abs(np.angle(other.i2 / own.i2, deg=True)) <= MOST_APART_DEG)


def feeder_finding(
    own: Movement, others: Sequence[Movement], before_t: float | None, interval_s: float
) -> Reason | None:
    """Return the finding on an excess from the other machines of its feeder, None if undecided.

    Parameters
    ----------
    own : Movement
    others : sequence of Movement
        The last of each other machine.
    before_t : float or None
        When the record before ended, s, if it showed an excess too. Others heard since then
        have seen the same supply as this machine; earlier ones may not have.
    interval_s : float
        From the end of one record to that of the next, s.

    Returns
    -------
    Reason or None
        `feeder_moves` if most of them move alike, `feeder_rests` if none does,
        `feeder_not_heard` if it is too early to say.
    """
    since_t = own.t_end - 2 * interval_s if before_t is None else before_t
    lately = [x for x in others if x.t_end >= since_t]
    if len(lately) + 1 < LEAST_MACHINES:
        return None
    alike, others_heard = sum(_moves_alike(own, x) for x in lately), len(lately)
    if 2 * (alike + 1) > others_heard + 1:
        return reason("feeder_moves", machines=alike + 1, of_machines=others_heard + 1)
    if before_t is None:
        return reason("feeder_not_heard", of_others=others_heard)
    return None if alike else reason("feeder_rests", of_others=others_heard)
