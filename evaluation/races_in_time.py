"""Races of 0 dB in ten minutes: machines that are seen, and sound ones that are.

    python -m evaluation.races_in_time [steady] [decoy] [sound] [--each 3] [--final --commit HASH]

`--each` machines of each trouble of the vibration families send records without a pause. They are
sound, or have a race of 0 dB at a steady speed. The trouble next to it is at most as strong as the
noise (`steady`), or 0 to 10 dB above the damage (`decoy`). A fault is seen once the records agree
on it by the product's persistence (days confirm it later); its machine sends no more then.
"""

import argparse
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from evaluation.alerts import record_at
from evaluation.families.vibration import SECONDS, vibration_family
from evaluation.metrics import Rate
from evaluation.outcome import ALARMS
from evaluation.runs.bearing_decoys import MAX_SIZE_BESIDE_DAMAGE
from evaluation.seeds import Stage, stage
from evaluation.vibration import Shaft
from vtox.motor.alarms.health.alert_values import FaultHistory
from vtox.motor.alarms.health.alerts import extend
from vtox.motor.diagnosis.diagnosis import DiagnosisInput, diagnose_batch
from vtox.motor.faults import PERSISTENCE
from vtox.motor.values.record_lengths import record_length_s

PARTS = ("steady", "decoy", "sound")
LIMIT_S = 600.0
LOUDER_DB = (0.0, 10.0)
BATCH = 15


@dataclass(frozen=True, slots=True)
class Watched:
    """A machine: seconds until its fault was seen (0: never), its records and those that warned."""

    trouble: str
    seen_s: float
    records: int
    warned: int


def main() -> None:
    """Print a row for each part, and the machines that count against it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"some of {', '.join(PARTS)}")
    parser.add_argument("--each", type=int, default=3)
    parser.add_argument("--final", action="store_true")
    parser.add_argument("--commit", default="", help="that froze the thresholds")
    parser.add_argument("--processes", type=int, default=1)
    o = parser.parse_args()
    chosen = stage(final=o.final, commit=o.commit)
    print(f"{chosen.sentence}\n")
    print("| machines | seen | after, s: median, most | a record warns | records that warn |")
    print("|---|---|---:|---|---|")
    troubles = list(vibration_family(final=chosen.final).troubles)
    with ProcessPoolExecutor(o.processes) as pool:
        for part in o.parts or PARTS:
            jobs = [pool.submit(_watch, chosen, part, k) for k in range(o.each * len(troubles))]
            _print_row(part, [j.result() for j in jobs])


def _print_row(part: str, machines: Sequence[Watched]) -> None:
    seen = [m.seen_s for m in machines if m.seen_s]
    times = f"{np.median(seen):.0f}, {max(seen):.0f}" if seen else "none"
    warned = Rate(sum(m.warned > 0 for m in machines), len(machines))
    records = Rate(sum(m.warned for m in machines), sum(m.records for m in machines))
    print(f"| {part} | {Rate(len(seen), len(machines))} | {times} | {warned} | {records} |")
    for m in machines:
        if bool(m.seen_s) == (part == "sound") or (part == "sound" and m.warned):
            print(f"  {m.trouble}: seen after {m.seen_s:.0f} s, {m.warned} of {m.records} warn")


def _watch(chosen: Stage, part: str, k: int) -> Watched:
    key = [chosen.seed, 600, PARTS.index(part), k]
    shaft = _shaft(chosen, part, key)
    family = vibration_family(final=chosen.final)
    seconds = max(SECONDS, record_length_s("bearing", shaft.motor))
    history, warned, count = FaultHistory(), 0, int(LIMIT_S // seconds)
    for start in range(0, count, BATCH):
        numbers = range(start, min(count, start + BATCH))
        made = [family.record(shaft, np.random.default_rng([*key, j]), seconds)[0] for j in numbers]
        answers = diagnose_batch([DiagnosisInput(r, shaft.motor) for r in made], ["bearing"])
        for j, (d,) in zip(numbers, answers, strict=True):
            warned += d.state in ALARMS
            record = record_at(j * seconds, seconds)
            history, _, _ = extend(history, record, d, PERSISTENCE["bearing"])
            if history.level or (history.days and history.days.agreed):
                return Watched(shaft.trouble, (j + 1) * seconds, j + 1, warned)
    return Watched(shaft.trouble, 0.0, count, warned)


def _shaft(chosen: Stage, part: str, key: list[int]) -> Shaft:
    rng, k = np.random.default_rng([*key, 9]), key[-1]
    family = vibration_family(final=chosen.final)
    troubles = list(family.troubles)
    shaft = family.shaft(rng, troubles[k % len(troubles)])
    if part == "sound":
        return shaft
    size = min(shaft.size, MAX_SIZE_BESIDE_DAMAGE)
    if part == "decoy":
        size = float(10 ** (rng.uniform(*LOUDER_DB) / 20))
    return replace(shaft, defect=("BPFO", "BPFI")[k // len(troubles) % 2], damage=1.0, size=size)


if __name__ == "__main__":
    main()
