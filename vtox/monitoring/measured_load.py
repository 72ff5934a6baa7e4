"""What the machines that send now ask of the system, each on average."""

from statistics import fmean

from vtox.faults import FAMILIES, record_length_s
from vtox.monitoring.capacity import CPU, capacity
from vtox.monitoring.requirements import TYPICAL, MachineLoad
from vtox.store.client import Client
from vtox.store.machines import load_motors
from vtox.store.memory_use import last_senders, mean_state_bytes, mean_window_bytes
from vtox.store.status import Snapshot

# Machines whose memory is measured and whose nameplates are read.
SAMPLED = 50
# What the monitor measured is of now when it is no older than this.
LATEST_S = 60.0


def shared_cores(snap: Snapshot) -> float | None:
    """Return how many cores bridge and workers may use together, as the monitor said last.

    None, not known, where they are on several hosts or in several containers, and at the start.
    """
    hosts = {w.host for w in snap.workers} | {p.bridge.host for p in snap.partitions if p.bridge}
    latest = [m for m in snap.metrics[:1] if m.t and snap.t - m.t < LATEST_S]
    return latest[0].cores if latest and len(hosts) == 1 else None


def measured_load(client: Client, snap: Snapshot) -> MachineLoad:
    """Return what was measured over the last minute; figures that are not known are typical ones.

    With nothing known of machines that send, it is the typical load.
    """
    now = capacity(snap.metrics, snap.t)
    rates = [
        m.ingest_rate for m in snap.metrics if m.t and snap.t - m.t < LATEST_S and m.ingest_rate
    ]
    if not now.machines or not rates:
        return TYPICAL
    names = last_senders(client, SAMPLED)
    lengths = [record_length_s("broken_bar", motor) for motor in load_motors(client, names)]
    windows_per_s, cores = fmean(rates), shared_cores(snap)
    return MachineLoad(
        machines=now.machines,
        windows_per_s=windows_per_s / now.machines,
        window_bytes=mean_window_bytes(client) or TYPICAL.window_bytes,
        record_s=fmean(lengths) if lengths else TYPICAL.record_s,
        state_bytes=mean_state_bytes(client, names) or TYPICAL.state_bytes,
        busy_s={f: _busy_s(snap, f) or TYPICAL.busy_s[f] for f in FAMILIES},
        cpu_s=now.used[CPU] * cores / windows_per_s if cores and CPU in now.used else TYPICAL.cpu_s,
    )


def _busy_s(snap: Snapshot, family: str) -> float:
    """Return the time of a worker that a window of a family takes, s."""
    windows = sum(w.family_windows.get(family, 0) for w in snap.workers)
    busy_s = sum(w.family_busy_s.get(family, 0.0) for w in snap.workers)
    return busy_s / windows if windows else 0.0
