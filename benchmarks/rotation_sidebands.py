"""Sidebands at the speed of rotation after a baseline: sound and eccentric machines.

    python -m benchmarks.rotation_sidebands [--seed 1] [--first 300] [--machines 24] [--each 6]
                                            [--kinds pump "gear, conveyor"]

Machines, baselines and records are those of the coverage table (currents and nameplate), the
records as long as those of the stream. A row for each code: sound records, and those with twice
and four times the modulation of the air gap (6 and 12 dB). What a rule has decided would warn
without it, but for the rules after it.
"""

import argparse
from collections import Counter
from dataclasses import replace

from evaluation.families.catalogue import FAMILIES
from evaluation.families.machines import machine
from evaluation.motor_model.case import Case
from evaluation.motor_model.records import records
from evaluation.runs.coverage import FS_HZ, KINDS, LEARN_RECORDS, LEARN_S, LEARNING, Kind, case_of
from evaluation.runs.machines import recording
from vtox.motor.diagnosis.diagnosis import DiagnosisInput, diagnose_batch
from vtox.motor.diagnosis.learning.fit import learn_baseline
from vtox.motor.values.domain import CURRENTS
from vtox.motor.values.record_lengths import record_length_s

FAULT, FAMILY, BATCH = "eccentricity", "bearing", 64
# Modulation over that of the sound machine, and the purpose that seeds its records.
GAINS = {"sound": (1.0, 132), "6 dB": (2.0, 232), "12 dB": (4.0, 332)}


def main() -> None:
    """Print a table for each kind of machine, and one of all."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=300)
    parser.add_argument("--machines", type=int, default=24)
    parser.add_argument("--each", type=int, default=6)
    parser.add_argument("--kinds", nargs="+", default=[k.name for k in KINDS])
    o = parser.parse_args()
    for name in o.kinds:
        kind = next(k for k in KINDS if k.name == name)
        counts: Counter[tuple[str, str]] = Counter()
        alarmed: Counter[int] = Counter()
        for number in range(o.first, o.first + o.machines):
            own = _one_machine(kind, number, o.seed, o.each)
            counts += own
            alarmed[number] = own["rotation_sidebands_risen", "sound"]
        _print(name, counts, sum(n > 0 for n in alarmed.values()))


def _print(name: str, counts: Counter[tuple[str, str]], alarmed: int) -> None:
    print(f"\n{name}: sound machines that warn {alarmed}\n")
    print(f"| code | {' | '.join(GAINS)} |\n|---|{'---:|' * len(GAINS)}")
    for code in sorted({code for code, _ in counts}):
        print(f"| `{code}` | {' | '.join(str(counts[code, g]) for g in GAINS)} |", flush=True)


def _one_machine(kind: Kind, number: int, seed: int, each: int) -> Counter[tuple[str, str]]:
    family = next(f for f in FAMILIES if f.name == kind.family)
    m = machine(family, number, seed)
    seconds = record_length_s(FAMILY, m.motor)
    learnt = [case_of(m, kind, k, LEARNING) for k in range(LEARN_RECORDS)]
    names = [name for name in GAINS for _ in range(each)]
    cases = [
        _eccentric(case_of(m, kind, k, purpose), gain)
        for gain, purpose in GAINS.values()
        for k in range(each)
    ]
    healthy = records(learnt, max(LEARN_S, seconds), FS_HZ, channels=CURRENTS, batch=BATCH)
    baseline = learn_baseline([recording(r, CURRENTS, True) for r in healthy], m.motor)
    made = records(cases, seconds, FS_HZ, channels=CURRENTS, batch=BATCH)
    asked = [DiagnosisInput(recording(r, CURRENTS, False), m.motor, baseline) for r in made]
    answers = diagnose_batch(asked, [FAULT])
    return Counter((d.code, name) for (d,), name in zip(answers, names, strict=True))


def _eccentric(case: Case, gain: float) -> Case:
    return replace(case, faults=replace(case.faults, air_gap=gain * case.faults.air_gap))


if __name__ == "__main__":
    main()
