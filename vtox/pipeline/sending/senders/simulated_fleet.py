"""Windows of a simulated fleet in the order of time, and the baselines of its machines."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import count

import numpy as np

from vtox.motor.diagnosis.learning.fit import learn_baseline
from vtox.motor.simulator.fleet import SimulatedMachine
from vtox.motor.simulator.signals import FS_HZ, WINDOW_S, window
from vtox.motor.values.domain import Recording, Window
from vtox.pipeline.sending.senders.pacing import Job

# Commissioning: runs long enough for every family, minutes apart, so that slow changes of load and
# supply are part of the healthy state.
RUNS, RUN_WINDOWS, APART_WINDOWS = 5, 10, 150


def baseline_of(machine: SimulatedMachine) -> str:
    """Return the baseline, as JSON, that a healthy simulated run of `machine` leads to."""
    starts = range(0, RUNS * APART_WINDOWS, APART_WINDOWS)
    healthy = [_recording(machine, first) for first in starts]
    text: str = learn_baseline(healthy, machine.motor).to_json()
    return text


def jobs(
    machines: Sequence[SimulatedMachine], *, t0: float, run: str, duration_s: float | None
) -> Iterator[Job]:
    """Yield the windows of all machines in the order they end; the machines start one by one."""
    for seq in count() if duration_s is None else range(int(duration_s / WINDOW_S)):
        for i, machine in enumerate(machines):
            offset_s = seq * WINDOW_S + i * WINDOW_S / len(machines)
            yield Job(offset_s + WINDOW_S, partial(_window, machine, seq, t0 + offset_s, run))


def _window(machine: SimulatedMachine, seq: int, t0: float, run: str) -> Window:
    channels, speed_rpm = window(machine, seq, WINDOW_S, FS_HZ)
    return Window(
        machine_id=machine.machine_id,
        vehicle_id=machine.machine_id,
        run=run,
        seq=seq,
        t0=t0,
        fs_hz=FS_HZ,
        channels=channels,
        speed_rpm=speed_rpm,
    )


def _recording(machine: SimulatedMachine, first: int) -> Recording:
    parts = [window(machine, first + i, WINDOW_S, FS_HZ, healthy=True) for i in range(RUN_WINDOWS)]
    speeds = [s for _, s in parts if s is not None]
    return Recording(
        channels={c: np.concatenate([p[c] for p, _ in parts]) for c in machine.channels},
        fs_hz=FS_HZ,
        speed_rpm=float(np.mean(speeds)) if speeds else None,
    )
