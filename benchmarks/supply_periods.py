"""What machines with currents alone alert on while V2 of their supply moves, by periods learnt.

    python -m benchmarks.supply_periods [--machines 400] [--days 20]

A machine of 6 per unit learns one period or more, each on a day of its own, as workers do; then
the supply takes another state ten times a day, V2/V1 anywhere in a disk. Phasors, no samples. A
state that is found is an alert unless the verdict says that too few periods are known: a supply
stays as it is for longer than three slots of four. Shorts add their I2 at any angle.
"""

import argparse
from dataclasses import replace

import numpy as np

from vtox.motor.diagnosis.diagnosers.turn_short.asymmetry_excess import asymmetry_excess
from vtox.motor.diagnosis.diagnosers.turn_short.asymmetry_fit import fit
from vtox.motor.diagnosis.diagnosers.turn_short.asymmetry_model import (
    LEAST_PERIODS,
    Sequences,
    asymmetries,
)
from vtox.motor.diagnosis.learning.extension import PERIOD_S, further_period
from vtox.motor.values.arrays import Complex
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import Motor

MOTOR = Motor(rated_current_a=10.0)
STATES_A_DAY, FRAMES, NOISE = 10, 17, 0.001
MOVES = (0.001, 0.003, 0.006, 0.01)
SHORTS = (0.06, 0.1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--machines", type=int, default=400)
    parser.add_argument("--days", type=int, default=20)
    parser.add_argument("--seed", type=int, default=27)
    o = parser.parse_args()
    shorts = " | ".join(f"short of {s:.0%} of I1: found" for s in SHORTS)
    print(f"| V2/V1 moves by up to | periods | sound: found | alerts a machine-day | {shorts} |")
    print("|---|---:|---:|---:|" + "---:|" * len(SHORTS))
    for move in MOVES:
        for periods in (1, 3, LEAST_PERIODS):
            print(_row(move, periods, o.machines, o.days, np.random.default_rng(o.seed)))


def _row(move: float, periods: int, machines: int, days: int, rng: np.random.Generator) -> str:
    sound, found = [], [[] for _ in SHORTS]
    for _ in range(machines):
        known = _learnt(move, periods, rng)
        sound.append(_is_over(known, _supply_ratios(move, days * STATES_A_DAY, rng)))
        for share, size in zip(found, SHORTS, strict=True):
            turn = np.exp(2j * np.pi * rng.uniform(size=days))
            share.append(_is_over(known, _supply_ratios(move, days, rng) + size * turn))
    states = np.mean(sound)
    # A run of states that are found is one alert.
    starts = [np.count_nonzero(np.diff(x.astype(int), prepend=0) > 0) for x in sound]
    alerts = np.sum(starts) / machines / days if periods >= LEAST_PERIODS else 0.0
    return (
        f"| {move:.1%} | {periods} | {states:.2%} | {alerts:.3f} | "
        + " | ".join(f"{np.mean(x):.0%}" for x in found)
        + " |"
    )


def _supply_ratios(move: float, count: int, rng: np.random.Generator) -> Complex:
    """Return I2/I1 of so many states of the supply, V2/V1 uniform in a disk."""
    v2 = move * np.sqrt(rng.uniform(size=count)) * np.exp(2j * np.pi * rng.uniform(size=count))
    return np.asarray(6 * v2)


def _learnt(move: float, periods: int, rng: np.random.Generator) -> Baseline:
    """Return what so many periods teach."""
    baselines = []
    for day, state in enumerate(_supply_ratios(move, periods, rng)):
        own = fit([_sequences(np.array([state]), rng, frames=200, one=True)], MOTOR)
        assert own is not None
        own = replace(own, period_t=day * (PERIOD_S + 3600.0))
        baselines.append(Baseline(asymmetry=own))
    known = baselines[0]
    for fresh in baselines[1:]:
        known = further_period(known, fresh, MOTOR) or known
    return known


def _sequences(
    ratio: Complex, rng: np.random.Generator, *, frames: int = FRAMES, one: bool = False
) -> Sequences:
    """Return phasors with I2/I1 of these values, A peak, shape (states, frames)."""
    shape = (len(ratio), frames)
    noise = NOISE * (rng.standard_normal(shape) + 1j * rng.standard_normal(shape))
    i1 = np.full(shape, 10 * np.sqrt(2), complex)
    i2, i0 = (ratio[:, None] + noise) * i1, np.zeros(shape, complex)
    return Sequences(i1[0], i2[0], i0[0]) if one else Sequences(i1, i2, i0)


def _is_over(known: Baseline, ratio: Complex) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    assert known.asymmetry is not None
    count = len(ratio)
    excess = asymmetry_excess(
        _sequences(ratio, np.random.default_rng(1)),
        asymmetries([known.asymmetry] * count),
        np.ones(count, int),
        np.zeros(count, bool),
    )
    return np.asarray(excess.worst_over > 1)


if __name__ == "__main__":
    main()
