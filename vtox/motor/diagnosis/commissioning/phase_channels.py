"""Three channels of one kind: not connected, sent twice, reversed or of a wrong ratio. Pure.

Three currents without a neutral sum to zero, and three voltages of one supply nearly do. A channel
that is reversed or of a wrong ratio is the one that a real factor brings back to that. With an
angle between the others, the factor is real for no other channel.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from vtox.motor.diagnosis.dsp import symmetrical_components
from vtox.motor.values.arrays import Complex
from vtox.motor.values.channel_map import RATIO_RANGE
from vtox.motor.values.domain import LINE_VOLTAGES, Reason, reason

# Sum over the largest channel from which a wrong channel is searched. Clamps of class 3 with angles
# of 3 degrees err by less than 0.1 together, a ratio that is wrong by 1.2 makes 0.17.
WRONG_SUM = 0.15
# A factor is real if its angle is below this. The factor of the wrong channel is off by the angles
# of the clamps, that of another by 9 degrees and more (`WRONG_SUM`).
REAL_FACTOR = 0.08
# Reversed, and of the right ratio, within this.
REVERSED_RATIO = 0.15
# Below this share of the largest, a channel is not connected; two that differ by less than the
# second share are the same signal.
NOT_CONNECTED = 0.05
SAME_SIGNAL = 0.05
# Two channels that are opposite within this are the two phases that an open third one leaves.
OPPOSITE = 0.1
# Largest V2/V1 of a supply that a motor runs at (NEMA MG 1, 14.36), and V0/V1 once it is corrected.
UNBALANCE = 0.05
ZERO_SEQUENCE = 0.1


@dataclass(frozen=True, slots=True)
class PhaseChannels:
    """Mistakes in three channels, and the factors that correct them.

    `factors` are None if a mistake is not known or cannot be corrected.
    """

    problems: tuple[Reason, ...] = ()
    factors: tuple[float, ...] | None = (1.0, 1.0, 1.0)


def phase_channels(names: Sequence[str], phasors: Complex, *, earthed: bool) -> PhaseChannels:
    """Return the mistakes in three channels.

    Parameters
    ----------
    names : sequence of str, length 3
        Currents, voltages to earth or voltages between lines.
    phasors : ndarray of complex, shape (3,)
        At the supply frequency, any common reference.
    earthed : bool
        Voltages to earth: a sum that is not zero is no mistake while the system is balanced.
    """
    size = np.abs(phasors)
    largest = float(size.max())
    if problem := connection_problem(names, phasors):
        return PhaseChannels((problem,), None)
    if earthed and unbalances(phasors)[0] <= UNBALANCE:
        return PhaseChannels()
    total = float(abs(phasors.sum()))
    if not earthed and total <= WRONG_SUM * largest:
        return PhaseChannels()
    found = [
        (k, factor)
        for k in range(3)
        if (factor := _real_factor(phasors, k)) is not None
        and (not earthed or _is_supply(_scaled(phasors, k, factor)))
    ]
    if len(found) != 1:
        unbalance = unbalances(phasors)
        values = {"unbalance_ratio": unbalance[0]}
        if not earthed:
            why = reason("currents_do_not_sum_to_zero", zero_sequence_ratio=unbalance[1])
            if names[0] in LINE_VOLTAGES:
                why = reason("line_voltages_do_not_sum_to_zero", sum_ratio=total / largest)
            return PhaseChannels((why,), None)
        return PhaseChannels((reason("voltages_of_no_supply", **values),), None)
    ((k, factor),) = found
    factors = [1.0, 1.0, 1.0]
    factors[k] = -1.0 if abs(factor + 1) < REVERSED_RATIO else factor
    return PhaseChannels(factor_problems(names[k], factors[k]), tuple(factors))


def connection_problem(names: Sequence[str], phasors: Complex) -> Reason | None:
    """Return the reason if one of two or three channels is not connected, or repeats another."""
    largest = float(np.abs(phasors).max())
    dead = [k for k in range(len(names)) if abs(phasors[k]) < NOT_CONNECTED * largest]
    for i, j in combinations(range(len(names)), 2):
        if i in dead or j in dead:
            continue
        if abs(phasors[i] - phasors[j]) < SAME_SIGNAL * largest:
            return reason("channels_carry_one_signal", channels=(names[i], names[j]))
        if dead and abs(phasors[i] + phasors[j]) < OPPOSITE * largest:
            return None  # an open phase, which is no mistake of wiring
    if len(dead) == 1:
        return reason("channel_not_connected", channel=names[dead[0]])
    return None


def _real_factor(phasors: Complex, k: int) -> float | None:
    """Return the real factor of channel k that makes the sum zero, None if it is not real."""
    factor = -(phasors.sum() - phasors[k]) / phasors[k]
    low, high = RATIO_RANGE
    if abs(factor.imag) > REAL_FACTOR * abs(factor) or not low <= abs(factor) <= high:
        return None
    return float(factor.real)


def _scaled(phasors: Complex, k: int, factor: float) -> Complex:
    after = phasors.copy()
    after[k] *= factor
    return after


def _is_supply(phasors: Complex) -> bool:
    unbalance, zero = unbalances(phasors)
    return unbalance <= UNBALANCE and zero <= ZERO_SEQUENCE


def unbalances(phasors: Complex) -> tuple[float, float]:
    """Return the smaller over the larger rotating sequence, and the zero one over the larger."""
    zero, one, two = np.abs(symmetrical_components.components(phasors[None]))[0]
    largest = max(one, two, np.finfo(float).tiny)
    return float(min(one, two) / largest), float(zero / largest)


def factor_problems(name: str, factor: float) -> tuple[Reason, ...]:
    """Return the mistakes in a channel that is to be multiplied by a factor."""
    problems: tuple[Reason, ...] = ()
    if factor < 0:
        problems += (reason("channel_reversed", channel=name),)
    if abs(factor) != 1:
        problems += (reason("channel_ratio_differs", channel=name, ratio=1 / abs(factor)),)
    return problems
