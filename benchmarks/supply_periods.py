"""Alerts of machines with currents alone while V2 of their supply moves, by periods learnt.

    python -m benchmarks.supply_periods [--machines 400] [--days 20]

A machine of 6 per unit learns one period or more, each on a separate day, as workers do. Then the
supply takes another state ten times a day, V2/V1 anywhere in a disk. Phasors, no samples. A state
that is found is an alert unless the verdict says that too few periods are known. A supply keeps its
state for longer than three slots of four. Shorts add their I2 at any angle.

Below that, one record an hour: how many are decided alone, and by the mean over hours
(`vtox.motor.alarms.health.asymmetry_mean`), once it has a day.
"""

import argparse
from dataclasses import replace

import numpy as np

from vtox.motor.alarms.health.asymmetry_mean import HOUR_S, LEAST_HOURS, decided_by_mean
from vtox.motor.diagnosis.diagnosers.turn_short.asymmetry_excess import (
    DECISIVE_LIMIT,
    AsymmetryExcess,
    asymmetry_excess,
)
from vtox.motor.diagnosis.diagnosers.turn_short.asymmetry_fit import fit
from vtox.motor.diagnosis.diagnosers.turn_short.asymmetry_model import (
    LEAST_PERIODS,
    Sequences,
    asymmetries,
)
from vtox.motor.diagnosis.learning.extension import PERIOD_S, further_period
from vtox.motor.values.arrays import Complex
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import Diagnosis, Motor, Record, State

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
    print("\n| V2/V1 moves by up to | sound: decided alone | over hours | false alone |", end="")
    print(f" short of {SHORTS[0]:.0%} of I1: called sound alone | over hours |")
    print("|---|---:|---:|---:|---:|---:|")
    for move in MOVES:
        print(_row_over_hours(move, o.machines, o.days, np.random.default_rng(o.seed)))


def _row_over_hours(move: float, machines: int, days: int, rng: np.random.Generator) -> str:
    alone: list[tuple[State, ...]] = []
    over: list[tuple[State, ...]] = []
    for k in range(2 * machines):
        known = _learnt(move, LEAST_PERIODS, rng)
        ratio = np.repeat(_supply_ratios(move, days * STATES_A_DAY, rng), 24 // STATES_A_DAY)
        if k % 2:
            ratio = ratio + SHORTS[0] * np.exp(2j * np.pi * rng.uniform())
        found = _diagnoses(known, ratio)
        mean, decided = None, []
        for hour, d in enumerate(found):
            mean, said = decided_by_mean(mean, d, _record(hour))
            decided.append(said.state)
        alone.append(tuple(d.state for d in found[LEAST_HOURS:]))
        over.append(tuple(decided[LEAST_HOURS:]))

    def share(some: list[tuple[State, ...]], short: int, *states: State) -> float:
        return float(np.mean(np.isin(some[short::2], states)))

    cells = (
        share(alone, 0, "normal"),
        share(over, 0, "normal"),
        share(alone, 0, "warning"),
        share(alone, 1, "normal"),
        share(over, 1, "normal"),
    )
    return f"| {move:.1%} | " + " | ".join(f"{x:.2%}" for x in cells) + " |"


def _diagnoses(known: Baseline, ratio: Complex) -> list[Diagnosis]:
    """Return the diagnoses that the rules make of the excess."""
    excess = _excess(known, ratio)
    over, open_ = excess.worst_over > 1, excess.limit_median > DECISIVE_LIMIT
    found = []
    for k in range(len(ratio)):
        state: State = "warning" if over[k] else "unknown" if open_[k] else "normal"
        indicators = {
            "corrected_ratio": float(excess.worst_ratio[k]),
            "corrected_deg": float(excess.worst_deg[k]),
            "periods": LEAST_PERIODS,
        }
        code, values = "baseline_too_uncertain", {"limit_ratio": float(excess.worst_limit[k])}
        d = Diagnosis(
            fault="turn_short", state=state, code=code, values=values, indicators=indicators
        )
        found.append(d)
    return found


def _record(hour: int) -> Record:
    start = (hour + 1) * HOUR_S
    return Record(
        machine_id="M",
        run="",
        first_seq=hour,
        last_seq=hour,
        t_start=start,
        t_end=start + 1,
        ids=f"{hour + 1}-0",
        windows=1,
        bytes=1,
    )


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
    """Return the baseline learnt from so many periods."""
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
    return np.asarray(_excess(known, ratio).worst_over > 1)


def _excess(known: Baseline, ratio: Complex) -> AsymmetryExcess:
    assert known.asymmetry is not None
    count = len(ratio)
    return asymmetry_excess(
        _sequences(ratio, np.random.default_rng(1)),
        asymmetries([known.asymmetry] * count),
        np.ones(count, int),
        np.zeros(count, bool),
    )


if __name__ == "__main__":
    main()
