"""Weak combs of bearings against a baseline: machines that warn, with and without it.

    python -m benchmarks.rising_combs [--machines 22] [--seed 901] [--sound] > table.md

Each machine of the design families learns eight records; sixteen follow. Sound ones are recorded
as learnt, and again with their trouble 1.4 times as strong at 95 % of the speed; damaged ones have
a race at levels over the noise that one record seldom decides.
"""

import argparse
from collections import Counter
from dataclasses import replace

import numpy as np

from evaluation.alerts import record_at
from evaluation.families.vibration import SECONDS, VibrationFamily, vibration_family
from evaluation.vibration import Shaft
from vtox.motor.alarms.health.alert_values import FaultHistory
from vtox.motor.alarms.health.alerts import extend
from vtox.motor.diagnosis.diagnosis import DiagnosisInput, diagnose_batch
from vtox.motor.diagnosis.learning.fit import learn_baseline
from vtox.motor.faults import PERSISTENCE
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import Diagnosis, Recording
from vtox.motor.values.record_lengths import record_length_s

LEARNT, FOLLOWING = 8, 16
SOUND, STRONGER = "sound, as learnt", "sound, trouble x 1.4, speed x 0.95"
DAMAGED = {f"race, {db:+.0f} dB": db for db in (-12.0, -9.0, -6.0, -3.0)}
MOST_SIZE = 1.0


def main() -> None:
    """Print a row for each kind of machine."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--machines", type=int, default=22)
    parser.add_argument("--seed", type=int, default=901)
    parser.add_argument("--sound", action="store_true", help="no damage")
    o = parser.parse_args()
    races = () if o.sound else DAMAGED
    print("| machines | warn without baseline | with it | records that show a risen comb |")
    print("|---|---:|---:|---:|")
    for name in (SOUND, STRONGER, *races):
        rows = [_machine(name, k, o.seed) for k in range(o.machines)]
        warn = [sum(x[i] for x in rows) for i in range(2)]
        risen = sum(x[2] for x in rows)
        print(
            f"| {name} | {warn[0]} | {warn[1]} | {risen} of {FOLLOWING * len(rows)} |", flush=True
        )


def _machine(name: str, k: int, seed: int) -> tuple[bool, bool, int]:
    family = vibration_family(final=False)
    troubles = list(family.troubles)
    shaft = family.shaft(np.random.default_rng([seed, k, 1]), troubles[k % len(troubles)])
    shaft = replace(shaft, size=min(shaft.size, MOST_SIZE))
    now = shaft
    if name == STRONGER:
        now = replace(shaft, size=1.4 * shaft.size, shaft_hz=0.95 * shaft.shaft_hz)
    elif name in DAMAGED:
        race = ("BPFO", "BPFI")[k // 2 % 2]
        now = replace(shaft, defect=race, damage=10 ** (DAMAGED[name] / 20))
    baseline = learn_baseline(_records(family, shaft, LEARNT, [seed, k, 2]), shaft.motor)
    following = _records(family, now, FOLLOWING, [seed, k, 4])
    plain = _diagnoses(following, shaft, None)
    compared = _diagnoses(following, shaft, baseline)
    risen = Counter("rise_db" in e for d in compared for e in d.evidence)[True]
    return _warns(plain), _warns(compared), risen


def _records(family: VibrationFamily, shaft: Shaft, count: int, key: list[int]) -> list[Recording]:
    seconds = max(SECONDS, record_length_s("bearing", shaft.motor))
    return [
        family.record(shaft, np.random.default_rng([*key, j]), seconds)[0] for j in range(count)
    ]


def _diagnoses(
    recordings: list[Recording], shaft: Shaft, baseline: Baseline | None
) -> list[Diagnosis]:
    questions = [DiagnosisInput(r, shaft.motor, baseline) for r in recordings]
    return [d for (d,) in diagnose_batch(questions, ["bearing"])]


def _warns(diagnoses: list[Diagnosis]) -> bool:
    history, raised = FaultHistory(), 0
    for i, d in enumerate(diagnoses):
        history, alerts, _ = extend(history, record_at(4.0 * i, 4.0), d, PERSISTENCE["bearing"])
        raised += sum(a.event == "raised" for a in alerts)
    return raised > 0


if __name__ == "__main__":
    main()
