"""Detection delay: from the onset of a simulated fault to the alert, by the rules of the system.

    python -m benchmarks.detection_delay [--machines 12] [--fault-mode moderate]

Machines of the simulated fleet whose signals can show their fault; records as the bridge cuts them,
each diagnosed with the machine's baseline and handed to `vtox.motor.alarms.health.update`. The
delay runs to the end of the record that raises the alert; the pipeline's latency (some 50 ms) comes
on top.
"""

import argparse
from collections.abc import Iterator
from statistics import median

import numpy as np

from vtox import diagnose
from vtox.motor.alarms.health.update import MachineHistory, update
from vtox.motor.faults import FAULTS, PERSISTENCE
from vtox.motor.simulator.fleet import SimulatedMachine, fleet
from vtox.motor.simulator.signals import FS_HZ, window
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import Record, Recording
from vtox.motor.values.record_lengths import record_length_s
from vtox.pipeline.sending.senders.simulated_fleet import baseline_of

ONSET_S = (10.0, 14.0)
# A fault is missed when this many records after its onset raise no alert.
RECORDS = 12


def faulty(fault: str, machines: int, mode: str, seed: int) -> Iterator[SimulatedMachine]:
    """Yield machines with a fault that their signals can show."""
    found = 0
    while found < machines:
        for m in fleet(26, seed=seed, fault_mode=mode, onset_s=ONSET_S):
            if m.fault == fault and m.detectable and found < machines:
                found += 1
                yield m
        seed += 1


def delay(m: SimulatedMachine) -> tuple[float, float] | None:
    """Return the delay of the alert and the error of its onset, s; None without an alert."""
    assert m.fault
    assert m.onset_s
    length = round(record_length_s(FAULTS[m.fault].name, m.motor))
    baseline = Baseline.from_json(baseline_of(m))
    history = MachineHistory()
    for n in range(int(m.onset_s / length), int(m.onset_s / length) + RECORDS):
        parts = [window(m, n * length + k) for k in range(length)]
        rpm = [s for _, s in parts if s is not None]
        x = Recording(
            {c: np.concatenate([p[c] for p, _ in parts]) for c in m.channels},
            FS_HZ,
            float(np.mean(rpm)) if rpm else None,
        )
        after = update(
            history, _record(n, length), diagnose(x, m.motor, faults=[m.fault], baseline=baseline)
        )
        history = after.history
        for alert in after.alerts:
            if alert.event == "raised":
                return (n + 1) * length - m.onset_s, alert.t - m.onset_s
    return None


def _record(n: int, length: int) -> Record:
    return Record(
        machine_id="M",
        run="",
        first_seq=n,
        last_seq=n,
        t_start=float(n * length),
        t_end=float((n + 1) * length),
        ids=f"{n + 1}-0",
        windows=1,
        bytes=1,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--machines", type=int, default=12)
    parser.add_argument("--fault-mode", default="moderate")
    parser.add_argument("--seed", type=int, default=500)
    o = parser.parse_args()
    print("| fault | rule | alert raised | delay s: median (least-most) | error of the onset, s |")
    print("|---|---|---:|---:|---:|")
    for fault in FAULTS:
        machines = list(faulty(fault, o.machines, o.fault_mode, o.seed))
        found = [x for m in machines if (x := delay(m)) is not None]
        rule = PERSISTENCE[fault]
        row = f"| {fault} | {rule.k} of {rule.n} | {len(found)} of {len(machines)} "
        if found:
            delays, errors = zip(*found, strict=True)
            row += f"| {median(delays):.1f} ({min(delays):.1f}-{max(delays):.1f}) "
            row += f"| {median(errors):+.1f} ({min(errors):+.1f} to {max(errors):+.1f}) |"
        print(row, flush=True)


if __name__ == "__main__":
    main()
