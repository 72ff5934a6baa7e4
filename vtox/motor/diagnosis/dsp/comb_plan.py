"""Plan of the search for combs in envelope spectra: places, and the levels chance allows there.

Made once for a bearing, a speed and a layout, and shared by the records that agree in them;
`vtox.motor.diagnosis.dsp.comb` applies it to the lines of each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

import numpy as np
from scipy.special import gammainccinv

from vtox.motor.values.arrays import Bool, Float32, Float64, Int

HARMONICS = 3
# Range of all combs: from this multiple of the lowest target to that of the highest.
LOWEST_COMB, HIGHEST_COMB = 0.35, 1.5
# Chance, per comb tested, to exceed level 1 in pure noise. A record is searched in some 20 views
# (about 12 of them independent) and 70 combs: about 1e-4 a record in stationary noise.
COMB_CHANCE = 1e-7
# A single line counts at most as one of this chance, exp(-12), unless the others together count
# more. One strong line, of a gear or a belt, is no comb.
LINE_CAP_CHANCE = 6e-6
# Shaft and supply lines are masked over the main lobe of a Hann line, +-2 bins, and this relative
# error of their frequency.
LOBE_BINS = 2
MASK_TOLERANCE = 0.002
# Weight of a comb whose fundamental is masked, as it lies on a shaft or supply line.
MASKED_WEIGHT = 0.5
PLAIN, SHAFT, BEARING_CAGE = "plain", "shaft", "cage"
# Distance of the sidebands of a plain comb, bins: outside any spectrum.
OUTSIDE_BINS = 1 << 40


@dataclass(frozen=True, slots=True)
class CombTarget:
    """A comb to search: harmonics of `order` (times shaft speed), alone or with sidebands.

    The `sidebands` are at the frequency of the shaft or the bearing cage (`PLAIN`: none). Harmonics
    alone have the weight `plain_weight`. With `divisors` 2 (3), lines that are every second (third)
    line of a denser comb are that comb's.
    """

    name: str
    order: float
    sidebands: str = PLAIN
    plain_weight: float = 1.0
    divisors: tuple[int, ...] = (2, 3)


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Places to search, for one bin width, speed and set of targets; shared by equal records.

    A comb has a number, its fundamental in steps of df/3, so that no line is missed by more than
    half a bin.
    """

    #: 1 if a line counts, 0 in shaft and supply lines and at the end, shape (bins + 1,).
    unmasked: Float32
    #: Weight of a comb by the bin of its fundamental, shape (bins + 1,).
    fundamental_weight: Float32
    #: All combs that may be tested.
    numbers: range
    targets: tuple[CombTarget, ...]
    #: The combs within the tolerance of each target.
    intervals: Mapping[str, range]
    #: Places of the combs of each target in `candidate_bins`.
    spans: Mapping[str, slice]
    #: Distance of the sidebands, bins, by kind.
    shifts: Mapping[str, int]
    #: Bins of the combs of all intervals, shape (9, combs); first or last bin if outside.
    candidate_bins: Int
    #: Weights that turn their sums into levels, without and with sidebands, shape (2, combs).
    candidate_weights: Float32
    #: Mask of these combs: their fundamental is masked, shape (combs,).
    masked: Bool
    #: The bins of their harmonics, shape (3, masked combs).
    masked_bins: Int
    #: The targets whose own fundamental is masked.
    masked_targets: tuple[str, ...]
    #: Sum of 0..9 lines that chance allows, shape (10,).
    chance_sum: Float32
    #: Most that one line counts.
    line_cap: np.float32
    #: Bin width in shaft orders.
    df_order: float

    def order(self, number: float) -> float:
        """Shaft order of the comb of this number."""
        return number * self.df_order / HARMONICS

    def masks(self, order: float) -> bool:
        """Whether the fundamental of a comb of this order is masked."""
        return _masks_order(order, self.fundamental_weight, self.df_order)


# A plan of a second takes 8 kB, and 0.1 ms to make. Machines of one bearing and nameplate share
# some fifty over their speeds from no load to full.
@lru_cache(maxsize=1024)
def make_plan(
    targets: tuple[CombTarget, ...],
    *,
    bins: int,
    df_hz: float,
    n_averages: float,
    shaft_hz: float,
    bearing_cage_order: float | None,
    tolerance: float,
    shaft_tolerance: float = MASK_TOLERANCE,
    mains_hz: tuple[float, ...] = (),
    channels: int = 1,
) -> Plan:
    """Return the plan for envelope spectra of `bins` bins.

    Parameters
    ----------
    targets : tuple of CombTarget
    bins : int
    df_hz : float
        Bin width, Hz.
    n_averages : float
        Equivalent number of averaged periodograms.
    shaft_hz : float
        Shaft frequency, Hz. Its multiples are masked.
    bearing_cage_order : float or None
        Bearing cage frequency over shaft frequency, None if no target needs it.
    tolerance : float
        Relative half width of the interval around each target.
    shaft_tolerance : float
        Relative error of `shaft_hz`: a comb whose fundamental may be a shaft line counts less.
    mains_hz : tuple of float
        Supply frequencies, Hz. Magnetic pull sounds at even multiples, which are masked; a comb at
        any multiple is picked up from the mains and counts nothing.
    channels : int
        Channels searched together; the chance per comb is divided by it.
    """
    df_order = df_hz / shaft_hz
    unmasked, fundamental_weight = _masks(bins, df_hz, shaft_hz, shaft_tolerance, mains_hz)
    # Meant for searches 2 % to either side; wider ones divide it.
    chance = COMB_CHANCE / channels * min(1.0, 0.02 / tolerance)
    chance_sum = _chance_sum(n_averages, chance)
    numbers, intervals = _intervals(targets, tolerance, HARMONICS / df_order)
    shifts = {PLAIN: 0, SHAFT: round(1 / df_order)}
    if bearing_cage_order is not None:
        shifts[BEARING_CAGE] = round(bearing_cage_order / df_order)
    near = np.concatenate([np.arange(own.start, own.stop) for own in intervals.values()])
    sizes = [len(own) for own in intervals.values()]
    apart = np.repeat([shifts[t.sidebands] or OUTSIDE_BINS for t in targets], sizes)
    lines = _harmonic_bins(1 << numbers.stop.bit_length()).take(near, axis=1)
    candidate_bins = np.concatenate([lines, lines - apart, lines + apart])
    np.minimum(np.maximum(candidate_bins, 0, out=candidate_bins), bins, out=candidate_bins)
    counts = unmasked.take(candidate_bins).cumsum(axis=0)[[HARMONICS - 1, -1]]
    candidate_weights = comb_weights(candidate_bins, counts, fundamental_weight, chance_sum)
    candidate_weights[0] *= np.repeat([t.plain_weight for t in targets], sizes)
    stops = list(accumulate(sizes))
    spans = {n: slice(b - k, b) for n, b, k in zip(intervals, stops, sizes, strict=True)}
    masked = fundamental_weight.take(candidate_bins[0]) < 1
    return Plan(
        unmasked=unmasked,
        fundamental_weight=fundamental_weight,
        numbers=numbers,
        targets=targets,
        intervals=intervals,
        spans=spans,
        shifts=shifts,
        candidate_bins=candidate_bins,
        candidate_weights=candidate_weights,
        masked=masked,
        masked_bins=candidate_bins[:HARMONICS, masked],
        masked_targets=tuple(
            t.name for t in targets if _masks_order(t.order, fundamental_weight, df_order)
        ),
        chance_sum=chance_sum,
        line_cap=np.float32(gammainccinv(n_averages, LINE_CAP_CHANCE) / n_averages),
        df_order=df_order,
    )


def comb_bins(numbers: Int, shift: int) -> Int:
    """Return the bins of each comb's lines, which may lie outside the spectrum.

    Parameters
    ----------
    numbers : ndarray of int, shape (combs,)
        Fundamentals in thirds of a bin.
    shift : int
        Distance of the sidebands, bins; 0 for none.

    Returns
    -------
    ndarray of int, shape (3 or 9, combs)
        Harmonics first, then the sidebands below and above them.
    """
    largest = int(numbers.max(initial=0))
    lines = _harmonic_bins(1 << largest.bit_length()).take(numbers, axis=1)
    return np.concatenate([lines, lines - shift, lines + shift]) if shift else lines


def comb_weights(
    bins: Int, counts: Float32, fundamental_weight: Float32, chance_sum: Float32
) -> Float32:
    """Return the weights that turn the sums of combs into levels, shape (1 or 2, combs).

    Parameters
    ----------
    bins : ndarray of int, shape (3 or 9, combs)
    counts : ndarray, shape (1 or 2, combs)
        Unmasked lines of each comb, without and with sidebands.
    fundamental_weight, chance_sum : ndarray
        Those of the plan.
    """
    fundamental = fundamental_weight.take(bins[0], mode="clip")
    weights: Float32 = fundamental / chance_sum.take(counts.astype(np.intp))
    return weights


def _masks(
    bins: int,
    df_hz: float,
    shaft_hz: float,
    shaft_tolerance: float,
    mains_hz: tuple[float, ...],
) -> tuple[Float32, Float32]:
    """Return `Plan.unmasked` and `Plan.fundamental_weight`."""
    frequency, slack, of_supply, picked_up = _supply_lines(bins, df_hz, mains_hz)
    from_shaft = _distance_from_multiples(frequency, shaft_hz)
    masked = (from_shaft <= slack) | of_supply
    # A comb whose fundamental lies on a shaft line has its other lines in the skirts of others.
    wide = max(shaft_tolerance - MASK_TOLERANCE, 0) * frequency + slack
    unmasked, fundamental_weight = np.zeros((2, bins + 1), np.float32)
    unmasked[:-1] = ~masked
    doubtful = masked | (from_shaft <= wide)
    fundamental_weight[:-1] = np.where(doubtful, MASKED_WEIGHT, 1) * ~picked_up
    return unmasked, fundamental_weight


@lru_cache(maxsize=64)
def _supply_lines(
    bins: int, df_hz: float, mains_hz: tuple[float, ...]
) -> tuple[Float64, Float64, Bool, Bool]:
    """Return frequencies and half widths of lines, and which are masked and which picked up."""
    frequency = np.arange(bins, dtype=np.float64) * df_hz
    slack = MASK_TOLERANCE * frequency + LOBE_BINS * df_hz
    masked = frequency <= LOBE_BINS * df_hz
    picked_up = np.zeros(bins, np.bool_)
    for f in mains_hz:
        masked |= _distance_from_multiples(frequency, 2 * f) <= slack
        within = df_hz + 0.001 * frequency  # the supply is measured or rated to 0.1 %
        picked_up |= _distance_from_multiples(frequency, f) <= within
    return frequency, slack, masked, picked_up


def _distance_from_multiples(frequency: Float64, hz: float) -> Float64:
    return np.asarray(np.abs(frequency - np.rint(frequency / hz) * hz))


@lru_cache(maxsize=256)
def _chance_sum(n_averages: float, chance: float) -> Float32:
    """Return the sum that 0..9 lines of noise exceed by chance, infinite for fewer than two."""
    sizes = np.arange(2, 3 * HARMONICS + 1) * n_averages
    sums = gammainccinv(sizes, chance) / n_averages
    return np.append([np.inf, np.inf], sums).astype(np.float32)


def _intervals(
    targets: Sequence[CombTarget], tolerance: float, numbers_per_order: float
) -> tuple[range, dict[str, range]]:
    """Return the numbers of all combs, and of those near each target.

    Surrogates need combs well below and above each target.
    """
    orders = [t.order for t in targets]
    first = max(1, int(LOWEST_COMB * min(orders) * numbers_per_order))
    stop = int(HIGHEST_COMB * max(orders) * numbers_per_order) + 2
    intervals = {}
    for t in targets:
        centre = t.order * numbers_per_order
        half = tolerance * centre
        intervals[t.name] = range(max(first, round(centre - half)), round(centre + half) + 1)
    return range(first, stop), intervals


def _masks_order(order: float, fundamental_weight: Float32, df_order: float) -> bool:
    at = round(order / df_order)
    return at < len(fundamental_weight) and bool(fundamental_weight[at] < 1)


@lru_cache(maxsize=32)
def _harmonic_bins(count: int) -> Int:
    """Return the bins of the harmonics of the combs 0 .. count - 1."""
    exact = np.multiply.outer(np.arange(1, HARMONICS + 1) / HARMONICS, np.arange(count))
    return np.rint(exact).astype(np.int64)
