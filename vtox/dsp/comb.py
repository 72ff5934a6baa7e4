"""Combs of lines at multiples of a shaft order in envelope spectra, against what chance allows.

Second step of the bearing diagnoser: line levels per view and a plan (`vtox.dsp.comb_plan`) in, the
best comb near each defect order out. `vtox.dsp.surrogates` then asks whether combs at other orders
do as well.
"""

from collections.abc import Sequence

import numpy as np

from vtox.arrays import Float32, Int
from vtox.dsp.comb_plan import HARMONICS, Plan, weights

# A modulated pulse train has its carrier lines above their sidebands (Randall & Antoni 2011,
# section 2.2): with sidebands, a comb counts at most this multiple of the harmonics alone.
CARRIED = 4.0
# ... and this multiple of the sidebands: without them it is a plain comb. A pulse train modulated
# by 90 % has 0.4 of its carrier power in sidebands.
SIDED = 3.0
# What is asked of harmonics and sidebands: the first alone, all, and both limits of all.
SUMS = np.array(
    [
        np.repeat(pair, (HARMONICS, 2 * HARMONICS))
        for pair in ((1, 0), (1, 1), (CARRIED, 0), (0, SIDED))
    ],
    np.float32,
)


def tables(lines: Sequence[Float32], plans: Sequence[Plan]) -> Float32:
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


def near(rows: Float32, plans: Sequence[Plan]) -> list[dict[str, Float32]]:
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


def levels(rows: Float32, bins: Int, plan: Plan) -> Float32:
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
        From `comb_plan.lines_of`.
    plan : Plan

    Returns
    -------
    ndarray of float32, shape (1 or 2, combs, views)
        The harmonics alone, and with their sidebands.
    """
    found, counts = _sums(rows, bins, plan.single)
    found *= weights(bins, counts, plan.trust, plan.allowed)[..., None]
    return found[..., :-1]


def _sums(rows: Float32, bins: Int, single: np.float32) -> tuple[Float32, Float32]:
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
