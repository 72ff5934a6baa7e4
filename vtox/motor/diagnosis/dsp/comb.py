"""Levels of combs in envelope spectra: the sum of their lines over the sum that chance allows.

Second step of the bearing diagnoser: line levels per view and a plan
(`vtox.motor.diagnosis.dsp.comb_plan`) in, the levels of the combs near each defect order out. Then
`vtox.motor.diagnosis.dsp.surrogates` tests whether combs at other orders reach as much.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np

from vtox.motor.diagnosis.dsp.comb_plan import HARMONICS, Plan, comb_weights
from vtox.motor.values.arrays import Float32, Int

# A modulated pulse train has its carrier lines above their sidebands (Randall & Antoni 2011,
# section 2.2): with sidebands, a comb counts at most this multiple of the harmonics alone ...
MAX_OVER_CARRIERS = 4.0
# ... and this multiple of the sidebands: without them it is a plain comb. A pulse train modulated
# by 90 % has 0.4 of its carrier power in sidebands.
MAX_OVER_SIDEBANDS = 3.0


def masked_lines(lines: Sequence[Float32], plans: Sequence[Plan]) -> Float32:
    """Return line levels by bin, zero if the record's plan masks them.

    Parameters
    ----------
    lines : sequence of ndarray, each of shape (views, bins)
        Power over the floor.
    plans : sequence of Plan, one a record
        All for so many bins.

    Returns
    -------
    ndarray of float32, shape (records, bins + 1, views + 1)
        Rows are contiguous, so that gathering combs copies rows. The first and the last are zero,
        for lines outside; the last column is `Plan.unmasked`: its sum counts a comb's lines.
    """
    views, bins = lines[0].shape
    rows = np.empty((len(plans), bins + 1, views + 1), np.float32)
    for own, levels, plan in zip(rows, lines, plans, strict=True):
        own[:-1, :-1] = (levels * plan.unmasked[:-1]).T
        own[:, -1] = plan.unmasked
    rows[:, -1] = 0
    return rows


def candidate_levels(rows: Float32, plans: Sequence[Plan]) -> Float32:
    """Return the levels of the combs within the tolerance of each target of each record's plan.

    Parameters
    ----------
    rows : ndarray, shape (records, bins + 1, views + 1)
        From `masked_lines`.
    plans : sequence of Plan, one a record
        All for the same number of averages.

    Returns
    -------
    ndarray of float32, shape (2, combs, views + 1)
        As of `comb_levels`, the harmonics alone weighted by `CombTarget.plain_weight`. Combs in the
        order of the records, and within each of `Plan.spans`; the last column is zero.

    See Also
    --------
    comb_levels : the same for any combs of one record.
    """
    # Records together, as they hold few combs each: 10 us a record in eights, 25 us alone.
    bins, _ = bins_of_records([p.candidate_bins for p in plans], rows.shape[1])
    levels, _ = _limited_sums(rows.reshape(-1, rows.shape[2]), bins, plans[0].line_cap)
    levels *= np.concatenate([p.candidate_weights for p in plans], axis=1)[..., None]
    levels[..., -1] = 0
    return levels


def bins_of_records(bins: Sequence[Int], step: int) -> tuple[Int, Int]:
    """Return the bins of several records, one after the other, in rows that lie `step` apart.

    With the record of each.
    """
    of_record = np.repeat(np.arange(len(bins)), [own.shape[-1] for own in bins])
    return np.concatenate(bins, axis=-1) + step * of_record, of_record


def comb_levels(rows: Float32, bins: Int, plan: Plan) -> Float32:
    """Return the level of each comb: the sum of its lines over the sum that chance allows.

    In noise a bin's power over the floor is Gamma distributed, so the sum over the k unmasked bins
    of a comb is Gamma(k * n_averages). Level 1 is that distribution's upper quantile, of
    `comb_plan.COMB_CHANCE`. The largest line counts for no more than `Plan.line_cap` or the others
    together. With sidebands the whole counts for no more than `MAX_OVER_CARRIERS` times the
    carriers or `MAX_OVER_SIDEBANDS` times the sidebands.

    Parameters
    ----------
    rows : ndarray, shape (bins + 1, views + 1)
        From `masked_lines`, of one record.
    bins : ndarray of int, shape (3 or 9, combs)
        From `comb_plan.comb_bins`.
    plan : Plan

    Returns
    -------
    ndarray of float32, shape (1 or 2, combs, views)
        The harmonics alone, and with their sidebands.

    See Also
    --------
    candidate_levels : the same for the combs near each target, of many records at once.
    """
    sums, counts = _limited_sums(rows, bins, plan.line_cap)
    sums *= comb_weights(bins, counts, plan.fundamental_weight, plan.chance_sum)[..., None]
    return sums[..., :-1]


@cache
def _line_weights() -> Float32:
    """Return the weights of harmonics and sidebands in four sums.

    Harmonics alone, all lines, and both limits of all.
    """
    pairs = ((1, 0), (1, 1), (MAX_OVER_CARRIERS, 0), (0, MAX_OVER_SIDEBANDS))
    return np.array([np.repeat(pair, (HARMONICS, 2 * HARMONICS)) for pair in pairs], np.float32)


def _limited_sums(rows: Float32, bins: Int, line_cap: np.float32) -> tuple[Float32, Float32]:
    """Return the limited sums of each comb's lines, and how many of its lines are unmasked."""
    lines = rows.take(bins, axis=0, mode="clip")
    if len(bins) == HARMONICS:
        sums = np.add.reduce(lines)[None]
        largest = np.maximum.reduce(lines)[None]
    else:
        flat = lines.reshape(len(bins), -1)
        sums = (_line_weights() @ flat).reshape(-1, *lines.shape[1:])
        largest = np.empty((2, *lines.shape[1:]), np.float32)
        np.maximum.reduce(lines[:HARMONICS], out=largest[0])
        np.maximum.reduce(lines[HARMONICS:], out=largest[1])
        np.maximum(largest[0], largest[1], out=largest[1])
    totals = sums[: len(largest)]
    # The largest line: as it is, the others together, or the cap.
    limited = totals - largest
    limited += np.minimum(largest, np.maximum(limited, line_cap), out=largest)
    if len(limited) > 1:
        np.minimum(limited[1], np.minimum(sums[2], sums[3], out=sums[2]), out=limited[1])
    return limited, totals[..., -1]
