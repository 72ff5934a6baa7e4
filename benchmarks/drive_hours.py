"""What healthy drives with three currents alert on: a record every ten minutes of their life.

    python -m benchmarks.drive_hours [--machines 8] [--hours 25] [--first 500]

Drives of the design family at a steady speed, open loop, learn a baseline of eight records; then
each record has another load, and the drive holds its frequency within 1 %. Records of 10 s at 2
kHz; each fault reads as much as its records have. Alerts are those of the product's persistence.
"""

import argparse
from collections import Counter
from collections.abc import Sequence

from evaluation.alerts import record_at
from evaluation.families.catalogue import FAMILIES
from evaluation.families.machines import Machine, machine
from evaluation.runs.coverage import (
    FS_HZ,
    KINDS,
    LEARN_RECORDS,
    LEARNING,
    SOUND,
    WATCHED,
    case_of,
    cut,
)
from evaluation.runs.machines import recording
from evaluation.seeds import DESIGN_SEED
from vtox.alarms.health.alert_values import FaultHistory
from vtox.alarms.health.alerts import extend
from vtox.diagnosis.diagnosis import DiagnosisInput, diagnose_batch
from vtox.diagnosis.learning.fit import learn_baseline
from vtox.faults import FAULTS, PERSISTENCE
from vtox.simulator.motor_model.records import SimulatedRecord, records
from vtox.values.domain import CURRENTS, Diagnosis
from vtox.values.record_lengths import record_length_s

KIND = next(k for k in KINDS if k.name == "drive, fixed speed, V/f")
EVERY_S, RECORD_S, BATCH = 600.0, 10.0, 256


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--machines", type=int, default=8)
    parser.add_argument("--hours", type=float, default=25.0)
    parser.add_argument("--first", type=int, default=500)
    o = parser.parse_args()
    family = next(f for f in FAMILIES if f.name == KIND.family)
    drives = [machine(family, o.first + k, DESIGN_SEED) for k in range(o.machines)]
    each = round(o.hours * 3600 / EVERY_S)
    purposes = [LEARNING] * LEARN_RECORDS + [SOUND] * each
    numbers = [*range(LEARN_RECORDS), *range(each)]
    cases = [case_of(m, KIND, k, p) for m in drives for k, p in zip(numbers, purposes, strict=True)]
    made = records(cases, RECORD_S, FS_HZ, channels=CURRENTS, batch=BATCH)
    codes: Counter[tuple[str, str, str]] = Counter()
    alerts: Counter[str] = Counter()
    for m in drives:
        own = [next(made) for _ in purposes]
        for fault, found in _diagnoses(m, own).items():
            codes.update((fault, d.state, d.code) for d in found)
            alerts[fault] += _raised(fault, found)
    print("| fault | state | code | records |\n|---|---|---|---:|")
    for (fault, state, code), n in sorted(codes.items()):
        print(f"| {fault} | {state} | `{code}` | {n} |")
    print(f"\nalerts in {o.machines * o.hours:g} machine-hours: {dict(alerts)}")


def _diagnoses(m: Machine, own: Sequence[SimulatedRecord]) -> dict[str, list[Diagnosis]]:
    """Return the diagnoses of the records after those that are learnt, by fault."""
    learnt = [recording(r, CURRENTS, True) for r in own[:LEARN_RECORDS]]
    baseline = learn_baseline(learnt, m.motor)
    sent = [recording(r, CURRENTS, False) for r in own[LEARN_RECORDS:]]
    found = {}
    for fault in WATCHED:
        seconds = record_length_s(FAULTS[fault].name, m.motor)
        asked = [DiagnosisInput(cut(x, seconds), m.motor, baseline) for x in sent]
        found[fault] = [d for (d,) in diagnose_batch(asked, [fault])]
    return found


def _raised(fault: str, found: Sequence[Diagnosis]) -> int:
    history, raised = FaultHistory(), 0
    for k, d in enumerate(found):
        at = record_at(EVERY_S * k, RECORD_S)
        history, alerts, _ = extend(history, at, d, PERSISTENCE[fault])
        raised += sum(a.event == "raised" for a in alerts)
    return raised


if __name__ == "__main__":
    main()
