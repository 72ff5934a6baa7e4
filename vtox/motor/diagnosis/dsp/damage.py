"""Damage by a sensor, a converter or a logger, found in samples before the machine is examined."""

from collections.abc import Sequence

import numpy as np

from vtox.motor.diagnosis.dsp import converter, quality
from vtox.motor.diagnosis.dsp.copied_blocks import copy_problems
from vtox.motor.diagnosis.dsp.stuck_bits import stuck_bits
from vtox.motor.values.domain import Array, Reason, reason


def sample_problems(
    x: Array, names: Sequence[str], fs_hz: float, *, with_resolution: bool = False
) -> list[tuple[Reason, ...]]:
    """Return, per recording, why its samples are no measurement; empty if they are.

    Parameters
    ----------
    x : ndarray, shape (batch, channels, samples)
        Samples in any unit.
    names : sequence of str
        Channel names, used in the reasons.
    fs_hz : float
        Claimed sampling rate, Hz.
    with_resolution : bool
        A converter of few steps is a problem too.

    Returns
    -------
    list of tuple of Reason, length batch
        Codes of `quality.problems`; of a channel `converter_bit_stuck`, `converter_resolution`; of
        the whole record `samples_copied`, `signal_repeats`.
    """
    problems = quality.problems(x, names, fs_hz)
    sound = [i for i, p in enumerate(problems) if not p]
    if not (names and sound):
        return problems
    whole = x if len(sound) == len(x) else x[sound]
    ordered = converter.ordered_samples(whole)
    found = copy_problems(whole, ordered, fs_hz)
    bits = stuck_bits(whole, ordered)
    for i, c in np.argwhere(bits >= 0):
        found[i] += (reason("converter_bit_stuck", channel=names[c], bit=int(bits[i, c])),)
    if with_resolution:
        coarse = converter.resolution_problems(whole, ordered, names)
        found = [own or few for own, few in zip(found, coarse, strict=True)]
    for i, own in zip(sound, found, strict=True):
        problems[i] = own
    return problems
