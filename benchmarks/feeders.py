"""Verdicts of a feeder's machines on asymmetries without voltages: the motor model, records of 1 s.

    python -m benchmarks.feeders [--feeders 20] [--seed 27]

Four machines of different families share a supply. Each learns eight records; then V2 moves, or a
winding of the first has a short, or both. The counts are of records over their limit, and of the
feeder's verdicts on them once every machine has reported.
"""

import argparse
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from evaluation.families.catalogue import FAMILIES
from evaluation.families.machines import Machine, machine, record_case
from evaluation.motor_model.case import Case
from evaluation.motor_model.records import records
from evaluation.runs.machines import recording
from vtox.motor.diagnosis.diagnosers.turn_short.feeder import (
    ASKED,
    FAULT,
    Movement,
    feeder_finding,
)
from vtox.motor.diagnosis.diagnosis import DiagnosisInput, diagnose_batch
from vtox.motor.diagnosis.learning.fit import learn_baseline
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import CURRENTS, Diagnosis, Recording

MACHINES = (
    "pumps, 4 poles",
    "fans, 2 poles",
    "conveyors, 6 poles",
    "piston compressors, 4 and 6 poles",
)
LEARNT, EACH, FS_HZ = 8, 6, 2_000.0
MOVES, SHORTS = (0.0, 0.004, 0.008, 0.015), (0.0, 0.02, 0.05)


@dataclass(frozen=True, slots=True)
class Member:
    """A machine of a feeder with its baseline."""

    machine: Machine
    baseline: Baseline


def main() -> None:
    """Print a row for each movement of V2 and size of the short."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--feeders", type=int, default=20)
    parser.add_argument("--seed", type=int, default=27)
    o = parser.parse_args()
    counts: dict[tuple[float, float, str], Counter[str]] = {}
    for k in range(o.feeders):
        _one_feeder(k, np.random.default_rng([o.seed, k]), counts)
    print("| V2/V1 moves by | turns shorted in one | machine | over its limit | feeder says |")
    print("|---:|---:|---|---:|---|")
    for (move, short, who), c in sorted(counts.items()):
        said = ", ".join(f"{n} {x}" for n, x in c.most_common() if n not in ("all", "over"))
        print(f"| {move:.1%} | {short:.0%} | {who} | {c['over']} of {c['all']} | {said} |")


def _one_feeder(
    k: int, rng: np.random.Generator, counts: dict[tuple[float, float, str], Counter[str]]
) -> None:
    families = [next(f for f in FAMILIES if f.name == name) for name in MACHINES]
    v2 = complex(rng.uniform(0.001, 0.01) * np.exp(2j * np.pi * rng.uniform()))
    members = []
    for family in families:
        m = machine(family, 500 + k, int(rng.integers(1 << 30)))
        healthy = [_at(record_case(m, i, 1), v2) for i in range(LEARNT)]
        members.append(Member(m, learn_baseline(_recordings(healthy), m.motor)))
    for move in MOVES:
        for short in SHORTS:
            angles = np.exp(2j * np.pi * rng.uniform(size=EACH))
            said = [
                _diagnoses(
                    x, [v2 + move * complex(a) for a in angles], short if i == 0 else 0.0, rng
                )
                for i, x in enumerate(members)
            ]
            _count(members, said, counts, move, short)


def _count(
    members: list[Member],
    said: list[list[Diagnosis]],
    counts: dict[tuple[float, float, str], Counter[str]],
    move: float,
    short: float,
) -> None:
    for at_once in zip(*said, strict=True):
        shown = [
            Movement.of(d.indicators, x.machine.motor, 1.0)
            for d, x in zip(at_once, members, strict=True)
        ]
        for i, (d, own) in enumerate(zip(at_once, shown, strict=True)):
            who = "shorted" if short and i == 0 else "sound"
            c = counts.setdefault((move, short, who), Counter())
            c["all"] += 1
            if d.code == ASKED and own is not None:
                c["over"] += 1
                others: list[Movement] = [x for j, x in enumerate(shown) if x and j != i]
                why = feeder_finding(own, others, 0.0, 1.0)
                c[why.code if why else "nothing"] += 1


def _diagnoses(
    x: Member, unbalances: list[complex], short: float, rng: np.random.Generator
) -> list[Diagnosis]:
    number = int(rng.integers(1000, 1 << 20))
    cases = [_at(record_case(x.machine, number + i, 2), v2) for i, v2 in enumerate(unbalances)]
    if short:
        phase = "abc"[number % 3]
        faults = replace(cases[0].faults, shorted_turns=short, shorted_phase=phase)  # type: ignore[arg-type]
        cases = [replace(c, faults=faults) for c in cases]
    questions = [DiagnosisInput(r, x.machine.motor, x.baseline) for r in _recordings(cases)]
    return [d for (d,) in diagnose_batch(questions, [FAULT])]


def _at(case: Case, v2: complex) -> Case:
    return replace(case, supply=replace(case.supply, unbalance=v2))


def _recordings(cases: list[Case]) -> list[Recording]:
    return [recording(r, CURRENTS, False) for r in records(cases, 1.0, FS_HZ, channels=CURRENTS)]


if __name__ == "__main__":
    main()
