"""What healthy machines alert on in a day: 24 hours, each in another condition.

    python -m benchmarks.machine_days [--machines 5] [--first 500] [--seed N] [--each 3]
                                      [--kinds pump "drive, fixed speed, V/f"] [--setup NAME]

Machines of the coverage table learn a baseline of eight records. Every hour has its own load and
supply, of which `--each` records are made. Alerts are those of the product's persistence, counted
twice: each record is sent once; or the hour is records drawn from its own, one after the other, as
a stream sends them, so that chance repeats itself. A drive holds its frequency within 1 %.
"""

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from evaluation.alerts import AlertRate, record_at
from evaluation.families.catalogue import FAMILIES
from evaluation.families.machines import Machine, machine
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
from vtox.motor.values.domain import Diagnosis
from vtox.motor.values.record_lengths import record_length_s

HOURS, HOUR_S, BATCH = 24, 3600.0, 256


def main() -> None:
    """Print what is said of the records, and the alerts by kind and fault."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--machines", type=int, default=5)
    parser.add_argument("--first", type=int, default=500)
    parser.add_argument("--seed", type=int, default=DESIGN_SEED)
    parser.add_argument("--each", type=int, default=3, help="records made of an hour")
    parser.add_argument("--kinds", nargs="+", default=[k.name for k in KINDS])
    parser.add_argument("--setup", choices=SETUPS, default=next(iter(SETUPS)))
    o = parser.parse_args()
    print("| machine | fault | records: normal, found, unknown | each sent once | drawn |")
    print("|---|---|---|---|---|")
    for kind in (k for k in KINDS if k.name in o.kinds):
        family = next(f for f in FAMILIES if f.name == kind.family)
        states: dict[str, Counter[str]] = {fault: Counter() for fault in WATCHED}
        raised: Counter[tuple[str, bool]] = Counter()
        for number in range(o.first, o.first + o.machines):
            m = machine(family, number, o.seed)
            for fault, of_hours in _diagnoses(m, kind, o.setup, o.each).items():
                states[fault].update(d.state for some in of_hours for d in some)
                for drawn in (False, True):
                    raised[fault, drawn] += _raised(fault, m, of_hours, drawn=drawn)
        for fault, n in states.items():
            rates = [
                AlertRate(raised[fault, x], float(o.machines), o.machines) for x in (False, True)
            ]
            row = f"{n['normal']}, {n['warning'] + n['fault']}, {n['unknown']}"
            print(f"| {kind.name} | {fault} | {row} | {rates[0]} | {rates[1]} |", flush=True)


def _diagnoses(m: Machine, kind: Kind, setup: str, each: int) -> dict[str, list[list[Diagnosis]]]:
    """Return the diagnoses of the records of each hour, by fault."""
    channels, tachometer = SETUPS[setup]
    learnt = [case_of(m, kind, k, LEARNING) for k in range(LEARN_RECORDS)]
    cases = []
    for hour in range(HOURS):
        case = case_of(m, kind, hour, SOUND)
        cases += [replace(case, seed=case.seed + k) for k in range(each)]
    of_bearing_s = record_length_s("bearing", m.motor)
    first = records(learnt, max(LEARN_S, of_bearing_s), FS_HZ, channels=channels, batch=BATCH)
    baseline = learn_baseline([recording(r, channels, True) for r in first], m.motor)
    made = records(cases, max(record_s(m), of_bearing_s), FS_HZ, channels=channels, batch=BATCH)
    sent = [recording(r, channels, tachometer) for r in made]
    found = {}
    for fault in WATCHED:
        seconds = record_length_s(FAULTS[fault].name, m.motor)
        asked = [DiagnosisInput(cut(x, seconds), m.motor, baseline) for x in sent]
        of_fault = [d for (d,) in diagnose_batch(asked, [fault])]
        found[fault] = [of_fault[each * h : each * (h + 1)] for h in range(HOURS)]
    return found


def _raised(fault: str, m: Machine, of_hours: Sequence[Sequence[Diagnosis]], *, drawn: bool) -> int:
    """Return the alerts of a day that is made of the records of each hour."""
    if all(d.state in ("normal", "unknown") for some in of_hours for d in some):
        return 0
    rng = np.random.default_rng([m.seed, m.number, WATCHED.index(fault)])
    seconds = record_length_s(FAULTS[fault].name, m.motor)
    history, raised = FaultHistory(), 0
    for hour, some in enumerate(of_hours):
        sent = int(HOUR_S / seconds) if drawn else len(some)
        for k in range(sent):
            at = record_at(HOUR_S * (hour + k / sent), seconds)
            d = some[int(rng.integers(len(some)))] if drawn else some[k]
            history, alerts, _ = extend(history, at, d, PERSISTENCE[fault])
            raised += sum(a.event == "raised" for a in alerts)
    return raised


if __name__ == "__main__":
    main()
