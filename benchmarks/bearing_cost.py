"""What the bearing diagnoser costs and how often it alarms on healthy machines: a small table.

    python -m benchmarks.bearing_cost [--windows 2000]

CPU time of one core (the best of several runs, so that neighbours on the box count little), one
thread per maths library, memory kept as in a worker. False alarms are counted on the plain
vibration of `tests.signals.vibration`: of a machine with shaft, supply and slot tones of random
size, with random impacts on half of them.
"""

import argparse
import os
import time
from collections.abc import Callable, Sequence

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np  # noqa: E402  (after the thread limits, which it reads when loaded)

from tests.signals.vibration import FS_HZ, MOTOR, Machine, defect, recording, vibration  # noqa: E402
from vtox.motor.diagnosis.diagnosers.bearing import diagnoser as bearing  # noqa: E402
from vtox.motor.diagnosis.dsp import comb_plan  # noqa: E402
from vtox.motor.values.domain import Recording  # noqa: E402
from workers.malloc import keep_freed_memory  # noqa: E402

BATCH = 32
REPEATS = 20


def cpu_ms(run: Callable[[], object]) -> float:
    """Return the least CPU time of several runs, ms."""
    run()
    times = []
    for _ in range(REPEATS):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return 1e3 * min(times)


def cost(recordings: Sequence[Recording], *, without_plans: bool = False) -> float:
    """Return CPU time per recording, ms; `without_plans`: each speed comes for the first time."""
    motors = [MOTOR] * len(recordings)

    def run() -> None:
        if without_plans:
            comb_plan.make_plan.cache_clear()
        bearing.diagnose(recordings, motors)

    return cpu_ms(run) / len(recordings)


def machines(rng: np.random.Generator, n: int, name: str | None = None) -> list[Machine]:
    """Return machines of random speed and tones, with the defect of that name."""
    return [
        Machine(
            shaft_hz=float(rng.uniform(23.8, 24.95)),
            shaft=tuple(rng.exponential(2.0, 6)),
            supply=float(rng.exponential(0.7)),
            slots=float(rng.exponential(0.7)),
            slot_order=int(rng.integers(22, 60)),
            impacts=(defect(name),) if name else (),
        )
        for _ in range(n)
    ]


def alarms(rng: np.random.Generator, windows: int, seconds: float, *, speed: bool) -> int:
    """Return the number of healthy records, of `windows`, in warning or fault."""
    found = 0
    for start in range(0, windows, BATCH):
        batch = []
        for i, m in enumerate(machines(rng, min(BATCH, windows - start))):
            x = vibration(m, seconds, seed=start + i)
            if i % 2:
                x[rng.integers(0, len(x), rng.poisson(10))] += 30 * rng.standard_normal()
            rpm = 60 * m.shaft_hz if speed else None
            batch.append(Recording({"vibration": x.astype(np.float32)}, FS_HZ, rpm))
        diagnoses = bearing.diagnose(batch, [MOTOR] * len(batch))
        found += sum(d.state in ("warning", "fault") for d in diagnoses)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--windows", type=int, default=2000)
    windows = parser.parse_args().windows
    rng = np.random.default_rng(0)
    keep_freed_memory()
    print("| CPU ms per second of 10 kHz data | batch of 32 | at new speeds | alone |")
    print("|---|---:|---:|---:|")
    for name in (None, "BPFO", "BPFI", "BSF"):
        batch = [recording(m, 1.0, seed=i) for i, m in enumerate(machines(rng, BATCH, name))]
        costs = cost(batch), cost(batch, without_plans=True), cost(batch[:1])
        print(f"| {name or 'healthy'} | {' | '.join(f'{c:.2f}' for c in costs)} |")
    print("\n| CPU ms per record | |\n|---|---:|")
    for seconds, fs_hz in ((2.0, 10_000.0), (10.0, 12_000.0), (4.0, 64_000.0)):
        x = recording(Machine(impacts=(defect("BPFO"),)), seconds, fs_hz=fs_hz)
        print(f"| {seconds:g} s at {fs_hz / 1e3:g} kHz, outer race | {cost([x]):.1f} |")
    print(f"\n| healthy records, {windows} each | alarms |\n|---|---:|")
    for seconds in (1.0, 2.0):
        for speed in (True, False):
            found = alarms(rng, windows, seconds, speed=speed)
            print(f"| {seconds:g} s, speed {'measured' if speed else 'by nameplate'} | {found} |")


if __name__ == "__main__":
    main()
