"""Whether another checkout gives the same diagnoses, which a change for speed must not alter.

    python -m benchmarks.verdicts --against CHECKOUT

Both diagnose the same inputs in batches. The inputs: machines of the demo at the lengths of each
family; every kind of broken input; decoys and damage of the evaluation with and without a speed;
machines of the motor model; recordings if there are any. The recordings are read and the inputs
made once, in this checkout. It prints changed codes and states, and the largest relative
differences of numbers by name. Half a minute on an idle box.
"""

import argparse
import io
import os
import pickle
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields, is_dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

if "--answer" in sys.argv:  # in another checkout
    import_module("older_checkouts")

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np  # noqa: E402  (after the thread limits, which it reads when loaded)

from vtox.motor.diagnosis.diagnosis import DiagnosisInput, diagnose_batch  # noqa: E402
from vtox.motor.faults import FAMILIES  # noqa: E402
from vtox.motor.values.domain import Motor, Recording  # noqa: E402

# The source of the inputs, the faults asked about (all if None), and the inputs.
Batch = tuple[str, tuple[str, ...] | None, list[DiagnosisInput]]
Answers = list[tuple[str, list[list[dict[str, Any]]]]]
BATCH = 32
BEARING = ("bearing",)
# Each source below has its own imports: another checkout, which only answers, may lack them.


def first_seconds(case: DiagnosisInput, seconds: float, *, speed: bool = True) -> DiagnosisInput:
    r = case.recording
    channels = {c: x[: round(seconds * r.fs_hz)] for c, x in r.channels.items()}
    return replace(case, recording=Recording(channels, r.fs_hz, r.speed_rpm if speed else None))


def demo_machines() -> Iterator[Batch]:
    from vtox.motor.simulator.fleet import fleet
    from vtox.motor.simulator.signals import window

    for family in FAMILIES.values():
        cases = []
        for m in fleet(64 if family.min_record_s > 2 else 128):
            channels, speed_rpm = window(m, 60, family.min_record_s, 10_000.0)
            cases.append(DiagnosisInput(Recording(channels, 10_000.0, speed_rpm), m.motor))
        yield f"demo, {family.name}", family.faults, cases


def broken_input() -> Iterator[Batch]:
    from evaluation.inputs.base import base
    from evaluation.inputs.cases import MISTAKES
    from evaluation.seeds import Stage
    from vtox.motor.errors import InputError

    sound, cases = base(Stage(), 0), []
    for k, mistake in enumerate(MISTAKES.values()):
        try:
            raw = mistake.change(sound.raw, np.random.default_rng([0, k]))
            cases.append(DiagnosisInput(raw.recording(), raw.nameplate(), sound.baseline))
        except InputError:
            continue
    yield "broken input", None, cases
    yield "broken input, 1 s", None, [first_seconds(c, 1.0) for c in cases]
    yield "broken input, 2 s", FAMILIES["bearing"].faults, [first_seconds(c, 2.0) for c in cases]


def vibration() -> Iterator[Batch]:
    from evaluation.families.vibration import vibration_family
    from evaluation.runs.bearing_decoys import DAMAGE_DB, MOVEMENTS, _with_damage

    family = vibration_family(final=False)
    shafts = [
        (family.shaft(rng, trouble), rng)
        for t, trouble in enumerate(family.troubles)
        for k in range(6)
        for rng in [np.random.default_rng([7, t, k])]
    ]
    troubles = list(family.troubles)
    for i, movement in enumerate(MOVEMENTS):
        for level, db in enumerate(DAMAGE_DB):
            for k in range(6):
                rng = np.random.default_rng([8, i, level, k])
                shaft = family.shaft(rng, troubles[k % len(troubles)])
                race = ("BPFO", "BPFI")[k % 2]
                shafts.append((_with_damage(shaft, movement, race, db, rng), rng))
    cases = [DiagnosisInput(family.record(s, rng)[0], s.motor) for s, rng in shafts]
    yield "vibration", BEARING, cases
    yield "vibration, 2 s, no speed", BEARING, [first_seconds(c, 2.0, speed=False) for c in cases]


def motor_model() -> Iterator[Batch]:
    from evaluation.families.catalogue import families
    from evaluation.families.machines import machine, record_case
    from evaluation.motor_model.records import records

    for family in families(final=False):
        m = machine(family, 0, 5)
        made = records([record_case(m, k, broken=k % 2 == 1) for k in range(4)], 10.0, family.fs_hz)
        cases = [DiagnosisInput(r.recording(), m.motor) for r in made]
        yield f"motor model, {family.name}", None, cases
        yield f"motor model, {family.name}, 1 s", None, [first_seconds(c, 1.0) for c in cases]


def recorded() -> Iterator[Batch]:
    from evaluation.runs.recordings import bearing_motor, folder
    from vtox import read

    where = folder()
    if where is None:
        return
    bearing = bearing_motor().bearing
    for each in sorted(p for p in where.iterdir() if p.is_dir()):
        hz = 60.0 if each.name in ("cwru", "itsc") else 50.0
        motor = Motor(pole_pairs=2, supply_hz=hz, bearing=bearing)
        recordings = [r for p in sorted(each.glob("*.npz"))[:40] for r in read(p)]
        cases = [DiagnosisInput(r, motor) for r in recordings]
        yield (
            f"recorded, {each.name}",
            None,
            [
                first_seconds(c, s)
                for c in cases
                for s in (1.0, 2.0, 10.0)
                if c.recording.duration_s >= s
            ],
        )


def plain(diagnosis: Any) -> dict[str, Any]:
    """Return a diagnosis as plain data, with the sentence made of it in every version."""
    return asdict(diagnosis) | {"reason": diagnosis.reason}


class _ByName(pickle.Pickler):
    """Pickles dataclasses by the names of their fields: another checkout may have fewer."""

    def reducer_override(self, value: Any) -> Any:
        """Return how to recreate a value."""
        if not is_dataclass(value) or isinstance(value, type):
            return NotImplemented
        return restored, (type(value), {f.name: getattr(value, f.name) for f in fields(value)})


def restored(kind: Any, values: dict[str, Any]) -> Any:
    """Return a dataclass from those of its fields that this checkout knows."""
    known = {f.name for f in fields(kind)}
    return kind(**{name: value for name, value in values.items() if name in known})


def pickled(value: Any) -> bytes:
    file = io.BytesIO()
    _ByName(file).dump(value)
    return file.getvalue()


def answer() -> None:
    """Diagnose the batches of standard input; write the diagnoses to standard output."""
    answers: Answers = []
    for name, faults, cases in pickle.load(sys.stdin.buffer):
        for start in range(0, len(cases), BATCH):
            found = diagnose_batch(cases[start : start + BATCH], faults)
            answers.append((name, [[plain(d) for d in of_one] for of_one in found]))
    pickle.dump(answers, sys.stdout.buffer)


def answers_of(root: Path, inputs: Path) -> Answers:
    with inputs.open("rb") as file:
        made = subprocess.run(
            [sys.executable, str(Path(__file__).resolve()), "--answer"],
            stdin=file,
            stdout=subprocess.PIPE,
            cwd=root,
            env={**os.environ, "PYTHONPATH": str(root)},
            check=True,
        )
    return pickle.loads(made.stdout)


def differences(own: Any, other: Any, name: str = "") -> Iterator[tuple[str, float]]:
    """Yield the name and the relative difference of each number that differs, inf of others."""
    if isinstance(own, dict) and isinstance(other, dict) and own.keys() == other.keys():
        for key in own:
            yield from differences(own[key], other[key], key)
    elif isinstance(own, list | tuple) and isinstance(other, list | tuple):
        if len(own) != len(other):
            yield name, np.inf
        for x, y in zip(own, other, strict=False):
            yield from differences(x, y, name)
    elif isinstance(own, int | float) and isinstance(other, int | float):
        if own != other and not (np.isnan(own) and np.isnan(other)):
            yield name, abs(own - other) / max(abs(own), abs(other))
    elif own != other:
        yield name, np.inf


def compare(own: Answers, other: Answers) -> None:
    pairs = [
        (batch, k, x, y)
        for (batch, mine), (_, theirs) in zip(own, other, strict=True)
        for k, (of_one, of_other) in enumerate(zip(mine, theirs, strict=True))
        for x, y in zip(of_one, of_other, strict=True)
    ]
    changed, same = 0, 0
    largest: Counter[str] = Counter()
    for batch, k, x, y in pairs:
        same += x == y
        if (x["state"], x["code"]) != (y["state"], y["code"]):
            changed += 1
            before, now = f"{y['state']} {y['code']}", f"{x['state']} {x['code']}"
            print(f"{batch}, {k} of its batch, {x['fault']}: {before} -> {now}")
            continue
        for name, difference in differences(x, y):
            if name != "reason":
                largest[name] = max(largest[name], difference)
    print(f"{len(pairs)} diagnoses: {same} the same, {changed} of another code or state")
    for name, difference in largest.most_common(20):
        print(f"  {name}: {difference:.2g}")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", type=Path, help="another checkout")
    parser.add_argument("--answer", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.answer:
        answer()
        return
    if options.against is None:
        parser.error("--against: expected a checkout")
    sources = (demo_machines, broken_input, vibration, motor_model, recorded)
    with tempfile.TemporaryDirectory() as folder:
        inputs = Path(folder) / "inputs"
        inputs.write_bytes(pickled([batch for source in sources for batch in source()]))
        roots = (Path(__file__).resolve().parents[1], options.against.resolve())
        own, other = (answers_of(root, inputs) for root in roots)
    compare(own, other)


if __name__ == "__main__":
    main()
