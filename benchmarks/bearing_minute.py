"""Bearings after a minute: what machines show within 60 s, with and without the bearing's orders.

    python -m benchmarks.bearing_minute [sound] [steady] [decoy] [--each 3] [--final] > table.md

`--each` machines of each trouble of the vibration families send records for a minute. They are
sound, or have a race of 0, 6 or 12 dB at a steady speed. The trouble next to it is at most as
strong as the noise (`steady`), or 0 to 10 dB above the damage (`decoy`).

The same records are diagnosed again without the orders of the bearing. Alerts are those of the
product's persistence; records of more than 10 s are too few for one. `--final` takes the final
families, their seed from the commit that froze the thresholds.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from evaluation.alerts import record_at
from evaluation.families.vibration import SECONDS, VibrationFamily, vibration_family
from evaluation.metrics import Rate
from evaluation.outcome import ALARMS
from evaluation.runs.bearing_decoys import MAX_SIZE_BESIDE_DAMAGE
from evaluation.seeds import Stage, stage
from evaluation.vibration import Shaft
from vtox.motor.alarms.health.alert_values import FaultHistory
from vtox.motor.alarms.health.alerts import extend
from vtox.motor.diagnosis.diagnosis import DiagnosisInput, diagnose_batch
from vtox.motor.faults import PERSISTENCE
from vtox.motor.values.domain import Diagnosis
from vtox.motor.values.record_lengths import record_length_s

MINUTE_S = 60.0
PARTS = ("sound", "steady", "decoy")
DAMAGE_DB = (0.0, 6.0, 12.0)
LOUDER_DB = (0.0, 10.0)


@dataclass(frozen=True, slots=True)
class Minute:
    """What a machine gave in its minute: records, those that warn, and whether it alerts."""

    records: int
    warned: int
    alerts: bool


def main() -> None:
    """Print a row for each kind of machine."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"some of {', '.join(PARTS)}")
    parser.add_argument("--each", type=int, default=3)
    parser.add_argument("--final", action="store_true")
    parser.add_argument("--commit", default="", help="that froze the thresholds")
    o = parser.parse_args()
    chosen = stage(final=o.final, commit=o.commit)
    print(f"{chosen.sentence}\n")
    columns = "machines that alert | machines that warn | records that warn"
    print(f"| kind | orders known: {columns} | unknown: {columns} |")
    print("|---|" + "---:|" * 6)
    for part in o.parts or PARTS:
        for name, shafts in _kinds(part, o.each, chosen):
            pairs = [_minutes(s, key, chosen) for s, key in shafts]
            cells = [cell for own in zip(*pairs, strict=True) for cell in _cells(own)]
            print(f"| {name} | {' | '.join(cells)} |", flush=True)


def _cells(own: Sequence[Minute]) -> tuple[str, ...]:
    alerts = Rate(sum(x.alerts for x in own), len(own))
    warns = Rate(sum(x.warned > 0 for x in own), len(own))
    records = Rate(sum(x.warned for x in own), sum(x.records for x in own))
    return str(alerts), str(warns), str(records)


Shafts = list[tuple[Shaft, list[int]]]


def _kinds(part: str, each: int, chosen: Stage) -> Iterator[tuple[str, Shafts]]:
    """Yield the kinds of machines of a part: their shafts, and the key of their records."""
    family = vibration_family(final=chosen.final)
    troubles = list(family.troubles)
    for i, trouble in enumerate(troubles if part == "sound" else ()):
        keys = [[chosen.seed, 60, i, k] for k in range(each)]
        yield trouble, [(family.shaft(np.random.default_rng(key), trouble), key) for key in keys]
    for i, db in enumerate(() if part == "sound" else DAMAGE_DB):
        keys = [[chosen.seed, 60, PARTS.index(part), i, k, 9] for k in range(each * len(troubles))]
        yield f"{part}, {db:+.0f} dB", [(_damaged(family, part, db, key), key) for key in keys]


def _damaged(family: VibrationFamily, part: str, db: float, key: list[int]) -> Shaft:
    rng, k = np.random.default_rng(key), key[-2]
    troubles = list(family.troubles)
    shaft = family.shaft(rng, troubles[k % len(troubles)])
    size = min(shaft.size, MAX_SIZE_BESIDE_DAMAGE)
    if part == "decoy":
        size = float(10 ** ((db + rng.uniform(*LOUDER_DB)) / 20))
    race = ("BPFO", "BPFI")[k // 2 % 2]
    return replace(shaft, defect=race, damage=10 ** (db / 20), size=size)


def _minutes(shaft: Shaft, key: list[int], chosen: Stage) -> tuple[Minute, Minute]:
    """Return what a machine gives with the orders of its bearing, and without."""
    family = vibration_family(final=chosen.final)
    seconds = max(SECONDS, record_length_s("bearing", shaft.motor))
    made = [
        family.record(shaft, np.random.default_rng([*key, j, 1]), seconds)[0]
        for j in range(int(MINUTE_S // seconds))
    ]
    plates = shaft.motor, replace(shaft.motor, bearing=None)
    known, unknown = (
        _minute([d for (d,) in diagnose_batch([DiagnosisInput(r, p) for r in made], ["bearing"])])
        for p in plates
    )
    return known, unknown


def _minute(diagnoses: Sequence[Diagnosis]) -> Minute:
    seconds = MINUTE_S / len(diagnoses)
    history, raised = FaultHistory(), False
    for i, d in enumerate(diagnoses):
        record = record_at(seconds * i, seconds)
        history, alerts, _ = extend(history, record, d, PERSISTENCE["bearing"])
        raised = raised or any(a.event == "raised" for a in alerts)
    return Minute(len(diagnoses), sum(d.state in ALARMS for d in diagnoses), raised)


if __name__ == "__main__":
    main()
