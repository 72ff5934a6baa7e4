"""Lines at the bearing cage frequency where no other comb of the bearing stands.

A gear, a belt or a slower shaft may turn at the speed of the bearing cage, and as steadily. A
damaged rolling element is modulated by the bearing cage too, and its own lines may be masked or
smeared. Weak lines may be those of a sound bearing, whose elements differ a little and pass the
load zone once a turn of the bearing cage.
"""

from collections.abc import Mapping, Sequence
from math import inf, log10

import numpy as np

from vtox.arrays import Float32
from vtox.domain import Array
from vtox.dsp import comb_plan
from vtox.dsp.comb_plan import Plan
from vtox.dsp.surrogates import Finding

# Ratio of the sidebands around an element's order to those around the orders adjacent to it: a
# slower shaft that modulates the machine shows around all.
MIN_SIDEBAND_RATIO = 2.0
# Power of a line of the vibration itself, over its noise in 1 Hz, dB, from which a body turns at
# its frequency: docs/calibration/bearing.md#slower-shafts.
MIN_DIRECT_DB = 25.0
# The line lies within so many bins of its place; so many beside it, on either side, are its noise.
LINE_BINS = 2
NOISE_BINS = 20
HANN_NOISE_BINS = 1.5
TINY = 1e-30


def only_bearing_cage(findings: Mapping[str, Finding]) -> bool:
    """Return whether the bearing cage's is the only comb found."""
    return [n for n, f in findings.items() if f.ratio >= 1] == ["FTF"]


def has_element_sidebands(
    rows: Float32, plan: Plan, element_order: float, bearing_cage_order: float
) -> bool:
    """Return whether lines lie at the bearing cage's distance around a masked element order.

    Parameters
    ----------
    rows : ndarray, shape (bins + 1, views + 1)
        From `comb.masked_lines`.
    plan : Plan
    element_order : float
        Twice the ball spin.
    bearing_cage_order : float
        Of the comb found.
    """
    # Lines of the comb found are no evidence: an error of half a bin at its third line is one of
    # two bins at its tenth.
    cage_multiple = bearing_cage_order * round(element_order / bearing_cage_order)
    distance = abs(element_order - cage_multiple)
    if not plan.masks(element_order) or distance <= 2 * comb_plan.LOBE_BINS * plan.df_order:
        return False
    shift = round(bearing_cage_order / plan.df_order)
    own = _sideband_level(rows, plan, element_order, shift)
    adjacent = max(_sideband_level(rows, plan, element_order + k, shift) for k in (-1, 1))
    return own >= 1 and own >= MIN_SIDEBAND_RATIO * adjacent


def _sideband_level(rows: Float32, plan: Plan, order: float, shift: int) -> float:
    """Return the level of the sidebands around an order and its multiples, 1 by chance."""
    number = round(order / plan.order(1))
    numbers = np.arange(max(1, number - comb_plan.HARMONICS), number + comb_plan.HARMONICS + 1)
    bins = comb_plan.comb_bins(numbers, shift)[comb_plan.HARMONICS :]
    lines = np.minimum(rows.take(bins, axis=0, mode="clip"), plan.line_cap)
    sums = lines.sum(axis=0)
    counts = rows[:, -1].take(bins, mode="clip").sum(axis=0).astype(np.intp)
    levels: Float32 = sums[:, :-1] / plan.chance_sum.take(counts)[:, None]
    return float(levels.max())


def direct_line_db(signals: Sequence[Array], fs_hz: float, hz: float) -> float:
    """Return the strongest line of the vibration itself at a frequency, over its noise, dB re 1 Hz.

    A shaft, a belt or a wheel that turns moves the machine once a turn; a bearing cage weighs too
    little, and shows in the envelope alone.

    Parameters
    ----------
    signals : sequence of ndarray, each of shape (samples,)
    fs_hz : float
    hz : float
        Where the line stands.
    """
    found = -inf
    for x in signals:
        bin_hz = fs_hz / len(x)
        at = round(hz / bin_hz)
        reach = LINE_BINS + NOISE_BINS + 2
        if not LINE_BINS < at < len(x) // 2 - reach:
            continue
        power = np.abs(np.fft.rfft(x * np.hanning(len(x)))[: at + reach + 1]) ** 2
        line = power[at - LINE_BINS : at + LINE_BINS + 1].max()
        beside = np.r_[
            power[max(1, at - reach) : at - LINE_BINS - 2],
            power[at + LINE_BINS + 3 : at + reach + 1],
        ]
        noise = max(float(np.median(beside)), TINY) / (HANN_NOISE_BINS * bin_hz)
        found = max(found, 10 * log10(max(float(line), TINY) / noise))
    return found
