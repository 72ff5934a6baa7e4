"""Episodes: stretches of a record in which the asymmetry is over its limit."""

from typing import Any

import numpy as np

from vtox.arrays import Bool, Float64


def episodes(
    t_s: Float64,
    ratio: Float64,
    over: Bool,
    fault_ratio: float,
    duration_s: float,
) -> list[dict[str, Any]]:
    """Return the runs of frames over the limit as evidence, in order of time.

    Parameters
    ----------
    t_s : ndarray, shape (frames,)
        Centres of the frames, s.
    ratio : ndarray, shape (frames,)
        Corrected |I2|/I1; its median over a run decides the state of the run.
    over : ndarray of bool, shape (frames,)
        Whether a frame is over its limit.
    fault_ratio : float
        `fault` at or above, `warning` below.
    duration_s : float
        Length of the record, s: where a run that reaches the last frame ends.
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], over, [False]]).astype(int)))
    runs: list[dict[str, Any]] = []
    for first, last in zip(edges[::2], edges[1::2] - 1, strict=True):
        level = float(np.median(ratio[first : last + 1]))
        runs.append(
            {
                "kind": "episode",
                "state": "fault" if level >= fault_ratio else "warning",
                "t_start_s": 0.0 if first == 0 else round(float(t_s[first]), 3),
                "t_end_s": round(duration_s if last == len(t_s) - 1 else float(t_s[last]), 3),
                "corrected_ratio": round(level, 4),
            }
        )
    return runs
