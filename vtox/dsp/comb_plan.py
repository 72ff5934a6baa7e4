"""Where combs of lines are looked for in envelope spectra, and what chance allows there.

Made once for a bearing, a speed and a layout, and shared by the records that agree in them;
`vtox.dsp.comb` applies it to the lines of each.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import gammainccinv

from vtox.arrays import Float32, Float64, Int

HARMONICS = 3
# Combs reach from this multiple of the lowest target to that of the highest.
LOWEST, HIGHEST = 0.35, 1.5
# Chance, per comb looked at, to exceed level 1 in pure noise. A record is searched in some 20 views
# (about 12 of them independent) and 70 combs: about 1e-4 a record in stationary noise.
CHANCE = 1e-7
# The half width of a search that `CHANCE` is meant for; wider searches divide it.
USUAL_TOLERANCE = 0.02
# A single line counts at most as one of this chance, exp(-12), unless the others together say more:
# one strong line, of a gear or a belt, is no comb.
SINGLE = 6e-6
# Shaft and supply lines are left out over the main lobe of a Hann line, +-2 bins, and this relative
# error of their frequency.
LOBE_BINS = 2
MASK_TOLERANCE = 0.002
# What is picked up from the mains lies at its frequency, known or rated, by this.
MAINS_TOLERANCE = 0.001
# Weight of a comb whose fundamental is left out, as it lies on a shaft or supply line.
HIDDEN = 0.5
PLAIN, SHAFT, CAGE = "plain", "shaft", "cage"
# Where the sidebands of a plain comb lie, bins: outside any spectrum.
OUTSIDE = 1 << 40


@dataclass(frozen=True, slots=True)
class Target:
    """A comb to look for: harmonics of `order` (times shaft speed), alone or with sidebands.

    `sidebands` at the frequency of the shaft or the cage (`PLAIN`: none); `bare` is the weight of
    the harmonics alone. `divisors`: were the comb's lines every second (third) line of a denser
    family, that family is something else.
    """

    name: str
    order: float
    sidebands: str = PLAIN
    bare: float = 1.0
    divisors: tuple[int, ...] = (2, 3)


@dataclass(frozen=True, slots=True)
class Plan:
    """Where to look, for one bin width, speed and set of targets; shared by equal records.

    Combs are numbered by their fundamental in steps of df/3, so that no line is missed by more than
    half a bin: `numbers` all that may be looked at, `intervals` those near each target. Their lines
    are `near` (9, combs; the first or last bin where outside), the weights of their sums
    `near_weights` (2, combs), and `hidden` (3, combs) where they begin in lines left out. `usable`
    (bins + 1,) is 0 on those and at the end, `trust` (bins + 1,) the weight of a comb by where its
    fundamental lies, `allowed` (10,) the sum of 0..9 lines that chance allows, `single` the cap of
    one line, `shifts` the sidebands in bins.
    """

    usable: Float32
    trust: Float32
    numbers: range
    intervals: Mapping[str, range]
    shifts: Mapping[str, int]
    near: Int
    near_weights: Float32
    hidden: Mapping[str, Int]
    allowed: Float32
    single: np.float32
    df_order: float

    def order(self, number: float) -> float:
        """Shaft order of the comb of this number."""
        return number * self.df_order / HARMONICS

    def hides(self, order: float) -> bool:
        """Whether a comb of this order begins behind a line that is left out."""
        at = round(order / self.df_order)
        return at < len(self.trust) and bool(self.trust[at] < 1)


# A plan of a second takes 8 kB, and 0.1 ms to make. Machines of one bearing and nameplate share
# some fifty over their speeds from no load to full.
@lru_cache(maxsize=1024)
def plan(
    targets: tuple[Target, ...],
    *,
    bins: int,
    df_hz: float,
    looks: float,
    shaft_hz: float,
    cage_order: float | None,
    tolerance: float,
    shaft_tolerance: float = MASK_TOLERANCE,
    mains_hz: tuple[float, ...] = (),
    channels: int = 1,
) -> Plan:
    """Return the plan for envelope spectra of `bins` bins.

    Parameters
    ----------
    targets : tuple of Target
    bins : int
    df_hz : float
        Bin width, Hz.
    looks : float
        Equivalent number of averaged periodograms.
    shaft_hz : float
        Shaft frequency, Hz. Its multiples are left out.
    cage_order : float or None
        Cage frequency over shaft frequency, None where no target needs it.
    tolerance : float
        Relative half width of the interval around each target.
    shaft_tolerance : float
        Relative error of `shaft_hz`: a comb whose fundamental may be a shaft line counts less.
    mains_hz : tuple of float
        Supply frequencies, Hz. Magnetic pull sounds at even multiples, which are left out; a comb
        at any multiple is picked up from the mains and counts nothing.
    channels : int
        Channels searched together; the chance per comb is divided by it.
    """
    df_order = df_hz / shaft_hz
    frequency = np.arange(bins) * df_hz
    slack = MASK_TOLERANCE * frequency + LOBE_BINS * df_hz

    def away(hz: float) -> Float64:
        return np.asarray(np.abs(frequency - np.rint(frequency / hz) * hz))

    from_shaft = away(shaft_hz)
    left_out = (from_shaft <= slack) | (frequency <= LOBE_BINS * df_hz)
    picked_up = np.zeros(bins, np.bool_)
    for f in mains_hz:
        left_out |= away(2 * f) <= slack
        picked_up |= away(f) <= df_hz + MAINS_TOLERANCE * frequency
    # A comb whose fundamental hides in a shaft line has its other lines in the skirts of others.
    wide = max(shaft_tolerance - MASK_TOLERANCE, 0) * frequency + slack
    usable, trust = np.zeros((2, bins + 1), np.float32)
    usable[:-1] = ~left_out
    trust[:-1] = np.where(left_out | (from_shaft <= wide), HIDDEN, 1) * ~picked_up
    chance = CHANCE / channels * min(1.0, USUAL_TOLERANCE / tolerance)
    sizes = np.arange(2, 3 * HARMONICS + 1) * looks
    # One line is no comb.
    allowed = np.append([np.inf, np.inf], gammainccinv(sizes, chance) / looks).astype(np.float32)
    # Surrogates need combs well below and above each target.
    per_order = HARMONICS / df_order
    first = max(1, int(LOWEST * min(t.order for t in targets) * per_order))
    intervals = {t.name: _interval(t.order * per_order, tolerance, first) for t in targets}
    shifts = {PLAIN: 0, SHAFT: round(1 / df_order)}
    if cage_order is not None:
        shifts[CAGE] = round(cage_order / df_order)
    combs = {
        t.name: lines_of(np.asarray(intervals[t.name]), shifts[t.sidebands] or OUTSIDE)
        for t in targets
    }
    carriers = {n: c[:HARMONICS] for n, c in combs.items()}
    near = np.clip(np.concatenate(list(combs.values()), axis=1), 0, bins)
    counts = usable.take(near).cumsum(axis=0)[[HARMONICS - 1, -1]]
    near_weights = weights(near, counts, trust, allowed)
    near_weights[0] *= np.repeat([t.bare for t in targets], [len(i) for i in intervals.values()])
    return Plan(
        usable=usable,
        trust=trust,
        numbers=range(first, int(HIGHEST * max(t.order for t in targets) * per_order) + 2),
        intervals=intervals,
        shifts=shifts,
        near=near,
        near_weights=near_weights,
        hidden={n: c[:, trust.take(c[0], mode="clip") < 1] for n, c in carriers.items()},
        allowed=allowed,
        single=np.float32(gammainccinv(looks, SINGLE) / looks),
        df_order=df_order,
    )


def lines_of(numbers: Int, shift: int) -> Int:
    """Return the bins of each comb's lines, which may lie outside the spectrum.

    Parameters
    ----------
    numbers : ndarray of int, shape (combs,)
        Fundamentals in thirds of a bin, the largest last.
    shift : int
        Distance of the sidebands, bins; 0 for none.

    Returns
    -------
    ndarray of int, shape (3 or 9, combs)
        Harmonics first, then those below and above them.
    """
    lines = _harmonics(1 << int(numbers[-1]).bit_length()).take(numbers, axis=1)
    return np.concatenate([lines, lines - shift, lines + shift]) if shift else lines


@lru_cache(maxsize=32)
def _harmonics(count: int) -> Int:
    """Return the bins of the harmonics of the combs 0 .. count - 1."""
    exact = np.multiply.outer(np.arange(1, HARMONICS + 1) / HARMONICS, np.arange(count))
    return np.rint(exact).astype(np.int64)


def weights(bins: Int, counts: Float32, trust: Float32, allowed: Float32) -> Float32:
    """Return what turns the sums of combs into levels, shape (1 or 2, combs)."""
    weights: Float32 = trust.take(bins[0], mode="clip") / allowed.take(counts.astype(np.intp))
    return weights


def _interval(centre: float, tolerance: float, first: int) -> range:
    half = tolerance * centre
    return range(max(first, round(centre - half)), round(centre + half) + 1)
