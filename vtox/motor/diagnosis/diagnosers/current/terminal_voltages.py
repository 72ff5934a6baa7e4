"""The voltages of three phases, from channels to earth or between lines. Pure.

Between lines two are enough: three of them add up to zero. The phases computed from them add up to
zero too, so they say nothing of voltages to earth.
"""

from collections.abc import Container, Sequence

import numpy as np

from vtox.motor.diagnosis.dsp.symmetrical_components import UPRIGHT_SUM_RATIO
from vtox.motor.values.arrays import Float64
from vtox.motor.values.domain import LINE_VOLTAGES, VOLTAGES, Array, Reason, Recording, reason

# Phases a, b, c of vab, vbc, vca that add up to zero, over these.
_OF_THREE = np.array([[1, 0, -1], [-1, 1, 0], [0, -1, 1]]) / 3


def voltage_channels(channels: Container[str]) -> tuple[str, ...]:
    """Return the channels that voltages are taken from: three phases, else two or three lines.

    Examples
    --------
    >>> voltage_channels(["va", "vab", "vbc"])
    ('vab', 'vbc')
    """
    phases, lines = (tuple(c for c in n if c in channels) for n in (VOLTAGES, LINE_VOLTAGES))
    return lines if len(lines) >= 2 and len(phases) < 3 else phases


def missing_voltages(channels: Container[str]) -> tuple[str, ...]:
    """Return the voltage channels that would complete three phases; of lines, any one of them.

    Examples
    --------
    >>> missing_voltages(["vab"])
    ('vbc', 'vca')
    """
    found = voltage_channels(channels)
    if are_line_voltages(found):
        return ()
    names = VOLTAGES if found or not any(c in channels for c in LINE_VOLTAGES) else LINE_VOLTAGES
    return tuple(c for c in names if c not in channels)


def are_line_voltages(names: Sequence[str]) -> bool:
    """Return whether channels of `voltage_channels` are between lines."""
    return bool(names) and names[0] in LINE_VOLTAGES


def phase_weights(names: Sequence[str]) -> Float64:
    """Return the weights of two or three line voltages in phases a, b, c, (3, channels).

    Examples
    --------
    >>> phase_weights(["vab", "vbc"]).round(3)
    array([[ 0.667,  0.333],
           [-0.333,  0.333],
           [-0.333, -0.667]])
    """
    known = [LINE_VOLTAGES.index(n) for n in names]
    if len(known) == 3:
        return _OF_THREE
    (third,) = {0, 1, 2} - set(known)
    return np.asarray(_OF_THREE[:, known] - _OF_THREE[:, [third]])


def phase_voltages(x: Array, names: Sequence[str]) -> Array:
    """Return the three phases of voltages between lines; both of shape (..., channels, samples)."""
    with np.errstate(over="ignore", invalid="ignore"):  # an overflow is reported as infinite
        found: Array = np.matmul(phase_weights(names).astype(x.dtype), x)
    return found


def voltage_samples(recording: Recording) -> Array:
    """Return the phase voltages of a recording, (3, samples); fewer channels as they are."""
    names = voltage_channels(recording.channels)
    x = np.array([recording.channels[n] for n in names], np.float64)
    x = x.reshape(len(names), recording.samples)
    return phase_voltages(x, names) if are_line_voltages(names) else x


def sum_problem(x: Array, names: Sequence[str]) -> Reason | None:
    """Return the reason if three voltages between lines, (3, samples), do not add up to zero.

    They do at every instant with any supply. Dividers of class 3 err by less than 0.1 of the
    largest together, a reversed one makes 2.
    """
    if len(names) < 3:
        return None
    largest = np.sqrt(np.square(x, dtype=np.float64).mean(axis=-1).max())
    total = np.sqrt(np.square(x.sum(axis=0, dtype=np.float64)).mean())
    if total <= UPRIGHT_SUM_RATIO * largest:
        return None
    return reason("line_voltages_do_not_sum_to_zero", sum_ratio=float(total / largest))
