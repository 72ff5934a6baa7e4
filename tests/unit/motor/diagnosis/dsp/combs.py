"""Lines and plans that the tests of combs and surrogates share."""

import numpy as np

from vtox.motor.diagnosis.dsp import comb_plan
from vtox.motor.diagnosis.dsp.comb_plan import BEARING_CAGE, SHAFT, CombTarget, Plan

BINS, DF_HZ, SHAFT_HZ, CAGE_ORDER = 512, 1.0, 24.5, 0.398
TARGETS = (
    CombTarget("BPFO", 3.585),
    CombTarget("BPFI", 5.415, SHAFT),
    CombTarget("BSF", 4.714, BEARING_CAGE, plain_weight=0.5, divisors=(3,)),
)


def plan(
    n_averages: float = 1.0, *, bins: int = BINS, tolerance: float = 0.02, **more: float
) -> Plan:
    return comb_plan.make_plan(
        TARGETS,
        bins=bins,
        df_hz=DF_HZ,
        n_averages=n_averages,
        shaft_hz=SHAFT_HZ,
        bearing_cage_order=CAGE_ORDER,
        tolerance=tolerance,
        mains_hz=(50.0,),
        **more,  # type: ignore[arg-type]
    )


def noise(rng: np.random.Generator, n_averages: float = 1.0, views: int = 8) -> np.ndarray:
    return (rng.gamma(n_averages, 1 / n_averages, (views, BINS))).astype(np.float32)


def with_lines(lines: np.ndarray, hz: list[float], size: float) -> np.ndarray:
    for f in hz:
        if f < BINS * DF_HZ:
            lines[2, round(f / DF_HZ)] += size
    return lines
