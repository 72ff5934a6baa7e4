"""Stretches of a record in which its state changed: from flags per frame to evidence."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from vtox.arrays import Float64


def episodes(
    t_s: Float64,
    size: Float64,
    found: npt.NDArray[np.bool_],
    fault_above: float,
    duration_s: float,
) -> list[dict[str, Any]]:
    """Return the runs of found frames as evidence, in order of time.

    Parameters
    ----------
    t_s : ndarray, shape (frames,)
        Centres of the frames, s.
    size : ndarray, shape (frames,)
        What is compared with `fault_above`; its median over a run decides the state of the run.
    found : ndarray of bool, shape (frames,)
    fault_above : float
        `fault` at or above, `warning` below.
    duration_s : float
        Length of the record, s: where a run that reaches the last frame ends.
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], found, [False]]).astype(int)))
    runs: list[dict[str, Any]] = []
    for first, last in zip(edges[::2], edges[1::2] - 1, strict=True):
        level = float(np.median(size[first : last + 1]))
        runs.append(
            {
                "kind": "episode",
                "state": "fault" if level >= fault_above else "warning",
                "t_start_s": 0.0 if first == 0 else round(float(t_s[first]), 3),
                "t_end_s": round(duration_s if last == len(t_s) - 1 else float(t_s[last]), 3),
                "corrected_ratio": round(level, 4),
            }
        )
    return runs


def span(runs: Sequence[Mapping[str, Any]]) -> str:
    """Return the times of the first three episodes in words."""
    times = [f"{e['t_start_s']:.2f}-{e['t_end_s']:.2f} s" for e in runs[:3]]
    return " and ".join(times) + (", ..." if len(runs) > 3 else "")
