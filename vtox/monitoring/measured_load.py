"""What the machines that send now ask of the system, each on average."""

import os
from statistics import fmean

from vtox.faults import FAMILIES, record_length_s
from vtox.monitoring.capacity import capacity
from vtox.monitoring.requirements import TYPICAL, MachineLoad
from vtox.store.client import Client
from vtox.store.machines import load_motors
from vtox.store.memory_use import last_senders, mean_state_bytes, mean_window_bytes
from vtox.store.status import Snapshot

# Machines whose memory is measured and whose nameplates are read.
SAMPLED = 50


def measured_load(client: Client, snap: Snapshot) -> MachineLoad:
    """Return what was measured over the last minute; figures that are not known are typical ones.

    With nothing known of machines that send, it is the typical load.
    """
    now = capacity(snap.metrics, snap.t)
    rates = [m.ingest_rate for m in snap.metrics if m.t and snap.t - m.t < 60 and m.ingest_rate]
    if not now.machines or not rates:
        return TYPICAL
    names = last_senders(client, SAMPLED)
    lengths = [record_length_s("broken_bar", motor) for motor in load_motors(client, names)]
    windows_per_s = fmean(rates)
    return MachineLoad(
        machines=now.machines,
        windows_per_s=windows_per_s / now.machines,
        window_bytes=mean_window_bytes(client) or TYPICAL.window_bytes,
        record_s=fmean(lengths) if lengths else TYPICAL.record_s,
        state_bytes=mean_state_bytes(client, names) or TYPICAL.state_bytes,
        busy_s={f: _busy_s(snap, f) or TYPICAL.busy_s[f] for f in FAMILIES},
        cpu_s=now.used["cpu"] * (os.cpu_count() or 1) / windows_per_s
        if "cpu" in now.used
        else TYPICAL.cpu_s,
    )


def _busy_s(snap: Snapshot, family: str) -> float:
    """Return the time of a worker that a window of a family takes, s."""
    windows = sum(w.family_windows.get(family, 0) for w in snap.workers)
    busy_s = sum(w.family_busy_s.get(family, 0.0) for w in snap.workers)
    return busy_s / windows if windows else 0.0
