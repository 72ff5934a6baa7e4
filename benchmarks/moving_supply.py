"""How far the unbalance of a supply may wander before `turn_short` takes it for a short.

    python -m benchmarks.moving_supply [--machines 50] [--times 40]

It diagnoses records of 1 s of healthy machines at random times of their day
(`benchmarks.day_profiles`) with the baseline of their commissioning. It counts the false alarms at
each wander of V2/V1.
"""

import argparse
from collections import Counter

import numpy as np

from benchmarks.day_profiles import DAY_S, days
from benchmarks.day_signals import window
from benchmarks.false_alarms_per_day import baseline_of
from vtox.motor.diagnosis.diagnosis import DiagnosisInput, diagnose_batch

FS_HZ, RECORD_S = 1000.0, 1.0
UNBALANCES = (0.001, 0.002, 0.004)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--machines", type=int, default=50)
    parser.add_argument("--times", type=int, default=40)
    parser.add_argument("--seed", type=int, default=2026)
    o = parser.parse_args()
    print("| V2/V1 moves by | currents only: found | voltages measured: found |\n|---|---:|---:|")
    for unbalance in UNBALANCES:
        states: Counter[tuple[bool, str]] = Counter()
        rng = np.random.default_rng(o.seed)
        for day in days(o.machines, o.seed, DAY_S / 3600, unbalance_rms=unbalance):
            m, baseline = day.machine, baseline_of(day, FS_HZ)
            cases = [
                DiagnosisInput(
                    window(day, start, RECORD_S, FS_HZ).recording(FS_HZ), m.motor, baseline
                )
                for start in np.round(np.sort(rng.uniform(0, DAY_S, o.times)), 1).tolist()
            ]
            for (diagnosis,) in diagnose_batch(cases, ["turn_short"]):
                states["va" in m.channels, diagnosis.state] += 1
        print(
            f"| {unbalance:.1%} | {_count_text(states, False)} | {_count_text(states, True)} |",
            flush=True,
        )


def _count_text(states: Counter[tuple[bool, str]], voltages: bool) -> str:
    normal, warning, fault, unknown = (
        states[voltages, s] for s in ("normal", "warning", "fault", "unknown")
    )
    found = warning + fault
    return f"{found:,} of {normal + found:,} decided, {unknown:,} unknown"


if __name__ == "__main__":
    main()
