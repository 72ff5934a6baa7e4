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
# Chance, per comb looked at, to exceed level 1 in pure noise. A record is searched in some 20 views
# (about 12 of them independent) and 70 combs: about 1e-3 a record, before the surrogates.
CHANCE = 1e-6
# The half width of a search that `CHANCE` is meant for; wider searches divide it.
USUAL_TOLERANCE = 0.02
# A single line counts at most as one of this chance, exp(-12), unless the others together say more:
# one strong line, of a gear or a belt, is no comb.
SINGLE = 6e-6
# Shaft and supply lines are left out over the main lobe of a Hann line, +-2 bins, and this relative
# error of their frequency.
LOBE_BINS = 2
MASK_TOLERANCE = 0.002
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
    """The combs of one family near all targets: lines `bins` (3, combs), `scale` (combs,)."""

    bins: Ints
    scale: Floats
    parts: Mapping[str, tuple[slice, float]]


@dataclass(frozen=True, slots=True)
class Plan:
    """Where to look, for one bin width, speed and set of targets; shared by equal records.

    Combs are numbered by their fundamental in steps of df/3, so that no line is missed by more than
    half a bin: `orders` (combs,) in shaft orders, `bins` (3, combs) of the harmonics (`len(usable)`
    where a harmonic lies outside). `usable` (bins,) is 0 on lines that are left out, `allowed` (9,)
    the sum of 1..9 lines that chance allows, `single` the cap of one line.
    """

    usable: Floats
    orders: Floats
    bins: Ints
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
    avoided_hz : tuple of float
        Further fundamentals whose every multiple is left out, Hz.
    channels : int
        Channels searched together; the chance per comb is divided by it.
    """
    df_order = df_hz / shaft_hz
    frequency = np.arange(bins) * df_hz
    usable = np.ones(bins, np.float32)
    usable[: LOBE_BINS + 1] = 0
    for f in (shaft_hz, *avoided_hz):
        distance = np.abs(frequency - np.rint(frequency / f) * f)
        usable[distance <= LOBE_BINS * df_hz + MASK_TOLERANCE * frequency] = 0
    # Surrogates need combs well below and above each target.
    orders = [t.order for t in targets]
    per_order = HARMONICS / df_order
    first = max(1, int(0.35 * min(orders) * per_order))
    number = np.arange(first, int(1.5 * max(orders) * per_order) + 2)
    lines = np.rint(np.arange(1, HARMONICS + 1)[:, None] * number / HARMONICS).astype(np.int64)
    chance = CHANCE / channels * min(1.0, USUAL_TOLERANCE / tolerance)
    sizes = np.arange(1, 3 * HARMONICS + 1) * looks
    shifts = {PLAIN: 0, SHAFT: round(1 / df_order)}
    if cage_order is not None:
        shifts[CAGE] = round(cage_order / df_order)
    partial = Plan(
        usable=usable,
        orders=(number / per_order).astype(np.float32),
        bins=np.where(lines < bins, lines, bins),
        shifts=shifts,
        intervals={t.name: _interval(t, tolerance, per_order, first) for t in targets},
        blocks={},
        allowed=(gammainccinv(sizes, chance) / looks).astype(np.float32),
        single=np.float32(gammainccinv(looks, SINGLE) / looks),
        df_order=df_order,
    )
    blocks = {f: _block(partial, targets, f) for f in shifts}
    return Plan(
        **{name: getattr(partial, name) for name in Plan.__slots__ if name != "blocks"},
        blocks={f: b for f, b in blocks.items() if b.parts},
    )


def candidates(lines: Floats, plan: Plan) -> dict[str, Candidate]:
    """Return the best comb within the tolerance of each target.

    Parameters
    ----------
    lines : ndarray, shape (views, bins)
        Power over the floor.
    plan : Plan

    Returns
    -------
    dict of target name to Candidate
    """
    best: dict[str, Candidate] = {}
    for family, block in plan.blocks.items():
        found = levels(lines, plan, plan.shifts[family], block.bins, block.scale)
        peaks = found.max(axis=0)
        for name, (part, weight) in block.parts.items():
            at = int(peaks[part].argmax())
            level = weight * float(peaks[part][at])
            if name not in best or level > best[name].level:
                view = int(found[:, part.start + at].argmax())
                best[name] = Candidate(level, plan.intervals[name].start + at, view, family)
    return best


def levels(
    lines: Floats,
    plan: Plan,
    shift: int,
    bins: Ints,
    scale: Floats,
    usable: Floats | None = None,
) -> Floats:
    """Return the level of each comb: the sum of its lines over what chance allows at `CHANCE`.

    In noise a bin's power over the floor is Gamma distributed, so the sum over the k bins of a comb
    that are not left out is Gamma(k * looks); level 1 is that distribution's upper quantile. The
    largest line counts for no more than `SINGLE` or the others together.

    Parameters
    ----------
    lines : ndarray, shape (views, bins)
        Power over the floor.
    plan : Plan
    shift : int
        Distance of the sidebands in bins, 0 for none.
    bins : ndarray of int, shape (3, combs)
    scale : ndarray, shape (combs,)
        One over what chance allows, from `scale_of`.
    usable : ndarray, shape (bins,), optional
        Instead of the plan's.

    Returns
    -------
    ndarray of float32, shape (views, combs)
    """
    padded = np.zeros((len(lines), lines.shape[1] + 1), np.float32)
    np.multiply(lines, plan.usable if usable is None else usable, out=padded[:, :-1])
    sums, tops = _with_sidebands(padded, shift)
    first, second, third = (sums.take(row, axis=1) for row in bins)
    total = first + second + third
    if shift:
        first, second, third = (tops.take(row, axis=1) for row in bins)
    top = np.maximum(np.maximum(first, second), third)
    total -= top
    total += np.minimum(top, np.maximum(total, plan.single))
    total *= scale
    return np.asarray(total, np.float32)


def scale_of(plan: Plan, shift: int, bins: Ints, usable: Floats) -> Floats:
    """Return one over what chance allows each comb, 0 where fewer than two lines are usable."""
    around, _ = _with_sidebands(np.append(usable, np.float32(0))[None], shift)
    count = np.rint(around[0].take(bins).sum(axis=0)).astype(np.int64)
    return np.where(count < 2, np.float32(0), 1 / plan.allowed[np.maximum(count, 1) - 1])


def _block(plan: Plan, targets: tuple[Target, ...], family: str) -> Block:
    parts: dict[str, tuple[slice, float]] = {}
    combs: list[int] = []
    for target in targets:
        for name, weight in target.families:
            if name == family:
                interval = plan.intervals[target.name]
                wanted = range(interval.start, interval.stop)
                parts[target.name] = (slice(len(combs), len(combs) + len(wanted)), weight)
                combs += wanted
    bins = plan.bins[:, combs]
    return Block(bins, scale_of(plan, plan.shifts[family], bins, plan.usable), parts)


def _interval(target: Target, tolerance: float, per_order: float, first: int) -> slice:
    centre, half = target.order * per_order - first, tolerance * target.order * per_order
    return slice(max(0, round(centre - half)), round(centre + half) + 1)


def _with_sidebands(lines: Floats, shift: int) -> tuple[Floats, Floats]:
    """Return sum and maximum of each bin and those `shift` bins below and above it."""
    if shift == 0:
        return lines, lines
    sums, tops = lines.copy(), lines.copy()
    for to, of in (
        (slice(shift, -1), slice(None, -shift - 1)),
        (slice(None, -shift - 1), slice(shift, -1)),
    ):
        sums[:, to] += lines[:, of]
        np.maximum(tops[:, to], lines[:, of], out=tops[:, to])
    return sums, tops
