"""The average load of each machine that sends now."""

from statistics import fmean

from vtox.motor.faults import FAMILIES
from vtox.motor.values.record_lengths import record_length_s
from vtox.pipeline.monitoring.capacity import CPU, THREADS, capacity, last_minute_metrics
from vtox.pipeline.monitoring.requirements import TYPICAL, MachineLoad
from vtox.pipeline.store.machines.machines import load_motors
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.server.memory_use import last_senders, mean_state_bytes
from vtox.pipeline.store.stream.window_log import mean_window_bytes
from vtox.pipeline.store.system.status import Snapshot

# Machines whose memory is measured and whose nameplates are read.
SAMPLED = 50


def measured_load(client: Client, snap: Snapshot) -> MachineLoad:
    """Return the figures of the last minute; typical ones take the place of unknown figures.

    With nothing known of machines that send, it is the typical load.
    """
    now, recent = capacity(snap.metrics, snap.t), last_minute_metrics(snap.metrics, snap.t)
    rates = [m.ingest_rate for m in recent if m.ingest_rate]
    if not now.machines or not rates:
        return TYPICAL
    names = last_senders(client, SAMPLED)
    lengths = [
        max(record_length_s(family, motor) for family in FAMILIES)
        for motor in load_motors(client, names)
    ]
    rate, cores = fmean(rates), recent[0].cores
    busy_s = {f: _busy_s(snap, f) for f in FAMILIES}
    busy_s |= {name: now.used.get(name, 0.0) / rate for name in THREADS}
    # On several hosts the monitor knows its own cores.
    one_host = (
        len({w.host for w in snap.workers} | {p.bridge.host for p in snap.partitions if p.bridge})
        == 1
    )
    return MachineLoad(
        machines=now.machines,
        windows_per_s=rate / now.machines,
        window_bytes=mean_window_bytes(client) or TYPICAL.window_bytes,
        record_s=fmean(lengths) if lengths else TYPICAL.record_s,
        state_bytes=mean_state_bytes(client, names) or TYPICAL.state_bytes,
        busy_s={name: busy_s.get(name) or s for name, s in TYPICAL.busy_s.items()},
        cpu_s=now.used[CPU] * cores / rate
        if one_host and cores and CPU in now.used
        else TYPICAL.cpu_s,
    )


def _busy_s(snap: Snapshot, family: str) -> float:
    """Return the time of a worker that a window of a family takes, s; 0: not known."""
    windows = sum(w.family_windows.get(family, 0) for w in snap.workers)
    return sum(w.family_busy_s.get(family, 0.0) for w in snap.workers) / windows if windows else 0.0
