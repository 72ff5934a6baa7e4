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
# Weight of a comb whose fundamental is left out, as it lies on a shaft or supply line.
HIDDEN = 0.5
PLAIN, SHAFT, CAGE = "plain", "shaft", "cage"


@dataclass(frozen=True, slots=True)
class Target:
    """A comb to look for: `harmonics` of `order` (times shaft speed), in one or more families.

    A family is `plain` (the harmonics alone), `shaft` or `cage` (each with a pair of sidebands at
    that frequency), with the weight its level counts. `accompanied`: multiples of the cage
    frequency belong to the picture too. `divisors`: were the comb's lines every second (third) line
    of a denser family, that family is something else.
    """

    name: str
    order: float
    families: tuple[tuple[str, float], ...] = ((PLAIN, 1.0),)
    accompanied: bool = False
    divisors: tuple[int, ...] = (2, 3)


@dataclass(frozen=True, slots=True)
class Block:
    """The combs of one family near all targets: `bins` (lines, combs), `scale` (combs,)."""

    bins: Ints
    scale: Floats
    parts: Mapping[str, tuple[slice, float]]


@dataclass(frozen=True, slots=True)
class Plan:
    """Where to look, for one bin width, speed and set of targets; shared by equal records.

    Combs are numbered by their fundamental in steps of df/3, so that no line is missed by more than
    half a bin: `orders` (combs,) in shaft orders, `bins[family]` (3 or 9, combs) of the lines,
    harmonics first (the last row of `usable` where a line lies outside). `usable` (bins + 1,) is 0
    on lines that are left out and at the end, `trust` (bins + 1,) the weight of a comb by where its
    fundamental lies, `allowed` (10,) the sum of 0..9 lines that chance allows, `single` the cap of
    one line.
    """

    usable: Floats
    trust: Floats
    orders: Floats
    bins: Mapping[str, Ints]
    shifts: Mapping[str, int]
    intervals: Mapping[str, slice]
    blocks: Mapping[str, Block]
    allowed: Floats
    single: np.float32
    df_order: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """The best comb near a target before surrogates: its level and number in the plan."""

    level: float
    comb: int
    view: int
    family: str


# A plan of a second takes 0.1 MB; a fleet at varying loads asks for some hundred.
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
    avoided_hz: tuple[float, ...] = (),
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
    avoided_hz : tuple of float
        Further fundamentals whose every multiple is left out, Hz.
    channels : int
        Channels searched together; the chance per comb is divided by it.
    """
    df_order = df_hz / shaft_hz
    frequency = np.arange(bins) * df_hz
    away = [np.abs(frequency - np.rint(frequency / f) * f) for f in (shaft_hz, *avoided_hz)]
    lobe_hz = LOBE_BINS * df_hz
    left_out = (np.min(away, axis=0) <= lobe_hz + MASK_TOLERANCE * frequency) | (
        frequency <= lobe_hz
    )
    # A comb whose fundamental hides in a shaft line has its other lines in the skirts of others.
    hidden = left_out | (away[0] <= lobe_hz + max(shaft_tolerance, MASK_TOLERANCE) * frequency)
    usable = np.append(np.where(left_out, 0, 1), 0).astype(np.float32)
    trust = np.append(np.where(hidden, HIDDEN, 1), 0).astype(np.float32)
    # Surrogates need combs well below and above each target.
    orders = [t.order for t in targets]
    per_order = HARMONICS / df_order
    first = max(1, int(LOWEST * min(orders) * per_order))
    number = np.arange(first, int(HIGHEST * max(orders) * per_order) + 2)
    lines = np.rint(np.arange(1, HARMONICS + 1)[:, None] * number / HARMONICS).astype(np.int64)
    shifts = {PLAIN: 0, SHAFT: round(1 / df_order)}
    if cage_order is not None:
        shifts[CAGE] = round(cage_order / df_order)
    chance = CHANCE / channels * min(1.0, USUAL_TOLERANCE / tolerance)
    sizes = np.arange(1, 3 * HARMONICS + 1) * looks
    allowed = np.append(np.inf, gammainccinv(sizes, chance) / looks).astype(np.float32)
    family_bins = {f: _inside(_with_sidebands(lines, shift), bins) for f, shift in shifts.items()}
    intervals = {t.name: _interval(t, tolerance, per_order, first) for t in targets}
    blocks = {
        f: _block(b, f, targets, intervals, (usable, trust, allowed))
        for f, b in family_bins.items()
    }
    return Plan(
        usable=usable,
        trust=trust,
        orders=(number / per_order).astype(np.float32),
        bins=family_bins,
        shifts=shifts,
        intervals=intervals,
        blocks=blocks,
        allowed=allowed,
        single=np.float32(gammainccinv(looks, SINGLE) / looks),
        df_order=df_order,
    )


def table(lines: Floats, usable: Floats) -> Floats:
    """Return line levels by bin with what is left out set to zero, one row of zeros at the end.

    Parameters
    ----------
    lines : ndarray, shape (views, bins)
        Power over the floor.
    usable : ndarray, shape (bins + 1,)

    Returns
    -------
    ndarray of float32, shape (bins + 1, views)
        Rows lie together in memory: gathering combs then copies rows.
    """
    rows = np.zeros((len(usable), len(lines)), np.float32)
    np.multiply(lines.T, usable[:-1, None], out=rows[:-1])
    return rows


def candidates(rows: Floats, plan: Plan) -> dict[str, Candidate]:
    """Return the best comb within the tolerance of each target, from a `table` of line levels."""
    best: dict[str, Candidate] = {}
    for family, block in plan.blocks.items():
        if not block.parts:
            continue
        found = levels(rows, block.bins, block.scale, plan.single)
        peaks = found.max(axis=1)
        for name, (part, weight) in block.parts.items():
            at = int(peaks[part].argmax())
            level = weight * float(peaks[part][at])
            if name not in best or level > best[name].level:
                view = int(found[part.start + at].argmax())
                best[name] = Candidate(level, plan.intervals[name].start + at, view, family)
    return best


def levels(rows: Floats, bins: Ints, scale: Floats, single: np.float32) -> Floats:
    """Return the level of each comb: the sum of its lines over what chance allows at `CHANCE`.

    In noise a bin's power over the floor is Gamma distributed, so the sum over the k bins of a comb
    that are not left out is Gamma(k * looks); level 1 is that distribution's upper quantile. The
    largest line counts for no more than `single` or the others together, with sidebands the
    whole for no more than `CARRIED` times the carriers or `SIDED` times the sidebands.

    Parameters
    ----------
    rows : ndarray, shape (bins + 1, views)
        From `table`.
    bins : ndarray of int, shape (lines, combs)
    scale : ndarray, shape (combs,)
        From `scale_of`.
    single : float
        Of the plan.

    Returns
    -------
    ndarray of float32, shape (combs, views)
    """
    gathered = rows.take(bins.ravel(), axis=0).reshape(*bins.shape, rows.shape[1])
    top = gathered.max(axis=0)
    total = gathered.sum(axis=0, dtype=np.float32)
    total -= top
    np.maximum(total, single, out=(limit := np.empty_like(total)))
    total += np.minimum(top, limit, out=limit)
    if len(bins) > HARMONICS:
        centre = gathered[:HARMONICS].sum(axis=0, dtype=np.float32)
        sides = gathered[HARMONICS:].sum(axis=0, dtype=np.float32)
        np.minimum(total, CARRIED * centre, out=total)
        np.minimum(total, SIDED * sides, out=total)
    total *= scale[:, None]
    return np.asarray(total, np.float32)


def scale_of(bins: Ints, usable: Floats, trust: Floats, allowed: Floats) -> Floats:
    """Return one over what chance allows each comb, 0 where fewer than two lines are usable.

    Parameters
    ----------
    bins : ndarray of int, shape (lines, combs)
    usable, trust : ndarray, shape (bins + 1,)
    allowed : ndarray, shape (10,)
    """
    count = usable.take(bins).sum(axis=0).astype(np.int64)
    return np.where(count < 2, np.float32(0), trust.take(bins[0]) / allowed[count])


def _block(
    bins: Ints,
    family: str,
    targets: tuple[Target, ...],
    intervals: Mapping[str, slice],
    noise: tuple[Floats, Floats, Floats],
) -> Block:
    parts: dict[str, tuple[slice, float]] = {}
    combs: list[int] = []
    for target in targets:
        for name, weight in target.families:
            if name == family:
                interval = intervals[target.name]
                wanted = range(interval.start, interval.stop)
                parts[target.name] = (slice(len(combs), len(combs) + len(wanted)), weight)
                combs += wanted
    chosen = np.ascontiguousarray(bins[:, combs])
    return Block(chosen, scale_of(chosen, *noise), parts)


def _interval(target: Target, tolerance: float, per_order: float, first: int) -> slice:
    centre, half = target.order * per_order - first, tolerance * target.order * per_order
    return slice(max(0, round(centre - half)), round(centre + half) + 1)


def _with_sidebands(lines: Ints, shift: int) -> Ints:
    return np.concatenate([lines, lines - shift, lines + shift]) if shift else lines


def _inside(lines: Ints, bins: int) -> Ints:
    """Return the lines, those outside 0 .. bins - 1 replaced by `bins`."""
    return np.where((lines >= 0) & (lines < bins), lines, bins)
