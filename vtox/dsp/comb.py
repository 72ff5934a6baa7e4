"""Combs of lines at multiples of a shaft order in envelope spectra, against what chance allows.

Second step of the bearing diagnoser: line levels per view in, the best comb near each defect order
out. `vtox.dsp.surrogates` then asks whether combs at other orders do as well.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.special import gammainccinv

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

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
# A modulated pulse train has its carrier lines above their sidebands (Randall & Antoni 2011,
# section 2.2): with sidebands, a comb counts at most this multiple of the harmonics alone.
CARRIED = 4.0
# ... and this multiple of the sidebands: without them it is a plain comb. A pulse train modulated
# by 90 % has 0.4 of its carrier power in sidebands.
SIDED = 3.0
# Shaft and supply lines are left out over the main lobe of a Hann line, +-2 bins, and this relative
# error of their frequency.
LOBE_BINS = 2
MASK_TOLERANCE = 0.002
# What is picked up from the mains lies at its frequency, known or rated, by this.
MAINS_TOLERANCE = 0.001
# What is asked of harmonics and sidebands: the first alone, all, and both limits of all.
SUMS = np.array(
    [
        np.repeat(weights, (HARMONICS, 2 * HARMONICS))
        for weights in ((1, 0), (1, 1), (CARRIED, 0), (0, SIDED))
    ],
    np.float32,
)
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

    usable: Floats
    trust: Floats
    numbers: range
    intervals: Mapping[str, range]
    shifts: Mapping[str, int]
    near: Ints
    near_weights: Floats
    hidden: Mapping[str, Ints]
    allowed: Floats
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

    def away(hz: float) -> Doubles:
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
    near_weights = _weights(near, counts, trust, allowed)
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


def lines_of(numbers: Ints, shift: int) -> Ints:
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
def _harmonics(count: int) -> Ints:
    """Return the bins of the harmonics of the combs 0 .. count - 1."""
    exact = np.multiply.outer(np.arange(1, HARMONICS + 1) / HARMONICS, np.arange(count))
    return np.rint(exact).astype(np.int64)


def tables(lines: Sequence[Floats], plans: Sequence[Plan]) -> Floats:
    """Return line levels by bin, with what each record's plan leaves out set to zero.

    Parameters
    ----------
    lines : sequence of ndarray, each of shape (views, bins)
        Power over the floor.
    plans : sequence of Plan, one a record
        All for so many bins.

    Returns
    -------
    ndarray of float32, shape (records, bins + 1, views + 1)
        Rows lie together in memory: gathering combs then copies rows. The first and the last are
        zero, for lines outside; the last column is `usable`: summed, it counts a comb's lines.
    """
    views, bins = lines[0].shape
    rows = np.empty((len(plans), bins + 1, views + 1), np.float32)
    for own, levels, plan in zip(rows, lines, plans, strict=True):
        own[:-1, :-1] = (levels * plan.usable[:-1]).T
        own[:, -1] = plan.usable
    rows[:, -1] = 0
    return rows


def near(rows: Floats, plans: Sequence[Plan]) -> list[dict[str, Floats]]:
    """Return the levels of the combs within the tolerance of each target of each record's plan.

    Parameters
    ----------
    rows : ndarray, shape (records, bins + 1, views + 1)
        From `tables`.
    plans : sequence of Plan, one a record
        All for so many looks.

    Returns
    -------
    list of dict of ndarray, each of shape (2, combs, views)
        As of `levels`, the harmonics alone weighted by `Target.bare`; one dict a record.
    """
    # Records together, as they hold few combs each: 10 us a record in eights, 25 us alone.
    step = rows.shape[1]
    bins = np.concatenate([p.near + k * step for k, p in enumerate(plans)], axis=1)
    found, _ = _sums(rows.reshape(-1, rows.shape[2]), bins, plans[0].single)
    found *= np.concatenate([p.near_weights for p in plans], axis=1)[..., None]
    by_record, end = [], 0
    for plan in plans:
        by_name = {}
        for name, numbers in plan.intervals.items():
            start, end = end, end + len(numbers)
            by_name[name] = found[:, start:end, :-1]
        by_record.append(by_name)
    return by_record


def levels(rows: Floats, bins: Ints, plan: Plan) -> Floats:
    """Return the level of each comb: the sum of its lines over what chance allows at `CHANCE`.

    In noise a bin's power over the floor is Gamma distributed, so the sum over the k bins of a comb
    that are not left out is Gamma(k * looks); level 1 is that distribution's upper quantile. The
    largest line counts for no more than `Plan.single` or the others together, with sidebands the
    whole for no more than `CARRIED` times the carriers or `SIDED` times the sidebands.

    Parameters
    ----------
    rows : ndarray, shape (bins + 1, views + 1)
        From `tables`, of one record.
    bins : ndarray of int, shape (3 or 9, combs)
        From `lines_of`.
    plan : Plan

    Returns
    -------
    ndarray of float32, shape (1 or 2, combs, views)
        The harmonics alone, and with their sidebands.
    """
    found, counts = _sums(rows, bins, plan.single)
    found *= _weights(bins, counts, plan.trust, plan.allowed)[..., None]
    return found[..., :-1]


def _sums(rows: Floats, bins: Ints, single: np.float32) -> tuple[Floats, Floats]:
    """Return the limited sums of each comb's lines, and how many of its lines are not left out."""
    gathered = rows.take(bins, axis=0, mode="clip")
    if len(bins) == HARMONICS:
        sums = np.add.reduce(gathered)[None]
        top = np.maximum.reduce(gathered)[None]
    else:
        flat = gathered.reshape(len(bins), -1)
        sums = (SUMS @ flat).reshape(len(SUMS), *gathered.shape[1:])
        top = np.empty((2, *gathered.shape[1:]), np.float32)
        np.maximum.reduce(gathered[:HARMONICS], out=top[0])
        np.maximum.reduce(gathered[HARMONICS:], out=top[1])
        np.maximum(top[0], top[1], out=top[1])
    totals = sums[: len(top)]
    # The largest line: as it is, the others together, or `single`.
    found = totals - top
    found += np.minimum(top, np.maximum(found, single), out=top)
    if len(found) > 1:
        np.minimum(found[1], np.minimum(sums[2], sums[3], out=sums[2]), out=found[1])
    return found, totals[..., -1]


def _weights(bins: Ints, counts: Floats, trust: Floats, allowed: Floats) -> Floats:
    """Return what turns the sums of combs into levels, shape (1 or 2, combs)."""
    weights: Floats = trust.take(bins[0], mode="clip") / allowed.take(counts.astype(np.intp))
    return weights


def _interval(centre: float, tolerance: float, first: int) -> range:
    half = tolerance * centre
    return range(max(first, round(centre - half)), round(centre + half) + 1)
