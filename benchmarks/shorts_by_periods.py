"""Shorts of some turns while V2 moves from day to day, currents alone: the motor model.

    python -m benchmarks.shorts_by_periods [--each 3] [--final]

Machines on the grid learn one period, three or five, each with another V2 and four records of 5 s
(one session, as workers learn).
Then V2/V1 takes a new value for every record of 1 s, anywhere in a disk. Found is a warning or a
fault; one that says `few_periods_learnt` raises no alert. `benchmarks.supply_periods` has phasors.
"""

import argparse
from collections import Counter
from dataclasses import replace

import numpy as np

from evaluation.families.catalogue import families
from evaluation.families.machines import BLOCK, Machine, machine, record_case
from evaluation.metrics import Rate
from evaluation.motor_model.case import Case
from evaluation.motor_model.records import records
from evaluation.outcome import ALARMS
from evaluation.runs.machines import recording
from evaluation.seeds import stage
from vtox.motor.alarms.health.alerts import is_notice
from vtox.motor.diagnosis.diagnosis import DiagnosisInput, diagnose_batch
from vtox.motor.diagnosis.learning.extension import PERIOD_S, further_period
from vtox.motor.diagnosis.learning.fit import learn_baseline
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import CURRENTS, Recording

MOVES, PERIODS, SHORTS = (0.003, 0.006, 0.01), (1, 3, 5), (0.0, 0.03, 0.05)
RECORDS_A_PERIOD, LEARN_S = 4, 5.0
EACH, RECORD_S, FS_HZ = 24, 1.0, 2_000.0
FIRST, LEARNING, ASKED = 600, 41, 42


def main() -> None:
    """Print a row for each movement of V2 and number of periods."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--each", type=int, default=3, help="machines of each family")
    parser.add_argument("--final", action="store_true")
    parser.add_argument("--commit", default="", help="that froze the thresholds")
    o = parser.parse_args()
    chosen = stage(final=o.final, commit=o.commit)
    print(f"{chosen.sentence}\n")
    columns = " | ".join(f"short of {s:.0%} of the turns" if s else "sound" for s in SHORTS)
    print(f"| V2/V1 moves by up to | periods | {columns} | sound: alerts possible | codes |")
    print("|---|---:|" + "---:|" * (len(SHORTS) + 1) + "---|")
    grid = [f for f in families(final=chosen.final) if not f.drive]
    numbers = range(FIRST, FIRST + o.each)
    machines = [machine(f, k, chosen.seed) for k in numbers for f in grid]
    for move in MOVES:
        learnt = _learnt(machines, move)
        asked = {short: _later_recordings(machines, move, short) for short in SHORTS}
        for count in PERIODS:
            print(_row(move, count, machines, learnt[count - 1], asked), flush=True)


def _row(
    move: float,
    count: int,
    machines: list[Machine],
    known: list[Baseline],
    asked: dict[float, list[list[Recording]]],
) -> str:
    cells, alerts = [], 0
    codes: Counter[str] = Counter()
    for short, own in asked.items():
        said = [
            d
            for m, baseline, some in zip(machines, known, own, strict=True)
            for (d,) in diagnose_batch(
                [DiagnosisInput(r, m.motor, baseline) for r in some], ["turn_short"]
            )
        ]
        cells.append(str(Rate(sum(d.state in ALARMS for d in said), len(said))))
        if not short:
            alerts = sum(d.state in ALARMS and not is_notice(d.doubts) for d in said)
            codes.update(d.code for d in said)
    most = ", ".join(f"`{code}` {n}" for code, n in codes.most_common(3))
    return f"| {move:.1%} | {count} | {' | '.join(cells)} | {alerts} | {most} |"


def _learnt(machines: list[Machine], move: float) -> list[list[Baseline]]:
    """Return the baselines of one period, of two, and so on, each of all machines."""
    found: list[list[Baseline]] = []
    for day in range(max(PERIODS)):
        numbers = range(day * RECORDS_A_PERIOD, (day + 1) * RECORDS_A_PERIOD)
        cases = [
            [_case(m, k, LEARNING, _v2(m, move, day, LEARNING)) for k in numbers] for m in machines
        ]
        fresh = [
            _of_period(learn_baseline(some, m.motor, one_session=True), day)
            for m, some in zip(machines, _recordings(cases, LEARN_S), strict=True)
        ]
        before = found[-1] if found else fresh
        found.append(
            [
                further_period(b, x, m.motor) or b
                for m, b, x in zip(machines, before, fresh, strict=True)
            ]
            if found
            else fresh
        )
    return found


def _of_period(fresh: Baseline, day: int) -> Baseline:
    assert fresh.asymmetry is not None
    at = replace(fresh.asymmetry, period_t=day * (PERIOD_S + 3_600.0))
    return replace(fresh, asymmetry=at)


def _later_recordings(machines: list[Machine], move: float, short: float) -> list[list[Recording]]:
    return _recordings(
        [[_shorted(m, k, move, short) for k in range(EACH)] for m in machines], RECORD_S
    )


def _shorted(m: Machine, number: int, move: float, short: float) -> Case:
    case = _case(m, number, ASKED, _v2(m, move, number, ASKED))
    if not short:
        return case
    faults = replace(case.faults, shorted_turns=short, shorted_phase="abc"[number % 3])  # type: ignore[arg-type]
    return replace(case, faults=faults)


def _v2(m: Machine, move: float, number: int, purpose: int) -> complex:
    """Return V2/V1 anywhere in a disk."""
    rng = np.random.default_rng([m.seed, m.number, number, purpose, 8])
    return complex(move * np.sqrt(rng.uniform()) * np.exp(2j * np.pi * rng.uniform()))


def _case(m: Machine, number: int, purpose: int, v2: complex) -> Case:
    case = record_case(m, BLOCK * number, purpose)
    return replace(case, supply=replace(case.supply, unbalance=v2))


def _recordings(cases: list[list[Case]], seconds: float) -> list[list[Recording]]:
    """Return the records of all machines, made together."""
    made = records([c for own in cases for c in own], seconds, FS_HZ, channels=CURRENTS, batch=256)
    return [[recording(next(made), CURRENTS, False) for _ in own] for own in cases]


if __name__ == "__main__":
    main()
