"""Broken bars behind drives, with voltages: the machines of the coverage table.

    python -m benchmarks.moving_drives [--machines 6] [--first 4] [--each 6] [--seed N]
        [--kind "drive, fixed speed, V/f"] [--family "V/f drives, 2 and 6 poles"]
        [--control slip] [--flicker]

Drives change speed unless another `--kind` is named; `--family` and `--control` replace those of
the kind. Records are as long as those of the stream. It prints states by currents alone, and states
and codes with voltages: of sound cages, and of broken ones by their level at a steady speed and in
an open loop. With `--flicker` the direct voltage of the bridge flickers at twice the slip frequency
of each record, by 0.03 to 0.5 %.
"""

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

import numpy as np

from evaluation.families.catalogue import FAMILIES
from evaluation.families.conditions import log_uniform
from evaluation.families.machines import Machine, machine
from evaluation.motor_model.case import Case, ControlName
from evaluation.motor_model.records import records
from evaluation.runs.coverage import (
    BROKEN,
    FS_HZ,
    KINDS,
    SOUND,
    Kind,
    case_of,
)
from evaluation.runs.machines import nominal_levels_dbc, recording
from evaluation.seeds import DESIGN_SEED
from vtox.motor.diagnosis.diagnosis import DiagnosisInput, diagnose_batch
from vtox.motor.values.domain import CURRENTS, VOLTAGES
from vtox.motor.values.record_lengths import record_length_s

CHANNELS = (*CURRENTS, *VOLTAGES)
# Flicker of the bridge's direct voltage, its relative distance from 2sf, a short record, s.
FLICKER, NEAR, SHORT_S = (3e-4, 5e-3), 0.004, 3.0
LEVELS = (-42.0, -48.0, -51.0, -54.0, -57.0, -60.0, -100.0)


def main() -> None:
    """Print a row for each code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--machines", type=int, default=6)
    parser.add_argument("--first", type=int, default=4)
    parser.add_argument("--each", type=int, default=6)
    parser.add_argument("--seed", type=int, default=DESIGN_SEED)
    parser.add_argument("--kind", default=next(k.name for k in KINDS if k.moving))
    parser.add_argument("--family", choices=[f.name for f in FAMILIES if f.drive])
    parser.add_argument("--control", choices=get_args(ControlName))
    parser.add_argument("--flicker", action="store_true", help="of the bridge, at 2sf")
    o = parser.parse_args()
    kind = next(k for k in KINDS if k.name == o.kind)
    kind = replace(kind, control=o.control or kind.control, family=o.family or kind.family)
    family = next(f for f in FAMILIES if f.name == kind.family)
    counts: Counter[tuple[str, ...]] = Counter()
    for number in range(o.first, o.first + o.machines):
        counts += _one_machine(kind, machine(family, 300 + number, o.seed), o.each, o.flicker)
    print("| cage | by currents | with voltages | code | records |\n|---|---|---|---|---:|")
    for (cage, alone, state, code), n in sorted(counts.items()):
        print(f"| {cage} | {alone} | {state} | `{code}` | {n} |")


def _one_machine(kind: Kind, m: Machine, each: int, flicker: bool) -> Counter[tuple[str, ...]]:
    sound = [case_of(m, kind, k, SOUND) for k in range(each)]
    broken = [case_of(m, kind, k, BROKEN, broken=True) for k in range(each)]
    levels = nominal_levels_dbc(
        [replace(c, supply=replace(c.supply, control_hz=0.0)) for c in broken]
    )
    names = ["sound"] * each + [_level(dbc) for dbc in levels]
    seconds = record_length_s("broken_bar", m.motor)
    cases = _at_twice_the_slip(m, [*sound, *broken]) if flicker else [*sound, *broken]
    made = list(records(cases, seconds, FS_HZ, channels=CHANNELS, batch=256))
    alone, all_ = (
        diagnose_batch(
            [DiagnosisInput(recording(r, channels, False), m.motor) for r in made], ["broken_bar"]
        )
        for channels in (CURRENTS, CHANNELS)
    )
    answers = zip(names, alone, all_, strict=True)
    return Counter((n, i.state, d.state, d.code) for n, (i,), (d,) in answers)


def _at_twice_the_slip(m: Machine, cases: Sequence[Case]) -> list[Case]:
    """Return cases whose supply flickers at 2sf, which a short record of each gives."""
    rng = np.random.default_rng([m.seed, m.number, 77])
    found = []
    for c, r in zip(cases, records(cases, SHORT_S, FS_HZ, channels=CURRENTS), strict=True):
        assert c.supply.hz is not None
        hz = 2 * r.truth.slip * c.supply.hz * (1 + rng.uniform(-NEAR, NEAR))
        flicker = log_uniform(rng, *FLICKER)
        found.append(replace(c, supply=replace(c.supply, flicker=flicker, flicker_hz=float(hz))))
    return found


def _level(dbc: float) -> str:
    return f"broken, {next(x for x in LEVELS if dbc >= x):.0f} dBc and above"


if __name__ == "__main__":
    main()
