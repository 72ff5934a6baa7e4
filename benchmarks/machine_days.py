"""Alerts of healthy machines, day by day: each condition of load and supply lasts for hours.

    python -m benchmarks.machine_days [--machines 5] [--first 500] [--seed N] [--each 3]
                                      [--conditions 24] [--again 36] [--lasts 1 4 24] [--days 16]
                                      [--kinds pump "drive, fixed speed, V/f"] [--setup NAME]
                                      [--keep FOLDER]

Machines of the coverage table learn a baseline of eight records. Each of their conditions has its
own load and supply, of which `--each` records are made. A machine with a find is recorded in
`--again` further conditions, and more often in those of the find. Otherwise its days would be made
of one condition.

Days are made of conditions that are drawn, and their records follow each other as a stream sends
them. Alerts are those of the product's rules. They count from the third day on, as slow faults need
three. A drive holds its frequency within 1 %. `--keep` holds the diagnoses for other rules.
"""

import argparse
import pickle
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from evaluation.alerts import DAY_S, AlertRate, record_at
from evaluation.families.catalogue import FAMILIES
from evaluation.families.machines import Machine, machine
from evaluation.motor_model.case import Case
from evaluation.motor_model.records import records
from evaluation.runs.coverage import (
    FS_HZ,
    KINDS,
    LEARN_RECORDS,
    LEARN_S,
    LEARNING,
    SETUPS,
    SOUND,
    WATCHED,
    Kind,
    case_of,
    cut,
)
from evaluation.runs.machines import record_s, recording
from evaluation.seeds import DESIGN_SEED
from vtox.motor.alarms.health.alert_values import FaultHistory
from vtox.motor.alarms.health.alerts import extend
from vtox.motor.diagnosis.diagnosis import DiagnosisInput, diagnose_batch
from vtox.motor.diagnosis.learning.fit import learn_baseline
from vtox.motor.faults import FAULTS, PERSISTENCE
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import Diagnosis
from vtox.motor.values.record_lengths import record_length_s

HOUR_S, BATCH = 3600.0, 256
# Days that count begin with the third, as no slow fault alarms by days before it.
FIRST_COUNTED = 2
# Further records of a condition with a find: a find in one of two does not mean half of them.
MORE_RECORDS = 8
# The diagnoses of each condition, by fault.
Conditions = dict[str, list[list[Diagnosis]]]


def main() -> None:
    """Print the verdicts on the records, and the alerts by kind and fault."""
    o = _options()
    heads = [f"conditions last {hours:g} h" for hours in o.lasts]
    print(f"| machine | fault | records: normal, found, unknown | {' | '.join(heads)} |")
    print("|---" * (3 + len(heads)) + "|")
    for kind in (k for k in KINDS if k.name in o.kinds):
        family = next(f for f in FAMILIES if f.name == kind.family)
        machines = [machine(family, n, o.seed) for n in range(o.first, o.first + o.machines)]
        pool = [_conditions(m, kind, o) for m in machines]
        for fault in WATCHED:
            rates = [
                str(_alerts(fault, machines, pool, hours=hours, days=o.days)) for hours in o.lasts
            ]
            print(f"| {kind.name} | {fault} | {_shares(fault, pool)} | {' | '.join(rates)} |")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--machines", type=int, default=5)
    parser.add_argument("--first", type=int, default=500)
    parser.add_argument("--seed", type=int, default=DESIGN_SEED)
    parser.add_argument("--each", type=int, default=3, help="records made of a condition")
    parser.add_argument("--conditions", type=int, default=24)
    parser.add_argument("--again", type=int, default=36, help="further ones after a find")
    parser.add_argument("--lasts", type=float, nargs="+", default=[1.0], help="hours")
    parser.add_argument("--days", type=int, default=16)
    parser.add_argument("--kinds", nargs="+", default=[k.name for k in KINDS])
    parser.add_argument("--setup", choices=SETUPS, default=next(iter(SETUPS)))
    parser.add_argument("--keep", type=Path, help="folder of diagnoses that are made once")
    return parser.parse_args()


def _conditions(m: Machine, kind: Kind, o: argparse.Namespace) -> Conditions:
    """Return the diagnoses of a machine, from the folder where it has them."""
    if o.keep is None:
        return _diagnoses(m, kind, o)
    made = (o.seed, m.number, o.each, o.conditions, o.again)
    path = o.keep / f"{kind.name} {o.setup} {'-'.join(map(str, made))}.pickle"
    if not path.exists():
        o.keep.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pickle.dumps(_diagnoses(m, kind, o)))
    found: Conditions = pickle.loads(path.read_bytes())
    return found


def _diagnoses(m: Machine, kind: Kind, o: argparse.Namespace) -> Conditions:
    """Return the diagnoses of the records of each condition, of more where there is a find."""
    channels, _ = SETUPS[o.setup]
    learnt = [case_of(m, kind, k, LEARNING) for k in range(LEARN_RECORDS)]
    long_s = max(LEARN_S, record_length_s("bearing", m.motor))
    first = records(learnt, long_s, FS_HZ, channels=channels, batch=BATCH)
    baseline = learn_baseline([recording(r, channels, True) for r in first], m.motor)
    found = _diagnosed(m, kind, o.setup, baseline, dict.fromkeys(range(o.conditions), o.each))
    if o.again and (of_find := _with_find(found)):
        more = dict.fromkeys(range(o.conditions, o.conditions + o.again), o.each)
        more |= dict.fromkeys(of_find, o.each + MORE_RECORDS)
        again = _diagnosed(m, kind, o.setup, baseline, more)
        for fault, conditions in again.items():
            further, of_these = conditions[: o.again], conditions[o.again :]
            for h, some in zip(of_find, of_these, strict=True):
                found[fault][h] = some
            found[fault] += further
    return found


def _diagnosed(
    m: Machine, kind: Kind, setup: str, baseline: Baseline, counts: dict[int, int]
) -> Conditions:
    """Return the diagnoses of so many records of each condition, in its order."""
    channels, tachometer = SETUPS[setup]
    seconds = max(record_s(m), record_length_s("bearing", m.motor))
    cases = [c for h, each in counts.items() for c in _cases(m, kind, h, each)]
    made = records(cases, seconds, FS_HZ, channels=channels, batch=BATCH)
    sent = [recording(r, channels, tachometer) for r in made]
    found: Conditions = {}
    for fault in WATCHED:
        length_s = record_length_s(FAULTS[fault].name, m.motor)
        asked = [DiagnosisInput(cut(x, length_s), m.motor, baseline) for x in sent]
        of_fault = iter([d for (d,) in diagnose_batch(asked, [fault])])
        found[fault] = [[next(of_fault) for _ in range(each)] for each in counts.values()]
    return found


def _cases(m: Machine, kind: Kind, condition: int, each: int) -> list[Case]:
    case = case_of(m, kind, condition, SOUND)
    return [replace(case, seed=case.seed + k) for k in range(each)]


def _with_find(found: Conditions) -> list[int]:
    """Return the conditions in which any fault was found."""
    by_condition = enumerate(zip(*found.values(), strict=True))
    return [h for h, of_faults in by_condition if any(_is_found(d) for s in of_faults for d in s)]


def _is_found(d: Diagnosis) -> bool:
    return d.state in ("warning", "fault")


def _shares(fault: str, pool: Sequence[Conditions]) -> str:
    n = Counter(d.state for of_machine in pool for some in of_machine[fault] for d in some)
    return f"{n['normal']}, {n['warning'] + n['fault']}, {n['unknown']}"


def _alerts(
    fault: str, machines: Sequence[Machine], pool: Sequence[Conditions], *, hours: float, days: int
) -> AlertRate:
    """Return the alerts of the days that count."""
    raised = sum(
        _raised(fault, m, found[fault], hours=hours, days=days)
        for m, found in zip(machines, pool, strict=True)
    )
    return AlertRate(raised, float(len(machines) * (days - FIRST_COUNTED)), len(machines))


def _raised(
    fault: str, m: Machine, conditions: Sequence[Sequence[Diagnosis]], *, hours: float, days: int
) -> int:
    """Return the alerts of a machine whose conditions are drawn for some hours each."""
    if not any(_is_found(d) for some in conditions for d in some):
        return 0
    rng = np.random.default_rng([m.seed, m.number, WATCHED.index(fault), round(hours)])
    seconds = record_length_s(FAULTS[fault].name, m.motor)
    history, raised, some = FaultHistory(), 0, conditions[0]
    for k in range(int(days * DAY_S / seconds)):
        t = k * seconds
        if t // (hours * HOUR_S) != (t - seconds) // (hours * HOUR_S):
            some = conditions[int(rng.integers(len(conditions)))]
        d = some[int(rng.integers(len(some)))]
        history, alerts, _ = extend(history, record_at(t, seconds), d, PERSISTENCE[fault])
        counts = t >= FIRST_COUNTED * DAY_S
        raised += sum(a.event == "raised" for a in alerts) * counts
    return raised


if __name__ == "__main__":
    main()
