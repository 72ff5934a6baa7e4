"""Broken bars behind drives that change speed, with voltages: the machines of the coverage table.

    python -m benchmarks.moving_drives [--machines 6] [--first 4] [--each 6] [--controlled]

Records are as long as those of the stream. Printed are states and codes of sound cages, and of
broken ones by the level that they have at a steady speed.
"""

import argparse
from collections import Counter
from dataclasses import replace

from evaluation.families.catalogue import FAMILIES
from evaluation.families.machines import machine
from evaluation.runs.coverage import (
    BROKEN,
    FS_HZ,
    KINDS,
    SOUND,
    Kind,
    case_of,
)
from evaluation.runs.machines import nominal_levels_dbc, recording
from evaluation.seeds import Stage
from vtox.diagnosis.diagnosis import DiagnosisInput, diagnose_batch
from vtox.simulator.motor_model.records import records
from vtox.values.domain import CURRENTS, VOLTAGES
from vtox.values.record_lengths import record_length_s

CHANNELS = (*CURRENTS, *VOLTAGES)
LEVELS = (-42.0, -48.0, -54.0, -100.0)


def main() -> None:
    """Print a row for each code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--machines", type=int, default=6)
    parser.add_argument("--first", type=int, default=4)
    parser.add_argument("--each", type=int, default=6)
    parser.add_argument("--controlled", action="store_true", help="vector control")
    o = parser.parse_args()
    kind = replace(next(k for k in KINDS if k.moving), controlled=o.controlled)
    counts: Counter[tuple[str, str, str]] = Counter()
    for number in range(o.first, o.first + o.machines):
        counts += _one_machine(kind, number, o.each)
    print("| cage | state | code | records |\n|---|---|---|---:|")
    for (cage, state, code), n in sorted(counts.items()):
        print(f"| {cage} | {state} | `{code}` | {n} |")


def _one_machine(kind: Kind, number: int, each: int) -> Counter[tuple[str, str, str]]:
    family = next(f for f in FAMILIES if f.name == kind.family)
    m = machine(family, 300 + number, Stage().seed)
    sound = [case_of(m, kind, k, SOUND) for k in range(each)]
    broken = [case_of(m, kind, k, BROKEN, broken=True) for k in range(each)]
    levels = nominal_levels_dbc(
        [replace(c, supply=replace(c.supply, control_hz=0.0)) for c in broken]
    )
    names = ["sound"] * each + [_level(dbc) for dbc in levels]
    seconds = record_length_s("broken_bar", m.motor)
    made = records([*sound, *broken], seconds, FS_HZ, channels=CHANNELS, batch=256)
    questions = [DiagnosisInput(recording(r, CHANNELS, False), m.motor) for r in made]
    answers = diagnose_batch(questions, ["broken_bar"])
    return Counter((n, d.state, d.code) for n, (d,) in zip(names, answers, strict=True))


def _level(dbc: float) -> str:
    return f"broken, {next(x for x in LEVELS if dbc >= x):.0f} dBc and above"


if __name__ == "__main__":
    main()
