"""Combs of lines at multiples of a shaft order in envelope spectra, against what chance allows.

Second step of the bearing diagnoser: line levels per view in, the best comb near each defect order
out. `vtox.dsp.surrogates` then asks whether combs at other orders do as well.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.special import gammainccinv

Floats = npt.NDArray[np.float32]
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
    half a bin: `numbers` all that may be looked at, `intervals` those near each target, whose lines
    are `near` (9, combs), `hidden` (3, combs) where they begin in lines left out. `usable`
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


# A plan of a second takes 20 kB; a fleet at varying loads asks for some hundred.
@lru_cache(maxsize=256)
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
    lobe_hz = LOBE_BINS * df_hz

    def on(hz: float, width_hz: float = lobe_hz, tolerance: float = MASK_TOLERANCE) -> Bools:
        away = np.abs(frequency - np.rint(frequency / hz) * hz)
        return np.asarray(away <= width_hz + tolerance * frequency)

    left_out = on(shaft_hz) | (frequency <= lobe_hz)
    picked_up = np.zeros(bins, np.bool_)
    for f in mains_hz:
        left_out |= on(2 * f)
        picked_up |= on(f, df_hz, MAINS_TOLERANCE)
    # A comb whose fundamental hides in a shaft line has its other lines in the skirts of others.
    hidden = left_out | on(shaft_hz, tolerance=max(shaft_tolerance, MASK_TOLERANCE))
    trust = np.where(picked_up, 0, np.where(hidden, HIDDEN, 1))
    chance = CHANCE / channels * min(1.0, USUAL_TOLERANCE / tolerance)
    sizes = np.arange(2, 3 * HARMONICS + 1) * looks
    # Surrogates need combs well below and above each target.
    per_order = HARMONICS / df_order
    first = max(1, int(LOWEST * min(t.order for t in targets) * per_order))
    intervals = {t.name: _interval(t.order * per_order, tolerance, first) for t in targets}
    shifts = {PLAIN: 0, SHAFT: round(1 / df_order)}
    if cage_order is not None:
        shifts[CAGE] = round(cage_order / df_order)
    return Plan(
        usable=np.append(np.where(left_out, 0, 1), 0).astype(np.float32),
        trust=np.append(trust, 0).astype(np.float32),
        numbers=range(first, int(HIGHEST * max(t.order for t in targets) * per_order) + 2),
        intervals=intervals,
        shifts=shifts,
        near=np.concatenate(
            [
                lines_of(np.asarray(intervals[t.name]), shifts[t.sidebands] or OUTSIDE)
                for t in targets
            ],
            axis=1,
        ),
        hidden={
            n: (c := lines_of(np.asarray(i), 0))[:, trust.take(c[0], mode="clip") < 1]
            for n, i in intervals.items()
        },
        # One line is no comb.
        allowed=np.append([np.inf, np.inf], gammainccinv(sizes, chance) / looks).astype(np.float32),
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


def table(lines: Floats, usable: Floats) -> Floats:
    """Return line levels by bin, with what is left out set to zero.

    Parameters
    ----------
    lines : ndarray, shape (views, bins)
        Power over the floor.
    usable : ndarray, shape (bins + 1,)

    Returns
    -------
    ndarray of float32, shape (bins + 1, views + 1)
        Rows lie together in memory: gathering combs then copies rows. The first and the last are
        zero, for lines outside; the last column is `usable`: summed, it counts a comb's lines.
    """
    rows = np.zeros((len(usable), len(lines) + 1), np.float32)
    np.multiply(lines.T, usable[:-1, None], out=rows[:-1, :-1])
    rows[:, -1] = usable
    return rows


def near(rows: Floats, plan: Plan, targets: tuple[Target, ...]) -> dict[str, Floats]:
    """Return the levels of the combs within the tolerance of each target of the plan.

    Parameters
    ----------
    rows : ndarray, shape (bins + 1, views + 1)
        From `table`.
    plan : Plan
    targets : tuple of Target

    Returns
    -------
    dict of ndarray, each of shape (2, combs, views)
        As of `levels`, the harmonics alone weighted by `Target.bare`.
    """
    found, end = levels(rows, plan.near, plan), 0
    by_name = {}
    for target in targets:
        start, end = end, end + len(plan.intervals[target.name])
        by_name[target.name] = found[:, start:end]
        if target.bare != 1:
            by_name[target.name][0] *= target.bare
    return by_name


def levels(rows: Floats, bins: Ints, plan: Plan) -> Floats:
    """Return the level of each comb: the sum of its lines over what chance allows at `CHANCE`.

    In noise a bin's power over the floor is Gamma distributed, so the sum over the k bins of a comb
    that are not left out is Gamma(k * looks); level 1 is that distribution's upper quantile. The
    largest line counts for no more than `Plan.single` or the others together, with sidebands the
    whole for no more than `CARRIED` times the carriers or `SIDED` times the sidebands.

    Parameters
    ----------
    rows : ndarray, shape (bins + 1, views + 1)
        From `table`.
    bins : ndarray of int, shape (3 or 9, combs)
        From `lines_of`.
    plan : Plan

    Returns
    -------
    ndarray of float32, shape (1 or 2, combs, views)
        The harmonics alone, and with their sidebands.
    """
    gathered = rows.take(bins, axis=0, mode="clip")
    found = np.empty((1 if len(bins) == HARMONICS else 2, *gathered.shape[1:]), np.float32)
    top = gathered[:HARMONICS].max(axis=0)
    carriers = gathered[:HARMONICS].sum(axis=0)
    count = carriers[None, :, -1]
    _without_lonely(carriers, top, plan.single, out=found[0])
    if len(found) > 1:
        sides = gathered[HARMONICS:].sum(axis=0)
        np.maximum(top, gathered[HARMONICS:].max(axis=0), out=top)
        whole = carriers + sides
        count = np.stack([count[0], whole[:, -1]])
        _without_lonely(whole, top, plan.single, out=found[1])
        sides *= SIDED
        np.minimum(found[1], np.minimum(CARRIED * carriers, sides, out=sides), out=found[1])
    scale = plan.trust.take(bins[0], mode="clip") / plan.allowed.take(count.astype(np.int64))
    found *= scale[..., None]
    return found[..., :-1]


def _without_lonely(total: Floats, top: Floats, single: np.float32, *, out: Floats) -> None:
    """Write the sum of lines with the largest, `top`, cut to the others together or `single`."""
    np.subtract(total, top, out=out)
    out += np.minimum(top, np.maximum(out, single))


def _interval(centre: float, tolerance: float, first: int) -> range:
    half = tolerance * centre
    return range(max(first, round(centre - half)), round(centre + half) + 1)
